"""How long pods and nodes of the past were there: records moved forward, span by span, by what series show.

The rules are those of the watch (`domain/inventory/lifetimes`): a time stamp of a kubelet is believed only where it
agrees with what scrapes saw before and after it; what vanished between two scrapes ended in that gap.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import numpy as np

from aicost.adapters.prometheus.history.asking import Asker, Points
from aicost.adapters.prometheus.history.nodes import NODE_INFO, ShownNode
from aicost.adapters.prometheus.history.pods import POD_INFO, POD_PHASE, TERMINAL, ShownPod, key_of
from aicost.domain.exact.windows import DAY_MS, SECOND_MS, Window
from aicost.domain.inventory.lifetimes import advance_node, advance_pod, vanish_node, vanish_pod
from aicost.domain.inventory.nodes import NodeRecord
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.sampling.series import Millis

REMEMBERED_MS = DAY_MS
"""Pods that ended are known so long by their names: exporters go on to name them."""

_PATIENCE_MS, _SCRAPES, _MOST = 90 * SECOND_MS, 3, 90
"""How long, in time or in usual distances of scrapes, nothing must be seen of what is gone."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a span.

    Attributes:
        span: what is answered for.
        beyond_ms: the series were read up to here, beyond the span.
        beats: when the exporter of the objects was scraped, up to there.
    """

    span: Window
    beyond_ms: int
    beats: Millis

    @property
    def whole(self) -> Window:
        """All that was read."""
        return Window(self.span.start_ms, self.beyond_ms)

    @property
    def settled_ms(self) -> int:
        """What was not seen since then is gone. Exporters that share the work are scraped one after the other."""
        distances = np.diff(self.beats)
        usual = int(np.percentile(distances, _MOST)) if len(distances) else 0
        return self.latest_ms - max(_PATIENCE_MS, _SCRAPES * usual)

    @property
    def latest_ms(self) -> int:
        """The last scrape; the end of what was read where there was none."""
        return int(self.beats[-1]) if len(self.beats) else self.beyond_ms

    def after(self, at_ms: int) -> int | None:
        """The first scrape after a moment, None where there was none."""
        place = int(np.searchsorted(self.beats, at_ms, side="right"))
        return int(self.beats[place]) if place < len(self.beats) else None

    def before(self, at_ms: int) -> int | None:
        """The last scrape before a moment."""
        place = int(np.searchsorted(self.beats, at_ms, side="left"))
        return int(self.beats[place - 1]) if place else None


@dataclass(slots=True)
class Known:
    """The records so far.

    Attributes:
        from_samples: uids of pods whose begin is that of samples; an end that is has a gap.
        shown: uid -> the pod as it was last shown.
    """

    pods: dict[str, PodRecord] = field(default_factory=dict)
    nodes: dict[str, NodeRecord] = field(default_factory=dict)
    shown: dict[str, ShownPod] = field(default_factory=dict)
    from_samples: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Seen:
    """When the pods (or nodes) of a span were seen: the last sample of each, and the first one that was terminal."""

    last: Mapping[str, int]
    first: Mapping[str, int]
    ended: Mapping[str, int]


def move_pods(known: Known, ask: Asker, read: Read, shown: Sequence[ShownPod]) -> None:
    """Move the records of pods forward over a span.

    1. When was each pod last seen, and when was it first seen to have ended? 2. Move each forward. 3. End those that
    were known before and were not shown at all any more.
    """
    seen = _seen(known, ask, read, shown)
    for pod in shown:
        _move(known, read, pod, seen)
    there = {pod.facts.uid for pod in shown}
    for uid, record in tuple(known.pods.items()):
        if uid not in there and record.held_until_ms is None:
            _vanish(known, uid, record, record.seen_ms, read)
    _forget(known, there, read.span.start_ms - REMEMBERED_MS)


def move_nodes(known: Known, read: Read, shown: Sequence[ShownNode], last: Mapping[str, int], epoch_ms: int) -> None:
    """The same for nodes.

    Args:
        known: the records so far.
        read: what was read.
        shown: nodes of the span.
        last: name -> the last sample of the node.
        epoch_ms: the ledger's first moment.
    """
    there = {node.facts.uid for node in shown}
    made = {node.facts.name: node.facts.created_ms for node in shown}  # a node that was made again under its name
    for node in shown:
        uid, record = node.facts.uid, known.nodes.get(node.facts.uid)
        if record is not None and record.until_ms is not None:  # one that came back goes on: its series had a gap
            record = None
        for at_ms, facts in node.steps:
            if record is None or at_ms > record.seen_ms:  # what was read beyond the span before is known already
                record = advance_node(record, facts, at_ms, epoch_ms)
        newest = last.get(node.facts.name, read.beyond_ms)
        record = advance_node(record, node.facts, max(newest, record.seen_ms if record else 0), epoch_ms)
        known.nodes[uid] = _node_end(record, newest, read)
    for uid, record in tuple(known.nodes.items()):
        if uid not in there and record.until_ms is None:
            later = made.get(record.facts.name)
            known.nodes[uid] = vanish_node(record, later) if later else _node_end(record, record.seen_ms, read)
    for uid, record in tuple(known.nodes.items()):
        if record.until_ms is not None and record.until_ms < read.span.start_ms - REMEMBERED_MS:
            del known.nodes[uid]


def newest_of_nodes(ask: Asker, read: Read, shown: Sequence[ShownNode]) -> dict[str, int]:
    """The last sample of each node of a span, by name."""
    rows = ask.seen_at(NODE_INFO, read.latest_ms, ("node",))
    newest = {row.get("node"): round(row.value * SECOND_MS) for row in rows}
    lost = {node.facts.name for node in shown} - newest.keys()
    for label in ("node", "exported_node") if lost else ():
        for points in ask.points(NODE_INFO, read.whole, label, lost):
            name = points.labels.get("node", "")
            newest[name] = max(newest.get(name, 0), int(points.at_ms[-1]))
    return newest


def _node_end(record: NodeRecord, last_ms: int, read: Read) -> NodeRecord:
    gone_ms = read.after(last_ms)
    if gone_ms is None or last_ms >= min(read.span.end_ms, read.settled_ms):
        return record
    return vanish_node(record, gone_ms, Window(last_ms, gone_ms))


def _move(known: Known, read: Read, pod: ShownPod, seen: _Seen) -> None:
    uid, record = pod.facts.uid, known.pods.get(pod.facts.uid)
    if record is not None and record.held_until_ms is not None:
        if pod.terminal or not record.gone:
            return
        record = None  # it was thought to be gone, and is there: its series had a gap
    facts = _begun(known, read, pod, seen)
    known.shown[uid] = pod
    last_ms = seen.last.get(uid, read.beyond_ms)
    if pod.terminal and (ended_ms := seen.ended.get(uid)) is not None:
        known.pods[uid] = _ended(record, facts, pod.terminal, ended_ms, read)
        return
    moved = advance_pod(record, replace(facts, ended_ms=None), last_ms, live=False)
    known.pods[uid] = moved
    if last_ms < read.span.end_ms:
        _vanish(known, uid, moved, last_ms, read)


def _begun(known: Known, read: Read, pod: ShownPod, seen: _Seen) -> PodFacts:
    """The facts with the begin of the holding: told, or else just after the scrape before the first sample."""
    facts = pod.facts
    if facts.bound_ms is not None or facts.node is None:
        return facts
    before = known.pods.get(facts.uid)
    if before is not None and before.facts.bound_ms is not None:
        return replace(facts, bound_ms=before.facts.bound_ms)
    known.from_samples.add(facts.uid)
    first_ms = seen.first.get(facts.uid, read.span.start_ms)
    return replace(facts, bound_ms=max(facts.created_ms, first_ms))


def _ended(record: PodRecord | None, facts: PodFacts, phase: str, ended_ms: int, read: Read) -> PodRecord:
    """A pod that was first seen to have ended at a moment; the scrape before it saw it alive, if it was there then."""
    alive_ms = read.before(ended_ms)
    begun_ms = facts.bound_ms if facts.bound_ms is not None else facts.created_ms
    if alive_ms is not None and alive_ms > begun_ms:
        record = advance_pod(record, replace(facts, ended_ms=None), alive_ms, live=False)
    return advance_pod(record, replace(facts, phase=phase), ended_ms, live=False)


def _vanish(known: Known, uid: str, record: PodRecord, last_ms: int, read: Read) -> None:
    """End a pod that a later scrape did not show; where there was no later scrape nobody knows."""
    gone_ms = read.after(last_ms)
    if gone_ms is None or last_ms >= read.settled_ms:
        return
    known.pods[uid] = vanish_pod(record, gone_ms, Window(last_ms, gone_ms))


def _seen(known: Known, ask: Asker, read: Read, shown: Sequence[ShownPod]) -> _Seen:
    """Ask for single samples only where they matter: of pods that are gone, that ended, or whose begin is not told."""
    uids = {(pod.facts.namespace, pod.facts.name): pod.facts.uid for pod in shown}
    latest = read.latest_ms
    newest = {
        key_of(row)[2] or uids.get(key_of(row)[:2], ""): round(row.value * SECOND_MS)
        for row in ask.seen_at(POD_INFO, latest, ("namespace", "pod", "uid"))
    }
    alive = {uid for uid, at_ms in newest.items() if at_ms > read.settled_ms}
    held = {uid for uid, record in known.pods.items() if record.held_until_ms is not None and not record.gone}
    lost = {pod.facts.uid for pod in shown if not pod.terminal} - alive
    unsaid = {pod.facts.uid for pod in shown if not pod.bound_told and pod.facts.uid not in known.pods}
    ended = {pod.facts.uid for pod in shown if pod.terminal} - held
    presence = _points(ask, POD_INFO, read.whole, lost | unsaid, shown)
    terminal = _points(ask, POD_PHASE, read.whole, ended, shown, TERMINAL)
    return _Seen(
        last={**newest, **{uid: max(int(p.at_ms[-1]) for p in every) for uid, every in presence.items()}},
        first={uid: min(int(p.at_ms[0]) for p in every) for uid, every in presence.items()},
        ended={uid: at for uid, every in terminal.items() if (at := _first_one(every)) is not None},
    )


def _points(
    ask: Asker, metric: str, span: Window, uids: set[str], shown: Sequence[ShownPod], *matchers: str
) -> dict[str, list[Points]]:
    """All samples of some pods, by uid: asked for by uid where series have one, else by name."""
    named = {(pod.facts.namespace, pod.facts.name): pod.facts.uid for pod in shown if pod.facts.uid in uids}
    real = {uid for uid in uids if "@" not in uid}
    found: dict[str, list[Points]] = {}
    names = {name for _, name in named} if len(real) < len(uids) else set()
    asked = [(label, one) for label, one in (("uid", real), ("pod", names), ("exported_pod", names)) if one]
    for label, values in asked:
        for points in ask.points(metric, span, label, values, *matchers):
            key = points.labels.get("namespace", ""), points.labels.get("pod", "")
            uid = points.labels.get("uid") or named.get(key, "")
            if uid in uids:
                found.setdefault(uid, []).append(points)
    return found


def _first_one(every: Iterable[Points]) -> int | None:
    return min((int(at) for points in every for at in points.at_ms[points.value >= 1]), default=None)


def _forget(known: Known, there: AbstractSet[str], before_ms: int) -> None:
    """Forget pods that ended long ago and are not shown any more: one that is shown would be taken for a new one."""
    for uid, record in tuple(known.pods.items()):
        if uid not in there and record.held_until_ms is not None and record.held_until_ms < before_ms:
            for table in (known.pods, known.shown):
                table.pop(uid, None)
            known.from_samples.discard(uid)
