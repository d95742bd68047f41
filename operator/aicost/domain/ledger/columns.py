"""Rows as columns: what a large cluster's statement is kept in, from the domain to the ledger.

A hundred thousand rows share a few hundred wordings and name each place and holder many times. So a column holds
references, and a row becomes an object only where somebody asks for one: receipts, differences, reports.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality, Row


@dataclass(frozen=True, slots=True)
class Wording:
    """All that a row says beside where, who and how much; the attributes are those of `Row`."""

    window: Window
    revision: int
    component: Component
    bucket: Bucket
    method: Method
    quality: Quality
    signal: str
    currency: str
    price: str = ""
    list_price: bool = False
    flags: tuple[str, ...] = ()
    reason: str = ""


Line = tuple[Wording, Place, Holder, int | None, int, int, int | None, int]
"""A row in parts: wording, place, holder, cost, device time, measured time, error bar, quantity."""


@dataclass(slots=True, eq=False)
class RowColumns(Sequence[Row]):
    """Rows, column by column; as a sequence, the rows as objects.

    Attributes:
        wording, place, holder: one object may stand in many lines; readers may tell them apart by identity.
        cost_nanos, gpu_milliseconds, measured_milliseconds, error_nanos, quantity: as in `Row`.
    """

    wording: list[Wording] = field(default_factory=list)
    place: list[Place] = field(default_factory=list)
    holder: list[Holder] = field(default_factory=list)
    cost_nanos: list[int | None] = field(default_factory=list)
    gpu_milliseconds: list[int] = field(default_factory=list)
    measured_milliseconds: list[int] = field(default_factory=list)
    error_nanos: list[int | None] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    _rows: tuple[Row, ...] | None = None

    def lines(self) -> Iterator[Line]:
        """The rows in parts."""
        return zip(
            self.wording, self.place, self.holder, self.cost_nanos, self.gpu_milliseconds, self.measured_milliseconds,
            self.error_nanos, self.quantity, strict=True,
        )  # fmt: skip

    def extend(self, other: "RowColumns") -> None:
        """Add the rows of another."""
        self._rows = None
        self.wording += other.wording
        self.place += other.place
        self.holder += other.holder
        self.cost_nanos += other.cost_nanos
        self.gpu_milliseconds += other.gpu_milliseconds
        self.measured_milliseconds += other.measured_milliseconds
        self.error_nanos += other.error_nanos
        self.quantity += other.quantity

    def between(self, first: int, last: int) -> "RowColumns":
        """Some of the rows that follow each other."""
        return RowColumns(
            self.wording[first:last],
            self.place[first:last],
            self.holder[first:last],
            self.cost_nanos[first:last],
            self.gpu_milliseconds[first:last],
            self.measured_milliseconds[first:last],
            self.error_nanos[first:last],
            self.quantity[first:last],
        )

    def rows(self) -> tuple[Row, ...]:
        """The rows as objects, made when they are first asked for."""
        if self._rows is None:
            self._rows = tuple(map(_row, self.lines()))
        return self._rows

    def __len__(self) -> int:
        return len(self.wording)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        return self.rows()[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RowColumns):
            return self.rows() == other.rows()
        return self.rows() == other if isinstance(other, tuple) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # columns grow


def columns_of(rows: Iterable[Row]) -> RowColumns:
    """Rows as columns; what is in columns already is taken as it is."""
    if isinstance(rows, RowColumns):
        return rows
    found, worded = RowColumns(), dict[Wording, Wording]()
    for row in rows:
        wording = _wording(row)
        found.wording.append(worded.setdefault(wording, wording))
        found.place.append(row.place)
        found.holder.append(row.holder)
        found.cost_nanos.append(row.cost_nanos)
        found.gpu_milliseconds.append(row.gpu_milliseconds)
        found.measured_milliseconds.append(row.measured_milliseconds)
        found.error_nanos.append(row.error_nanos)
        found.quantity.append(row.quantity)
    return found


def _wording(row: Row) -> Wording:
    return Wording(
        row.window, row.revision, row.component, row.bucket, row.method, row.quality, row.signal, row.currency,
        row.price, row.list_price, row.flags, row.reason,
    )  # fmt: skip


def _row(line: Line) -> Row:
    wording, place, holder, cost_nanos, gpu_milliseconds, measured_milliseconds, error_nanos, quantity = line
    # By position: there may be a hundred thousand of them, and to pass names takes longer.
    return Row(
        wording.window, wording.revision, wording.component, place, holder, wording.bucket, wording.method,
        wording.quality, wording.signal, wording.currency, cost_nanos, gpu_milliseconds, measured_milliseconds,
        error_nanos, wording.price, wording.list_price, wording.flags, wording.reason, quantity,
    )  # fmt: skip
