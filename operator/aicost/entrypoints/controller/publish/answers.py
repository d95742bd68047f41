"""What our objects should say now: each kind's status, computed from one snapshot of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aicost.bootstrap import Application
from aicost.crd.convert.budgets import BudgetPlan, budget_plan
from aicost.crd.convert.claims import workload_claim
from aicost.crd.convert.parsing import SpecProblem
from aicost.crd.convert.reports import AskedReport, asked_report
from aicost.crd.reasons import Reason
from aicost.crd.status.budgets import budget_status
from aicost.crd.status.conditions import Statement, conditions
from aicost.crd.status.reports import Freshness, report_status, workload_status
from aicost.domain.budgets.pace import Spend, recent_start, stand
from aicost.domain.budgets.periods import Period, current_period
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.identity.selectors import selects
from aicost.domain.reporting.query import Amounts, Report, ReportQuery
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.controller.publish import judging
from aicost.entrypoints.controller.registry import Body, Key
from aicost.entrypoints.controller.state import State
from aicost.ports.ledger import LedgerReader
from aicost.usecases.build_report import build_reports

MONTH = "month-to-date"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of one object.

    Attributes:
        body: the object as last seen.
        statements: what its conditions say, for Events.
    """

    body: Body
    status: Mapping[str, Any]
    statements: tuple[Statement, ...]


