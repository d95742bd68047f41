"""How many replicas a load needed, and when there were more."""

from fractions import Fraction

from aicost.domain.idle.kinds import Phase
from aicost.domain.idle.scaling import Load, waste_of
from aicost.domain.idle.slices import SLICE_MS
from aicost.domain.sampling.series import PPB


def loads(*slices: tuple[int, float]) -> dict[int, Load]:
    """Slices one after the other: replicas, and the sum of their activities."""
    return {index * SLICE_MS: Load(replicas, int(busy * PPB)) for index, (replicas, busy) in enumerate(slices)}


def phases(*slices: tuple[int, float]) -> list[dict[Phase, int]]:
    found = waste_of(loads(*slices))
    return [dict(found[index * SLICE_MS].phases) if index * SLICE_MS in found else {} for index in range(len(slices))]


def test_replicas_before_and_after_a_spike():
    """Four replicas were up ten minutes early and stayed ten minutes too long; one was always needed."""
    assert phases((4, 0.4), (4, 0.5), (4, 3.2), (4, 3.2), (4, 0.8), (4, 0.2), (1, 0.5)) == [
        {Phase.BEFORE_SPIKE: 3},
        {Phase.BEFORE_SPIKE: 3},
        {},
        {},
        {Phase.AFTER_SPIKE: 3},
        {Phase.AFTER_SPIKE: 3},
        {},
    ]


def test_replicas_between_spikes_and_those_that_nothing_ever_needed():
    assert phases((3, 1.8), (3, 0.6), (3, 1.8))[1] == {Phase.BETWEEN_SPIKES: 2}
    assert phases((1, 0.9), (3, 0.9), (3, 0.9), (1, 0.9)) == [{}, {Phase.NEVER_NEEDED: 2}, {Phase.NEVER_NEEDED: 2}, {}]


def test_what_a_replica_can_do_is_what_the_workloads_own_did_at_most():
    """At a peak of 0.5 per replica an activity of 1.0 needs two, though one device could do it."""
    assert phases((2, 1.0), (4, 1.0))[1] == {Phase.NEVER_NEEDED: 2}


def test_one_replica_is_never_too_many():
    assert waste_of(loads((1, 0.0), (1, 0.0))) == {}


def test_a_workload_that_nobody_asked_needs_one():
    assert phases((5, 0.0)) == [{Phase.NEVER_NEEDED: 4}]


def test_where_a_replica_is_not_measured_nothing_is_called_waste():
    dark = {0: Load(4, 0, known=False), SLICE_MS: Load(4, 0)}
    assert list(waste_of(dark)) == [SLICE_MS]


def test_waste_is_never_more_than_what_was_idle():
    found = waste_of(loads((4, 3.6), (4, 1.0)))[SLICE_MS]
    assert found.share == Fraction(2 * PPB, 3 * PPB)


def test_a_break_in_time_begins_a_new_stretch():
    gap = loads((3, 2.4)) | {10 * SLICE_MS: Load(3, int(0.3 * PPB))}
    assert waste_of(gap)[10 * SLICE_MS].phases == {Phase.NEVER_NEEDED: 2}


def test_nothing_is_waste_of_nothing():
    assert waste_of({}) == {}
    assert waste_of({0: Load()}) == {}
