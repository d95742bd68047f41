"""From values of the kubelet's series (cAdvisor) at regular moments to what pods used of CPU and memory.

A source gives, at each fifth minute, the last value of each container's CPU counter, and the mean of its memory over
the five minutes before. Counters are differenced here, reset-safe and container by container. So each CPU-second is
counted once, as with raw samples, and only the piece that it is counted in may be off by one scrape.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from aicost.domain.attribution.resources.observed import Observed
from aicost.domain.attribution.resources.use import Levels
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.placement import PodName

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
_LARGEST = 1 << 53
"""Of a level; a counter that claims more is broken, and no node has as much."""


@dataclass(frozen=True, slots=True)
class Container:
    """Which container of which pod, on which target's word."""

    pod: PodName
    uid: str
    name: str
    cgroup: str
    instance: str


Values = Mapping[int, float]
"""Moment -> value."""


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


def increases(values: Mapping[Container, Values], moments: list[int]) -> Iterator[tuple[Container, int, int, float]]:
    """Container, start, end, and CPU-seconds that it used in between.

    A counter that began while its target was being read began at 0. One whose target was not read just before may have
    run for long: nothing is known of the time before its first value.
    """
    seen: dict[str, set[int]] = defaultdict(set)
    for container, known in values.items():
        seen[container.instance].update(known)
    before = dict(zip(moments[1:], moments, strict=False))
    for container, known in values.items():
        times = sorted(known)
        first = before.get(times[0])
        if first is not None and first in seen[container.instance]:
            yield container, first, times[0], known[times[0]]
        for start, end in pairwise(times):
            grown = known[end] - known[start]
            yield container, start, end, grown if grown >= 0 else known[end]


def means(values: Mapping[Container, Values], moments: list[int]) -> Iterator[tuple[Container, int, int, float]]:
    """Container, start, end, and bytes that it used on average in between."""
    before = dict(zip(moments[1:], moments, strict=False))
    for container, known in values.items():
        yield from ((container, before[end], end, mean) for end, mean in known.items() if end in before)


Piece = tuple[Container, int, int, float]
_PodKey = tuple[PodName, str]


def pods_of(cpu_pieces: Iterable[Piece], memory_pieces: Iterable[Piece]) -> Iterator[Observed]:
    """What each pod used, its containers together."""
    cpu: defaultdict[_PodKey, dict[tuple[int, int], float]] = defaultdict(lambda: defaultdict(float))
    memory: defaultdict[_PodKey, dict[tuple[int, int], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for container, start, end, seconds in cpu_pieces:
        cpu[container.pod, container.uid][start, end] += seconds * SECOND_MS * _MICRO / (end - start)
    for container, start, end, mean in memory_pieces:
        # Of two containers of one name the second is the first after a restart: they were not there together.
        names = memory[container.pod, container.uid][start, end]
        names[container.name] = max(names.get(container.name, 0.0), mean / _KIB)
    for pod, uid in sorted(cpu.keys() | memory.keys()):
        sums = {piece: sum(names.values()) for piece, names in memory[pod, uid].items()}
        yield Observed(pod, uid, _levels(cpu[pod, uid]), _levels(sums))


def _levels(pieces: Mapping[tuple[int, int], float]) -> Levels:
    """Columns of pieces that do not overlap: a longer one, over a time without values, is cut where others begin."""
    ordered = sorted(pieces)
    found = pieces
    if any(before[1] > after[0] for before, after in pairwise(ordered)):
        found = _cut(pieces)
        ordered = sorted(found)
    levels = [round(min(_LARGEST, found[one])) for one in ordered]
    starts, ends = [start for start, _ in ordered], [end for _, end in ordered]
    return Levels(np.array(starts, np.int64), np.array(ends, np.int64), np.array(levels, np.int64))


def _cut(pieces: Mapping[tuple[int, int], float]) -> Mapping[tuple[int, int], float]:
    """The same, cut wherever any piece begins or ends."""
    edges = sorted({edge for piece in pieces for edge in piece})
    found: dict[tuple[int, int], float] = defaultdict(float)
    for (start, end), level in pieces.items():
        for one in pairwise(edge for edge in edges if start <= edge <= end):
            found[one] += level
    return found
