"""How long pods and nodes were there: records moved forward by what a watch shows.

Two kinds of clocks meet here. Ours says when something was seen; the kubelet's says when a container ended, and may be
hours off. So a foreign time is believed only where it agrees with what we saw, and is never before or after it.
All functions are monotone: an event that is repeated, or that shows an older state, changes no lifetime.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.inventory.nodes import OPEN_END_MS, NodeFacts, NodeRecord
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.inventory.resizes import resized
from aicost.domain.inventory.sharing import missing_gpus

TERMINAL_PHASES = frozenset({"Succeeded", "Failed"})
"""Phases in which a pod holds nothing any more."""

REPORT_LAG_MS = MINUTE_MS
"""How late a kubelet may report the end of a pod while the watch is live. What it dates further back is not believed:
until the report came, the scheduler counted the devices as taken."""


def advance_pod(
    record: PodRecord | None, facts: PodFacts, now_ms: int, *, live: bool = True, gap: Window | None = None
) -> PodRecord:
    """The record of a pod after one more sighting.

    Args:
        record: what was known before, None at the first sighting.
        facts: the pod as it is now; `ended_ms` is the kubelet's word.
        now_ms: our own clock.
        live: the watch ran without a break since the record was made; False for what a list shows.
        gap: the span in which the pod was so, where we hear of it later: it need not be alive now.
    """
    if record is not None and record.held_until_ms is not None:
        return record
    record = record and _undo_lead(record, facts, now_ms)
    seen_ms = max(now_ms, record.seen_ms) if record else now_ms
    seen = _changed(facts, bound_ms=_bound_ms(record, facts, seen_ms))
    if record is not None:  # a node is never left, and owners are looked up apart from the pod itself
        seen = _changed(seen, node=facts.node or record.facts.node, owners=facts.owners or record.facts.owners)
    steps = resized(record, seen, seen_ms)
    if facts.phase not in TERMINAL_PHASES:
        alive_ms = seen_ms if gap is None else max(gap.start_ms, record.seen_ms if record else gap.start_ms)
        return PodRecord(_changed(seen, ended_ms=None), alive_ms, requests=steps)
    end_ms, doubt = _pod_end(record, seen, seen_ms, live=live)
    alive_ms = record.seen_ms if record else end_ms
    return PodRecord(_changed(seen, ended_ms=end_ms), alive_ms, held_until_ms=end_ms, gap=doubt, requests=steps)


def _changed(facts: PodFacts, **fields: Any) -> PodFacts:
    """Facts with other fields; the same object where they say so already, as those of most pods do."""
    return facts if all(getattr(facts, name) == value for name, value in fields.items()) else replace(facts, **fields)


def vanish_pod(record: PodRecord, now_ms: int, gap: Window | None = None, facts: PodFacts | None = None) -> PodRecord:
    """The record of a pod whose object has left the API server.

    Args:
        record: what was known before.
        now_ms: our own clock, when the deletion was seen.
        gap: the span in which it left where nobody saw it leave; None for a deletion that the watch showed.
        facts: the pod's last state, where the deletion came with one.
    """
    if facts is not None:
        record = advance_pod(record, facts, now_ms, live=gap is None)
    if record.held_until_ms is not None:
        return replace(record, gone=True)
    if gap is None:
        return replace(record, held_until_ms=_not_before_bound(record.facts, now_ms), gone=True)
    end_ms = _not_before_bound(record.facts, max(min(gap.end_ms, now_ms), record.seen_ms))
    start_ms = min(_not_before_bound(record.facts, gap.start_ms), end_ms)
    return replace(record, held_until_ms=end_ms, gap=Window(start_ms, end_ms), gone=True)


def advance_node(record: NodeRecord | None, facts: NodeFacts, now_ms: int, epoch_ms: int) -> NodeRecord:
    """The record of a node after one more sighting.

    A node that is cordoned or not ready is billed all the same. Its GPUs never become fewer: the capacity drops to 0
    whenever the device plugin restarts, and a card that fell off the bus is still paid for.

    Args:
        record: what was known before, None at the first sighting.
        facts: the node as it is now.
        now_ms: our own clock.
        epoch_ms: the ledger's first moment; nobody answers for what was before.
    """
    if record is not None and record.until_ms is not None:
        return record
    seen_ms = max(now_ms, record.seen_ms) if record else now_ms
    since_ms = min(max(facts.created_ms, epoch_ms), seen_ms)
    gpus = facts.gpus
    spans: tuple[tuple[Window, int], ...] = ()
    if record is not None:
        since_ms = min(record.since_ms, since_ms)
        gpus = max(gpus, record.facts.gpus)
        spans = record.unhealthy
    bought = replace(facts, gpus=gpus, gpu_model=facts.gpu_model or (record.facts.gpu_model if record else None))
    found_ms = seen_ms if record is not None else since_ms  # as it is first seen it has been, as far as anybody knows
    return NodeRecord(bought, seen_ms, since_ms, unhealthy=_continue(spans, missing_gpus(bought), found_ms))


def vanish_node(record: NodeRecord, now_ms: int, gap: Window | None = None) -> NodeRecord:
    """The record of a node that has left the cluster, seen now or unseen in a gap (then it is there until its end)."""
    if record.until_ms is not None:
        return record
    until_ms = max(record.since_ms, now_ms if gap is None else min(gap.end_ms, max(now_ms, record.seen_ms)))
    kept = gap and Window(min(max(gap.start_ms, record.since_ms), until_ms), until_ms)
    unhealthy = _continue(record.unhealthy, 0, until_ms)
    return replace(record, until_ms=until_ms, gap=kept, unhealthy=unhealthy)


def retire(records: Iterable[PodRecord | NodeRecord], before_ms: int) -> tuple[str, ...]:
    """The uids whose records may be dropped: gone from the cluster, and billed for nothing from `before_ms` on."""
    return tuple(record.facts.uid for record in records if _is_over(record, before_ms))


def forget_unhealthy(record: NodeRecord, before_ms: int) -> NodeRecord:
    """The record without the spans of missing devices that ended by `before_ms`."""
    kept = tuple(span for span in record.unhealthy if span[0].end_ms > before_ms)
    return record if len(kept) == len(record.unhealthy) else replace(record, unhealthy=kept)


def _is_over(record: PodRecord | NodeRecord, before_ms: int) -> bool:
    if isinstance(record, PodRecord):
        return record.gone and record.held_until_ms is not None and record.held_until_ms <= before_ms
    return record.until_ms is not None and record.until_ms <= before_ms


def _bound_ms(record: PodRecord | None, facts: PodFacts, now_ms: int) -> int | None:
    """The earliest binding ever told, within creation and the first sighting of it.

    A pod that names its node without PodScheduled was created for that node, so it is bound from its creation on.
    """
    known = record.facts.bound_ms if record else None
    if facts.node is None:
        return known
    told = facts.created_ms if facts.bound_ms is None else max(facts.bound_ms, facts.created_ms)
    bound = min(told, now_ms)
    return bound if known is None else min(known, bound)


def _undo_lead(record: PodRecord, facts: PodFacts, now_ms: int) -> PodRecord:
    """The record of a pod that our clock saw while it was ahead: set back since, it agrees with the kubelet's word."""
    told = facts.ended_ms
    if told is None or record.seen_ms <= now_ms or not now_ms - REPORT_LAG_MS <= told <= now_ms:
        return record
    return replace(record, seen_ms=told)


