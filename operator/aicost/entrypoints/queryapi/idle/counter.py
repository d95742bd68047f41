"""Idle money: from a request to the ledger and the inputs beside it, and to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from aicost.crd.allocations.parameters import read_limit, read_single
from aicost.crd.idle.document import idle_document
from aicost.crd.idle.listing import idle_list, idle_table
from aicost.crd.idle.resource import IDLES
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, whole_cluster
from aicost.ports.errors import InvalidRequest
from aicost.usecases.gpus.assess_idle import AssessIdle

MOST_ROWS = 10_000
"""Lines of one answer."""
_SPAN = "24h"


@dataclass(frozen=True, slots=True)
class IdleCounter:
    """Where idle money is divided into its kinds.

    Attributes:
        assess: who does so on the ledger as it is now, for a cluster.
        desk: threads of its own: reading inputs takes longer than reading sums.
        cluster, now_ms: as of `Counter`.
    """

    assess: Callable[[str], AssessIdle]
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]

    async def across(self, request: web.Request) -> web.Response:
        """Of all. The API server let in only who may see all namespaces."""
        return await self._serve(request, whole_cluster(IDLES.plural))

    async def within(self, request: web.Request) -> web.Response:
        """Of the namespace in the path; nothing of another one, nor of what nobody held, is in it."""
        return await self._serve(request, namespace_of(request, IDLES.plural))

    async def _serve(self, request: web.Request, scope: Scope) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, scope.path)
        pairs = pairs_of(request, IDLES.parameters)
        check_names(pairs, IDLES.parameters, IDLES.plural, "jq on the answer")
        form, now_ms = form_of(pairs, request.headers.get("Accept", "")), self.now_ms()
        rows = read_limit(pairs, MOST_ROWS)
        try:
            span = parse_span(read_single(pairs, "window") or _SPAN, now_ms, read_single(pairs, "timeZone") or "UTC")
        except ValueError as problem:
            raise InvalidRequest(str(problem)) from problem
        # 2. Divide in a thread, and write the answer.
        cluster = await self.cluster()

        def work() -> bytes:
            report = self.assess(cluster)(span, scope.namespace)
            return json.dumps(_written(form, idle_document(report, scope.namespace, now_ms, rows))).encode()

        return web.Response(body=await self.desk.run(work), content_type="application/json")


def _written(form: Form, document: Mapping[str, Any]) -> Mapping[str, Any]:
    if form is Form.REPORT:
        return document
    return idle_table(document) if form is Form.TABLE else idle_list(document)
