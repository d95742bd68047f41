"""The telemetry of nodes as the API server's clients know answers: a list of objects, and a Table."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.tables import column_definitions
from aicost.crd.trust.resource import NODE_TELEMETRIES

Document = Mapping[str, Any]
_COLUMNS = (
    ("NAME", "node", False),
    ("TRUSTED", "trusted", False),
    ("REASON", "reason", False),
    ("GPUS", "gpus", False),
    ("SINCE", "since", False),
    ("SEEN", "message", False),
    ("NEWEST SAMPLE", "newest_sample", True),
    ("WHAT TO DO", "fix", True),
)
"""Title, source in the document, and whether only `-o wide` shows it."""
_ABSENT = "-"
_NAME = "Name of the node."


def telemetry_list(document: Document) -> dict[str, Any]:
    """A list of objects, and beside them what cannot be assessed."""
    return {
        "kind": NODE_TELEMETRIES.list_kind,
        "apiVersion": API_VERSION,
        "metadata": {"resourceVersion": ""},
        "items": [_item(one) for one in document["nodes"]],
        "notAssessed": document["not_assessed"],
    }


def telemetry_table(document: Document) -> dict[str, Any]:
    """A Table for `kubectl get`."""
    about = {field.source: field.description for field in NODE_TELEMETRIES.fields} | {"node": _NAME}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": ""},
        "columnDefinitions": column_definitions(_COLUMNS, about),
        "rows": [_row(one) for one in document["nodes"]],
    }


def _item(node: Document) -> dict[str, Any]:
    values = {field.name: node[field.source] for field in NODE_TELEMETRIES.fields}
    told = {name: value for name, value in values.items() if value is not None}
    return {"kind": NODE_TELEMETRIES.kind, "apiVersion": API_VERSION, "metadata": {"name": node["node"]}, **told}


def _row(node: Document) -> dict[str, Any]:
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": node["node"]}}
    return {"cells": [str(node[source] or _ABSENT) for _, source, _ in _COLUMNS], "object": partial}
