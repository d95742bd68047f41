"""From values of the kubelet's series (cAdvisor) at regular moments to what pods used of CPU and memory.

A source gives, at each fifth minute, the last value of each container's CPU counter, and the mean of its memory over
the five minutes before. Counters are differenced here, reset-safe and container by container. So each CPU-second is
counted once, as with raw samples, and only the piece that it is counted in may be off by one scrape.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aicost.domain.attribution.resources.observed import Observed
from aicost.domain.attribution.resources.use import Levels
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import Millis, Values

STEP_MS = 5 * MINUTE_MS
"""Length of a piece. Between two of its ends use counts as constant."""
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
PAUSE = "POD"
"""Name of the container that holds a pod's network and nothing else."""
IDENTITY = (
    "namespace",
    "pod",
    "container",
    "exported_namespace",
    "exported_pod",
    "exported_container",
    "id",
    "instance",
)
"""Labels that tell containers apart."""
_UID = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})")
_MICRO = 1_000_000
_KIB = 1_024
_BYTES = 8
"""Of a moment in a column."""
_LARGEST = 1 << 53
"""Of a level; a counter that claims more is broken, and no node has as much."""


class Container(NamedTuple):
    """Which container of which pod, on which target's word."""

    pod: PodName
    uid: str
    name: str
    cgroup: str
    instance: str


Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Values of containers at moments: container by container, in order of time.

    Attributes:
        container: index of each value's container.
    """

    containers: Sequence[Container]
    container: Index
    at_ms: Millis
    value: Values


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What containers used from moment to moment: CPU-seconds, or mean bytes."""

    containers: Sequence[Container]
    container: Index
    start_ms: Millis
    end_ms: Millis
    used: Values


def moments_of(span: Window) -> list[int]:
    """Ends of pieces that cover a span: multiples of the step, and the span's end."""
    first = span.start_ms - span.start_ms % STEP_MS
    return [*range(first, span.end_ms, STEP_MS), span.end_ms]


def container_of(labels: Mapping[str, str]) -> Container | None:
    """The container that a series speaks of; None where its labels name no pod."""
    prefix = "exported_" if labels.get("exported_pod") else ""
    namespace = labels.get(f"{prefix}namespace") or labels.get("namespace", "")
    pod, cgroup = labels.get(f"{prefix}pod", ""), labels.get("id", "")
    name = labels.get(f"{prefix}container") or labels.get("container", "")
    if not namespace or not pod:
        return None
    uid = _UID.search(cgroup)
    told = uid.group(1).replace("_", "-") if uid else ""
    return Container((namespace, pod), told, name, cgroup, labels.get("instance", ""))


class Told(NamedTuple):
    """What series tell of containers, one series after another.

    Attributes:
        containers: of each series.
        many: how many values each series has.
    """

    containers: Sequence[Container]
    many: Index
    at_ms: Millis
    value: Values


def told_by(series: Iterable[tuple[Container, Millis, Values]]) -> Told:
    """The same of series that come one by one."""
    some = list(series)
    return Told(
        [container for container, _, _ in some],
        np.array([len(at_ms) for _, at_ms, _ in some], np.intp),
        np.concatenate([np.zeros(0, np.int64), *(at_ms for _, at_ms, _ in some)]),
        np.concatenate([np.zeros(0, np.float64), *(value for _, _, value in some)]),
    )


def readings_of(told: Told, moments: Sequence[int]) -> Readings:
    """Values of containers by what series tell of them at some moments.

    What is no number or below zero is left out. Where several series tell of a container at one moment, the largest
    value counts.
    """
    indexes: dict[Container, int] = {}
    numbers = [indexes.setdefault(container, len(indexes)) for container in told.containers]
    container, at_ms, value = np.repeat(np.array(numbers, np.intp), told.many), told.at_ms, told.value
    usable = np.flatnonzero(np.isfinite(value) & (value >= 0) & np.isin(at_ms, moments))
    order = usable[np.lexsort((at_ms[usable], container[usable]))]
    container, at_ms, value = container[order], at_ms[order], value[order]
    first = _first_of_each(container, at_ms)
    return Readings(tuple(indexes), container[first], at_ms[first], np.maximum.reduceat(value, first))


def increases(readings: Readings, moments: Sequence[int]) -> Pieces:
    """CPU-seconds that containers used.

    A counter that began while its target was being read began at 0. One whose target was not read just before may have
    run for long: nothing is known of the time before its first value.
    """
    container, at_ms, value = readings.container, readings.at_ms, readings.value
    every = np.array(moments, np.int64)
    moment = np.searchsorted(every, at_ms)
    instances: dict[str, int] = {}
    numbers = [instances.setdefault(one.instance, len(instances)) for one in readings.containers]
    instance = np.array(numbers, np.intp)[container]
    read = np.zeros((len(instances), len(moments) + 1), np.bool_)
    read[instance, moment + 1] = True  # at 0 for what was before the first moment: nothing
    first = _first_of_each(container)
    began = first[read[instance[first], moment[first]]]
    same = np.flatnonzero(container[1:] == container[:-1])
    grown = value[same + 1] - value[same]
    return Pieces(
        readings.containers,
        np.concatenate((container[began], container[same])),
        np.concatenate((every[moment[began] - 1], at_ms[same])),
        np.concatenate((at_ms[began], at_ms[same + 1])),
        np.concatenate((value[began], np.where(grown >= 0, grown, value[same + 1]))),
    )


