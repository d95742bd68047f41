"""The documents of coverage and inventory as the API server's clients know answers: lists of objects, and Tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.allocations.view import ABSENT
from aicost.crd.coverage.resources import COVERAGES, INVENTORIES, Served
from aicost.crd.tables import column_definitions

ALL_KEYS = "all"
"""Name of the row for all required keys together."""
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a Table; wide ones are shown by `-o wide`."""

    title: str
    source: str
    wide: bool = False


_COLUMNS = {
    COVERAGES.plural: (
        _Column("KEY", "key"),
        _Column("COVERAGE", "by_cost"),
        _Column("COST", "cost"),
        _Column("UNCOVERED", "uncovered"),
        _Column("OBJECTS", "by_objects"),
        _Column("COUNT", "objects", wide=True),
    ),
    INVENTORIES.plural: (
        _Column("OBJECT", "object"),
        _Column("TYPE", "type"),
        _Column("MODEL", "model"),
        _Column("OWNER", "owner"),
        _Column("PRODUCT", "product", wide=True),
        _Column("SCALES", "scaling"),
        _Column("GPUS", "gpus"),
        _Column("COST", "cost"),
        _Column("30-DAYS", "monthly_cost"),
        _Column("AIWORKLOAD", "aiworkload"),
        _Column("GPU-HOURS", "gpu_hours", wide=True),
    ),
}


def label_list(served: Served, document: Document) -> dict[str, Any]:
    """A list of objects, and beside them what cannot be assessed."""
    return {
        "kind": served.list_kind,
        "apiVersion": API_VERSION,
        "metadata": _list_metadata(document),
        "window": document["window"],
        "items": [_item(served, row, document) for row in _rows(served, document)],
        "notAssessed": list(_not_assessed(document)),
    }


def label_table(served: Served, document: Document) -> dict[str, Any]:
    """A Table for `kubectl get`."""
    columns, about = _COLUMNS[served.plural], {field.source: field.description for field in served.fields}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": _list_metadata(document),
        "columnDefinitions": column_definitions(((one.title, one.source, one.wide) for one in columns), about),
        "rows": [_table_row(columns, row, document) for row in (*_rows(served, document), *_more(document))],
    }


def _left(document: Document) -> int:
    """Workloads beyond those that the document names."""
    return int(document.get("workloads", 0)) - len(document.get("rows", ()))


def _list_metadata(document: Document) -> dict[str, Any]:
    left = _left(document)
    return {"resourceVersion": "", **({"remainingItemCount": left} if left else {})}


def _more(document: Document) -> list[Document]:
    """A row that says how many more there are: kubectl asks for 500 and shows nothing of the rest."""
    left = _left(document)
    return (
        [{"namespace": "", "object": f"({left} more: aicost inventory --rows {document['workloads']})"}] if left else []
    )


def _rows(served: Served, document: Document) -> list[Document]:
    """A row per workload, or per namespace and key, all keys together first."""
    return list(document["rows"]) if served is INVENTORIES else list(_coverage_rows(document))


def _coverage_rows(document: Document) -> Iterator[Document]:
    for report in document["reports"]:
        for one in report["namespaces"]:
            place = {"namespace": one["namespace"], "currency": report["currency"] or None}
            yield {**one, **place, "key": ALL_KEYS}
            yield from ({**weight, **place, "key": key} for key, weight in one["keys"].items())


def _item(served: Served, row: Document, document: Document) -> dict[str, Any]:
    values = {field.name: row.get(field.source) for field in served.fields}
    named = {name: value for name, value in values.items() if value is not None}
    return {"kind": served.kind, "apiVersion": API_VERSION, "metadata": _metadata(row, document), **named}


def _metadata(row: Document, document: Document) -> dict[str, str]:
    """A name made of what the row is about, as far as a name can hold it."""
    text = str(row.get("object") or row.get("key"))
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:253] or "none"
    namespace = row["namespace"] or document["namespace"]
    return {"name": name, **({"namespace": namespace} if namespace else {})}


def _table_row(columns: Sequence[_Column], row: Document, document: Document) -> dict[str, Any]:
    cells = [ABSENT if row.get(column.source) is None else str(row[column.source]) for column in columns]
    metadata = _metadata(row, document)
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return {"cells": cells, "object": partial}


def _not_assessed(document: Document) -> Iterator[str]:
    parts = document.get("reports", [document])
    yield from dict.fromkeys(reason for part in parts for reason in part["not_assessed"])
