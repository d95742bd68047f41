"""Make a commit survive a loss of power: Delta leaves files in the page cache, we push them to the disk."""

import json
import os
from pathlib import Path
from urllib.parse import unquote


def persist_commit(table: Path, version: int) -> None:
    """Flush the files that a commit added, then the commit itself, with the folders that name them."""
    log = table / "_delta_log" / f"{version:020d}.json"
    actions = [json.loads(line) for line in log.read_bytes().splitlines()]
    added = [table / unquote(action["add"]["path"]) for action in actions if "add" in action]
    for path in (*added, *{file.parent for file in added}, table, log, log.parent):
        _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
