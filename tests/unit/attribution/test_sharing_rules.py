"""The corners of the rules by which holders share a device."""

from fractions import Fraction

import pytest

from aicost.domain.attribution.sharing.rules import DIVISIONS, SplitRule, reconcile, reserved

QUARTERS = (Fraction(1, 4),) * 4
TWO_PART, RESERVED, USED = SplitRule.TWO_PART, SplitRule.BY_RESERVATION, SplitRule.BY_USAGE


def share(rule, found, device, raw=QUARTERS, strays=0):
    """used, idle, unallocated and unattributed in hundredths of the device."""
    shares = reserved(raw)
    agreed = reconcile(100, device, found, shares, strays)
    assert agreed is not None
    done = DIVISIONS[rule](100, agreed, shares)
    return list(done.used), list(done.idle), done.unallocated, done.unattributed


def test_two_part_is_the_golden_vector():
    assert share(TWO_PART, [40, 20, 20, 0], 80) == ([40, 20, 20, 0], [5, 5, 5, 5], 0, 0)


def test_by_reservation_a_holder_pays_what_it_reserved_and_no_more():
    assert share(RESERVED, [40, 20, 20, 0], 80) == ([25, 20, 20, 0], [0, 5, 5, 25], 0, 0)


def test_by_usage_idle_time_follows_use():
    assert share(USED, [40, 20, 20, 0], 80) == ([40, 20, 20, 0], [10, 5, 5, 0], 0, 0)


def test_by_usage_of_an_idle_device_goes_by_what_is_reserved_and_the_rest_is_nobodys():
    assert share(USED, [0, 0], 0, QUARTERS[:2]) == ([0, 0], [25, 25], 50, 0)


@pytest.mark.parametrize("rule", SplitRule)
def test_an_idle_device_makes_measured_use_nothing(rule):
    used, idle, unallocated, unattributed = share(rule, [3, 2, 0, 0], 0)
    assert used == [0, 0, 0, 0]
    assert (sum(idle), unallocated, unattributed) == (100, 0, 0)


def test_more_than_the_device_did_is_scaled_down_to_it():
    assert share(TWO_PART, [60, 60, 40, 0], 80)[0] == [30, 30, 20, 0]


def test_nearly_all_is_scaled_up_and_below_that_the_rest_is_unattributed():
    assert share(TWO_PART, [36, 18, 18, 0], 80)[0] == [40, 20, 20, 0]
    assert share(TWO_PART, [36, 18, 17, 0], 80) == ([36, 18, 17, 0], [5, 5, 5, 5], 0, 9)


def test_without_the_devices_own_activity_it_is_the_sum_and_at_most_a_whole():
    assert share(TWO_PART, [10, 20], None, QUARTERS[:2]) == ([10, 20], [Fraction(70, 4)] * 2, 35, 0)
    assert share(TWO_PART, [150, 50], None, QUARTERS[:2])[0] == [75, 25]


def test_what_measured_holders_leave_goes_to_the_others_by_what_they_reserved():
    raw = (Fraction(1, 4), Fraction(1, 4), Fraction(1, 2))
    assert share(TWO_PART, [30, None, None], 60, raw)[0] == [30, 10, 20]
    assert share(TWO_PART, [90, None, None], 60, raw)[0] == [60, 0, 0]


def test_what_one_who_reserved_nothing_may_have_used_is_nobodys():
    assert share(TWO_PART, [10, None], 60, (Fraction(1, 2), Fraction(0))) == ([10, 0], [20, 0], 20, 50)


def test_nothing_is_measured_where_the_device_and_some_holder_are_not():
    assert reconcile(100, None, [10, None], QUARTERS[:2]) is None


def test_activity_of_one_who_holds_nothing_is_unattributed():
    assert share(TWO_PART, [30, 30], 80, QUARTERS[:2], strays=20) == ([30, 30], [5, 5], 10, 20)
    assert share(TWO_PART, [30, None], 80, QUARTERS[:2], strays=20)[0] == [30, 30]


def test_more_reserved_than_there_is_is_scaled_down():
    halves = (Fraction(1, 2),) * 3
    assert reserved(halves) == (Fraction(1, 3),) * 3
    assert share(RESERVED, [60, 20, 0], 80, halves)[0] == [Fraction(100, 3), 20, 0]
