"""The samples of one node, sorted for the judge: rows of devices, and rows of pods."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aicost.domain.sampling.columns import Entry, describe, to_columns
from aicost.domain.sampling.dialects import METRICS
from aicost.domain.sampling.freezing import frozen_samples
from aicost.domain.sampling.identity import SamplingContext, exporter_node
from aicost.domain.sampling.placement import place
from aicost.domain.sampling.series import Millis, Parts, RawSeries, Signal
from aicost.domain.trust.values import Stranger

PROFILING = frozenset({Signal.ENGINE_ACTIVE, Signal.SM_ACTIVE})
"""What utilisation rests on and takes the profiling counters of the hardware."""
PROFILED = PROFILING | {Signal.DRAM_ACTIVE}
"""All that takes them."""
DCGM_PREFIX = "DCGM_"
VIRTUAL = "vgpu"
"""Label of a row that is about one holder of a shared device."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Values over time, in order of time and each moment once.

    Attributes:
        value: parts per billion for activities, base units for the rest.
    """

    at_ms: Millis
    value: Parts

    def since(self, at_ms: int) -> "Trace":
        """The samples from a moment on."""
        first = int(self.at_ms.searchsorted(at_ms))
        return Trace(self.at_ms[first:], self.value[first:])


def largest_of(traces: Sequence[Trace]) -> Trace:
    """One trace of several: the largest value of each moment."""
    if len(traces) == 1:
        return traces[0]
    at_ms = np.concatenate([one.at_ms for one in traces])
    value = np.concatenate([one.value for one in traces])
    order = np.lexsort((value, at_ms))
    times, values = at_ms[order], value[order]
    last = np.append(times[1:] != times[:-1], np.ones(min(1, len(times)), bool))
    return Trace(times[last], values[last])


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One series with its usable samples.

    Attributes:
        trace: what is a value and not from the future.
        fresh_until_ms: its last sample that a hanging exporter did not merely repeat; None where there is none.
    """

    entry: Entry
    trace: Trace
    fresh_until_ms: int | None

    @property
    def newest_ms(self) -> int | None:
        """Its last sample."""
        return int(self.trace.at_ms[-1]) if len(self.trace.at_ms) else None


@dataclass(frozen=True, slots=True, eq=False)
class NodeSamples:
    """All that samples say of one node.

    Attributes:
        lines: its series.
        ahead_ms: how far its newest sample lies in the future; 0 where none does.
        nameless: names of metrics whose rows name no device.
        foreign: names of GPU metrics that no dialect has.
    """

    lines: tuple[Line, ...] = ()
    ahead_ms: int = 0
    nameless: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()

    @property
    def newest_ms(self) -> int | None:
        """Its newest sample."""
        return max((one.newest_ms for one in self.lines if one.newest_ms is not None), default=None)

    def devices(self, since_ms: int) -> frozenset[str]:
        """UUIDs with a sample from a moment on."""
        return frozenset(one.entry.device for one in self.lines if (one.newest_ms or -1) >= since_ms)


def by_node(
    raw: Iterable[RawSeries], context: SamplingContext, now_ms: int, strangers: Iterable[Stranger] = ()
) -> Mapping[str, NodeSamples]:
    """Sort samples by node; devices whose node cannot be told are left out."""
    filled = [one for one in raw if len(one.at_ms)]
    entries, _ = describe(filled, context)
    nodes = _nodes(entries, context)
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in _lines(entries, context, now_ms):
        lines[nodes.get(line.entry.device, "")].append(line)
    ahead = _ahead(entries, nodes, now_ms)
    nameless, foreign = _nameless(filled, entries, context), _foreign(strangers, context)
    return {
        node: NodeSamples(
            tuple(lines.get(node, ())),
            ahead.get(node, 0),
            frozenset(nameless.get(node, ())),
            frozenset(foreign.get(node, ())),
        )
        for node in sorted({*lines, *ahead, *nameless, *foreign} - {""})
    }


def _lines(entries: Sequence[Entry], context: SamplingContext, now_ms: int) -> Iterator[Line]:
    """Usable samples of each series."""
    columns = to_columns(entries, now_ms)
    frozen = frozen_samples(columns, context.interval_ms)
    for index, (entry, (at_ms, value, _)) in enumerate(zip(columns.entries, columns.samples, strict=True)):
        fresh = at_ms[~frozen[index]] if index in frozen else at_ms
        trace = largest_of([Trace(at_ms[:0], value[:0]), Trace(at_ms, value)])
        yield Line(entry, trace, int(fresh.max()) if len(fresh) else None)


def _nodes(entries: Sequence[Entry], context: SamplingContext) -> Mapping[str, str]:
    """Each device's node by the best evidence that any of its series has, as samples are placed for cost."""
    evidence: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for entry in entries:
        holder_node = context.pod_nodes.get(entry.holder.pod) if entry.holder else None
        placed = place(context.nodes, entry.raw.labels, exporter_node(entry.raw, context), holder_node)
        evidence[entry.device] += [placed] if placed else []
    return {device: min(places)[1] for device, places in evidence.items() if places}


def _ahead(entries: Sequence[Entry], nodes: Mapping[str, str], now_ms: int) -> dict[str, int]:
    """How far each node's samples reach into the future."""
    found: dict[str, int] = {}
    for entry in entries:
        ahead_ms = int(entry.raw.at_ms.max()) - now_ms
        node = nodes.get(entry.device)
        if node is not None and ahead_ms > found.get(node, 0):
            found[node] = ahead_ms
    return found


def _nameless(raw: Iterable[RawSeries], entries: Iterable[Entry], context: SamplingContext) -> Mapping[str, set[str]]:
    """Metrics that we know whose rows name no device, by node."""
    read = {id(entry.raw) for entry in entries}
    found: dict[str, set[str]] = defaultdict(set)
    for one in raw:
        if one.name.startswith(DCGM_PREFIX) and one.name in METRICS and id(one) not in read:
            placed = place(context.nodes, one.labels, exporter_node(one, context), None)
            if placed is not None:
                found[placed[1]].add(one.name)
    return found


def _foreign(strangers: Iterable[Stranger], context: SamplingContext) -> Mapping[str, set[str]]:
    """Names that nobody knows, by the node that their labels name."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in strangers:
        placed = place(context.nodes, one.labels, None, None)
        if placed is not None:
            found[placed[1]].add(one.name)
    return found
