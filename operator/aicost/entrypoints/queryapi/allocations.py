"""The one resource: from a request to a question, and from reports to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from aicost.crd.allocations.document import report_document
from aicost.crd.allocations.listing import list_document, table_document
from aicost.crd.allocations.parameters import PARAMETERS, PLURAL, paged, read_parameters
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.question import NAMESPACE, Question
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.paging import Page, Pages, page_of
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, team_of, whole_cluster
from aicost.entrypoints.queryapi.statements.counter import DatedLedger
from aicost.ports.ledger import LedgerReader
from aicost.usecases.answer_question import answer, check_question
from aicost.usecases.economics.spend.with_accounts import with_accounts

MOST_ROWS = 10_000
"""Rows of an answer that is not asked for in pages; the rest is one row `other`."""
MOST_PAGED_ROWS = 100_000
"""Rows of all pages together."""
_WITHIN, _ACROSS = ("controller",), (NAMESPACE, "controller")


@dataclass(frozen=True, slots=True)
class Counter:
    """Where questions about allocations are answered.

    Attributes:
        ledger: where the answers come from.
        cluster: gives the key of this cluster; rows of another one are nobody's business here.
        desk: the threads that read the ledger.
        now_ms: the clock.
        pages: answers that are handed out in pages.
        counted: what counts beside the cluster itself: its accounts.
    """

    ledger: DatedLedger
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]
    pages: Pages = field(default_factory=Pages)
    counted: Callable[[LedgerReader, str], LedgerReader] = with_accounts

    async def across(self, request: web.Request) -> web.Response:
        """Allocations of all namespaces. The API server let in only who may list them everywhere."""
        return await self._serve(request, whole_cluster(PLURAL), _ACROSS)

    async def within(self, request: web.Request) -> web.Response:
        """Allocations of one namespace: the one in the path, whatever the parameters say."""
        return await self._serve(request, namespace_of(request, PLURAL), _WITHIN)

    async def of_team(self, request: web.Request) -> web.Response:
        """Allocations of one team in all namespaces: the team in the path, whatever the parameters say."""
        return await self._serve(request, team_of(request, PLURAL), _ACROSS)

    async def team(self, request: web.Request) -> web.Response:
        """The same by namespace: `kubectl get team vision`."""
        return await self._serve(request, team_of(request, ""), (NAMESPACE,))

    async def _serve(self, request: web.Request, scope: Scope, keys: tuple[str, ...]) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, scope.path)
        pairs = pairs_of(request, PARAMETERS)
        check_names(pairs, PARAMETERS, PLURAL, "filter=KEY=VALUE")
        form = form_of(pairs, request.headers.get("Accept", ""))
        page = page_of(scope.path, pairs, form)
        question = read_parameters(
            paged(pairs, report=form is Form.REPORT),
            namespace=scope.namespace,
            team=scope.team,
            group_by=keys,
            most_rows=MOST_ROWS if page.rows is None else MOST_PAGED_ROWS,
        )
        now_ms = self.now_ms()
        check_question(question, now_ms)
        # 2. Read the ledger and write the answer in a thread.
        cluster = await self.cluster()
        body = await self.desk.run(lambda: self._body(question, cluster, now_ms, page))
        return web.Response(body=body, content_type="application/json")

    def _body(self, question: Question, cluster: str, now_ms: int, page: Page) -> bytes:
        def made(at_ms: int) -> dict[str, Any]:
            reports = answer(self.counted(self.ledger.snapshot(), cluster), question, at_ms, cluster=cluster)
            return _FORMS[page.form](reports, question.namespace, at_ms)

        return json.dumps(self.pages.answer(page, now_ms, made), ensure_ascii=False).encode()


_Write = Callable[[Sequence[Report], str | None, int], dict[str, Any]]
_FORMS: Mapping[Form, _Write] = {
    Form.REPORT: lambda reports, _, now_ms: report_document(reports, now_ms),
    Form.TABLE: lambda reports, namespace, _: table_document(reports, namespace),
    Form.LIST: lambda reports, namespace, _: list_document(reports, namespace),
}
