"""The part of a span whose rows seldom change: whole days before the newest one that has rows."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import pyarrow as pa
from deltalake import DeltaTable

from aicost.domain.exact.windows import DAY_MS, Window, to_datetime

_FEWEST_DAYS = 2
"""Less is not worth a question of its own."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Whole days in UTC, which no window crosses the bounds of.

    Attributes:
        files: a digest of the names of all files with rows of these days: a change of them is another one.
    """

    part: Window
    files: str

    def with_rest(self, span: Window) -> tuple[Window, ...]:
        """The span in three: before, the days themselves, after; without those that have no length."""
        before, after = Window(span.start_ms, self.part.start_ms), Window(self.part.end_ms, span.end_ms)
        return tuple(part for part in (before, self.part, after) if part.length_ms)


def finished_days(table: DeltaTable, span: Window) -> Finished | None:
    """The finished days of a span; None where they are too few to matter."""
    start_ms, end_ms = -(-span.start_ms // DAY_MS) * DAY_MS, span.end_ms // DAY_MS * DAY_MS
    if end_ms - start_ms < _FEWEST_DAYS * DAY_MS:
        return None
    there = _files(table)
    newest = max((day for day, _ in there), default=date.min)
    last = min(_date(end_ms), newest)
    part = Window(start_ms, start_ms + max(0, (last - _date(start_ms)).days) * DAY_MS)
    if part.length_ms < _FEWEST_DAYS * DAY_MS:
        return None
    names = sorted(name for day, name in there if _date(start_ms) <= day < last)
    return Finished(part, sha256("\n".join(names).encode()).hexdigest())


def _date(millis: int) -> date:
    return to_datetime(millis).date()


def _files(table: DeltaTable) -> list[tuple[date, str]]:
    """Day and name of each file of this version of the table."""
    actions = pa.table(table.get_add_actions(flatten=True))
    return list(zip(actions["partition.date"].to_pylist(), actions["path"].to_pylist(), strict=True))
