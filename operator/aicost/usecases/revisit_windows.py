"""Compute recently closed windows again and post what changed: samples and deletions that were heard of late."""

from collections.abc import Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Grid, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Row
from aicost.ports.ledger import LedgerReader, LedgerWriter, Posting
from aicost.usecases.close_windows import windows_since
from aicost.usecases.compute_window import ComputeWindow

LATE_DATA = "late-data"
PRICE_CHANGE = "price-change"


@dataclass(frozen=True, slots=True)
class WindowRevised:
    """A window whose statement changed after it was closed.

    Attributes:
        rows: the signed difference rows that were posted.
    """

    window: Window
    revision: int
    reason: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class RevisitWindows:
    """Post signed differences for the last closed windows.

    Attributes:
        depth: how many closed windows are looked at again.
        epoch_ms: the journal's first moment: windows that ended before are another journal's, and it knows better.
    """

    cluster: str
    compute: ComputeWindow
    writer: LedgerWriter
    reader: LedgerReader
    grid: Grid
    depth: int
    epoch_ms: int

    def __call__(self, now_ms: int) -> tuple[WindowRevised, ...]:
        """Revisit the windows before the last one, oldest first.

        Raises:
            SourceUnavailable, InvalidAnswer: without samples nothing is revised.
        """
        last = self.reader.last_window(self.cluster)
        if last is None or not self.depth:
            return ()
        span = Window(last.end_ms - self.depth * self.grid.length_ms, last.end_ms)
        windows = windows_since(self.grid, self.epoch_ms, span)
        revised = (self._revise(window, now_ms) for window in windows)
        return tuple(one for one in revised if one is not None)

    def _revise(self, window: Window, now_ms: int) -> WindowRevised | None:
        """State one window again; None where it was never posted or nothing changed."""
        revision = self.reader.revision(self.cluster, window)
        if revision is None:
            return None
        posted = self.reader.rows(window, cluster=self.cluster)
        recomputed = self.compute(window, now_ms, may_be_blind=False).statement.rows
        if _knows_less(recomputed, posted):
            return None
        reason = PRICE_CHANGE if _times(posted) == _times(recomputed) else LATE_DATA
        rows = difference(posted, recomputed, revision + 1, reason)
        if not rows:
            return None
        self.writer.post(Posting(self.cluster, window, revision + 1, rows))
        return WindowRevised(window, revision + 1, reason, rows)


def _knows_less(recomputed: Sequence[Row], posted: Sequence[Row]) -> bool:
    """True where samples that were there at the closing are gone: what is lost corrects nothing."""
    now, before = (sum(row.measured_milliseconds for row in rows) for rows in (recomputed, posted))
    return now * 100 < before * 99


def _times(rows: Sequence[Row]) -> dict[tuple[str, str, str], int]:
    """Device time by device, pod and bucket: where it is the same, only prices can differ."""
    times: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row.place.device, row.holder.pod_uid, row.bucket.value)
        times[key] = times.get(key, 0) + row.gpu_milliseconds
    return {key: time for key, time in times.items() if time}
