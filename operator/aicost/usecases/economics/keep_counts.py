"""Keep what was counted in each closed window, beside the ledger."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from aicost.domain.attribution.customers import CustomerIds
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.serving.counted import CountRow
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.counts import CountStore
from aicost.ports.measured.engines import EngineSource
from aicost.ports.measured.successes import SuccessCounts
from aicost.ports.measured.units import UnitCounts
from aicost.usecases.economics.count_window import NOTHING_SAID, CountWindow, Said

BACK_MS = 2 * DAY_MS
"""A window that was not counted for so long never is: after an outage of the source it is caught up with this much."""
MOST_AT_ONCE = 4
"""Windows of one call: what is left waits for the next one."""


@dataclass(frozen=True, slots=True)
class WindowCounted:
    """A window whose counts were kept.

    Attributes:
        revision: above 0 where later samples changed what had been kept.
    """

    window: Window
    revision: int
    rows: int


@dataclass(frozen=True, slots=True)
class KeepCounts:
    """Count closed windows, oldest first, and once more the one before: samples come late.

    Attributes:
        store: where counts are kept.
        reader: says which windows are closed.
        engines: counters of engines and gateways.
        units: counters that AIWorkloads name; None reads none.
        ids: ids that customers are kept under; None keeps their names.
        successes: asks what AIWorkloads want to know of successes; None asks nothing.
        since_ms: from when on the engines are heard, None for never yet. A window that began before is not counted: a
            part of its tokens would bear the whole of its cost.
    """

    cluster: str
    store: CountStore
    reader: LedgerReader
    engines: EngineSource
    units: UnitCounts | None = None
    ids: CustomerIds | None = None
    successes: SuccessCounts | None = None
    since_ms: Callable[[], int | None] = lambda: 0

    def due(self) -> Sequence[Window]:
        """Closed windows that are not counted yet, oldest first."""
        last = self.reader.last_window(self.cluster)
        if last is None:
            return ()
        span = Window(last.end_ms - BACK_MS, last.end_ms)
        counted = set(self.store.windows(span, cluster=self.cluster))
        closed = self.reader.windows(span, cluster=self.cluster)
        return [one for one in closed if one not in counted and self._heard(one)]

    def __call__(self, said: Said = NOTHING_SAID) -> Iterator[WindowCounted]:
        """Count some of what is due. Each window is kept before the next one is looked at.

        Args:
            said: what AIWorkloads say of their engines and counters.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted: the counters cannot be read; what was kept stays.
            LedgerUnavailable, LedgerConflict: the counts cannot be kept.
        """
        for window in self.due()[:MOST_AT_ONCE]:
            yield self.count(window, said)
            if (again := self._again(window, said)) is not None:
                yield again

    def catch_up(self, span: Window, said: Said = NOTHING_SAID) -> Iterator[WindowCounted]:
        """Count all closed windows of a past that are not counted yet, however long ago; errors as of a call.

        Nothing is kept before the first engine or gateway was heard.
        """
        counted = set(self.store.windows(span, cluster=self.cluster))
        for window in self.reader.windows(span, cluster=self.cluster):
            if window not in counted:
                rows = self._rows(window, said)
                if rows or self.store.version() is not None:
                    self.store.keep(self.cluster, window, 0, rows)
                    yield WindowCounted(window, 0, len(rows))

    def count(self, window: Window, said: Said = NOTHING_SAID) -> WindowCounted:
        """Count a window for the first time; errors as of a call."""
        rows = self._rows(window, said)
        self.store.keep(self.cluster, window, 0, rows)
        return WindowCounted(window, 0, len(rows))

    def _again(self, after: Window, said: Said) -> WindowCounted | None:
        """The window before, if by now it was counted otherwise than it was."""
        before = self.reader.windows(Window(after.start_ms - after.length_ms, after.start_ms), cluster=self.cluster)
        revision = self.store.revision(self.cluster, before[-1]) if before else None
        if revision is None or not self._heard(before[-1]):
            return None
        window, rows = before[-1], self._rows(before[-1], said)
        if _same(rows, self.store.rows(self.cluster, window)):
            return None
        self.store.keep(self.cluster, window, revision + 1, rows)
        return WindowCounted(window, revision + 1, len(rows))

    def _heard(self, window: Window) -> bool:
        """Whether the engines were heard from the beginning of a window on."""
        since_ms = self.since_ms()
        return since_ms is not None and since_ms <= window.start_ms

    def _rows(self, window: Window, said: Said) -> Sequence[CountRow]:
        counting = CountWindow(self.cluster, self.reader, self.engines, self.units, self.ids, self.successes)
        return counting(window, said)


def _same(one: Sequence[CountRow], other: Sequence[CountRow]) -> bool:
    return sorted(map(repr, one)) == sorted(map(repr, other))
