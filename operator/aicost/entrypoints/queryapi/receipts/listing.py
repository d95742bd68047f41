"""A receipt as the API server's clients know answers: an object per billing window, or a Table for `kubectl get`."""

import re
from collections.abc import Mapping
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.allocations.view import ABSENT
from aicost.entrypoints.queryapi.receipts.resource import RECEIPTS

Document = Mapping[str, Any]
_COLUMNS = (("WINDOW", "window"), ("COST", "cost"), ("REVISION", "revision"), ("REPLAYED", "replayed"))
_WIDE = (("SAMPLES", "samples"), ("REASON", "reason"))


def receipt_list(document: Document) -> dict[str, Any]:
    """An object for each window, and beside them the verdict over all."""
    return {
        "kind": RECEIPTS.list_kind,
        "apiVersion": API_VERSION,
        "metadata": {"resourceVersion": ""},
        "subject": document["subject"],
        "replayed": document["replayed"],
        "items": [_item(document, one) for one in document["windows"]],
    }


def receipt_table(document: Document) -> dict[str, Any]:
    """A Table: each window, and whether it came out the same."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": ""},
        "columnDefinitions": [*map(_definition, _COLUMNS), *(_definition(one, wide=True) for one in _WIDE)],
        "rows": [_row(document, one) for one in document["windows"]],
    }


def _figures(window: Document) -> dict[str, Any]:
    basis = window["basis"]
    return {
        "window": f"{window['from']}/{window['to']}",
        "revision": window["revision"],
        "replayed": window["replayed"],
        "cost": " + ".join(one["cost"] for one in window["totals"]),
        "totals": window["totals"],
        "samples": None if basis is None else basis["samples"],
        "reason": window["altered"] or window["not_replayed"],
    }


def _item(document: Document, window: Document) -> dict[str, Any]:
    figures = _figures(window)
    named = {one.name: figures[one.source] for one in RECEIPTS.fields if figures[one.source] is not None}
    return {"kind": RECEIPTS.kind, "apiVersion": API_VERSION, "metadata": _metadata(document, window), **named}


def _row(document: Document, window: Document) -> dict[str, Any]:
    figures = _figures(window)
    cells = [ABSENT if figures[source] is None else str(figures[source]) for _, source in (*_COLUMNS, *_WIDE)]
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return {"cells": cells, "object": {**partial, "metadata": _metadata(document, window)}}


def _metadata(document: Document, window: Document) -> dict[str, str]:
    subject = document["subject"]
    text = f"{subject['name']}-{window['from']}"
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:253]
    return {"name": name, **({"namespace": subject["namespace"]} if subject["namespace"] else {})}


def _definition(column: tuple[str, str], *, wide: bool = False) -> dict[str, Any]:
    title, source = column
    (about,) = (one.description for one in RECEIPTS.fields if one.source == source)
    form = "name" if source == _COLUMNS[0][1] else ""
    return {"name": title, "type": "string", "format": form, "description": about, "priority": int(wide)}