class Answers:
    """Computes statuses from one snapshot of the ledger, so that figures beside each other agree."""

    def __init__(self, app: Application, state: State, reader: LedgerReader, now_ms: int) -> None:
        self._app, self._state, self._reader, self._now_ms = app, state, reader, now_ms
        self._zone = app.settings.reports.time_zone

    def report(self, body: Body) -> Answer:
        """An AICostReport or ClusterAICostReport."""
        read = asked_report(body, self._now_ms, self._zone)
        if read.value is None:
            return self._refused(body, read.problems)
        request = read.value
        invalid = self._window_problem(request)
        reports = build_reports(self._reader, request.query, cluster=self._app.cluster) if invalid is None else ()
        parts = [report.total for report in reports]
        statements = (
            judging.reported() if invalid is None else judging.not_ready(Reason.INVALID_SPEC, invalid.message),
            invalid or judging.window_valid(),
            judging.telemetry(parts, self._state.source, self._now_ms - self._app.stores.inventory.epoch_ms),
            judging.priced(parts, self._unpriced()),
            self._fresh(),
        )
        status = report_status(
            reports,
            window=request.window,
            limit=request.limit,
            freshness=self._freshness(body),
            conditions=self._conditions(body, statements),
        )
        return Answer(body, status, statements)

    @cached_property
    def _by_workload(self) -> tuple[ReportQuery, Sequence[Report]]:
        """One sum over the month to date for all AIWorkloads."""
        span = parse_span(MONTH, self._now_ms, self._zone)
        query = ReportQuery(span, ("namespace", "workload"), compare=True, time_zone=self._zone)
        return query, build_reports(self._reader, query, cluster=self._app.cluster)

    def workload(self, body: Body) -> Answer:
        """An AIWorkload."""
        key = Key.of(body)
        read = workload_claim(body)
        if read.value is None:
            return self._refused(body, read.problems)
        query, reports = self._by_workload
        own = [_only(report, (key.namespace, key.name), query) for report in reports]
        own = [report for report in own if report.total.gpu_milliseconds] or own[:1]
        parts = [report.total for report in own]
        statements = (
            judging.reported(),
            self._claimed(key),
            judging.telemetry(parts, self._state.source, self._now_ms - self._app.stores.inventory.epoch_ms),
            judging.priced(parts, self._unpriced()),
        )
        status = workload_status(
            own,
            window=MONTH,
            pods=self._pods_of(key),
            freshness=self._freshness(body),
            conditions=self._conditions(body, statements),
        )
        return Answer(body, status, statements)

    def budget(self, body: Body) -> Answer:
        """A Budget or ClusterBudget: observed, never enforced."""
        read = budget_plan(body, self._zone)
        if read.value is None:
            return self._refused(body, read.problems)
        plan = read.value
        period = current_period(plan.rule, self._now_ms)
        query = self._budget_query(plan, period.spent_span(self._now_ms))
        reports = build_reports(self._reader, query, cluster=self._app.cluster)
        own = next((report.total for report in reports if report.currency == plan.currency), None)
        foreign = [r.currency for r in reports if r.currency not in {plan.currency, ""} and r.total.cost_nanos]
        standing = stand(plan.limit_nanos(period.start_ms), period, self._spend(plan, period, own), self._now_ms)
        parts = [report.total for report in reports]
        statements = (
            judging.budget_ready(plan.currency, foreign),
            judging.within(standing, plan.currency),
            self._fresh(),
            judging.priced(parts, self._unpriced()),
            judging.observes(),
        )
        status = budget_status(
            plan.currency,
            period,
            standing,
            unpriced_milliseconds=sum(part.unpriced_gpu_milliseconds for part in parts),
            freshness=self._freshness(body),
            conditions=self._conditions(body, statements),
        )
        return Answer(body, status, statements)

    def _spend(self, plan: BudgetPlan, period: Period, own: Amounts | None) -> Spend:
        """What was spent, and how fast lately."""
        since = recent_start(period, self._now_ms)
        query = self._budget_query(plan, Window(since, max(since, self._now_ms)))
        recent = build_reports(self._reader, query, cluster=self._app.cluster)
        recent_nanos = sum(report.total.cost_nanos for report in recent if report.currency == plan.currency)
        first = self._reader.first_window(self._app.cluster)
        known_ms = min(first.start_ms if first else self._now_ms, self._app.stores.inventory.epoch_ms)
        return Spend(
            nanos=own.cost_nanos if own else 0,
            provisional_nanos=own.provisional_nanos if own else 0,
            recent_nanos=recent_nanos,
            recent_ms=self._now_ms - max(since, known_ms),
            since_ms=known_ms,
        )

    def _budget_query(self, plan: BudgetPlan, span: Window) -> ReportQuery:
        """The cost in scope; namespaces chosen by label are those that have the labels now."""
        filters = dict(plan.filters)
        if plan.namespaces is not None:
            known = self._app.stores.inventory.facts(span).namespaces.values()
            filters["namespace"] = tuple(one.name for one in known if selects(plan.namespaces, one.labels)) or ("",)
        return ReportQuery(span, ("namespace",), filters)

    def _claimed(self, key: Key) -> Statement:
        statement = self._state.statement
        return judging.claimed(key.namespace, key.name, statement.matching if statement else None)

    def _pods_of(self, key: Key) -> tuple[int, int]:
        """How many pods alive an AIWorkload holds, and how many that it names another one holds."""
        matching = self._state.statement.matching if self._state.statement else None
        if matching is None:
            return 0, 0
        mine = {
            uid for uid, claim in matching.by_pod.items() if (claim.namespace, claim.name) == (key.namespace, key.name)
        }
        lost = [
            c.pods for c in matching.conflicts if (c.namespace, c.workload, c.won) == (key.namespace, key.name, False)
        ]
        return len(mine & self._alive), sum(lost)

    @cached_property
    def _alive(self) -> frozenset[str]:
        """Pods that hold what they asked for now; one that ended is billed and no longer counted."""
        pods = self._app.stores.inventory.known_pods()
        return frozenset(uid for uid, record in pods.items() if record.held_until_ms is None)

    def _unpriced(self) -> Sequence[Any]:
        return self._state.statement.unpriced if self._state.statement else ()

    def _fresh(self) -> Statement:
        problem = self._state.problems.get("close", "")
        settle_ms = self._app.settings.window.settle_seconds * SECOND_MS
        epoch_ms = self._app.stores.inventory.epoch_ms
        progress = judging.Progress(self._app.grid, settle_ms, epoch_ms, self._state.last_closed, problem)
        return judging.fresh(progress, self._now_ms)

    def _window_problem(self, request: AskedReport) -> Statement | None:
        """A window that cannot be reported, and the fix."""
        span = request.query.span
        epoch = self._reader.first_window(self._app.cluster)
        epoch_ms = epoch.start_ms if epoch else self._app.stores.inventory.epoch_ms
        return judging.window_problem(span, request.window, self._app.grid.containing(epoch_ms).start_ms)

    def _refused(self, body: Body, problems: Sequence[SpecProblem]) -> Answer:
        """An object that cannot be read: it says why, and keeps nothing that it does not know."""
        statements = judging.refused(problems)
        status = {
            "observedGeneration": body["metadata"].get("generation", 0),
            "conditions": self._conditions(body, statements),
        }
        return Answer(body, status, statements)

    def _freshness(self, body: Body) -> Freshness:
        last = self._state.last_closed
        return Freshness(body["metadata"].get("generation", 0), self._now_ms, last.end_ms if last else None)

    def _conditions(self, body: Body, statements: Sequence[Statement]) -> list[dict[str, Any]]:
        before = (body.get("status") or {}).get("conditions") or []
        return conditions(statements, before, body["metadata"].get("generation", 0), self._now_ms)


def _only(report: Report, keys: tuple[str, ...], query: ReportQuery) -> Report:
    """The report of one line alone."""
    line = next((line for line in report.lines if line.keys == keys), None)
    empty = Amounts(report.currency, {}, {})
    amounts = line.amounts if line else empty
    previous = line.previous_nanos if line else None
    lines = (line,) if line else ()
    return Report(query, report.currency, lines, empty, amounts, previous, report.prorated, report.covered)
