"""Pods as holders of devices."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from aicost.domain.attribution.claims import Tenancy, names_on
from aicost.domain.attribution.devices import billed_devices
from aicost.domain.attribution.resolvers.scene import scene_of
from aicost.domain.attribution.resolvers.table import Held, held_by, may_hold
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.sampling.series import COUNTERS, DeviceSeries, Millis


@dataclass(frozen=True, slots=True)
class Unseen:
    """A pod that samples name but that no watch ever showed: it lived and ended while nobody looked."""

    name: tuple[str, str]
    uid: str
    span: Window


def tenancies_of(
    facts: NodeFacts,
    pods: Iterable[tuple[int, PodRecord]],
    series: Sequence[DeviceSeries],
    interval_ms: int,
    until_ms: int,
) -> tuple[Tenancy, ...]:
    """The pods of a node that held devices, by what they asked for or by what samples show.

    Counters of processes show who computed, with or without a device of its own: they make no pod a holder.

    Args:
        facts: the node.
        pods: index and record of each pod that was bound to it.
        series: samples of the node's devices.
        interval_ms: time between samples.
        until_ms: end of the billing window; a holding that goes on reaches beyond it.
    """
    named = {name for one in series if one.signal not in COUNTERS for name in names_on(one)}
    bound = [(index, record) for index, record in pods if record.facts.bound_ms is not None]
    scene = scene_of(facts, billed_devices(facts, series)[0], [record for _, record in bound], series)
    found: list[Tenancy] = []
    for index, record in bound:
        name = (record.facts.namespace, record.facts.name)
        if not (record.claimed or name in named or may_hold(record.facts)):
            continue
        held = held_by(scene, record)
        if held.pieces or (name in named and not held.nothing):
            span = whole_span(record, series, interval_ms, until_ms)
            found += _holding(index, record, span, held)
    return tuple(found)


def _holding(index: int, record: PodRecord, span: Window, held: Held) -> Iterator[Tenancy]:
    """A pod as a holder: once, or span by span where its shares change."""
    name = (record.facts.namespace, record.facts.name)
    for piece, asks in held.pieces or ((None, ()),):
        part = span if piece is None else piece.overlap(span)
        if part is not None and part.length_ms:
            yield Tenancy(index, name, record.facts.uid, part, asks, uncertain=record.gap is not None, flags=held.flags)


def whole_span(record: PodRecord, series: Sequence[DeviceSeries], interval_ms: int, until_ms: int) -> Window:
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

    A known pod may have ended long ago: exporters go on to name what the kubelet has not forgotten. Counters name a pod
    from the first reading that they grow after to the last one that they grew until: they too are shown for longer.
    """
    spans: dict[tuple[tuple[str, str], str], Window] = {}
    for one in series:
        at_ms = _growing(one) if one.signal in COUNTERS else one.at_ms
        if not len(at_ms):
            continue
        first, last = int(at_ms[0]) - interval_ms, int(at_ms[-1]) + interval_ms
        for name in set(names_on(one)) - known:
            key = (name, one.holder_uid or "")
            before = spans.get(key, Window(first, last))
            spans[key] = Window(min(first, before.start_ms), max(last, before.end_ms))
    return tuple(Unseen(name, uid, span) for (name, uid), span in sorted(spans.items()))


def _growing(counter: DeviceSeries) -> Millis:
    """The times of a counter's readings while it grows, none for one that stands still."""
    grown = np.flatnonzero(np.diff(counter.value) > 0)
    return counter.at_ms[grown[0] : grown[-1] + 2] if len(grown) else counter.at_ms[:0]
