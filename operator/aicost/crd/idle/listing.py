"""Idle money as the API server's clients know answers: a list of objects, and a Table."""

import re
from collections.abc import Mapping
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.idle.resource import IDLES
from aicost.crd.tables import column_definitions

Document = Mapping[str, Any]
_COLUMNS = (
    ("REASON", "kind", False),
    ("OWNER", "owner", False),
    ("WORKLOAD", "workload", False),
    ("POD", "pod", False),
    ("MODEL", "model", False),
    ("MEMORY", "memory", False),
    ("COST", "cost", False),
    ("A-DAY", "per_day", False),
    ("PHASE", "phase", True),
    ("GPU", "gpu_model", True),
    ("GPU-HOURS", "gpu_hours", True),
    ("REPLICA-HOURS", "replica_hours", True),
    ("WHAT TO DO", "fix", True),
)
"""Title, source in the document, and whether only `-o wide` shows it."""
_ABSENT = "-"


def idle_list(document: Document) -> dict[str, Any]:
    """A list of objects, and beside them what could not be told apart."""
    return {
        "kind": IDLES.list_kind,
        "apiVersion": API_VERSION,
        "metadata": _metadata(document),
        "window": document["window"],
        "items": [_item(number, row) for number, row in enumerate(document["rows"], 1)],
        "totals": document["totals"],
        "notes": document["notes"],
    }


def idle_table(document: Document) -> dict[str, Any]:
    """A Table for `kubectl get`."""
    about = {field.source: field.description for field in IDLES.fields}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": _metadata(document),
        "columnDefinitions": column_definitions(_COLUMNS, about),
        "rows": [_row(number, row) for number, row in enumerate(document["rows"], 1)],
    }


def _metadata(document: Document) -> dict[str, Any]:
    left = document["lines"] - len(document["rows"])
    return {"resourceVersion": "", **({"remainingItemCount": left} if left else {})}


def _named(number: int, row: Document) -> dict[str, str]:
    """A name made of the kind and what the line is about; its number tells lines apart."""
    text = f"{row['kind']}-{row['pod'] or row['workload'] or row['gpu_model'] or 'all'}"
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:240]
    return {"name": f"{name}-{number}", **({"namespace": row["namespace"]} if row["namespace"] else {})}


def _item(number: int, row: Document) -> dict[str, Any]:
    values = {field.name: row[field.source] for field in IDLES.fields}
    told = {name: value for name, value in values.items() if value is not None}
    return {"kind": IDLES.kind, "apiVersion": API_VERSION, "metadata": _named(number, row), **told}


def _row(number: int, row: Document) -> dict[str, Any]:
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": _named(number, row)}
    return {"cells": [str(row[source] or _ABSENT) for _, source, _ in _COLUMNS], "object": partial}
