"""Numbers for targets, series and shapes, so that a scrape is stored as its values alone.

A *shape* is a target with the list of series that it answered. An exporter answers the same series time after time, so
there are few shapes, and a scrape is a shape, a time and one value for each series of the shape.
"""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from aicost.adapters.journal.blobs import pack_ids, unpack_ids
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.sampling.scrapes import ScrapeTarget, SeriesKey

SCHEMA = (
    "CREATE TABLE targets (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE series (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    """CREATE TABLE shapes (
        id INTEGER PRIMARY KEY, target INTEGER NOT NULL, series BLOB NOT NULL, until_ms INTEGER NOT NULL
    )""",
)
USE_STEP_MS = HOUR_MS
"""How far ahead the use of a shape is noted: one small write per shape in this time."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Shape:
    """A target by number, and its series by number in the order of their values."""

    target: int
    series: tuple[int, ...]


class _Numbered(Generic[K]):
    """Keys and their numbers, both ways, and which of them the file does not have yet."""

    def __init__(self) -> None:
        self.keys: dict[int, K] = {}
        self._numbers: dict[K, int] = {}
        self.fresh: list[int] = []
        self._next = 1

    def load(self, number: int, key: K) -> None:
        self.keys[number], self._numbers[key] = key, number
        self._next = max(self._next, number + 1)

    def number(self, key: K) -> int:
        known = self._numbers.get(key)
        if known is not None:
            return known
        number = self._next
        self.load(number, key)
        self.fresh.append(number)
        return number

    def drop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            del self._numbers[self.keys.pop(number)]


class Dictionary:
    """The numbers of one file. Not safe for threads: the journal guards it."""

    def __init__(self) -> None:
        self._targets: _Numbered[ScrapeTarget] = _Numbered()
        self._series: _Numbered[SeriesKey] = _Numbered()
        self._shapes: _Numbered[Shape] = _Numbered()
        self._used_until_ms: dict[int, int] = {}
        self._touched: set[int] = set()

    def load(self, connection: sqlite3.Connection) -> None:
        """Read what the file has.

        Raises:
            ValueError: an entry cannot be read.
        """
        _load(connection, "targets", self._targets, msgspec.msgpack.Decoder(ScrapeTarget).decode)
        _load(connection, "series", self._series, msgspec.msgpack.Decoder(SeriesKey).decode)
        for number, target, series, until_ms in connection.execute("SELECT * FROM shapes"):
            shape = Shape(target, unpack_ids(series))
            if target not in self._targets.keys or any(each not in self._series.keys for each in shape.series):
                raise ValueError(f"shape {number} names a target or series that is not there")
            self._shapes.load(number, shape)
            self._used_until_ms[number] = until_ms

    def use(self, target: ScrapeTarget, keys: Iterable[SeriesKey], at_ms: int) -> tuple[int, list[int]]:
        """The number of the shape of a scrape, and the order in which values belong into it.

        The order in which an exporter answers means nothing and may change each time, so series stand by number.
        """
        ids = [self._series.number(key) for key in keys]
        order = sorted(range(len(ids)), key=ids.__getitem__)
        number = self._shapes.number(Shape(self._targets.number(target), tuple(ids[index] for index in order)))
        if self._used_until_ms.get(number, at_ms) <= at_ms:
            self._used_until_ms[number] = at_ms + USE_STEP_MS
            self._touched.add(number)
        return number, order

    def shape(self, number: int) -> Shape:
        """The shape of a number; KeyError if there is none."""
        return self._shapes.keys[number]

    def target(self, number: int) -> ScrapeTarget:
        """The target of a number."""
        return self._targets.keys[number]

    def series(self, number: int) -> SeriesKey:
        """The series of a number."""
        return self._series.keys[number]

    def store(self, connection: sqlite3.Connection) -> Callable[[], None]:
        """Write what the file does not have yet; to be confirmed by calling the answer once the commit is done."""
        targets, series = tuple(self._targets.fresh), tuple(self._series.fresh)
        shapes = {number: self._used_until_ms[number] for number in self._touched}
        _insert(connection, "targets", [(number, self._targets.keys[number]) for number in targets])
        _insert(connection, "series", [(number, self._series.keys[number]) for number in series])
        rows = [(number, self.shape(number), until_ms) for number, until_ms in shapes.items()]
        connection.executemany(
            "INSERT OR REPLACE INTO shapes VALUES (?, ?, ?, ?)",
            [(number, shape.target, pack_ids(shape.series), until_ms) for number, shape, until_ms in rows],
        )

        def confirm() -> None:
            del self._targets.fresh[: len(targets)]
            del self._series.fresh[: len(series)]
            self._shapes.fresh.clear()  # what is touched says which of them to write
            self._touched -= {number for number, until_ms in shapes.items() if self._used_until_ms[number] == until_ms}

        return confirm

    def sweep(self, connection: sqlite3.Connection, before_ms: int, pending: set[int]) -> Callable[[], None]:
        """Delete shapes last used before a moment, and what only they used; to be confirmed like `store`.

        Args:
            connection: in a transaction.
            before_ms: scrapes from before are gone.
            pending: shapes of scrapes that are still to be written.
        """
        unused = {number for number, until_ms in self._used_until_ms.items() if until_ms < before_ms}
        shapes = unused - self._touched - pending
        kept = [shape for number, shape in self._shapes.keys.items() if number not in shapes]
        series = self._series.keys.keys() - {each for shape in kept for each in shape.series}
        targets = self._targets.keys.keys() - {shape.target for shape in kept}
        for table, numbers in (("shapes", shapes), ("series", series), ("targets", targets)):
            rows = [(number,) for number in numbers]
            connection.executemany(f"DELETE FROM {table} WHERE id = ?", rows)  # noqa: S608 -- names of our own

        def confirm() -> None:
            self._shapes.drop(shapes)
            self._series.drop(series)
            self._targets.drop(targets)
            for number in shapes:
                del self._used_until_ms[number]

        return confirm


def _insert(connection: sqlite3.Connection, table: str, keys: Iterable[tuple[int, ScrapeTarget | SeriesKey]]) -> None:
    rows = [(number, msgspec.msgpack.encode(key)) for number, key in keys]
    connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)  # noqa: S608 -- names of our own


def _load(connection: sqlite3.Connection, table: str, into: _Numbered[K], decode: Callable[[bytes], K]) -> None:
    for number, body in connection.execute(f"SELECT id, body FROM {table}"):  # noqa: S608 -- names of our own
        try:
            into.load(number, decode(body))
        except msgspec.MsgspecError as error:
            raise ValueError(f"entry {number} of {table}: {error}") from error
