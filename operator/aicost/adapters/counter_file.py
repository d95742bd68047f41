"""The agent's counters as one small file, replaced as a whole."""

import json
import logging
import os
from pathlib import Path
from typing import Any

from aicost.domain.agent.counters import Measure
from aicost.domain.agent.energy import Mark
from aicost.ports.agent import Saved
from aicost.ports.errors import CountersNotKept

_LOG = logging.getLogger(__name__)
_VERSION = 1


class CounterFile:
    """Counters on the node's disk.

    Args:
        path: the file. Its folder has to be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Saved:
        """What was written last. A file that cannot be read is put aside, and its counters begin again."""
        try:
            return _read(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Saved()
        except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
            _LOG.warning("counters begin again: %s cannot be read: %s", self._path, error)
            self._put_aside()
            return Saved()

    def save(self, saved: Saved) -> None:
        """Write a new file, flush it, and put it in the place of the old one.

        Raises:
            CountersNotKept: the disk refuses.
        """
        new = self._path.with_suffix(".new")
        try:
            with new.open("w", encoding="utf-8") as file:
                file.write(json.dumps(_document(saved), separators=(",", ":")))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            _flush_folder(self._path.parent)
        except OSError as error:
            raise CountersNotKept(f"{self._path} cannot be written: {error.strerror or error}") from error

    def _put_aside(self) -> None:
        try:
            self._path.replace(self._path.with_suffix(".damaged"))
        except OSError as error:
            _LOG.warning("%s cannot be put aside: %s", self._path, error)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _document(saved: Saved) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "boot": saved.boot,
        "counters": [[measure.value, *labels, value] for (measure, labels), value in saved.counters.items()],
        "energy": {uuid: [mark.counter_mj, mark.at_ns] for uuid, mark in saved.marks.items()},
        "idle": dict(saved.idle_mw),
    }


def _read(document: Any) -> Saved:
    if document["version"] != _VERSION:
        raise ValueError(f"version is {document['version']}, and {_VERSION} is known")
    counters = {(Measure(one[0]), tuple(map(str, one[1:-1]))): int(one[-1]) for one in document["counters"]}
    if any(value < 0 for value in counters.values()):
        raise ValueError("a counter is below 0")
    marks = {uuid: Mark(int(one[0]), int(one[1])) for uuid, one in document["energy"].items()}
    return Saved(str(document["boot"]), counters, marks, {uuid: int(mw) for uuid, mw in document["idle"].items()})
