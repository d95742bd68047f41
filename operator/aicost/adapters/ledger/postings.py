"""What the table's log says about which windows were posted.

Each commit carries Delta application transactions, so rows and the fact that they were posted are one atomic step:
`.../window/START/END` holds the highest revision of a window, `.../inputs/START/END/REVISION` a number of the inputs
that a revision rests on, `.../first` and `.../last` the bounds of what is posted, `.../first-length` and
`.../last-length` the lengths of these windows, `.../seal/START/END/REVISION/` with `rows`, `high` and `low` what the
rows of a revision came to, `.../term` the term of the leader that may post, `.../kept-from` the moment before which
retention dropped the rows and `.../dropped-rows` how many, `.../erased-rows` from how many rows customers were erased.
`aicost/erased` is the version of the table before which none can be read since. Delta refuses a commit when another one
has written the same transaction since our snapshot: two writers of one cluster never both succeed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from deltalake import DeltaTable, Transaction

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.seals import Seal

PREFIX = "aicost/"
TERM, KEPT_FROM, DROPPED_ROWS, ERASED_ROWS = "term", "kept-from", "dropped-rows", "erased-rows"
ERASED = f"{PREFIX}erased"
Posted = tuple[Window, int]
"""A window and its revision."""


@dataclass(frozen=True, slots=True)
class Postings:
    """The postings of one cluster, read from one snapshot of the table."""

    table: DeltaTable
    cluster: str

    def revision(self, window: Window) -> int | None:
        """Highest revision posted for a window."""
        return self._said(_window_name(window))

    def first(self) -> Window | None:
        """The earliest window."""
        start, length = self._said("first"), self._said("first-length")
        return None if start is None or length is None else Window(start, start + length)

    def last(self) -> Window | None:
        """The latest window."""
        end, length = self._said("last"), self._said("last-length")
        return None if end is None or length is None else Window(end - length, end)

    def inputs(self, window: Window, revision: int) -> int | None:
        """The number of the inputs that a revision rests on."""
        return self._said(_inputs_name(window, revision))

    def seal(self, window: Window, revision: int) -> Seal | None:
        """What the rows of a revision came to; None for one that was posted before seals were kept."""
        rows, high, low = (self._said(name) for name in _seal_names(window, revision))
        return None if rows is None or high is None or low is None else Seal(rows, high, low)

    def term(self) -> int:
        """The term of the leader that may post; 0 before the first one."""
        return self._said(TERM) or 0

    def kept_from(self) -> int | None:
        """The moment before which retention dropped the rows; None where all are kept."""
        return self._said(KEPT_FROM)

    def dropped_rows(self) -> int:
        """How many rows retention dropped so far."""
        return self._said(DROPPED_ROWS) or 0

    def erased_rows(self) -> int:
        """From how many rows customers were erased so far."""
        return self._said(ERASED_ROWS) or 0

    def erased(self, rows: int, seals: Mapping[Posted, Seal], inputs: Mapping[Posted, int]) -> list[Transaction]:
        """The transactions of a commit that takes customers out of rows that are posted.

        Args:
            rows: from how many rows of this cluster.
            seals: what the rows of revisions come to since.
            inputs: the new numbers of the inputs of revisions.
        """
        said = {ERASED_ROWS: self.erased_rows() + rows} if rows else {}
        for (window, revision), sealed in seals.items():
            said |= zip(_seal_names(window, revision), (sealed.rows, sealed.high, sealed.low), strict=True)
        said |= {_inputs_name(window, revision): anchor for (window, revision), anchor in inputs.items()}
        return [Transaction(self._name(name), value) for name, value in said.items()]

    def saying(self, **said: int) -> list[Transaction]:
        """The transactions of a commit that says something of the cluster; `_` in a name stands for a dash."""
        return [Transaction(self._name(name.replace("_", "-")), value) for name, value in said.items()]

    def after(
        self, window: Window, revision: int, sealed: Seal, inputs: int | None = None, term: int | None = None
    ) -> list[Transaction]:
        """The transactions of a commit that posts one more revision of a window."""
        first, last = self.first() or window, self.last() or window
        first = min(first, window)
        last = window if window.end_ms > last.end_ms else last
        said = {
            _window_name(window): revision,
            "first": first.start_ms,
            "first-length": first.length_ms,
            "last": last.end_ms,
            "last-length": last.length_ms,
        }
        said |= zip(_seal_names(window, revision), (sealed.rows, sealed.high, sealed.low), strict=True)
        if term is not None:
            said[TERM] = term
        if inputs is not None:
            said[_inputs_name(window, revision)] = inputs
        return [Transaction(self._name(name), value) for name, value in said.items()]

    def _said(self, name: str) -> int | None:
        value: int | None = self.table.transaction_version(self._name(name))
        return value

    def _name(self, name: str) -> str:
        return f"{PREFIX}{self.cluster}/{name}"


def _window_name(window: Window) -> str:
    return f"window/{window.start_ms}/{window.end_ms}"


def _inputs_name(window: Window, revision: int) -> str:
    return f"inputs/{window.start_ms}/{window.end_ms}/{revision}"


def _seal_names(window: Window, revision: int) -> tuple[str, str, str]:
    start = f"seal/{window.start_ms}/{window.end_ms}/{revision}"
    return f"{start}/rows", f"{start}/high", f"{start}/low"
