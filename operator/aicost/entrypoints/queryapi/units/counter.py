"""Unit costs: from a request to the ledger and the counts beside it, and to an answer."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from aicost.adapters.documents.unit_report import written
from aicost.crd.allocations.document import API_VERSION
from aicost.crd.allocations.parameters import read_parameters, read_single
from aicost.crd.unitcosts.resource import UNIT_COSTS
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.keys import check_keys
from aicost.domain.reporting.question import NAMESPACE
from aicost.domain.reporting.spans import parse_span
from aicost.domain.serving.counted import WHO
from aicost.entrypoints.queryapi.asking import Form, Pairs, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, whole_cluster
from aicost.entrypoints.queryapi.units.listing import units_list, units_table
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerSource
from aicost.ports.measured.counts import CountReader
from aicost.ports.measured.outcomes import OutcomeReader
from aicost.usecases.economics.cost_units import UnitQuestion, UnitReport, cost_of, read_counted
from aicost.usecases.economics.outcomes.judge_lines import Verdicts, verdicts_of
from aicost.usecases.economics.outcomes.judging import Judging

MOST_ROWS = 10_000
_KEYS = (NAMESPACE, "controller")
_ALONE = ("tenants", "rounds")
"""What gateways count says nothing of namespaces: who may see one of them alone is not shown it."""


@dataclass(frozen=True, slots=True)
class UnitCounter:
    """Where questions about unit costs are answered; attributes as of `Counter`.

    Attributes:
        counts: what was counted in closed windows.
        outcomes: what was stated of requests.
    """

    ledger: LedgerSource
    counts: CountReader
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]
    outcomes: OutcomeReader

    async def across(self, request: web.Request) -> web.Response:
        """Of all. The API server let in only who may see all namespaces."""
        return await self._serve(request, whole_cluster(UNIT_COSTS.plural))

    async def within(self, request: web.Request) -> web.Response:
        """Of the namespace in the path, whatever the parameters say."""
        return await self._serve(request, namespace_of(request, UNIT_COSTS.plural))

    async def _serve(self, request: web.Request, scope: Scope) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, scope.path)
        pairs = pairs_of(request, UNIT_COSTS.parameters)
        check_names(pairs, UNIT_COSTS.parameters, UNIT_COSTS.plural, "filter=KEY=VALUE")
        form, now_ms = form_of(pairs, request.headers.get("Accept", "")), self.now_ms()
        question = _question(pairs, scope)
        try:
            span = parse_span(read_single(pairs, "window") or "today", now_ms, read_single(pairs, "timeZone") or "UTC")
        except ValueError as problem:
            raise InvalidRequest(str(problem)) from problem
        # 2. Read in a thread, and write the answer.
        cluster = await self.cluster()

        def work() -> bytes:
            report = self._report(span, question, cluster)
            if form is Form.REPORT:
                head = {"apiVersion": API_VERSION, "kind": UNIT_COSTS.report_kind, "by": list(question.keys)}
                return json.dumps({**head, "report": written(report)}, ensure_ascii=False).encode()
            write = units_table if form is Form.TABLE else units_list
            return json.dumps(write(report, question.keys), ensure_ascii=False).encode()

        return web.Response(body=await self.desk.run(work), content_type="application/json")

    def _report(self, span: Window, question: UnitQuestion, cluster: str) -> UnitReport:
        """Unit costs, with successes by the word that AIWorkloads declare."""
        reader = self.ledger.snapshot()
        counted = read_counted(reader, self.counts, span, question.tenants, cluster=cluster, rounds=question.rounds)
        report = cost_of(reader, counted, span, question, cluster=cluster)

        def posted(runs: Sequence[Window]) -> Verdicts:
            return verdicts_of(self.outcomes.sums(cluster, runs))

        return Judging(reader, cluster, counted, report, question, posted).declared()


def _question(pairs: Pairs, scope: Scope) -> UnitQuestion:
    """What is asked of the scope."""
    asked = [pair for pair in pairs if pair[0] in {"by", "filter"}]
    read = read_parameters(asked, namespace=scope.namespace, group_by=_KEYS, most_rows=MOST_ROWS)
    tenants, rounds = (read_single(pairs, name) for name in _ALONE)
    if scope.namespace is not None and (tenants or rounds):
        raise InvalidRequest(
            f"{'tenants' if tenants else 'rounds'}: gateways count for the whole cluster, so it is answered across all "
            "namespaces alone: ask there (-A)"
        )
    try:
        check_keys(read.group_by, "by")
        dimension = Dimension(tenants) if tenants else None
    except ValueError as problem:
        raise InvalidRequest(f"tenants: {problem}" if tenants else str(problem)) from problem
    if dimension is not None and dimension not in WHO:
        raise InvalidRequest(f"tenants: gateways do not tell {dimension}: use one of {', '.join(WHO)}")
    filters = {**read.filters, **scope.filters}
    return UnitQuestion(read.group_by, filters, dimension, rounds=rounds in {"true", "1"})
