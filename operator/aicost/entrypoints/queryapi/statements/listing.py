"""A statement as the API server's clients know answers: an object per account, or a Table for `kubectl get`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.allocations.view import ABSENT, key_title
from aicost.crd.status.texts import UNPRICED, gpu_hours, money
from aicost.domain.reporting.keys import shown
from aicost.domain.reporting.question import NAMESPACE
from aicost.entrypoints.queryapi.statements.resource import STATEMENTS
from aicost.usecases.build_statement import StatementRequest

Document = Mapping[str, Any]
_COLUMNS = ("COST", "GPU-HOURS")
_TOTAL, _SHARED, _OTHER = "total", "shared", "other"


def statement_list(document: Document, asked: StatementRequest) -> dict[str, Any]:
    """An object for each account, with its lines."""
    return {
        "kind": STATEMENTS.list_kind,
        "apiVersion": API_VERSION,
        "metadata": {"resourceVersion": ""},
        "period": document["period"],
        "items": [_item(document, part, one, asked) for part in document["parts"] for one in part["accounts"]],
    }


def statement_table(document: Document, asked: StatementRequest) -> dict[str, Any]:
    """A Table: of one payer its lines, of many an account each; then what is owed in all."""
    keys = list(document["keys"] if asked.payer else document["payer_keys"])
    rows = _lines if asked.payer else _accounts
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": ""},
        "columnDefinitions": list(_definitions(keys)),
        "rows": [row for part in document["parts"] for row in (*rows(part, keys, asked), _total(part, keys, asked))],
    }


def _item(document: Document, part: Document, account: Document, asked: StatementRequest) -> dict[str, Any]:
    figures = {
        "number": document["number"],
        "payer": account["payer"],
        "currency": part["currency"] or None,
        "total": _money(account["total_nanos"], part["currency"]),
        "total_nanos": account["total_nanos"],
        "own_nanos": account["own"]["cost_nanos"],
        "shared_nanos": account["shared_nanos"],
        "adjusted_nanos": account["adjusted_nanos"],
        "gpu_hours": gpu_hours(account["own"]["gpu_milliseconds"]),
        "gpu_milliseconds": account["own"]["gpu_milliseconds"],
        "complete": document["period"]["complete"],
    }
    named = {field.name: figures[field.source] for field in STATEMENTS.fields if figures[field.source] is not None}
    meta = _metadata(list(account["payer"].values()), asked)
    return {
        "kind": STATEMENTS.kind,
        "apiVersion": API_VERSION,
        "metadata": meta,
        **named,
        "sections": account["sections"],
    }


def _lines(part: Document, keys: Sequence[str], asked: StatementRequest) -> Iterator[dict[str, Any]]:
    for account in part["accounts"]:
        for line in (line for section in account["sections"] for line in section["lines"]):
            values = line["keys"]
            cells = [f"{line['merged_lines']} {_OTHER}", *[""] * (len(keys) - 1)] if line["merged_lines"] else None
            named = cells or [shown(key, value) or ABSENT for key, value in zip(keys, values, strict=True)]
            yield _row(named, line["cost_nanos"], line["gpu_milliseconds"], part, asked)
        for shared in account["shared"]:
            named = [f"{_SHARED}: {shared['bucket']}", *[""] * (len(keys) - 1)]
            yield _row(named, shared["cost_nanos"], None, part, asked)


def _accounts(part: Document, keys: Sequence[str], asked: StatementRequest) -> Iterator[dict[str, Any]]:
    for account in part["accounts"]:
        named = [shown(key, account["payer"][key]) or ABSENT for key in keys]
        yield _row(named, account["total_nanos"], account["own"]["gpu_milliseconds"], part, asked)


def _total(part: Document, keys: Sequence[str], asked: StatementRequest) -> dict[str, Any]:
    time_ms = sum(account["own"]["gpu_milliseconds"] for account in part["accounts"])
    return _row([_TOTAL, *[""] * (len(keys) - 1)], part["total_nanos"], time_ms, part, asked)


def _row(
    named: Sequence[str], nanos: int | None, time_ms: int | None, part: Document, asked: StatementRequest
) -> dict[str, Any]:
    figures = [_money(nanos, part["currency"]), "" if time_ms is None else gpu_hours(time_ms)]
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": _metadata(named, asked)}
    return {"cells": [*named, *figures], "object": partial}


def _money(nanos: int | None, currency: str) -> str:
    return UNPRICED if nanos is None else money(nanos, currency)


def _metadata(values: Sequence[str], asked: StatementRequest) -> dict[str, str]:
    name = re.sub(r"[^a-z0-9.]+", "-", "-".join(filter(None, values)).lower()).strip("-.")[:253]
    namespace = asked.payer.get(NAMESPACE, "")
    return {"name": name or "none", **({"namespace": namespace} if namespace else {})}


def _definitions(keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    titles = [(key_title(key), f"Value of {key}") for key in keys]
    figures = [(_COLUMNS[0], "What is owed."), (_COLUMNS[1], "GPU-hours, priced or not.")]
    for number, (title, about) in enumerate((*titles, *figures)):
        form = "" if number else "name"
        yield {"name": title, "type": "string", "format": form, "description": about, "priority": 0}
