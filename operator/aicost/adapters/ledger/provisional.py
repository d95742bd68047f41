"""The rows of the open window: one Parquet file per cluster, replaced as a whole and never part of the table."""

import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from aicost.adapters.ledger.failures import translated
from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.schema import SCHEMA, to_table
from aicost.domain.ledger.rows import Row

_FOLDER = "provisional"
_SUFFIX = ".parquet"
_TRIES, _PAUSE_SECONDS = 3, 0.02


class ProvisionalFiles:
    """One file per cluster. A store shows the old file or the new one, never half of one."""

    def __init__(self, place: LedgerPlace) -> None:
        self._place = place
        self._uri = place.within(_FOLDER)

    def replace(self, cluster: str, rows: Sequence[Row]) -> None:
        """Write the rows of one cluster in the place of its former ones."""
        with translated("written", self._uri):
            self._place.prepare(_FOLDER)
            table = to_table(rows)
            with self._files().open_output_stream(_file_of(cluster)) as stream:
                pq.write_table(table, stream)

    def table(self) -> pa.Table:
        """The rows of all clusters, as columns."""
        with translated("read", self._uri):
            return pa.concat_tables([SCHEMA.empty_table(), *map(self._read, self._clusters())])

    def _clusters(self) -> list[str]:
        """Clusters that have a file."""
        if self._place.local is not None and not (self._place.local / _FOLDER).is_dir():
            return []
        listing = self._files().get_file_info(fs.FileSelector("", recursive=False))
        names = [entry.base_name for entry in listing if entry.base_name.endswith(_SUFFIX)]
        return sorted(unquote(name.removesuffix(_SUFFIX)) for name in names)

    def _read(self, cluster: str) -> pa.Table:
        """The rows of one cluster.

        All of the file in one request, so that they are of one moment. The request before it said how long the file is:
        if it was replaced in between, what came is no whole file, and it is read again.
        """
        for _ in range(_TRIES):
            with suppress(pa.ArrowInvalid, OSError):
                return self._whole(cluster)
            time.sleep(_PAUSE_SECONDS)
        return self._whole(cluster)

    def _whole(self, cluster: str) -> pa.Table:
        with self._files().open_input_file(_file_of(cluster)) as stream:
            return pq.read_table(pa.BufferReader(stream.read()), schema=SCHEMA)

    def _files(self) -> fs.FileSystem:
        return fs.PyFileSystem(DeltaStorageHandler(self._uri, self._place.options))


def _file_of(cluster: str) -> str:
    """A name that any cluster id fits into: letters, digits and escapes."""
    return quote(cluster, safe="") + _SUFFIX
