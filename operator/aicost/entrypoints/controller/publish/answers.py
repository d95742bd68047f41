"""What our objects should say now: each kind's status, computed from one snapshot of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aicost.bootstrap import Application
from aicost.crd.convert.claims import workload_claim
from aicost.crd.convert.reports import AskedReport, asked_report
from aicost.crd.convert.success import workload_success
from aicost.crd.convert.units import declared_engine, own_unit
from aicost.crd.models.trained import TrainingCosts
from aicost.crd.reasons import Reason
from aicost.crd.status.conditions import Statement
from aicost.crd.status.reports import report_status, workload_status
from aicost.crd.status.training import training_costs
from aicost.crd.status.units import UnitFigures, unit_costs
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.reporting.query import Amounts, Report, ReportQuery
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.controller.publish import judging, unit_conditions
from aicost.entrypoints.controller.publish.saying import Answer, fresh, freshness, refused, stated
from aicost.entrypoints.controller.registry import Body, Key, read_each
from aicost.entrypoints.controller.state import State
from aicost.entrypoints.controller.units.counting import STEP as COUNT_UNITS
from aicost.entrypoints.controller.units.figures import Figures
from aicost.entrypoints.controller.units.success import success_judged
from aicost.ports.ledger import LedgerReader
from aicost.usecases.build_report import build_reports

MONTH = "month-to-date"


@dataclass(frozen=True, slots=True)
class _Units:
    """Unit costs of one AIWorkload, and what its conditions say of them."""

    figures: Sequence[UnitFigures]
    statements: tuple[Statement, ...]


class Answers:
    """Computes statuses from one snapshot of the ledger, so that figures beside each other agree."""

    def __init__(
        self, app: Application, state: State, reader: LedgerReader, now_ms: int, workloads: Sequence[Body] = ()
    ) -> None:
        self._app, self._state, self._reader, self._now_ms = app, state, reader, now_ms
        self._workloads = workloads
        self._zone = app.settings.reports.time_zone

    def report(self, body: Body) -> Answer:
        """An AICostReport or ClusterAICostReport."""
        read = asked_report(body, self._now_ms, self._zone)
        if read.value is None:
            return refused(body, read.problems, self._now_ms)
        request = read.value
        invalid = self._window_problem(request)
        reports = build_reports(self._reader, request.query, cluster=self._app.cluster) if invalid is None else ()
        parts = [report.total for report in reports]
        statements = (
            judging.reported() if invalid is None else judging.not_ready(Reason.INVALID_SPEC, invalid.message),
            invalid or judging.window_valid(),
            judging.telemetry(parts, self._state.source, self._now_ms - self._app.stores.inventory.epoch_ms),
            judging.priced(judging.PriceFigures.of(parts), self._unpriced()),
            fresh(self._app, self._state, self._now_ms),
        )
        status = report_status(
            reports,
            units=self._figures.of_rows(request.query) if invalid is None else {},
            window=request.window,
            limit=request.limit,
            freshness=freshness(body, self._state, self._now_ms),
            conditions=stated(body, statements, self._now_ms),
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
            return refused(body, read.problems, self._now_ms)
        query, reports = self._by_workload
        own = [_only(report, (key.namespace, key.name), query) for report in reports]
        own = [report for report in own if report.total.gpu_milliseconds] or own[:1]
        parts = [report.total for report in own]
        units = self._units_of(body, key)
        statements = (
            judging.reported(),
            *units.statements,
            self._claimed(key),
            judging.telemetry(parts, self._state.source, self._now_ms - self._app.stores.inventory.epoch_ms),
            judging.priced(judging.PriceFigures.of(parts), self._unpriced()),
        )
        status = workload_status(
            own,
            units=[unit_costs(one) for one in units.figures],
            training=self._training_of(key),
            window=MONTH,
            pods=self._pods_of(key),
            freshness=freshness(body, self._state, self._now_ms),
            conditions=stated(body, statements, self._now_ms),
        )
        return Answer(body, status, statements)

    def _units_of(self, body: Body, key: Key) -> "_Units":
        """Unit costs, and what is said of them: of what serves no model and names no unit, nothing."""
        unit, declared = own_unit(body).value, declared_engine(body).value
        name = (key.namespace, key.name)
        figures = self._figures.of_workload(name, unit)
        engines = sorted({one for known in figures for one in known.costs.did.engines})
        if unit is not None and unit.has_counter and figures:
            engines.append("its own counter")
        said: list[Statement] = []
        if engines or unit is not None or declared is not None:
            said.append(
                unit_conditions.units_counted(
                    engines,
                    declared.engine if declared else "",
                    self._state.problems.get(COUNT_UNITS, ""),
                    has_source=self._app.engines.value is not None,
                    since=self._figures.counted is not None,
                    scraped=self._scraped(name, named=declared is not None and declared.port is not None),
                )
            )
        if unit is not None:
            verdicts = [one.verdict for one in figures if one.verdict]
            wanted = [one for one in verdicts if one.currency == unit.target.currency] or verdicts
            said.append(unit_conditions.within_target(unit, wanted[0] if wanted else None))
        said += success_judged(workload_success(body), [one.outcomes for one in figures])
        return _Units(figures, tuple(said))

    def _scraped(self, name: WorkloadName, *, named: bool) -> unit_conditions.Scraped | None:
        """How the pods of an AIWorkload were scraped; None where a Prometheus does it."""
        found = self._state.engines
        if found is None:
            return None
        return unit_conditions.Scraped(
            found.asked.get(name, 0), found.failures.get(name, {}), name in found.silent, named
        )

    def _training_of(self, key: Key) -> Sequence[TrainingCosts]:
        """What its runs of training cost, as it was last computed."""
        report = self._state.training
        if report is None or report.rests_on is None:
            return ()
        mine = [one for one in report.lines if (one.namespace, one.workload) == (key.namespace, key.name)]
        return training_costs(report.rests_on, [(one.run, one.costs) for one in mine])

    @cached_property
    def _figures(self) -> Figures:
        said = read_each(self._workloads, declared_engine)
        self._app.unit_costs.refresh({one.workload: one.front for one in said if one.front})
        rules = {one.workload: one.rule for one in read_each(self._workloads, workload_success)}
        return Figures(self._app, self._reader, parse_span(MONTH, self._now_ms, self._zone), rules)

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

    def _window_problem(self, request: AskedReport) -> Statement | None:
        """A window that cannot be reported, and the fix."""
        span = request.query.span
        epoch = self._reader.first_window(self._app.cluster)
        epoch_ms = epoch.start_ms if epoch else self._app.stores.inventory.epoch_ms
        return judging.window_problem(span, request.window, self._app.grid.containing(epoch_ms).start_ms)


def _only(report: Report, keys: tuple[str, ...], query: ReportQuery) -> Report:
    """The report of one line alone."""
    line = next((line for line in report.lines if line.keys == keys), None)
    empty = Amounts(report.currency, {}, {})
    amounts = line.amounts if line else empty
    previous = line.previous_nanos if line else None
    lines = (line,) if line else ()
    return Report(query, report.currency, lines, empty, amounts, previous, report.prorated, report.covered)
