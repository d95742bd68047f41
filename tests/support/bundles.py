"""Bundles written from a fleet script, and by hand."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aicost.domain.exact.windows import to_rfc3339
from fleet.script import Fleet, SimNode
from fleet.series import Sample, Shape, openmetrics, series, target_labels
from support.pipeline import SETTLE_MS, STEP, Notice, watch

Event = dict[str, Any]


def event(at_ms: int, body: Mapping[str, Any], change: str = "ADDED") -> Event:
    return {"at": to_rfc3339(at_ms), "type": change, "object": dict(body)}


def head(begin_ms: int, end_ms: int, interval_ms: int = STEP, **more: object) -> str:
    fields = {
        "formatVersion": 1,
        "cluster": "c1",
        "window": {"from": to_rfc3339(begin_ms), "to": to_rfc3339(end_ms)},
        "scrapeInterval": f"{interval_ms}ms",
        **more,
    }
    return json.dumps(fields, indent=2)  # JSON is YAML


def write(
    folder: Path,
    told: str,
    events: Iterable[Event],
    samples: Mapping[str, str] | str = "",
    *,
    packed: bool = False,
) -> Path:
    """A bundle as a directory; `packed` writes `.gz` files."""
    (folder / "samples").mkdir(parents=True)
    (folder / "bundle.yaml").write_text(told, encoding="utf-8")
    _put(folder / "objects.jsonl", "".join(f"{json.dumps(one)}\n" for one in events), packed=packed)
    files = {"all.om": samples} if isinstance(samples, str) else samples
    for name, text in files.items():
        _put(folder / "samples" / name, text, packed=packed)
    return folder


def _put(path: Path, text: str, *, packed: bool) -> None:
    if packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(text.encode(), 1))
    else:
        path.write_text(text, encoding="utf-8")


def of_fleet(
    folder: Path,
    fleet: Fleet,
    begin_ms: int,
    end_ms: int,
    *,
    interval_ms: int = STEP,
    shape: Shape = Shape.PROMETHEUS,
    priced: bool = True,
    packed: bool = False,
    **more: object,
) -> Path:
    """What a recorder would have written of a script, watched and scraped from begin to a little after the end."""
    until_ms = end_ms + SETTLE_MS + interval_ms
    events = [_event_of(notice) for notice in watch(fleet, begin_ms, until_ms)]
    books = [event(begin_ms, price_book(fleet))] if priced else []
    samples = [*series(fleet, begin_ms, until_ms, interval_ms, shape=shape)]
    if shape is Shape.PROMETHEUS:
        samples += _up(fleet, begin_ms, until_ms, interval_ms)
    text = head(begin_ms, end_ms, interval_ms, windowLength="15m", **more)
    return write(folder, text, [*books, *events], openmetrics(samples), packed=packed)


def _event_of(notice: Notice) -> Event:
    change = "DELETED" if notice.gone else "ADDED" if notice.initial else "MODIFIED"
    return event(notice.at_ms, {"kind": notice.kind.capitalize(), **notice.object}, change)


def _up(fleet: Fleet, begin_ms: int, until_ms: int, interval_ms: int) -> list[Sample]:
    targets = [target_labels(exporter) for node in fleet.nodes for exporter in node.exporters]
    return [Sample("up", labels, at_ms, 1.0) for labels in targets for at_ms in range(begin_ms, until_ms, interval_ms)]


def price_book(fleet: Fleet) -> dict[str, Any]:
    """The script's prices as a PriceBook."""
    entries = [entry for node in fleet.nodes for entry in _entries(node)]
    return {
        "apiVersion": "aicost.dev/v1alpha1",
        "kind": "PriceBook",
        "metadata": {"name": "script"},
        "spec": {"currency": "USD", "entries": entries},
    }


def _entries(node: SimNode) -> Iterable[dict[str, Any]]:
    price = node.price
    if price is None:
        return
    starts = [None, *(step.from_ms for step in price.steps[1:])]
    ends = [*starts[1:], None]
    for number, (step, start, end) in enumerate(zip(price.steps, starts, ends, strict=True)):
        entry: dict[str, Any] = {
            "name": f"{node.name}-{number}",
            "match": {"nodeSelector": {"kubernetes.io/hostname": node.name}},
        }
        amount = f"{step.nanos_per_hour // 10**9}.{step.nanos_per_hour % 10**9:09d}"
        if price.per_gpu:
            entry["perGpuHour"] = amount
        else:
            entry |= {"perNodeHour": amount, "split": "gpuShare", "gpuShare": f"{float(price.gpu_share):.6f}"}
        entry |= {"from": to_rfc3339(start)} if start is not None else {}
        entry |= {"to": to_rfc3339(end)} if end is not None else {}
        yield entry
