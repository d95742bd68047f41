"""What the table's log says about which windows were posted.

Each commit carries Delta application transactions, so rows and the fact that they were posted are one atomic step:
`.../window/START/END` holds the highest revision of a window, `.../first` and `.../last` the bounds of what is posted,
`.../first-length` and `.../last-length` the lengths of these windows. Delta refuses a commit when another one has
written the same transaction since our snapshot: two writers of one cluster never both succeed.
"""

from dataclasses import dataclass

from deltalake import DeltaTable, Transaction

from aicost.domain.exact.windows import Window


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

    def after(self, window: Window, revision: int) -> list[Transaction]:
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
        return [Transaction(self._name(name), value) for name, value in said.items()]

    def _said(self, name: str) -> int | None:
        value: int | None = self.table.transaction_version(self._name(name))
        return value

    def _name(self, name: str) -> str:
        return f"aicost/{self.cluster}/{name}"


def _window_name(window: Window) -> str:
    return f"window/{window.start_ms}/{window.end_ms}"
