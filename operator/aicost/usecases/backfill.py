"""Post the past, window by window, from series that somebody else kept: read-only towards the cluster, resumable."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.grounds import Ground
from aicost.domain.ledger.rows import Row
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerWriter, Posting
from aicost.usecases.close_windows import CloseWindows, WindowClosed

FlagsOf = Callable[[Row], Sequence[str]]
"""What a row rests on."""


@dataclass(frozen=True, slots=True)
class FlaggedWriter:
    """A ledger writer whose rows say what they rest on (port `LedgerWriter`).

    Attributes:
        writer: the real one.
        flags_of: flags to add to a row.
    """

    writer: LedgerWriter
    flags_of: FlagsOf

    def post(self, posting: Posting) -> bool:
        """Post rows with their flags; errors as of the port."""
        rows = tuple(replace(row, flags=(*row.flags, *self.flags_of(row))) for row in posting.rows)
        return self.writer.post(replace(posting, rows=rows))

    def replace_provisional(self, cluster: str, window: Window, rows: Sequence[Row]) -> None:
        """Nothing of the past is provisional.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"{len(rows)} provisional rows of {cluster} in {window}: the past has none")


@dataclass(frozen=True, slots=True)
class Backfill:
    """Close the windows of a span that are not in the ledger yet.

    Attributes:
        closing: closes one window; its epoch is the begin of the span.
        span: what to post.
    """

    closing: CloseWindows
    span: Window

    def due(self, now_ms: int) -> tuple[Window, ...]:
        """Windows to post, oldest first."""
        return tuple(window for window in self.closing.due(now_ms) if window.end_ms <= self.span.end_ms)

    def late(self) -> str:
        """Why the ledger cannot take all of the span, for people; empty where it can.

        Raises:
            InvalidRequest: a controller began the ledger inside the span: the past cannot be put before it.
        """
        reader, cluster = self.closing.reader, self.closing.cluster
        first = reader.first_window(cluster)
        if first is None or first.start_ms <= self.span.start_ms:
            return ""
        rows = reader.rows(first, cluster=cluster)
        fix = "rows are only ever added at its end, so name another directory for the time before"
        if rows and not any(Ground.BACKFILL.value in row.flags for row in rows):
            raise InvalidRequest(f"--ledger: a controller posts cluster {cluster} into it from {first} on: {fix}")
        return f"the ledger begins with {first}: {fix}"

    def __call__(self, now_ms: int) -> Iterator[WindowClosed]:
        """Post them one by one. It may be stopped between any two, and goes on there the next time.

        A window is never closed blind: where the source fails, nothing is posted for it.

        Raises:
            SOURCE_FAILURES: the source failed.
            LedgerUnavailable, LedgerConflict: nothing of the window at hand was posted.
        """
        for window in self.due(now_ms):
            yield self.closing.close(window, now_ms, may_be_blind=False)
