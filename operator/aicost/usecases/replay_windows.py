"""Close the windows of a past that is gone through again, faster than it passed."""

from collections.abc import Iterator
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.ports.inventory import History
from aicost.usecases.close_windows import CloseWindows, WindowClosed, windows_since


@dataclass(frozen=True, slots=True)
class ReplayWindows:
    """Post each window of a span as it would have been posted then.

    Attributes:
        history: what is known, moved to the moment at which the window would have been closed.
        closing: how a window is closed; its epoch is where the span begins.
    """

    history: History
    closing: CloseWindows

    def windows(self, span: Window) -> tuple[Window, ...]:
        """The billing windows of a span, the first and the last one cut by it."""
        parts = windows_since(self.closing.grid, self.closing.epoch_ms, span)
        return tuple(part for window in parts if (part := window.overlap(span)))

    def __call__(self, span: Window) -> Iterator[WindowClosed]:
        """Close one window after the other, oldest first. What is posted already is computed again and compared.

        A window is stated by what was known when it had settled, and by all samples around it: those that had come by
        then, and those that a later look would have added.

        Raises:
            LedgerConflict: the ledger holds other rows for a window, or another cut of this time.
            LedgerUnavailable: nothing of the window at hand was posted; those before it were.
        """
        for window in self.windows(span):
            self.history.advance(window.end_ms + self.closing.settle_ms)
            now_ms = window.end_ms + max(self.closing.settle_ms, self.closing.compute.padding_ms)
            yield self.closing.close(window, now_ms, may_be_blind=False)
