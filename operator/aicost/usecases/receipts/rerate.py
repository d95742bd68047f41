"""Rate posted windows again by other prices: show the difference, or post it as a new revision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rerating import Rerating, rerate
from aicost.domain.ledger.rows import Row
from aicost.domain.pricing.books import PriceBook
from aicost.domain.receipts.comparing import compare
from aicost.ports.errors import LedgerConflict
from aicost.ports.inputs import InputStore
from aicost.ports.ledger import LedgerWriter, Posting
from aicost.usecases.receipts.posted_inputs import ExplainedLedger, FindInputs, InputsMissing, Needed

ATTEMPTS = 5
"""How often a window is tried where the controller posts for the same cluster at that moment."""
_DIFFERS = (
    "the ledger differs from the inputs of this window before any price is changed: `aicost explain` says in what; "
    "it is left as it is"
)


@dataclass(frozen=True, slots=True)
class WindowRerated:
    """One window and what changes about it.

    Attributes:
        revision: the revision that holds the differences, or would hold them; None where nothing changes.
        not_rated: why it was left as it is, for people; empty where it was looked at.
    """

    window: Window
    revision: int | None
    found: Rerating
    not_rated: str = ""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found about a window, with the inputs that its nodes rest on now."""

    told: WindowRerated
    needs: Sequence[Needed] = ()


@dataclass(frozen=True, slots=True)
class Rerate:
    """Compute closed windows again with other price books on the inputs that were kept.

    Attributes:
        ledger: the ledger; to post, one that sees each posting at once.
        inputs: what its postings rest on.
        writer: where differences are posted; None to look only.
    """

    cluster: str
    ledger: ExplainedLedger
    inputs: InputStore
    writer: LedgerWriter | None = None

    def __call__(self, span: Window, books: Sequence[PriceBook]) -> Iterator[WindowRerated]:
        """Go through the closed windows that share time with a span, oldest first.

        Each window is one commit: whoever stops half-way has whole windows, and goes on by asking again. Asked again
        with the same books, nothing more changes.

        Raises:
            LedgerConflict: another writer came first again and again; nothing of the window at hand was posted.
            InputsDamaged: inputs are not what was kept.
            LedgerUnavailable: the ledger cannot be read or written.
        """
        for window in self.ledger.windows(span, cluster=self.cluster):
            yield self._one(window, books)

    def _one(self, window: Window, books: Sequence[PriceBook]) -> WindowRerated:
        """Look at one window, and post; where another writer was faster, look again at what it posted."""
        for attempts_left in reversed(range(ATTEMPTS)):
            looked = self._look(window, books)
            if self.writer is None or looked.told.revision is None:
                return looked.told
            try:
                self._post(self.writer, looked, books)
            except LedgerConflict as conflict:
                if not attempts_left:
                    raise LedgerConflict(_GIVE_UP.format(window=window, conflict=conflict)) from conflict
            else:
                return looked.told
        raise AssertionError("the last attempt ends the loop")

    def _look(self, window: Window, books: Sequence[PriceBook]) -> _Looked:
        """What changes about a window. The revision is read before the rows: rows that come between give a conflict."""
        revision = self.ledger.revision(self.cluster, window)
        posted = self.ledger.rows(window, cluster=self.cluster)
        if revision is None or not posted:
            return _Looked(WindowRerated(window, None, Rerating()))
        try:
            needs = FindInputs(self.cluster, self.ledger, self.inputs)(window, revision, posted)
        except InputsMissing as missing:
            return _Looked(WindowRerated(window, None, Rerating(), str(missing)))
        before = _rows(needs, [needed.given for needed in needs])
        if compare(posted, before) or any(needed.altered for needed in needs):
            return _Looked(WindowRerated(window, None, Rerating(), _DIFFERS))
        after = _rows(needs, [replace(needed.given, books=tuple(books)) for needed in needs])
        found = rerate(posted, before, after, revision + 1)
        return _Looked(WindowRerated(window, revision + 1 if found.rows else None, found), needs)

    def _post(self, writer: LedgerWriter, looked: _Looked, books: Sequence[PriceBook]) -> None:
        """Keep the inputs with their new prices, then post. Nodes that rest on earlier inputs go on to do so."""
        told, window = looked.told, looked.told.window
        assert told.revision is not None
        main = max(looked.needs, key=lambda needed: (len(needed.nodes), needed.revision))
        before = {
            node: needed.revision for needed in looked.needs if needed is not main for node in sorted(needed.nodes)
        }
        given = replace(main.given, books=tuple(books))
        kept = self.inputs.keep(given, told.revision, before, repriced=True)
        writer.post(Posting(self.cluster, window, told.revision, told.found.rows, kept))


def _rows(needs: Sequence[Needed], inputs: Sequence[WindowInput]) -> list[Row]:
    """The rows of all nodes, each from the inputs that it rests on."""
    pairs = zip(needs, inputs, strict=True)
    return [row for needed, given in pairs for row in needed.of_these(state_window(given).rows)]


_GIVE_UP = (
    "window {window} was not rated again, since another writer posts at the same time: {conflict}. "
    "What was posted before it stays; run the same command again, it goes on from there"
)
