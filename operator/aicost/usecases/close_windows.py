"""Close billing windows: state each one that is due and post it, exactly once."""

from collections.abc import Iterator
from dataclasses import dataclass

from aicost.domain.exact.windows import HOUR_MS, Grid, Window
from aicost.ports.inputs import InputStore
from aicost.ports.ledger import LedgerReader, LedgerWriter, Posting
from aicost.usecases.compute_window import SOURCE_FAILURES, Computed, ComputeWindow

BLIND_AFTER_MS = HOUR_MS
"""A window whose telemetry source does not answer waits this long; then it is closed unmeasured, and samples that come
later are posted as differences."""
MOST_AT_ONCE = 24


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """A window that was posted.

    Attributes:
        posted: False where exactly this posting was in the ledger already.
    """

    window: Window
    computed: Computed
    posted: bool


@dataclass(frozen=True, slots=True)
class CloseWindows:
    """Post windows that ended and settled.

    Attributes:
        epoch_ms: the ledger's first moment, where it is empty.
        inputs: where is kept what each posting rests on; None keeps nothing.
    """

    cluster: str
    compute: ComputeWindow
    writer: LedgerWriter
    reader: LedgerReader
    grid: Grid
    settle_ms: int
    epoch_ms: int
    inputs: InputStore | None = None

    def due(self, now_ms: int) -> Iterator[Window]:
        """Windows to close now, oldest first: from the last one in the ledger to the last one that settled."""
        last = self.reader.last_window(self.cluster)
        settled = now_ms - self.settle_ms
        start = max(last.end_ms if last else 0, self.epoch_ms)
        if start < settled:
            windows = windows_since(self.grid, self.epoch_ms, Window(start, settled))
            yield from (window for window in windows if window.end_ms <= settled)

    def __call__(self, now_ms: int) -> tuple[WindowClosed, ...]:
        """Close what is due; at most a day's worth at once, so that a long outage is worked off step by step.

        Raises:
            SOURCE_FAILURES: the telemetry source failed and the window can still wait for it.
            LedgerUnavailable, LedgerConflict: nothing of the window at hand was posted; those before it were.
        """
        closed: list[WindowClosed] = []
        for window in list(self.due(now_ms))[:MOST_AT_ONCE]:
            try:
                one = self.close(window, now_ms, may_be_blind=now_ms - window.end_ms >= BLIND_AFTER_MS)
            except SOURCE_FAILURES:
                if not closed:
                    raise
                break
            closed.append(one)
        return tuple(closed)

    def close(self, window: Window, now_ms: int, *, may_be_blind: bool) -> WindowClosed:
        """State one window and post it; errors as of a call.

        Its inputs are kept first, so that nothing is posted that cannot be computed again.
        """
        gathered = self.compute.gather(window, now_ms, may_be_blind=may_be_blind)
        computed = gathered.computed()
        kept = None if self.inputs is None else self.inputs.keep(gathered.given, 0)
        posted = self.writer.post(Posting(self.cluster, window, 0, computed.statement.rows, kept))
        return WindowClosed(window, computed, posted)


@dataclass(frozen=True, slots=True)
class RefreshOpenWindow:
    """Compute what is not closed yet as provisional rows, in a place that no sum of the ledger touches."""

    cluster: str
    compute: ComputeWindow
    writer: LedgerWriter
    reader: LedgerReader
    grid: Grid
    epoch_ms: int

    def __call__(self, now_ms: int) -> tuple[Computed, ...]:
        """State each window between the last closed one and now: at most the last two, the rest is being closed."""
        last = self.reader.last_window(self.cluster)
        start = max(last.end_ms if last else 0, self.epoch_ms)
        open_since = max(start, self.grid.containing(now_ms).start_ms - self.grid.length_ms)
        if open_since >= now_ms:
            return ()
        span = Window(open_since, now_ms)
        windows = [part for window in self.grid.covering(span) if (part := window.overlap(span))]
        computed = tuple(self.compute(window, now_ms, may_be_blind=True) for window in windows)
        rows = [row for one in computed for row in one.statement.rows]
        self.writer.replace_provisional(self.cluster, Window(open_since, now_ms), rows)
        return computed


def windows_since(grid: Grid, epoch_ms: int, span: Window) -> Iterator[Window]:
    """The billing windows of a span; the first one of a ledger begins at its first moment: it knows none before."""
    since = Window(epoch_ms, max(epoch_ms, span.end_ms + grid.length_ms))
    yield from (part for window in grid.covering(span) if (part := window.overlap(since)))
