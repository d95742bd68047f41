"""A ledger at one moment, for whoever checks it (port `LedgerRecord`)."""

from collections.abc import Sequence
from functools import cached_property

import pyarrow as pa
from deltalake import QueryBuilder

from aicost.adapters.ledger.counts.upkeep import CountKeeper
from aicost.adapters.ledger.failures import translated, unavailable
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.queries import TABLE
from aicost.adapters.ledger.reading import DeltaSnapshot
from aicost.adapters.ledger.schema import window_of
from aicost.adapters.ledger.table import open_table, schema_version
from aicost.adapters.ledger.upkeep.log import cluster_logs, transactions
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.audit import Census, ClusterLog, CountCensus
from aicost.domain.ledger.rows import Row

_CENSUS = (
    'SELECT "cluster", window_start, window_end, revision, COUNT(*) AS rows '  # noqa: S608 -- the name is ours
    f'FROM {TABLE} GROUP BY "cluster", window_start, window_end, revision'
)


class DeltaRecord:
    """One version of the table, with its log.

    Raises:
        LedgerUnavailable: there is no table, or it cannot be read.
    """

    def __init__(self, place: LedgerPlace) -> None:
        self._place = place
        with translated("read", place.uri):
            self._table = open_table(place)
        self._snapshot = DeltaSnapshot(place.uri, self._table, None)

    def schema_version(self) -> str:
        """Version of the columns."""
        return schema_version(self._table)

    @cached_property
    def version(self) -> int:
        """The version of the table that is looked at."""
        return int(self._table.version())

    def logs(self) -> Sequence[ClusterLog]:
        """What the log says of each cluster."""
        with translated("read", self._place.uri):
            return tuple(cluster_logs(transactions(self._place, self.version)))

    def census(self) -> Census:
        """How many rows of which posting are there."""
        try:
            found = pa.table(QueryBuilder().register(TABLE, self._table).execute(_CENSUS).read_all())
        except Exception as failure:  # the engine raises bare exceptions for files that it cannot read
            raise unavailable("read", self._place.uri, failure) from failure
        return {(one["cluster"], window_of(one), one["revision"]): one["rows"] for one in found.to_pylist()}

    def rows(self, cluster: str, window: Window) -> Sequence[Row]:
        """The rows of exactly this window, all revisions."""
        return tuple(row for row in self._snapshot.rows(window, cluster=cluster) if row.window == window)

    def counts(self) -> CountCensus:
        """What is there of the counts beside the ledger."""
        with translated("read", self._place.uri):
            return CountKeeper(self._place).census()
