"""What kube-state-metrics showed of claimed storage, and how long it was claimed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aicost.adapters.prometheus.history.asking import Asker, Points, Row
from aicost.adapters.prometheus.history.lifetimes import REMEMBERED_MS, Read
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.inventory.volumes import VolumeFacts, VolumeRecord, advance_volume, vanish_volume

CLAIM_INFO, CLAIM_SIZE = "kube_persistentvolumeclaim_info", "kube_persistentvolumeclaim_resource_requests_storage_bytes"
_CREATED, _PHASE = "kube_persistentvolumeclaim_created", "kube_persistentvolumeclaim_status_phase"
_CLAIM = ("namespace", "persistentvolumeclaim")
_LARGEST_BYTES = 1 << 62
Name = tuple[str, str]
Volumes = dict[str, VolumeRecord]


def move_volumes(known: Volumes, ask: Asker, read: Read, epoch_ms: int) -> None:
    """Move the records of claims forward over a span.

    Args:
        known: records by uid.
        ask: the server.
        read: what was read.
        epoch_ms: the ledger's first moment.
    """
    shown = _shown(ask, read.whole)
    if not shown:
        return
    newest, sizes = _newest(ask, read, shown), _sizes(ask, read.whole)
    for name, facts in shown.items():
        record = known.get(facts.uid)
        if record is not None and record.until_ms is not None:  # it was thought to be gone, and is there
            record = replace(record, until_ms=None)
        for at_ms, size in sizes.get(name, ()):
            record = advance_volume(record, replace(facts, size_bytes=size), at_ms, epoch_ms)
        last_ms = newest.get(name, read.beyond_ms)
        known[facts.uid] = _end(advance_volume(record, facts, last_ms, epoch_ms), last_ms, read)
    there = {facts.uid for facts in shown.values()}
    for uid, record in tuple(known.items()):
        if uid not in there and record.until_ms is None:
            known[uid] = vanish_volume(record, read.span.start_ms)
        if record.until_ms is not None and record.until_ms < read.span.start_ms - REMEMBERED_MS:
            del known[uid]


def _shown(ask: Asker, span: Window) -> dict[Name, VolumeFacts]:
    infos = ask.last(CLAIM_INFO, span, (*_CLAIM, "storageclass"))
    if not infos:
        return {}
    created = {_name(row): row.value for row in ask.last(_CREATED, span, _CLAIM)}
    sizes = {_name(row): row.value for row in ask.last(CLAIM_SIZE, span, _CLAIM)}
    bound = {_name(row) for row in ask.highest(_PHASE, span, _CLAIM, 'phase="Bound"') if row.value >= 1}
    return {
        name: VolumeFacts(
            uid=f"{name[0]}/{name[1]}@{round(created.get(name, 0))}",
            namespace=name[0],
            name=name[1],
            created_ms=round(created.get(name, 0) * SECOND_MS),
            storage_class=row.get("storageclass"),
            size_bytes=_bytes(sizes.get(name, 0)),
            bound=name in bound,
        )
        for row in infos
        if all(name := _name(row))
    }


def _sizes(ask: Asker, span: Window) -> Mapping[Name, list[tuple[int, int]]]:
    """(moment, size) of each change of the claims whose size changed."""
    changed = {row.get("persistentvolumeclaim") for row in ask.changed(CLAIM_SIZE, span, _CLAIM)} - {""}
    found: dict[Name, list[tuple[int, int]]] = {}
    for points in ask.points(CLAIM_SIZE, span, "persistentvolumeclaim", changed) if changed else ():
        name = points.labels.get("namespace", ""), points.labels.get("persistentvolumeclaim", "")
        found[name] = list(_steps(points))
    return found


def _steps(points: Points) -> Iterable[tuple[int, int]]:
    before = None
    for at_ms, value in zip(points.at_ms.tolist(), points.value.tolist(), strict=True):
        size = _bytes(value)
        if size != before:
            yield at_ms, size
        before = size


def _newest(ask: Asker, read: Read, shown: Mapping[Name, VolumeFacts]) -> dict[Name, int]:
    """The last sample of each claim."""
    found = {_name(row): round(row.value * SECOND_MS) for row in ask.seen_at(CLAIM_INFO, read.latest_ms, _CLAIM)}
    lost = {name[1] for name in shown.keys() - found.keys()}
    for points in ask.points(CLAIM_INFO, read.whole, "persistentvolumeclaim", lost) if lost else ():
        name = points.labels.get("namespace", ""), points.labels.get("persistentvolumeclaim", "")
        found[name] = max(found.get(name, 0), int(points.at_ms[-1]))
    return found


def _end(record: VolumeRecord, last_ms: int, read: Read) -> VolumeRecord:
    gone_ms = read.after(last_ms)
    return (
        record
        if gone_ms is None or last_ms >= min(read.span.end_ms, read.settled_ms)
        else vanish_volume(record, gone_ms)
    )


def _name(row: Row) -> Name:
    return row.get("namespace"), row.get("persistentvolumeclaim")


def _bytes(value: float) -> int:
    return round(value) if 0 < value < _LARGEST_BYTES else 0
