"""How much a counter grew: through resets, gaps and new series."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.counters.growth import Growth, growth, increase

SPAN = Window(100, 200)


def grown(samples: dict[int, float], span: Window = SPAN, **more) -> float | None:
    return increase(np.array(list(samples), np.int64), np.array(list(samples.values()), np.float64), span, **more)


@pytest.mark.parametrize(
    ("samples", "by"),
    [
        ({90: 5, 110: 7, 190: 12}, 7),
        ({80: 1, 90: 5, 110: 5, 190: 5}, 0),
        ({90: 5, 110: 8, 120: 2, 130: 3}, 6),
        ({90: 50, 110: 4}, 4),
        ({90: 5, 150: 1, 160: 0, 170: 3}, 4),
        ({10: 5, 199: 905}, 900),
        ({90: 5, 110: 7, 200: 100}, 2),
        ({99: 5, 100: 6}, 1),
        ({190: 12, 90: 5, 110: 7}, 7),
        ({90: 5, 110: float("nan"), 120: float("inf"), 130: -1, 190: 12}, 7),
        ({90: 0.25, 110: 1.0}, 0.75),
    ],
    ids=[
        "grows", "stands still", "is reset", "was reset before the first sample", "is reset twice", "has a long gap",
        "half-open at the end", "half-open at the start", "in any order", "what is no sample", "parts of a unit",
    ],
)  # fmt: skip
def test_the_increase_of_a_counter(samples, by):
    assert grown(samples) == by


def test_a_series_that_begins_inside_the_span_counts_from_0():
    assert grown({120: 30, 130: 35}) == 35
    assert grown({120: 30}) == 30


def test_a_restart_that_begins_a_new_series_counts_from_0_beside_the_old_one():
    old, new = grown({90: 900, 120: 950}), grown({140: 20, 190: 60})
    assert (old, new) == (50, 60)


def test_a_series_whose_beginning_nobody_watched_counts_from_its_first_sample():
    assert grown({120: 1_000_000, 130: 1_000_005}, watched_ms=200) == 5
    assert grown({120: 1_000_000}, watched_ms=200) is None
    assert grown({100: 1_000_000, 130: 1_000_005}) == 5, "at the start it may have begun before"
    assert grown({100: 30, 130: 35}, watched_ms=99) == 35


def test_it_is_said_whether_the_beginning_was_known():
    def of(samples: dict[int, float], **more) -> Growth | None:
        return growth(np.array(list(samples), np.int64), np.array(list(samples.values()), np.float64), SPAN, **more)

    assert of({90: 5, 110: 7}) == Growth(2, is_whole=True)
    assert of({120: 7}) == Growth(7, is_whole=True)
    assert of({120: 7, 130: 9}, watched_ms=200) == Growth(2, is_whole=False)


def test_without_a_sample_in_the_span_nothing_is_known():
    assert grown({}) is None
    assert grown({90: 5, 200: 9}) is None
    assert grown({90: 5, 120: float("nan")}) is None


counters = st.dictionaries(st.integers(0, 400), st.integers(0, 1_000), max_size=30)


@given(counters, st.lists(st.integers(0, 400), min_size=2, max_size=6))
def test_parts_of_a_span_add_up_to_the_whole(samples, cuts):
    """Where the source was watched from before all of it, each part knows the last value before it."""
    edges = sorted(set(cuts))
    whole = grown(samples, Window(edges[0], edges[-1]), watched_ms=-1)
    parts = [grown(samples, Window(a, b), watched_ms=-1) for a, b in pairwise(edges)]
    known = [part for part in parts if part is not None]
    assert sum(known) == (whole or 0)
    assert (whole is None) == (not known)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=30))
def test_the_increase_is_what_was_counted_since_the_first_sample(script):
    """A process that counts, and restarts: what it counted is seen as far as a sample shows it."""
    value, counted, samples = 7.0, 0, {50: 7.0}
    for moment, (more, restarts) in enumerate(script, SPAN.start_ms):
        value = more if restarts and more < value else value + more
        counted, samples[moment] = counted + more, value
    assert grown(samples) == (counted if script else None)


def test_each_series_is_increased_before_they_are_summed():
    """Summed first, the restart of one series would hide behind the other's growth."""
    first, second = {90: 100.0, 110: 0.0, 120: 5.0}, {90: 100.0, 110: 150.0, 120: 200.0}
    assert grown(first) + grown(second) == 105
    assert grown({at: first[at] + second[at] for at in first}) == 205
