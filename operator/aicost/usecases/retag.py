"""Tag posted windows again by policies that have changed since: show what would move, or post it as a new revision."""

from collections.abc import Iterator
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.ledger.retagging import Retagging, retag
from aicost.ports.errors import LedgerConflict
from aicost.ports.ledger import LedgerReader, LedgerWriter, Posting

ATTEMPTS = 5
"""How often a window is tried where the controller posts for the same cluster at that moment."""


@dataclass(frozen=True, slots=True)
class WindowRetagged:
    """One window and what changes about it.

    Attributes:
        revision: the revision that holds the differences, or would hold them; None where nothing changes.
    """

    window: Window
    revision: int | None
    found: Retagging


@dataclass(frozen=True, slots=True)
class Retag:
    """Resolve the tags of closed windows again.

    Attributes:
        reader: the ledger; to post, one that sees each posting at once.
        writer: where differences are posted; None to look only.
    """

    cluster: str
    reader: LedgerReader
    writer: LedgerWriter | None = None

    def __call__(self, span: Window, tagger: Tagger) -> Iterator[WindowRetagged]:
        """Go through the closed windows that share time with a span, oldest first.

        Each window is one commit: whoever stops half-way has whole windows, and goes on by asking again.

        Raises:
            LedgerConflict: another writer came first again and again; nothing of the window at hand was posted.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        for window in self.reader.windows(span, cluster=self.cluster):
            yield self._one(window, tagger)

    def _one(self, window: Window, tagger: Tagger) -> WindowRetagged:
        """Look at one window, and post; where another writer was faster, look again at what it posted."""
        for attempts_left in reversed(range(ATTEMPTS)):
            looked = self._look(window, tagger)
            if self.writer is None or looked.revision is None:
                return looked
            try:
                self.writer.post(Posting(self.cluster, window, looked.revision, looked.found.rows))
            except LedgerConflict as conflict:
                if not attempts_left:
                    raise LedgerConflict(_GIVE_UP.format(window=window, conflict=conflict)) from conflict
            else:
                return looked
        raise AssertionError("the last attempt ends the loop")

    def _look(self, window: Window, tagger: Tagger) -> WindowRetagged:
        """What changes about a window. The revision is read before the rows: rows that come between give a conflict."""
        revision = self.reader.revision(self.cluster, window)
        if revision is None:
            return WindowRetagged(window, None, Retagging())
        found = retag(self.reader.rows(window, cluster=self.cluster), tagger, revision + 1)
        return WindowRetagged(window, revision + 1 if found.rows else None, found)


_GIVE_UP = (
    "window {window} was not tagged again, since another writer posts at the same time: {conflict}. "
    "What was posted before it stays; run the same command again, it goes on from there"
)
