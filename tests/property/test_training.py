"""Whatever a run shows, its money is divided to the nano, and its work is counted once."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.training.climbing import climb
from aicost.domain.training.dividing import Held, Outcome
from aicost.domain.training.measures import Track, leading
from aicost.domain.training.run_costs import Aims, Run, run_costs
from aicost.domain.training.terms import Measure, Shape

SPAN = Window(10 * HOUR_MS, 14 * HOUR_MS)
NASTY = st.floats(allow_nan=True, allow_infinity=True, width=64)
SMALL = st.integers(0, 50).map(float)
ANY = NASTY | SMALL
MOMENTS = st.integers(9 * HOUR_MS, 15 * HOUR_MS)


@st.composite
def tracks(draw, values=ANY):
    told = draw(st.lists(st.tuples(MOMENTS, values), max_size=25))
    at_ms, value = np.array([one[0] for one in told], np.int64), np.array([one[1] for one in told], np.float64)
    measure, shape = draw(st.sampled_from(Measure)), draw(st.sampled_from(Shape))
    return Track(measure, shape, draw(st.sampled_from(["a", "b", ""])), at_ms, value)


@st.composite
def pods(draw):
    start_ms = draw(st.integers(SPAN.start_ms, SPAN.end_ms - 1))
    end_ms = draw(st.integers(start_ms, SPAN.end_ms))
    cost, bound = draw(st.integers(-(10**12), 10**15)), draw(st.none() | st.just(start_ms) | st.just(0))
    outcome, known = draw(st.sampled_from(Outcome)), draw(st.booleans())
    return Held(draw(st.sampled_from(["a", "b"])), "u", Window(start_ms, end_ms), cost, known, outcome, bound)


@given(st.lists(pods(), max_size=6), st.lists(tracks(), max_size=6), st.sampled_from(Outcome))
def test_the_parts_are_the_whole_and_what_is_not_known_is_absent(held, shown, outcome):
    aims = Aims({measure: Fraction(40) for measure in Measure})
    costs = run_costs(Run(SPAN, "USD", held, shown, outcome, aims))
    assert sum(costs.parts.values()) == costs.cost_nanos == sum(one.cost_nanos for one in held)
    assert all(amount >= 0 for amount in costs.did.values())
    assert costs.basis is not None or (costs.goodput, costs.repeated, costs.restarts) == (None, None, None)
    if min((one.cost_nanos for one in held), default=0) >= 0:
        assert costs.goodput is None or 0 <= costs.goodput <= 1
        assert costs.completion.nanos is None or costs.completion.nanos >= 0
        assert all(nanos >= 0 for nanos in costs.parts.values())


@given(st.lists(tracks(SMALL), max_size=5), st.randoms())
def test_neither_the_order_of_samples_nor_that_of_series_changes_anything(shown, random):
    steps = [Track(Measure.STEPS, Shape.GAUGE, f"pod-{n}", *_once(one)) for n, one in enumerate(shown)]
    mixed = [_mixed(one, random) for one in steps]
    random.shuffle(mixed)
    assert leading(mixed) == leading(steps)


@given(st.lists(st.tuples(MOMENTS, st.integers(0, 50)), min_size=1, max_size=30, unique_by=lambda one: one[0]))
def test_work_is_kept_or_lost_and_where_it_stands_in_the_end_is_what_is_kept(told):
    told.sort()
    steps = Track(
        Measure.STEPS, Shape.GAUGE, "a", np.array([t for t, _ in told]), np.array([float(v) for _, v in told])
    )
    found = climb(leading([steps]), Shape.GAUGE, SPAN, {})
    inside = [value for at, value in told if SPAN.start_ms <= at < SPAN.end_ms]
    if not inside:
        assert found is None
        return
    early = [value for at, value in told if at < SPAN.start_ms][-1:]
    counts = [*early, *inside]
    done = sum(max(0, now - before) for before, now in pairwise(counts))
    assert found.useful + found.repeated == done
    assert found.last == counts[-1]
    assert found.useful == counts[-1] - min(counts)
    work = sorted((*found.kept, *found.lost), key=lambda rise: (rise.start_ms, rise.end_ms))
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(work))


def _once(track):
    at_ms, first = np.unique(track.at_ms, return_index=True)
    return at_ms, track.value[first]


def _mixed(track, random):
    order = list(range(len(track.at_ms)))
    random.shuffle(order)
    return Track(track.measure, track.shape, track.pod, track.at_ms[order], track.value[order])
