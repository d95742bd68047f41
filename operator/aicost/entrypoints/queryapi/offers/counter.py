"""Offers: from a request to the market of the cluster and to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aiohttp import web

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.allocations.view import ABSENT
from aicost.crd.offers.document import offers_document
from aicost.crd.status.texts import money
from aicost.domain.estimates.values import Market
from aicost.domain.reporting.question import read_filters
from aicost.entrypoints.queryapi.asking import Form, Pairs, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.offers.resource import OFFERS
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, whole_cluster
from aicost.ports.errors import InvalidRequest

_MOST_LABELS = 32
_COLUMNS = (
    ("GPU", "gpu_model"), ("TYPE", "instance_type"), ("REGION", "region"), ("CAPACITY", "capacity_type"),
    ("GPUS", "gpus"), ("NODES", "nodes"), ("PRICE", "price"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfferCounter:
    """Where questions about prices are answered.

    Attributes:
        market: what is on offer now.
        desk, now_ms: as of `Counter`.
    """

    market: Callable[[], Awaitable[Market]]
    desk: Desk
    now_ms: Callable[[], int]

    async def across(self, request: web.Request) -> web.Response:
        """All kinds of nodes, with how many there are of each."""
        return await self._serve(request, whole_cluster(OFFERS.plural))

    async def within(self, request: web.Request) -> web.Response:
        """The same for somebody in a namespace, who is not told how many."""
        return await self._serve(request, namespace_of(request, OFFERS.plural))

    async def _serve(self, request: web.Request, scope: Scope) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, scope.path)
        pairs = pairs_of(request, OFFERS.parameters)
        check_names(pairs, OFFERS.parameters, OFFERS.plural, "jq on the answer")
        form, labels = form_of(pairs, request.headers.get("Accept", "")), _labels(pairs)
        # 2. What is on offer, and the answer.
        market, counted = await self.market(), not scope.filters

        def work() -> bytes:
            document = offers_document(market, labels, self.now_ms(), counted=counted)
            return json.dumps(_written(form, document), ensure_ascii=False).encode()

        return web.Response(body=await self.desk.run(work), content_type="application/json")


def _labels(pairs: Pairs) -> list[tuple[str, str]]:
    """Labels that the asker names with their values."""
    try:
        named = [(key, value) for text in (v for name, v in pairs if name == "label")
                 for key, values in read_filters([text]).items() for value in values]  # fmt: skip
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("filter:", "label:", 1)) from problem
    if len(named) > _MOST_LABELS:
        raise InvalidRequest(f"label: {len(named)} labels are too many: name at most {_MOST_LABELS}")
    return named


def _written(form: Form, document: Mapping[str, Any]) -> Mapping[str, Any]:
    if form is Form.REPORT:
        return document
    rows = [{**one, "price": _price(one)} for one in document["offers"]]
    return _table(rows) if form is Form.TABLE else _list(rows)


def _price(one: Mapping[str, Any]) -> str | None:
    quote = one["quote"]
    if quote is None:
        return None
    return money(round(Fraction(quote["gpu_hour_nanos"])), quote["currency"])


def _list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    items = [
        {
            "kind": OFFERS.kind,
            "apiVersion": API_VERSION,
            "metadata": {"name": _name(row)},
            **{one.name: row[one.source] for one in OFFERS.fields if row[one.source] is not None},
        }
        for row in rows
    ]
    return {"kind": OFFERS.list_kind, "apiVersion": API_VERSION, "metadata": {"resourceVersion": ""}, "items": items}


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    about = {one.source: one.description for one in OFFERS.fields}
    columns = [
        {"name": title, "type": "string", "format": "name" if not number else "", "description": about[source],
         "priority": 0}
        for number, (title, source) in enumerate(_COLUMNS)
    ]  # fmt: skip
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    cells = [
        {"cells": [str(row[source] or ABSENT) for _, source in _COLUMNS],
         "object": {**partial, "metadata": {"name": _name(row)}}}
        for row in rows
    ]  # fmt: skip
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": ""}}
    return {**head, "columnDefinitions": columns, "rows": cells}


def _name(row: Mapping[str, Any]) -> str:
    parts = (row["instance_type"] or row["gpu_model"], row["region"], row["capacity_type"])
    return "-".join(filter(None, parts)).lower() or "unknown"
