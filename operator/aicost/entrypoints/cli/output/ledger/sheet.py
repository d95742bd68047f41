"""Rows of the ledger as CSV: one column per column, maps and lists as JSON, moments as RFC 3339."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from aicost.adapters.ledger.upkeep.export import COLUMNS
from aicost.entrypoints.cli.output.documents import safe_cell

_AMOUNTS = frozenset({"cost", "error"})
"""Decimal texts of our own: a minus in front is a sign and no formula."""


def write_sheet(records: Iterable[Mapping[str, Any]], out: str) -> int:
    """Write to a file, which is there whole or not at all, or to standard output (`-`); the number of rows."""
    if out == "-":
        return _write(records, sys.stdout)
    path = Path(out)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as stream:
            rows = _write(records, stream)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return rows


def _write(records: Iterable[Mapping[str, Any]], stream: TextIO) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = 0
    for record in records:
        writer.writerow([_cell(name, record[name]) for name in COLUMNS])
        rows += 1
    return rows


def _cell(name: str, value: Any) -> Any:
    """A cell that no spreadsheet runs; what is not known is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return safe_cell(value) if isinstance(value, str) and name not in _AMOUNTS else value
