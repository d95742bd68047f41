"""Records in memory, by kind, with what the volume does not know of them yet."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeAlias, TypeVar

from aicost.adapters.journal.records import Kind, Record

R = TypeVar("R", bound=Record)

Changes: TypeAlias = Mapping[tuple[Kind, str], Record | None]
"""What became of records since the last flush; None for one that was dropped."""


class Shelf(Generic[R]):
    """The records of one kind by their id.

    Args:
        kind: what they are about.
        dirty: where changes are noted, shared by all shelves of a journal.
        identify: the id of a record.
    """

    def __init__(self, kind: Kind, dirty: dict[tuple[Kind, str], Record | None], identify: Callable[[R], str]) -> None:
        self._kind, self._dirty, self._identify = kind, dirty, identify
        self._records: dict[str, R] = {}

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    def get(self, key: str) -> R | None:
        """The record of an id."""
        return self._records.get(key)

    def load(self, record: R) -> None:
        """Take a record that the volume has."""
        self._records[self._identify(record)] = record

    def put(self, record: R) -> R:
        """Take a record that is new or changed; one that is as before costs no write."""
        key = self._identify(record)
        if self._records.get(key) != record:
            self._records[key] = record
            self._dirty[self._kind, key] = record
        return record

    def drop(self, key: str) -> bool:
        """Forget a record; False if there was none."""
        if self._records.pop(key, None) is None:
            return False
        self._dirty[self._kind, key] = None
        return True