def means(readings: Readings, moments: Sequence[int]) -> Pieces:
    """Bytes that containers used on average."""
    every = np.array(moments, np.int64)
    moment = np.searchsorted(every, readings.at_ms)
    known = np.flatnonzero(moment)
    start_ms, end_ms = every[moment[known] - 1], readings.at_ms[known]
    return Pieces(readings.containers, readings.container[known], start_ms, end_ms, readings.value[known])


_PodKey = tuple[PodName, str]


def pods_of(cpu: Pieces, memory: Pieces) -> Iterator[Observed]:
    """What each pod used, its containers together."""
    pods: list[_PodKey] = sorted(dict.fromkeys(one[:2] for one in (*cpu.containers, *memory.containers)))
    numbers = {pod: number for number, pod in enumerate(pods)}
    with np.errstate(over="ignore"):  # of a broken counter, which claims more than any level anyway
        rate = cpu.used * SECOND_MS * _MICRO / (cpu.end_ms - cpu.start_ms)
    memory = _one_of_each_name(memory)
    of_cpu, of_memory = _levels(numbers, cpu, rate), _levels(numbers, memory, memory.used / _KIB)
    for (pod, uid), busy, held in zip(pods, of_cpu, of_memory, strict=True):
        if len(busy.level) or len(held.level):
            yield Observed(pod, uid, busy, held)


def _one_of_each_name(pieces: Pieces) -> Pieces:
    """The larger of two containers of one name: the second is the first after a restart."""
    names: dict[tuple[object, ...], int] = {}
    codes = [names.setdefault((*one[:2], one.name), len(names)) for one in pieces.containers]
    if len(names) == len(codes):
        return pieces
    name = np.array(codes, np.intp)[pieces.container]
    order = np.lexsort((pieces.container, name, pieces.end_ms, pieces.start_ms))
    first = _first_of_each(pieces.start_ms[order], pieces.end_ms[order], name[order])
    rows, largest = order[first], np.maximum.reduceat(pieces.used[order], first)
    return Pieces(pieces.containers, pieces.container[rows], pieces.start_ms[rows], pieces.end_ms[rows], largest)


def _levels(numbers: Mapping[_PodKey, int], pieces: Pieces, amount: Values) -> Iterator[Levels]:
    """Each pod's use, by their numbers: in each piece the sum of its containers, by their order."""
    of_container = np.array([numbers[one[:2]] for one in pieces.containers], np.intp)
    pod = of_container[pieces.container]
    order = np.lexsort((pieces.container, pieces.end_ms, pieces.start_ms, pod))
    pod, start_ms, end_ms = pod[order], pieces.start_ms[order], pieces.end_ms[order]
    first = _first_of_each(pod, start_ms, end_ms)
    piece = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(order))))
    sums = np.bincount(piece, amount[order], len(first)).astype(np.float64)
    pod, start_ms, end_ms = pod[first], start_ms[first], end_ms[first]
    bounds = np.searchsorted(pod, np.arange(len(numbers) + 1)).tolist()
    over = set(pod[1:][(pod[1:] == pod[:-1]) & (start_ms[1:] < end_ms[:-1])].tolist())
    level, starts, ends = _whole(sums), start_ms.tobytes(), end_ms.tobytes()
    times: dict[tuple[bytes, bytes], tuple[Millis, Millis]] = {}  # of most pods the same, so they share them
    for number, (first_piece, last) in enumerate(pairwise(bounds)):
        mine, stored = slice(first_piece, last), slice(first_piece * _BYTES, last * _BYTES)
        if number in over:
            yield _cut(start_ms[mine].tolist(), end_ms[mine].tolist(), sums[mine].tolist())
        else:
            key = starts[stored], ends[stored]
            if key not in times:
                times[key] = start_ms[mine], end_ms[mine]
            yield Levels(*times[key], level[mine])


def _whole(level: Values) -> NDArray[np.int64]:
    return np.rint(np.minimum(_LARGEST, level)).astype(np.int64)


def _first_of_each(*columns: NDArray[np.int64]) -> Index:
    """Where each run of rows begins that are equal in all columns."""
    if not len(columns[0]):
        return np.zeros(0, np.intp)
    differs = np.logical_or.reduce([one[1:] != one[:-1] for one in columns])
    return np.concatenate(([0], np.flatnonzero(differs) + 1))


def _cut(starts: Sequence[int], ends: Sequence[int], levels: Sequence[float]) -> Levels:
    """Columns of pieces of which some overlap: longer ones, over a time without values, are cut where others begin."""
    edges = sorted({*starts, *ends})
    found: dict[tuple[int, int], float] = defaultdict(float)
    for start, end, level in zip(starts, ends, levels, strict=True):
        for one in pairwise(edge for edge in edges if start <= edge <= end):
            found[one] += level
    ordered = sorted(found)
    starts, ends = [start for start, _ in ordered], [end for _, end in ordered]
    return Levels(
        np.array(starts, np.int64), np.array(ends, np.int64), _whole(np.array([found[one] for one in ordered]))
    )
