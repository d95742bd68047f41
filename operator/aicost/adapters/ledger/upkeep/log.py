"""The table's log, read as a whole: all application transactions, which Delta gives only one by one and by name."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow.parquet as pq
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from aicost.adapters.ledger.place import LedgerPlace
from aicost.adapters.ledger.postings import DROPPED_ROWS, ERASED_ROWS, KEPT_FROM, PREFIX, TERM
from aicost.adapters.ledger.table import FOLDER
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.audit import ClusterLog, PostedWindow
from aicost.domain.ledger.seals import Seal

_LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")
_NAME = re.compile(
    re.escape(PREFIX) + r"(?P<cluster>.+)/(?:"
    r"window/(?P<start>\d+)/(?P<end>\d+)"
    r"|seal/(?P<seal_start>\d+)/(?P<seal_end>\d+)/(?P<revision>\d+)/(?P<part>rows|high|low)"
    rf"|(?P<word>{TERM}|{KEPT_FROM}|{DROPPED_ROWS}|{ERASED_ROWS}))",
    re.DOTALL,
)


def transactions(place: LedgerPlace, version: int) -> Mapping[str, int]:
    """Name -> number of all application transactions up to a version of the table: of a name the last one counts."""
    files = fs.PyFileSystem(DeltaStorageHandler(place.within(FOLDER), place.options))
    names = [entry.base_name for entry in files.get_file_info(fs.FileSelector(_LOG, recursive=False))]
    checkpoints = {name: int(found[1]) for name in names if (found := _CHECKPOINT.fullmatch(name))}
    newest = max((number for number in checkpoints.values() if number <= version), default=-1)
    said: dict[str, int] = {}
    for name in sorted(name for name, number in checkpoints.items() if number == newest):
        said |= _of_checkpoint(files, name)
    commits = sorted(name for name in names if (found := _COMMIT.fullmatch(name)) and newest < int(found[1]) <= version)
    for name in commits:
        said |= _of_commit(files, name)
    return said


def _of_checkpoint(files: fs.FileSystem, name: str) -> dict[str, int]:
    with files.open_input_file(f"{_LOG}/{name}") as stream:
        column = pq.read_table(stream, columns=["txn"]).column("txn")
    return {one["appId"]: one["version"] for one in column.to_pylist() if one and one["appId"] is not None}


def _of_commit(files: fs.FileSystem, name: str) -> dict[str, int]:
    with files.open_input_file(f"{_LOG}/{name}") as stream:
        actions = [json.loads(line) for line in stream.read().splitlines() if line.strip()]
    found = (action["txn"] for action in actions if "txn" in action)
    return {one["appId"]: one["version"] for one in found}


@dataclass
class _Gathered:
    """What was said of one cluster so far."""

    highest: dict[Window, int] = field(default_factory=dict)
    seals: dict[tuple[Window, int], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    words: dict[str, int] = field(default_factory=dict)

    def log(self, cluster: str) -> ClusterLog:
        """The same, in the domain's words."""
        sealed: dict[Window, dict[int, Seal]] = defaultdict(dict)
        for (window, revision), parts in self.seals.items():
            if len(parts) == 3:
                sealed[window][revision] = Seal(**parts)
        windows = (PostedWindow(window, self.highest[window], sealed[window]) for window in sorted(self.highest))
        words = self.words
        return ClusterLog(
            cluster,
            tuple(windows),
            words.get(KEPT_FROM),
            words.get(DROPPED_ROWS, 0),
            words.get(TERM, 0),
            words.get(ERASED_ROWS, 0),
        )


def cluster_logs(said: Mapping[str, int]) -> Iterator[ClusterLog]:
    """What transactions say of each cluster."""
    gathered: dict[str, _Gathered] = defaultdict(_Gathered)
    for name, number in said.items():
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        mine = gathered[found["cluster"]]
        if found["word"]:
            mine.words[found["word"]] = number
        elif found["part"]:
            window = Window(int(found["seal_start"]), int(found["seal_end"]))
            mine.seals[window, int(found["revision"])][found["part"]] = number
        else:
            mine.highest[Window(int(found["start"]), int(found["end"]))] = number
    for cluster in sorted(gathered):
        yield gathered[cluster].log(cluster)
