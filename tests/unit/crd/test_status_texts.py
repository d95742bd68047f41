"""Figures as people read them."""

import pytest

from aicost.crd.status.texts import change, gpu_hours, money, share, stored


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0.00"),
        (1, "<0.01"),
        (18_000, "0.01"),
        (5_400_000, "1.50"),
        (4_444_000_000, "1,234.44"),
        (-3_600_000, "-1.00"),
    ],
)
def test_device_time_is_shown_in_hours_and_is_never_0_while_there_is_some(milliseconds, text):
    assert gpu_hours(milliseconds) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 3, "33.3%"),
        (0, 5, "0.0%"),
        (5, 5, "100.0%"),
        (99_999, 100_000, ">99.9%"),
        (1, 100_000, "<0.1%"),
        (6, 5, "120.0%"),
        (-1, 4, "-25.0%"),
        (0, 0, None),
    ],
)
def test_a_share_is_never_all_or_nothing_unless_it_is(part, whole, text):
    assert share(part, whole) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (112, 100, "+12.0%"),
        (88, 100, "-12.0%"),
        (100, 100, "0.0%"),
        (5, 0, "new"),
        (0, 0, None),
        (5, None, None),
        (0, 5, "-100.0%"),
        (100_000, 1, "+9,999,900.0%"),
    ],
)
def test_a_change_has_its_sign_and_nothing_before_is_new(now, before, text):
    assert change(now, before) == text


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (1_234_560_000_000, "$1,234.56"),
        (0, "$0.00"),
        (5_000_000, "$0.01"),
        (4_999_999, "$0.0050"),
        (1, "$0.000000001"),
        (-1_000_000_000, "-$1.00"),
    ],
)
def test_an_amount_below_a_cent_is_not_shown_as_nothing(nanos, text):
    assert money(nanos, "USD") == text


def test_an_amount_without_a_currency_is_unpriced():
    assert money(0, "") == "unpriced"


def test_what_64_bits_cannot_hold_is_absent():
    assert stored(2**63 - 1) == 2**63 - 1
    assert stored(2**63) is None
