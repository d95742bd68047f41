"""Telemetry of nodes: from a request to what the controller beside us last found, and to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from aicost.adapters.trusts import TrustFile
from aicost.crd.allocations.parameters import read_single
from aicost.crd.trust.document import telemetry_document
from aicost.crd.trust.listing import telemetry_list, telemetry_table
from aicost.crd.trust.resource import NODE_TELEMETRIES
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.scopes import whole_cluster


@dataclass(frozen=True, slots=True)
class TelemetryCounter:
    """Where questions about the telemetry of nodes are answered.

    Attributes:
        kept: the last look of the controller beside us.
        cluster, desk, now_ms: as of `Counter`.
    """

    kept: TrustFile
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]

    async def across(self, request: web.Request) -> web.Response:
        """All nodes. The API server let in only who may list them in the whole cluster."""
        # 1. What is asked, and how it is to be answered.
        check_path(request, whole_cluster(NODE_TELEMETRIES.plural).path)
        pairs = pairs_of(request, NODE_TELEMETRIES.parameters)
        check_names(pairs, NODE_TELEMETRIES.parameters, NODE_TELEMETRIES.plural, "jq on the answer")
        form, node = form_of(pairs, request.headers.get("Accept", "")), read_single(pairs, "node")
        # 2. Read the last look and write the answer in a thread.
        cluster = await self.cluster()

        def work() -> bytes:
            return json.dumps(_written(form, self._document(cluster, node)), ensure_ascii=False).encode()

        return web.Response(body=await self.desk.run(work), content_type="application/json")

    def _document(self, cluster: str, node: str | None) -> Mapping[str, Any]:
        last = self.kept.latest(cluster)
        nodes = [one for one in last.nodes if node in {None, one.node}]
        return telemetry_document(nodes, self.now_ms(), why_none=last.why_none)


def _written(form: Form, document: Mapping[str, Any]) -> Mapping[str, Any]:
    if form is Form.REPORT:
        return document
    return telemetry_table(document) if form is Form.TABLE else telemetry_list(document)
