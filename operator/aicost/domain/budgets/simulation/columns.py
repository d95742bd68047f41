"""A record as plain JSON values, column by column, and back: what the query API sends and the command line reads."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from aicost.domain.budgets.simulation.record import Record, groups_of
from aicost.domain.budgets.spend.scopes import Grouped
from aicost.domain.budgets.spend.series import Integers
from aicost.domain.exact.windows import Window, from_rfc3339, to_rfc3339

PLURAL, KIND = "spendseries", "SpendSeries"
REPORT_KIND = f"{KIND}Report"
"""Kind of the document that has everything in one."""
Columns = Mapping[str, Any]


def columns_of(record: Record) -> dict[str, Any]:
    """The columns of a record. Entries name their group and window by their places, counted from 0."""
    return {
        "group_by": list(record.groups.keys),
        "covered": None if record.covered is None else _span(record.covered),
        "windows": {"start_ms": record.starts_ms.tolist(), "end_ms": record.ends_ms.tolist()},
        "groups": [
            {"values": list(values), "currency": currency, "component": component, "held": bool(held)}
            for values, currency, component, held in groups_of(record)
        ],
        "entries": {
            "group": record.group_of.tolist(),
            "window": record.window_of.tolist(),
            "cost_nanos": record.cost.tolist(),
            "gpu_milliseconds": record.gpu_ms.tolist(),
        },
    }


def read_columns(found: Columns) -> Record:
    """The record of some columns.

    Raises:
        ValueError: they are not what they should be; the message says what.
    """
    try:
        record = _record(found)
    except (KeyError, TypeError, AttributeError, OverflowError) as problem:
        raise ValueError(f"the series is not what it should be: {problem!r}") from problem
    _check(record)
    return record


def _record(found: Columns) -> Record:
    groups, windows, entries, covered = found["groups"], found["windows"], found["entries"], found["covered"]
    return Record(
        groups=Grouped(
            tuple(found["group_by"]),
            [tuple(one["values"]) for one in groups],
            [one["held"] for one in groups],
            [one["component"] for one in groups],
        ),
        currencies=[one["currency"] for one in groups],
        starts_ms=_integers(windows["start_ms"]),
        ends_ms=_integers(windows["end_ms"]),
        group_of=_integers(entries["group"]),
        window_of=_integers(entries["window"]),
        cost=_integers(entries["cost_nanos"]),
        gpu_ms=_integers(entries["gpu_milliseconds"]),
        covered=covered and Window(from_rfc3339(covered["from"]), from_rfc3339(covered["to"])),
    )


def _integers(values: Sequence[int]) -> Integers:
    """Whole numbers; a number with a fraction is none."""
    found = np.asarray(values)
    if found.ndim != 1 or (len(values) and found.dtype.kind not in "iu"):
        raise TypeError(f"{str(values)[:40]} are no whole numbers")
    return found.astype(np.int64)


def _check(record: Record) -> None:
    """Refuse what would be read past its ends, or in another order than that of time."""
    lengths = {len(one) for one in (record.group_of, record.window_of, record.cost, record.gpu_ms)}
    places = ((record.group_of, len(record.currencies)), (record.window_of, len(record.starts_ms)))
    starts, ends = record.starts_ms.tolist(), record.ends_ms.tolist()
    sound = (
        len(lengths) == 1
        and len(starts) == len(ends)
        and all(not len(column) or 0 <= int(column.min()) <= int(column.max()) < size for column, size in places)
        and all(start < end for start, end in zip(starts, ends, strict=True))
        and all(end <= start for end, start in zip(ends, starts[1:], strict=False))
        and all(a <= b for a, b in pairwise(record.window_of.tolist()))
        and all(len(values) == len(record.groups.keys) for values in record.groups.values)
    )
    if not sound:
        raise ValueError("the series is not what it should be: its columns do not fit together")


def _span(span: Window) -> dict[str, str]:
    return {"from": to_rfc3339(span.start_ms), "to": to_rfc3339(span.end_ms)}
