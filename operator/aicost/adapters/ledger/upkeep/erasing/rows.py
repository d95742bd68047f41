"""Rows that name a customer: found by the engine, and the days that hold them written anew without it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder

from aicost.adapters.ledger.failures import unavailable
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.postings import Posted, Postings
from aicost.adapters.ledger.queries import TABLE, literal
from aicost.adapters.ledger.schema import PARTITION, SCHEMA, from_table, to_table, window_of
from aicost.domain.identity.dimensions import Dimension, Source
from aicost.domain.ledger.erasing import Erasure
from aicost.domain.ledger.rows import Row
from aicost.domain.ledger.seals import Seal, seal_of
from aicost.ports.errors import LedgerUnavailable

_COLUMN = "dim_customer"
_HIT = "hit"
_OF_POSTING = ("cluster", "window_start", "window_end", "revision")
_ORDER = [(name, "ascending") for name in ("window_start", "cluster", "revision", "node", "device")]
_ELSEWHERE = ("namespace", "pod", "controller", "workload", "node")


@dataclass(slots=True)
class WrittenDay:
    """One day without the customer.

    Attributes:
        rows: all rows of the day, of all clusters.
        changed: cluster -> how many of them named the customer.
        seals: cluster -> what the rows of its revisions come to now.
    """

    rows: pa.Table
    changed: dict[str, int] = field(default_factory=dict)
    seals: dict[str, dict[Posted, Seal]] = field(default_factory=dict)


@dataclass(frozen=True)
class CustomerRows:
    """The rows of one version of the table that name erased customers, of one cluster or of all."""

    place: LedgerPlace
    table: DeltaTable
    what: Erasure
    cluster: str | None = None

    @cached_property
    def _where(self) -> str:
        """A condition that the rows in question meet."""
        any_of = " OR ".join(self._conditions()) or "FALSE"
        mine = "TRUE" if self.cluster is None else f'"cluster" = {literal(self.cluster)}'
        return f"COALESCE(({any_of}) AND {mine}, FALSE)"

    def _conditions(self) -> Iterator[str]:
        for expression, stated in self._places():
            query = f"SELECT DISTINCT {expression} AS value FROM {TABLE}"  # noqa: S608 -- names are quoted
            values = [one["value"] for one in self.ask(query).to_pylist() if one["value"]]
            named = [value for value in values if self._names(value.rpartition(" by ")[0] if stated else value)]
            if named:
                yield f"{expression} IN ({', '.join(map(literal, sorted(named)))})"

    def _places(self) -> Iterator[tuple[str, bool]]:
        """Where a row may name a customer, and whether it is with who says so."""
        yield _COLUMN, False
        for label in sorted(self.what.labels):
            yield f"labels[{literal(label)}]", False
        if "evidence" in {one.name for one in self.table.schema().fields}:
            for label in sorted(self.what.labels):
                yield f"evidence[{literal(f'namespace {label}')}]", False
            for source in Source:
                yield f"evidence[{literal(f'{source.name.lower()} {Dimension.CUSTOMER}')}]", True

    def _names(self, value: str) -> bool:
        return self.what.value(Dimension.CUSTOMER, value) != value

    def found(self) -> Sequence[dict[str, Any]]:
        """By cluster and currency: how many rows, from which day to which, and what they sum to."""
        query = (
            f'SELECT "cluster", currency, MIN({PARTITION}) AS first, MAX({PARTITION}) AS last, '  # noqa: S608
            "COUNT(*) AS rows, CAST(COALESCE(SUM(CAST(cost_nanos AS DECIMAL(38, 0))), 0) AS VARCHAR) AS cost "
            f"FROM {TABLE} WHERE {self._where} GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return list(self.ask(query).to_pylist())

    def days(self) -> set[str]:
        """Days with such rows."""
        query = f"SELECT DISTINCT {PARTITION} AS day FROM {TABLE} WHERE {self._where}"  # noqa: S608
        return {one["day"].isoformat() for one in self.ask(query).to_pylist()}

    def elsewhere(self) -> dict[str, int]:
        """Column -> rows that hold a name of the customer as a part of another name, where nothing is erased."""
        found: dict[str, int] = {}
        for column in _ELSEWHERE:
            parts = [f"strpos(lower({column}), {literal(name)}) > 0" for name in sorted(self.what.customers.names)]
            query = f"SELECT COUNT(*) AS rows FROM {TABLE} WHERE {' OR '.join(parts)}"  # noqa: S608
            if rows := self.ask(query).to_pylist()[0]["rows"]:
                found[column] = rows
        return found

    def written(self, day: str) -> WrittenDay:
        """A day's rows without the customer.

        Raises:
            LedgerUnavailable: rows are not what was posted: a new checksum would hide that.
        """
        query = f"SELECT *, {self._where} AS {_HIT} FROM {TABLE} WHERE {PARTITION} = DATE '{day}'"  # noqa: S608
        whole = self.ask(query)
        hit, whole = whole.column(_HIT), whole.select(SCHEMA.names).cast(SCHEMA)
        rows, stays = whole.filter(hit), whole.filter(pc.invert(hit))
        again = to_table([self.what.row(row) for row in from_table(rows)])
        done = WrittenDay(pa.concat_tables([stays, again]).sort_by(_ORDER))
        before = pa.concat_tables([stays, rows])
        for posting in rows.group_by(list(_OF_POSTING)).aggregate([([], "count_all")]).to_pylist():
            cluster, key = posting["cluster"], (window_of(posting), posting["revision"])
            done.changed[cluster] = done.changed.get(cluster, 0) + posting["count_all"]
            sealed = Postings(self.table, cluster).seal(*key)
            if sealed is not None:
                self._check(_of(before, posting), sealed, key)
                done.seals.setdefault(cluster, {})[key] = seal_of(_of(done.rows, posting))
        return done

    def _check(self, rows: Sequence[Row], sealed: Seal, posted: Posted) -> None:
        if seal_of(rows) != sealed:
            raise LedgerUnavailable(
                f"the rows of window {posted[0]}, revision {posted[1]} at {self.place.uri} are not what was posted: "
                "nothing of this day was erased, since its new checksum would hide that. To fix: see "
                "`aicost ledger verify` and docs/runbooks/ledger-damaged.md"
            )

    def ask(self, query: str) -> pa.Table:
        """An answer of the engine."""
        try:
            return pa.table(QueryBuilder().register(TABLE, self.table).execute(query).read_all())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self.place.uri, failure) from failure


def _of(rows: pa.Table, posting: dict[str, Any]) -> tuple[Row, ...]:
    """The rows of one posting."""
    mask = pc.equal(rows.column("cluster"), posting["cluster"])
    for name in _OF_POSTING[1:]:
        mask = pc.and_(mask, pc.equal(rows.column(name), pa.scalar(posting[name], SCHEMA.field(name).type)))
    return from_table(rows.filter(mask))
