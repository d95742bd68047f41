"""The one resource: from a request to a question, and from reports to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from aicost.crd.allocations.document import report_document
from aicost.crd.allocations.listing import list_document, table_document
from aicost.crd.allocations.parameters import PARAMETERS, PLURAL, read_parameters
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.question import NAMESPACE, Question
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.discovery import everywhere, in_a_namespace
from aicost.ports.ledger import LedgerSource
from aicost.usecases.answer_question import answer, check_question

MOST_ROWS = 10_000
"""Rows of one answer; the rest is one row `other`."""
_WITHIN, _ACROSS = ("controller",), (NAMESPACE, "controller")


@dataclass(frozen=True, slots=True)
class Counter:
    """Where questions about allocations are answered.

    Attributes:
        ledger: where the answers come from.
        cluster: gives the key of this cluster; rows of another one are nobody's business here.
        desk: the threads that read the ledger.
        now_ms: the clock.
    """

    ledger: LedgerSource
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]

    async def across(self, request: web.Request) -> web.Response:
        """Allocations of all namespaces. The API server let in only who may list them everywhere."""
        return await self._serve(request, everywhere(PLURAL), None)

    async def within(self, request: web.Request) -> web.Response:
        """Allocations of one namespace: the one in the path, whatever the parameters say."""
        namespace = request.match_info["namespace"]
        return await self._serve(request, in_a_namespace(PLURAL).format(namespace=namespace), namespace)

    async def _serve(self, request: web.Request, path: str, namespace: str | None) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, path)
        pairs = list(request.query.items())
        check_names(pairs, PARAMETERS, PLURAL, "filter=KEY=VALUE")
        form = form_of(pairs, request.headers.get("Accept", ""))
        keys = _ACROSS if namespace is None else _WITHIN
        question = read_parameters(pairs, namespace=namespace, group_by=keys, most_rows=MOST_ROWS)
        now_ms = self.now_ms()
        check_question(question, now_ms)
        # 2. Read the ledger and write the answer in a thread.
        cluster = await self.cluster()
        body = await self.desk.run(lambda: self._body(question, cluster, now_ms, form))
        return web.Response(body=body, content_type="application/json")

    def _body(self, question: Question, cluster: str, now_ms: int, form: Form) -> bytes:
        reports = answer(self.ledger.snapshot(), question, now_ms, cluster=cluster)
        return json.dumps(_FORMS[form](reports, question.namespace, now_ms), ensure_ascii=False).encode()


_Write = Callable[[Sequence[Report], str | None, int], dict[str, Any]]
_FORMS: Mapping[Form, _Write] = {
    Form.REPORT: lambda reports, _, now_ms: report_document(reports, now_ms),
    Form.TABLE: lambda reports, namespace, _: table_document(reports, namespace),
    Form.LIST: lambda reports, namespace, _: list_document(reports, namespace),
}
