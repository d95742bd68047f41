"""Pods as holders of devices."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aicost.domain.attribution.claims import WHOLE, Tenancy, names_on
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.sampling.series import DeviceSeries

MIG_COMPUTE_SLICES = 7
_MIG_PREFIX = "nvidia.com/mig-"


@dataclass(frozen=True, slots=True)
class Unseen:
    """A pod that samples name but that no watch ever showed: it lived and ended while nobody looked."""

    name: tuple[str, str]
    uid: str
    span: Window


def raw_shares(facts: NodeFacts, devices: Mapping[str, int]) -> tuple[Fraction, ...]:
    """The share of a device for each one that a pod asked for.

    A whole GPU is 1; one slot of n replicas is 1/n; a MIG instance of g compute slices is g/7. Accelerators of other
    makers count whole. How a shared device is split by use is decided elsewhere; this is what is reserved.
    """
    shares: list[Fraction] = []
    for resource, count in sorted(devices.items()):
        shares += [_share_of(facts, resource)] * count
    return tuple(shares)


def _share_of(facts: NodeFacts, resource: str) -> Fraction:
    """Share of one device behind one unit of the resource."""
    if resource.startswith(_MIG_PREFIX):
        slices = resource.removeprefix(_MIG_PREFIX).partition("g.")[0]
        return Fraction(min(int(slices), MIG_COMPUTE_SLICES), MIG_COMPUTE_SLICES) if slices.isdigit() else WHOLE
    if facts.sharing in {SharingMode.TIME_SLICING, SharingMode.MPS}:
        return Fraction(1, max(1, facts.slots_per_gpu))
    return WHOLE


def tenancies_of(
    facts: NodeFacts,
    pods: Iterable[tuple[int, PodRecord]],
    series: Sequence[DeviceSeries],
    interval_ms: int,
    until_ms: int,
) -> tuple[Tenancy, ...]:
    """The pods of a node that held devices, by what they asked for or by what samples show.

    Args:
        facts: the node.
        pods: index and record of each pod that was bound to it.
        series: samples of the node's devices.
        interval_ms: time between samples.
        until_ms: end of the billing window; a holding that goes on reaches beyond it.
    """
    named = {name for one in series for name in names_on(one)}
    found = []
    for index, record in pods:
        shares = raw_shares(facts, record.facts.devices)
        name = (record.facts.namespace, record.facts.name)
        if record.facts.bound_ms is None or not (shares or name in named):
            continue
        span = _whole_span(record, series, interval_ms, until_ms)
        if span.length_ms:
            found.append(Tenancy(index, name, record.facts.uid, span, shares, uncertain=record.gap is not None))
    return tuple(found)


def _whole_span(record: PodRecord, series: Sequence[DeviceSeries], interval_ms: int, until_ms: int) -> Window:
    """From binding to the end; an end that went unseen is told by the last sample inside its gap."""
    start = record.facts.bound_ms or 0
    if record.held_until_ms is None:
        return Window(start, max(start, until_ms) + DAY_MS)
    if record.gap is None:
        return Window(start, max(start, record.held_until_ms))
    name = (record.facts.namespace, record.facts.name)
    last = max(
        (_last_in(one, record.gap) for one in series if name in names_on(one)), default=None, key=lambda at: at or 0
    )
    end = record.gap.start_ms if last is None else min(last + interval_ms, record.gap.end_ms)
    return Window(start, max(start, end))


def _last_in(series: DeviceSeries, span: Window) -> int | None:
    """Time of the last sample inside a span."""
    start, end = np.searchsorted(series.at_ms, (span.start_ms, span.end_ms))
    return int(series.at_ms[end - 1]) if end > start else None


def unseen_pods(
    known: AbstractSet[tuple[str, str]], series: Iterable[DeviceSeries], interval_ms: int
) -> tuple[Unseen, ...]:
    """Pods that only samples know, from one interval before their first sample to one after their last.

    A known pod may have ended long ago: exporters go on to name what the kubelet has not forgotten.
    """
    spans: dict[tuple[tuple[str, str], str], Window] = {}
    for one in series:
        if not len(one.at_ms):
            continue
        first, last = int(one.at_ms[0]) - interval_ms, int(one.at_ms[-1]) + interval_ms
        for name in set(names_on(one)) - known:
            key = (name, one.holder_uid or "")
            before = spans.get(key, Window(first, last))
            spans[key] = Window(min(first, before.start_ms), max(last, before.end_ms))
    return tuple(Unseen(name, uid, span) for (name, uid), span in sorted(spans.items()))
