"""Use of CPU and memory by columns is what it is value by value."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.attribution.resources.kubelet import (
    STEP_MS,
    Container,
    increases,
    means,
    moments_of,
    pods_of,
    readings_of,
    told_by,
)
from aicost.domain.exact.windows import Window

T0 = 1_795_600_800_000
MOMENTS = moments_of(Window(T0 + 60_000, T0 + 5 * STEP_MS + 90_000))
LARGEST = 1 << 53

CONTAINERS = st.builds(
    Container,
    st.tuples(st.just("ml"), st.sampled_from(["a", "b"])),
    st.sampled_from(["", "uid-1"]),
    st.sampled_from(["main", "side", "third"]),
    st.sampled_from(["/x", "/y"]),
    st.sampled_from(["n1", "n2"]),
)
AMOUNTS = st.one_of(
    st.floats(0, 1e6), st.integers(0, 5).map(float), st.sampled_from([0.1, 0.2, 0.3, 1e300, -1.0, np.nan, np.inf])
)
TOLD = st.lists(
    st.tuples(
        CONTAINERS,
        st.lists(st.tuples(st.sampled_from([*MOMENTS, T0 + 7]), AMOUNTS), max_size=7, unique_by=lambda one: one[0]),
    ),
    max_size=7,
)


def plainly(told):
    """Container -> moment -> value."""
    found = defaultdict(dict)
    for container, pairs in told:
        for at_ms, value in pairs:
            if at_ms in MOMENTS and np.isfinite(value) and value >= 0:
                found[container][at_ms] = max(found[container].get(at_ms, 0.0), value)
    return {container: known for container, known in found.items() if known}


def seconds(values):
    seen = defaultdict(set)
    for container, known in values.items():
        seen[container.instance].update(known)
    before = dict(zip(MOMENTS[1:], MOMENTS, strict=False))
    for container, known in values.items():
        times = sorted(known)
        first = before.get(times[0])
        if first is not None and first in seen[container.instance]:
            yield container, first, times[0], known[times[0]]
        for start, end in pairwise(times):
            grown = known[end] - known[start]
            yield container, start, end, grown if grown >= 0 else known[end]


def sums(cpu, memory):
    """Pod -> what it used in each piece, before pieces that overlap are cut."""
    rates, held = defaultdict(lambda: defaultdict(float)), defaultdict(lambda: defaultdict(dict))
    for container, start, end, used in seconds(cpu):
        rates[container.pod, container.uid][start, end] += used * 1_000 * 1_000_000 / (end - start)
    before = dict(zip(MOMENTS[1:], MOMENTS, strict=False))
    for container, known in memory.items():
        for end, mean in known.items():
            if end in before:
                names = held[container.pod, container.uid][before[end], end]
                names[container.name] = max(names.get(container.name, 0.0), mean / 1_024)
    whole = {pod: {piece: sum(names.values()) for piece, names in pieces.items()} for pod, pieces in held.items()}
    return {pod: (rates.get(pod, {}), whole.get(pod, {})) for pod in sorted(rates.keys() | held.keys())}


def levels(pieces):
    """Whole levels of pieces, cut where others begin if any overlap."""
    ordered = sorted(pieces)
    if any(before[1] > after[0] for before, after in pairwise(ordered)):
        edges, found = sorted({edge for piece in pieces for edge in piece}), defaultdict(float)
        for start, end in ordered:
            for one in pairwise(edge for edge in edges if start <= edge <= end):
                found[one] += pieces[start, end]
        pieces = found
    return [(*piece, round(min(LARGEST, pieces[piece]))) for piece in sorted(pieces)]


def rows(column):
    return list(zip(column.start_ms.tolist(), column.end_ms.tolist(), column.level.tolist(), strict=True))


def columns(told):
    series = [
        (container, np.array([at for at, _ in pairs], np.int64), np.array([value for _, value in pairs], np.float64))
        for container, pairs in told
    ]
    return readings_of(told_by(series), MOMENTS)


@given(TOLD, TOLD)
def test_columns_give_what_values_one_by_one_give(cpu, memory):
    found = list(pods_of(increases(columns(cpu), MOMENTS), means(columns(memory), MOMENTS)))
    wanted = sums(plainly(cpu), plainly(memory))
    assert [(one.pod, one.uid) for one in found] == list(wanted)
    for one, (rates, held) in zip(found, wanted.values(), strict=True):
        assert (rows(one.cpu), rows(one.memory)) == (levels(rates), levels(held))
        assert one.cpu.level.dtype == one.memory.level.dtype == np.int64


def test_a_longer_piece_is_cut_where_another_containers_begin():
    main, side = (Container(("ml", "a"), "", name, f"/{name}", "n1") for name in ("main", "side"))
    first, second, third = MOMENTS[0], MOMENTS[1], MOMENTS[2]
    told = [(main, [(first, 0.0), (third, 600.0)]), (side, [(first, 0.0), (second, 300.0), (third, 300.0)])]
    (one,) = pods_of(increases(columns(told), MOMENTS), means(columns([]), MOMENTS))
    assert rows(one.cpu) == [(first, second, 2_000_000), (second, third, 1_000_000)]


def test_pods_that_are_read_at_the_same_times_share_them():
    told = [(Container(("ml", pod), "", "main", "/x", "n1"), [(at, 1.0) for at in MOMENTS]) for pod in "ab"]
    told.append((Container(("ml", "c"), "", "main", "/x", "n1"), [(at, 1.0) for at in MOMENTS[2:]]))
    first, second, later = pods_of(increases(columns(told), MOMENTS), means(columns(told), MOMENTS))
    assert first.cpu.start_ms is second.cpu.start_ms
    assert first.memory.end_ms is second.memory.end_ms
    assert rows(first.memory)[1:] == rows(later.memory)
