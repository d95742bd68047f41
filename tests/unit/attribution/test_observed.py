"""From what a source observed to what each pod used while it was there."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from aicost.domain.attribution.resources.observed import Observed, use_of_pods
from aicost.domain.attribution.resources.use import UNKNOWN, Levels
from support.builders import make_pod
from support.nodes import at
from support.residents import levels


def pod(name="a", since=0.0, until=None, uid="uid-a"):
    record = make_pod("team", name).bound(at(since)).record(None if until is None else at(until))
    return replace(record, facts=replace(record.facts, uid=uid))


def observed(cpu=(), memory=(), uid="uid-a", name="a"):
    return Observed(("team", name), uid, levels(cpu, 10**6), levels(memory, 2**20))


def used(found, name="a"):
    cpu = found.of(("team", name)).cpu
    return [
        ((start - at(0)) / 60_000, (end - at(0)) / 60_000, level / 10**6)
        for start, end, level in zip(cpu.start_ms, cpu.end_ms, cpu.level, strict=True)
    ]


def test_what_a_pod_used_in_a_piece_it_used_while_it_was_there():
    assert used(use_of_pods([observed(cpu=[(0, 5, 1)])], [pod(since=4)])) == [(4, 5, 5.0)]


def test_memory_is_a_level_and_no_amount():
    found = use_of_pods([observed(memory=[(0, 5, 1)])], [pod(since=4)])
    assert found.of(("team", "a")).memory.level.tolist() == [2**20]


def test_pods_that_follow_each_other_under_one_name_are_told_apart():
    shown = [observed(cpu=[(0, 5, 1)], uid="uid-a"), observed(cpu=[(0, 5, 2), (5, 10, 2)], uid="uid-b")]
    found = use_of_pods(shown, [pod(since=0, until=2), pod(since=3, uid="uid-b")])
    assert used(found) == [(0, 2, 2.5), (3, 5, 5.0), (5, 10, 2.0)]


def test_where_no_uid_is_told_the_name_decides():
    assert used(use_of_pods([observed(cpu=[(0, 5, 1)], uid="")], [pod()])) == [(0, 5, 1.0)]


def test_a_pod_of_which_nothing_is_shown_is_not_measured():
    assert use_of_pods([observed(name="b")], [pod()]).of(("team", "a")).cpu is UNKNOWN


def test_pieces_of_pods_that_overlap_do_not():
    shown = [observed(cpu=[(0, 10, 1)], uid="uid-a"), observed(cpu=[(0, 10, 1)], uid="uid-b")]
    found = used(use_of_pods(shown, [pod(since=0, until=8), pod(since=6, uid="uid-b")]))
    assert [(start, end) for start, end, _ in found] == [(0, 6), (6, 10)]


EDGES = st.lists(st.integers(0, 40).map(lambda one: one * 100_000), max_size=7, unique=True).map(sorted)
LEVELS = EDGES.flatmap(
    lambda edges: st.lists(
        st.integers(0, 9) | st.integers(2**52, 2**53), min_size=len(edges[1:]), max_size=len(edges[1:])
    ).map(lambda level: (edges, level))
)
LIVES = st.tuples(st.integers(0, 4_000_000), st.none() | st.integers(0, 4_500_000))


def columns(edges, level):
    return Levels(*(np.array(column, np.int64) for column in (edges[:-1], edges[1:], level)))


def plainly(edges, level, since, until, *, spread):
    """Pieces within a life; what is spread keeps its amount, in whole units, up to what 64 bits hold."""
    found = []
    for (start, end), one in zip(pairwise(edges), level, strict=True):
        first, last = max(start, since), end if until is None else min(end, until)
        if first < last:
            found.append((first, last, min(one * (end - start) // (last - first), 1 << 62) if spread else one))
    return found


def rows(levels):
    return list(zip(levels.start_ms.tolist(), levels.end_ms.tolist(), levels.level.tolist(), strict=True))


@example([(([0, 100_000], [2**52]), ([], []), (0, 1))])
@given(st.lists(st.tuples(LEVELS, LEVELS, LIVES), max_size=6))
def test_pods_cut_together_are_cut_as_each_alone(some):
    shown, records = [], []
    for number, (cpu, memory, (since, until)) in enumerate(some):
        name = f"p{number}"
        shown.append(Observed(("team", name), name, columns(*cpu), columns(*memory)))
        record = make_pod("team", name).bound(since).record(until)
        records.append(replace(record, facts=replace(record.facts, uid=name)))
    found = use_of_pods(shown, records)
    for one, (cpu, memory, (since, until)) in zip(shown, some, strict=True):
        gone = until is not None and since >= until
        use = found.of(one.pod)
        assert rows(use.cpu) == ([] if gone else plainly(*cpu, since, until, spread=True))
        assert rows(use.memory) == ([] if gone else plainly(*memory, since, until, spread=False))
