"""Outcomes as the API server's clients know answers: a list of objects, and a Table."""

import re
from collections.abc import Mapping
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.outcomes.resource import OUTCOMES
from aicost.crd.tables import column_definitions

Document = Mapping[str, Any]
_COLUMNS = (
    ("WORKLOAD", "workload", False),
    ("MODEL", "model", False),
    ("OUTCOME", "outcome", False),
    ("REASON", "reason", False),
    ("REQUESTS", "requests", False),
    ("SHARE", "share", False),
    ("FOR", "who", True),
    ("TOKENS", "tokens", True),
    ("WITH TOKENS", "requests_with_tokens", True),
)
"""Title, source in the document, and whether only `-o wide` shows it."""
_ABSENT = "-"


def outcome_list(document: Document) -> dict[str, Any]:
    """A list of objects."""
    return {
        "kind": OUTCOMES.list_kind,
        "apiVersion": API_VERSION,
        "metadata": _metadata(document),
        "window": document["window"],
        "items": [_item(number, row) for number, row in enumerate(document["rows"], 1)],
    }


def outcome_table(document: Document) -> dict[str, Any]:
    """A Table for `kubectl get`."""
    about = {field.source: field.description for field in OUTCOMES.fields}
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
    """A name made of what the line is about; its number tells lines apart."""
    text = f"{row['workload'] or row['model']}-{row['reason'] or row['outcome']}"
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:240].rstrip("-.")
    return {"name": f"{name}-{number}" if name else str(number), "namespace": row["namespace"]}


def _item(number: int, row: Document) -> dict[str, Any]:
    values = {field.name: row[field.source] for field in OUTCOMES.fields}
    told = {name: value for name, value in values.items() if value is not None}
    return {"kind": OUTCOMES.kind, "apiVersion": API_VERSION, "metadata": _named(number, row), **told}


def _row(number: int, row: Document) -> dict[str, Any]:
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": _named(number, row)}
    cells = [_ABSENT if row[source] is None else str(row[source]) for _, source, _ in _COLUMNS]
    return {"cells": cells, "object": partial}
