"""A gauge over time: sums that add up, and no belief in what nobody saw."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import Window
from aicost.domain.serving.held import LONGEST_MS, Held, held

MINUTE = 60_000
TEN = Window(0, 10 * MINUTE)


def seen(*samples, span=TEN):
    at_ms, values = zip(*samples, strict=True)
    return held(np.array(at_ms, np.int64), np.array(values, np.float64), span)


def test_a_value_stands_until_the_next_one():
    found = seen((0, 3), (2 * MINUTE, 1), (5 * MINUTE, 4))
    assert found == Held(3 * 120.0 + 1 * 180.0 + 4 * 300.0, 600.0)


def test_a_value_of_before_stands_at_the_beginning():
    assert seen((-MINUTE, 5), (MINUTE, 0)) == Held(5 * 60.0, 360.0)


def test_nobody_believes_a_value_for_ever():
    assert seen((0, 2)) == Held(2 * LONGEST_MS / 1_000, LONGEST_MS / 1_000)


def test_what_is_no_number_is_no_sample():
    assert seen((0, float("nan")), (MINUTE, float("inf")), (2 * MINUTE, -1)) is None
    assert seen((20 * MINUTE, 1)) is None


samples = st.lists(st.tuples(st.integers(-600_000, 1_200_000), st.integers(0, 1_000)), min_size=1, max_size=20)


@given(samples, st.integers(1, 599_999), st.randoms())
def test_spans_that_follow_each_other_add_up_in_any_order_of_samples(given_samples, cut, random):
    found = dict(given_samples)
    mixed = list(found.items())
    random.shuffle(mixed)
    whole = seen(*found.items())
    parts = [seen(*mixed, span=Window(*bounds)) for bounds in ((0, cut), (cut, 600_000))]
    assert round(sum(one.seconds for one in parts if one), 6) == (whole.seconds if whole else 0)
    total = sum(one.value_seconds for one in parts if one)
    assert abs(total - (whole.value_seconds if whole else 0)) < 1e-3
