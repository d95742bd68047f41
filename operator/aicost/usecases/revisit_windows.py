"""Compute recently closed windows again and post what changed: samples and deletions that were heard of late."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Grid, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Row
from aicost.ports.ledger import LedgerReader, LedgerWriter, Posting
from aicost.usecases.close_windows import windows_since
from aicost.usecases.compute_window import ComputeWindow

LATE_DATA = "late-data"
PRICE_CHANGE = "price-change"
RETAGGED = "retagged"
MOST_BLIND = 24
"""Windows closed without a sample that are looked at again beyond the usual depth."""


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
        memory_ms: how far back lifetimes and samples are remembered: what began before is not looked at again.
    """

    cluster: str
    compute: ComputeWindow
    writer: LedgerWriter
    reader: LedgerReader
    grid: Grid
    depth: int
    epoch_ms: int
    memory_ms: int

    def __call__(self, now_ms: int) -> tuple[WindowRevised, ...]:
        """Revisit the last closed windows, oldest first.

        Raises:
            SOURCE_FAILURES: without samples nothing is revised.
        """
        last = self.reader.last_window(self.cluster)
        if last is None or not self.depth:
            return ()
        since_ms = max(self.epoch_ms, now_ms - self.memory_ms)
        usual = self._windows(Window(last.end_ms - self.depth * self.grid.length_ms, last.end_ms))
        windows = [*self._blind_before(usual), *usual]
        revised = (self._revise(window, now_ms) for window in windows if window.start_ms >= since_ms)
        return tuple(one for one in revised if one is not None)

    def _windows(self, span: Window) -> list[Window]:
        """The billing windows of a span that this journal knows of."""
        return list(windows_since(self.grid, self.epoch_ms, span))

    def _blind_before(self, usual: Sequence[Window]) -> list[Window]:
        """Windows right before the usual ones that were closed without a sample.

        Their source was down then; it may have kept all that it knew, and tell it now.
        """
        found: list[Window] = []
        start_ms = usual[0].start_ms if usual else self.epoch_ms
        while len(found) < MOST_BLIND and start_ms > self.epoch_ms:
            (window,) = self._windows(Window(start_ms - 1, start_ms))
            rows = self.reader.rows(window, cluster=self.cluster)
            if not rows or any(row.measured_milliseconds > 0 for row in rows):
                break
            found.append(window)
            start_ms = window.start_ms
        return found[::-1]

    def _revise(self, window: Window, now_ms: int) -> WindowRevised | None:
        """State one window again; None where it was never posted or nothing changed."""
        revision = self.reader.revision(self.cluster, window)
        if revision is None:
            return None
        posted = self.reader.rows(window, cluster=self.cluster)
        computed = self.compute(window, now_ms, may_be_blind=False).statement.rows
        recomputed = _without_losses(computed, posted)
        rows = difference(posted, recomputed, revision + 1, _reason(posted, recomputed))
        if not rows:
            return None
        self.writer.post(Posting(self.cluster, window, revision + 1, rows))
        return WindowRevised(window, revision + 1, rows[0].reason, rows)


def _without_losses(computed: Sequence[Row], posted: Sequence[Row]) -> list[Row]:
    """The rows as computed, but as posted for nodes of which less is known now: what is lost corrects nothing."""
    now, before = _by_node(computed), _by_node(posted)
    kept = [before[node] if _knows_less(now.get(node, []), before[node]) else now.get(node, []) for node in before]
    new = [rows for node, rows in now.items() if node not in before]
    return [row for rows in (*kept, *new) for row in rows]


def _by_node(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.place.node].append(row)
    return found


def _knows_less(computed: Sequence[Row], posted: Sequence[Row]) -> bool:
    """True where samples that were there at the closing are gone, more than go with a node that left earlier."""
    (now, time_now), (before, time_before) = (_measured(rows) for rows in (computed, posted))
    gone = max(0, time_before - time_now)
    return (now + gone) * 100 < before * 99


def _measured(rows: Sequence[Row]) -> tuple[int, int]:
    """Time with samples, and device time in all."""
    return sum(row.measured_milliseconds for row in rows), sum(row.gpu_milliseconds for row in rows)


def _reason(posted: Sequence[Row], recomputed: Sequence[Row]) -> str:
    """Why a window's rows differ: times first, then prices; what is left is who a pod is said to be."""
    if any(_sums(posted, of) != _sums(recomputed, of) for of in (_time, _measured_time)):
        return LATE_DATA
    return PRICE_CHANGE if _sums(posted, _cost) != _sums(recomputed, _cost) else RETAGGED


def _sums(rows: Sequence[Row], of: Callable[[Row], int]) -> Mapping[tuple[str, ...], int]:
    """An amount by device, pod, bucket and price."""
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        price = (row.price, row.currency) if of is _cost else ()
        sums[row.place.device, row.holder.pod_uid, row.bucket.value, *price] += of(row)
    return {key: amount for key, amount in sums.items() if amount}


def _time(row: Row) -> int:
    return row.gpu_milliseconds


def _measured_time(row: Row) -> int:
    return row.measured_milliseconds


def _cost(row: Row) -> int:
    return row.cost_nanos or 0
