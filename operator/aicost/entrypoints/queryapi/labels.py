"""Label coverage and the inventory: from a request to the ledger and the last audit, and to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from aicost.adapters.audits import AuditFile
from aicost.crd.allocations.parameters import read_limit, read_single
from aicost.crd.coverage.document import coverage_document, inventory_document
from aicost.crd.coverage.listing import label_list, label_table
from aicost.crd.coverage.resources import COVERAGES, Served
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.discovery import everywhere, in_a_namespace
from aicost.ports.ledger import LedgerSource
from aicost.usecases.measure_coverage import SINCE, list_inventory, measure_coverage, read_since

MOST_ROWS = 10_000
"""Objects and values that one list of an answer names."""


@dataclass(frozen=True, slots=True)
class LabelCounter:
    """Where questions about labels are answered.

    Attributes:
        audits: the last look at the objects, which the controller beside us writes.
        ledger, cluster, desk, now_ms: as of `Counter`.
    """

    ledger: LedgerSource
    audits: AuditFile
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]

    def across(self, served: Served) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Answers for all namespaces. The API server let in only who may list them everywhere."""

        async def answer(request: web.Request) -> web.Response:
            return await self._serve(served, request, everywhere(served.plural), None)

        return answer

    def within(self, served: Served) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Answers for one namespace: the one in the path. Nothing of another one is in them."""

        async def answer(request: web.Request) -> web.Response:
            namespace = request.match_info["namespace"]
            path = in_a_namespace(served.plural).format(namespace=namespace)
            return await self._serve(served, request, path, namespace)

        return answer

    async def _serve(self, served: Served, request: web.Request, path: str, namespace: str | None) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, path)
        pairs = pairs_of(request, served.parameters)
        check_names(pairs, served.parameters, served.plural, "jq on the answer")
        form, now_ms = form_of(pairs, request.headers.get("Accept", "")), self.now_ms()
        since, rows = read_single(pairs, "since") or SINCE, read_limit(pairs, MOST_ROWS)
        read_since(since, now_ms)
        # 2. Read the ledger and write the answer in a thread.
        cluster = await self.cluster()

        def work() -> bytes:
            document = self._document(served, since, namespace, cluster, now_ms, rows)
            return json.dumps(_written(form, served, document), ensure_ascii=False).encode()

        return web.Response(body=await self.desk.run(work), content_type="application/json")

    def _document(
        self, served: Served, since: str, namespace: str | None, cluster: str, now_ms: int, rows: int
    ) -> Mapping[str, Any]:
        reader, last = self.ledger.snapshot(), self.audits.latest(cluster)
        if served is COVERAGES:
            reports = measure_coverage(reader, since, last, now_ms, namespace=namespace, cluster=cluster)
            return coverage_document(reports, namespace, now_ms, rows)
        found = list_inventory(reader, since, last, now_ms, namespace=namespace, cluster=cluster)
        return inventory_document(found, namespace, now_ms, rows)


def _written(form: Form, served: Served, document: Mapping[str, Any]) -> Mapping[str, Any]:
    if form is Form.REPORT:
        return document
    return label_table(served, document) if form is Form.TABLE else label_list(served, document)
