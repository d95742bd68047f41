"""A record group by group: what each has cost, in which windows, and how that went up and down."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aicost.crd.status.texts import gpu_hours, money
from aicost.domain.budgets.simulation.record import Record, groups_of
from aicost.domain.exact.windows import HOUR_MS, Window, to_rfc3339

Row = Mapping[str, Any]
_BARS = "▁▂▃▄▅▆▇█"
_NONE = "·"
TREND_CELLS = 24


def ranked(record: Record) -> list[int]:
    """Places of the groups, the costliest first."""
    cost = np.zeros(len(record.currencies), dtype=np.int64)
    np.add.at(cost, record.group_of, record.cost)
    names = groups_of(record)
    return sorted(range(len(names)), key=lambda place: (-int(cost[place]), names[place]))


def rows_of(record: Record, places: Sequence[int]) -> Iterator[Row]:
    """What there is to say of some groups."""
    order = np.argsort(record.group_of, kind="stable")
    bounds = np.searchsorted(record.group_of[order], np.arange(len(record.currencies) + 1))
    starts = [to_rfc3339(at) for at in record.starts_ms.tolist()]
    for place in places:
        entries = order[bounds[place] : bounds[place + 1]]
        yield _row(record, place, starts, tuple(column[entries].tolist() for column in _columns(record)))


def _columns(record: Record) -> tuple[Any, ...]:
    return record.window_of, record.cost, record.gpu_ms


def _row(record: Record, place: int, starts: Sequence[str], entries: tuple[list[int], ...]) -> Row:
    windows, cost, gpu_ms = entries
    values, currency, component, held = groups_of_one(record, place)
    priced = bool(currency)
    return {
        "keys": dict(zip(record.groups.keys, values, strict=True)),
        "currency": currency or None,
        "component": component,
        "held": held,
        "cost": money(sum(cost), currency),
        "cost_nanos": sum(cost) if priced else None,
        "gpu_hours": gpu_hours(sum(gpu_ms)),
        "gpu_milliseconds": sum(gpu_ms),
        "windows": len(windows),
        "cost_by_window": {starts[at]: one for at, one in zip(windows, cost, strict=True)} if priced else None,
        "gpu_by_window": {starts[at]: one for at, one in zip(windows, gpu_ms, strict=True)},
        "trend": _trend(record, windows, cost if priced else gpu_ms),
    }


def groups_of_one(record: Record, place: int) -> tuple[Sequence[str], str, str, bool]:
    """What one group is."""
    found = record.groups
    return found.values[place], record.currencies[place], found.components[place], bool(found.held[place])


def _trend(record: Record, windows: Sequence[int], amounts: Sequence[int]) -> str:
    """The amounts over the whole time as a row of bars, the highest of them full."""
    span = record.covered or Window(0, 1)
    cells = [0] * min(TREND_CELLS, max(1, span.length_ms // HOUR_MS))
    for at, amount in zip(windows, amounts, strict=True):
        place = (int(record.starts_ms[at]) - span.start_ms) * len(cells) // span.length_ms
        cells[min(max(place, 0), len(cells) - 1)] += amount
    most = max(cells)
    return "".join(_BARS[min(7, cell * 8 // most)] if cell > 0 else _NONE for cell in cells)
