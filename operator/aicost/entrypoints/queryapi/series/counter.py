"""Cost over time: from a request to the ledger and to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from aicost.crd.allocations.parameters import read_parameters
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.reporting.question import NAMESPACE, Question
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, team_of, whole_cluster
from aicost.entrypoints.queryapi.series.listing import series_list, series_report, series_table
from aicost.entrypoints.queryapi.series.resource import SERIES
from aicost.ports.ledger import LedgerSource
from aicost.usecases.budgets.simulate import SeriesQuestion, read_record, series_question

MOST_GROUPS = 10_000
"""Groups of one list; the document in columns has all."""
_WITHIN, _ACROSS = ("controller",), (NAMESPACE, "controller")


@dataclass(frozen=True, slots=True)
class SeriesCounter:
    """Where questions about cost over time are answered; attributes as of `Counter`."""

    ledger: LedgerSource
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]

    async def across(self, request: web.Request) -> web.Response:
        """The series of all namespaces. The API server let in only who may list them everywhere."""
        return await self._serve(request, whole_cluster(SERIES.plural), _ACROSS)

    async def within(self, request: web.Request) -> web.Response:
        """The series of one namespace: the one in the path, whatever the parameters say."""
        return await self._serve(request, namespace_of(request, SERIES.plural), _WITHIN)

    async def of_team(self, request: web.Request) -> web.Response:
        """The series of one team in all namespaces: the team in the path, whatever the parameters say."""
        return await self._serve(request, team_of(request, SERIES.plural), _ACROSS)

    async def _serve(self, request: web.Request, scope: Scope, keys: tuple[str, ...]) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, scope.path)
        pairs = pairs_of(request, SERIES.parameters)
        check_names(pairs, SERIES.parameters, SERIES.plural, "filter=KEY=VALUE")
        form, now_ms = form_of(pairs, request.headers.get("Accept", "")), self.now_ms()
        question = read_parameters(
            pairs, namespace=scope.namespace, team=scope.team, group_by=keys, most_rows=MOST_GROUPS
        )
        asked = series_question(question.window, question.group_by, question.scoped_filters, now_ms, question.time_zone)
        # 2. Read the ledger and write the answer in a thread.
        cluster = await self.cluster()
        body = await self.desk.run(lambda: self._body(asked, question, cluster, now_ms, form))
        return web.Response(body=body, content_type="application/json")

    def _body(self, asked: SeriesQuestion, question: Question, cluster: str, now_ms: int, form: Form) -> bytes:
        record = read_record(self.ledger.snapshot(), asked, cluster=cluster)
        document = _FORMS[form](record, asked, question, now_ms)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


_Write = Callable[[Record, SeriesQuestion, Question, int], dict[str, Any]]
_FORMS: Mapping[Form, _Write] = {
    Form.REPORT: series_report,
    Form.TABLE: lambda record, _, question, __: series_table(record, question),
    Form.LIST: lambda record, asked, question, _: series_list(record, asked, question),
}