def _pod_end(record: PodRecord | None, facts: PodFacts, now_ms: int, *, live: bool) -> tuple[int, Window | None]:
    """When a pod that is in a terminal phase now stopped holding, and the span of doubt if there is one."""
    if record is None:
        return _unseen_end(facts, facts.bound_ms, now_ms)
    if not live:
        return _unseen_end(facts, record.seen_ms, now_ms)
    told = facts.ended_ms
    believed = told is not None and now_ms - REPORT_LAG_MS <= told <= now_ms
    end_ms = max(told, _second(record.seen_ms)) if believed and told is not None else now_ms
    return _not_before_bound(facts, end_ms), None


def _unseen_end(facts: PodFacts, alive_ms: int | None, now_ms: int) -> tuple[int, Window | None]:
    """The end of a pod that ended while nobody looked: the kubelet's word if possible, else somewhere in a gap."""
    earliest = facts.created_ms if alive_ms is None else alive_ms
    told = facts.ended_ms
    if told is not None and _second(earliest) <= told <= now_ms:
        return _not_before_bound(facts, told), None
    end_ms = _not_before_bound(facts, now_ms)
    return end_ms, Window(min(_not_before_bound(facts, earliest), end_ms), end_ms)


def _second(at_ms: int) -> int:
    """Start of the second: Kubernetes cuts its times to whole seconds, so equal seconds are no contradiction."""
    return at_ms - at_ms % SECOND_MS


def _not_before_bound(facts: PodFacts, at_ms: int) -> int:
    return at_ms if facts.bound_ms is None else max(at_ms, facts.bound_ms)


def _continue(spans: tuple[tuple[Window, int], ...], missing: int, now_ms: int) -> tuple[tuple[Window, int], ...]:
    """The spans of missing devices, given how many are missing from now on."""
    if spans and spans[-1][0].end_ms == OPEN_END_MS:
        window, count = spans[-1]
        if count == missing:
            return spans
        closed = Window(window.start_ms, max(now_ms, window.start_ms))
        spans = (*spans[:-1], (closed, count)) if closed.length_ms else spans[:-1]
    return (*spans, (Window(now_ms, OPEN_END_MS), missing)) if missing else spans
