"""Compute recently closed windows again and post what changed: samples and deletions that were heard of late."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.exact.windows import Grid, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import HELD, Component, Quality, Row
from aicost.ports.inputs import InputStore
from aicost.ports.inventory import Watched
from aicost.ports.ledger import LedgerReader, LedgerWriter, Posting
from aicost.usecases.close_windows import BLIND_AFTER_MS, windows_since
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


@dataclass(slots=True)
class LastLook:
    """What was known when windows were looked at last.

    Attributes:
        heard_ms: up to where the watch had missed nothing; None where nobody tells.
        settled_ms: the end of the last window that had settled; None before the first look.
    """

    heard_ms: int | None = None
    settled_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RevisitWindows:
    """Post signed differences for the last closed windows.

    Attributes:
        depth: how many closed windows are looked at again; more where the watch was interrupted for longer.
        epoch_ms: the journal's first moment: windows that ended before are another journal's, and it knows better.
        memory_ms: how far back lifetimes and samples are remembered: what began before is not looked at again.
        inputs: where is kept what each posting rests on; None keeps nothing.
        settle_ms: how long after its end a window is closed.
        watched: how far the watch has come; None where nobody tells.
        last: what was known at the last look; at first what the journal knows of the time before.
    """

    cluster: str
    compute: ComputeWindow
    writer: LedgerWriter
    reader: LedgerReader
    grid: Grid
    depth: int
    epoch_ms: int
    memory_ms: int
    inputs: InputStore | None = None
    settle_ms: int = 0
    watched: Watched | None = None
    last: LastLook = field(default_factory=LastLook)

    def __post_init__(self) -> None:
        if self.watched is not None and self.last.heard_ms is None:
            self.last.heard_ms = self.watched.heard_ms

    def due(self, now_ms: int) -> bool:
        """True where a window has settled that was closed too early, by a clock that was ahead: it is complete now."""
        settled_ms = self._settled_ms(now_ms)
        if not self.depth or settled_ms == self.last.settled_ms:
            return False
        last = self.reader.last_window(self.cluster)
        return last is not None and settled_ms < last.end_ms

    def __call__(self, now_ms: int) -> tuple[WindowRevised, ...]:
        """Revisit the last windows that are closed and have settled, oldest first.

        Raises:
            SOURCE_FAILURES: without samples nothing is revised.
        """
        last = self.reader.last_window(self.cluster)
        if last is None or not self.depth:
            return ()
        heard_ms = None if self.watched is None else self.watched.heard_ms
        settled_ms = self._settled_ms(now_ms)
        since_ms = max(self.epoch_ms, now_ms - self.memory_ms)
        usual = self._usual(min(last.end_ms, settled_ms), heard_ms)
        windows = [*self._blind_before(usual), *usual]
        revised = [self._revise(window, now_ms) for window in windows if window.start_ms >= since_ms]
        self.last.heard_ms, self.last.settled_ms = heard_ms, settled_ms
        return tuple(one for one in revised if one is not None)

    def _settled_ms(self, now_ms: int) -> int:
        """The end of the last window that has settled."""
        return self.grid.containing(now_ms - self.settle_ms).start_ms

    def _usual(self, end_ms: int, heard_ms: int | None) -> list[Window]:
        """The last windows up to a moment; where the watch has come further, all that were closed while it had not."""
        start_ms, before_ms = end_ms - self.depth * self.grid.length_ms, self.last.heard_ms
        if heard_ms is not None and before_ms is not None and heard_ms > before_ms:
            start_ms = min(start_ms, before_ms)
        return self._windows(Window(start_ms, end_ms))

    def _windows(self, span: Window) -> list[Window]:
        """The billing windows of a span that this journal knows of."""
        return list(windows_since(self.grid, self.epoch_ms, span))

    def _blind_before(self, usual: Sequence[Window]) -> list[Window]:
        """Windows right before the usual ones that were closed without a sample.

        Their source was down then; it may have kept all that it knew, and tell it now.
        """
        found: list[Window] = []
        waited_ms = (
            BLIND_AFTER_MS + self.grid.length_ms
        )  # so many windows may have waited, and been closed with samples
        start_ms = usual[0].start_ms if usual else self.epoch_ms
        while len(found) < MOST_BLIND and start_ms > self.epoch_ms:
            (window,) = self._windows(Window(start_ms - 1, start_ms))
            rows = [row for row in self.reader.rows(window, cluster=self.cluster) if row.component is Component.GPU]
            if not rows:
                break
            start_ms = window.start_ms
            if not any(row.measured_milliseconds > 0 for row in rows):
                found.append(window)
            elif found or start_ms + waited_ms < usual[0].start_ms:
                break
        return found[::-1]

    def _revise(self, window: Window, now_ms: int) -> WindowRevised | None:
        """State one window again; None where it was never posted or nothing changed."""
        revision = self.reader.revision(self.cluster, window)
        if revision is None:
            return None
        posted = self.reader.rows(window, cluster=self.cluster)
        gathered = self.compute.gather(window, now_ms, may_be_blind=False)
        computed = gathered.computed().statement.rows
        lost = _nodes_lost(computed, posted)
        recomputed = _without_losses(computed, posted, lost)
        rows = difference(posted, recomputed, revision + 1, _reason(posted, recomputed))
        if not rows:
            return None
        before = dict.fromkeys(lost, revision)
        kept = None if self.inputs is None else self.inputs.keep(gathered.given, revision + 1, before)
        self.writer.post(Posting(self.cluster, window, revision + 1, rows, kept))
        return WindowRevised(window, revision + 1, rows[0].reason, rows)


def _nodes_lost(computed: Sequence[Row], posted: Sequence[Row]) -> frozenset[str]:
    """Nodes of which less is known now than when they were posted, be it of GPUs or of what pods use beside them."""
    now, before = _by_part(computed), _by_part(posted)
    return frozenset(part[0] for part, rows in before.items() if _knows_less(now.get(part, []), rows))


def _without_losses(computed: Sequence[Row], posted: Sequence[Row], lost: Collection[str]) -> list[Row]:
    """The rows as computed, but as posted for nodes of which less is known now: what is lost corrects nothing."""
    return [
        *(row for row in posted if row.place.node in lost),
        *(row for row in computed if row.place.node not in lost),
    ]


def _by_part(rows: Sequence[Row]) -> dict[tuple[str, Component], list[Row]]:
    """Rows by node and component."""
    found: dict[tuple[str, Component], list[Row]] = defaultdict(list)
    for row in rows:
        found[row.place.node, row.component].append(row)
    return found


def _knows_less(computed: Sequence[Row], posted: Sequence[Row]) -> bool:
    """True where samples that were there at the closing are gone, more than go with a node that left earlier."""
    (now, time_now), (before, time_before) = (_measured(rows) for rows in (computed, posted))
    gone = max(0, time_before - time_now)
    return (now + gone) * 100 < before * 99


def _measured(rows: Sequence[Row]) -> tuple[int, int]:
    """Time with samples and device time in all; of CPU and memory what pods held, as measured and in all."""
    if all(row.component is Component.GPU for row in rows):
        return sum(row.measured_milliseconds for row in rows), sum(row.gpu_milliseconds for row in rows)
    held = [row for row in rows if row.bucket in HELD]
    return sum(row.quantity for row in held if row.quality is not Quality.ASSUMED), sum(row.quantity for row in held)


def _reason(posted: Sequence[Row], recomputed: Sequence[Row]) -> str:
    """Why a window's rows differ: times first, then prices; what is left is who a pod is said to be."""
    if any(_sums(posted, of) != _sums(recomputed, of) for of in (_time, _measured_time, _quantity)):
        return LATE_DATA
    return PRICE_CHANGE if _sums(posted, _cost) != _sums(recomputed, _cost) else RETAGGED


def _sums(rows: Sequence[Row], of: Callable[[Row], int]) -> Mapping[tuple[str, ...], int]:
    """An amount by component, device, pod, bucket and price."""
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        price = (row.price, row.currency) if of is _cost else ()
        sums[row.component, row.place.device, row.holder.pod_uid, row.bucket.value, *price] += of(row)
    return {key: amount for key, amount in sums.items() if amount}


def _time(row: Row) -> int:
    return row.gpu_milliseconds


def _measured_time(row: Row) -> int:
    return row.measured_milliseconds


def _quantity(row: Row) -> int:
    return row.quantity


def _cost(row: Row) -> int:
    return row.cost_nanos or 0
