"""Unit costs of AIWorkloads and of the rows of reports, of one moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

from aicost.bootstrap import Application
from aicost.crd.status.units import UnitFigures
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.reporting.spans import span_before
from aicost.domain.serving.counted import Kind, answers_of, judged_of
from aicost.domain.serving.outcomes.assigning import Subject
from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.domain.serving.outcomes.statuses import StatusCounts, by_gateway
from aicost.domain.serving.own_units import OwnUnit, UnitVerdict, judge, units_done
from aicost.domain.serving.rounds.amplification import growth, tokens_per_request
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.cost_units import Counted, UnitLine, UnitQuestion, UnitReport, runs_of
from aicost.usecases.economics.outcomes.judge_lines import Heard, JudgedLine, judge_lines, verdicts_of

_BY_WORKLOAD = ("namespace", "workload")


class Figures:
    """Looked up from one snapshot of the ledger.

    Args:
        app: the use cases.
        reader: the ledger.
        span: the month to date.
        rules: what AIWorkloads say of success.
    """

    def __init__(
        self,
        app: Application,
        reader: LedgerReader,
        span: Window,
        rules: Mapping[WorkloadName, SuccessRule] = MappingProxyType({}),
    ) -> None:
        self._app, self._reader, self._span, self._rules = app, reader, span, rules

    @cached_property
    def counted(self) -> Counted | None:
        """What was counted this month; None where nothing was."""
        return self._app.unit_costs.counted(self._reader, self._span, Dimension.TEAM)

    def of_workload(self, name: WorkloadName, unit: OwnUnit | None) -> tuple[UnitFigures, ...]:
        """Unit costs of an AIWorkload, the dearest currency first; none where nothing of it was counted."""
        if self.counted is None or not self.counted.windows:
            return ()
        lines = self._lines.get(name, ())
        if lines:
            return tuple(self._figures(name, line, unit) for line in lines)
        if unit is None or name not in self.counted.own:
            return ()
        return tuple(
            self._of_counter(name, unit, nanos, currency)
            for currency, nanos in sorted(self._costs.get(name, {}).items(), key=lambda one: -one[1])
        )

    def of_rows(self, query: ReportQuery) -> Mapping[tuple[tuple[str, ...], str], UnitLine]:
        """Unit costs by the keys of a report and currency; empty where no engine was heard."""
        question = UnitQuestion(query.group_by, query.filters)
        report = self._app.unit_costs.report(self._reader, query.span, question)
        return {(line.keys, line.costs.spent.currency): line for line in report.lines} if report else {}

    @cached_property
    def _report(self) -> UnitReport | None:
        question = UnitQuestion(_BY_WORKLOAD, tenants=Dimension.TEAM)
        return self._app.unit_costs.report(self._reader, self._span, question)

    @cached_property
    def _lines(self) -> Mapping[WorkloadName, Sequence[JudgedLine]]:
        found: dict[WorkloadName, list[JudgedLine]] = defaultdict(list)
        for one in self._judged:
            if one.line.keys[1]:
                found[one.line.keys[0], one.line.keys[1]].append(one)
        return found

    @cached_property
    def _judged(self) -> Sequence[JudgedLine]:
        """Each workload by the source that it names, or by what is there."""
        if self._report is None:
            return ()
        return judge_lines(self._report, self._heard(self._report.windows), lambda *name: self._rules.get(name)).lines

    @cached_property
    def _before(self) -> Mapping[tuple[str, ...], Fraction | None]:
        """Tokens for one request of each workload, in the same part of the month before."""
        closed = Window(self._span.start_ms, self._rests_on.end_ms)
        report = self._app.unit_costs.report(self._reader, span_before(closed), UnitQuestion(_BY_WORKLOAD))
        return {line.keys: tokens_per_request(line.costs) for line in report.lines} if report else {}

    def _heard(self, windows: Sequence[Window]) -> Heard:
        """What sources said of the windows that count; gateways are asked where a workload names them."""
        runs, counts, cluster = runs_of(windows), self._app.counts, self._app.cluster
        store = self._app.stores.outcomes
        own = judged_of(counts.summed(runs, Kind.WORKLOAD, ("namespace", "workload"), cluster=cluster))
        answers: StatusCounts = {}
        if any(rule.source is JudgedBy.GATEWAY for rule in self._rules.values()):
            answers = answers_of(counts.summed(runs, Kind.GATEWAY, ("source", "model"), cluster=cluster))
        return Heard(
            verdicts_of(store.sums(cluster, runs)) if store is not None else {},
            by_gateway(answers),
            {Subject(*name): verdicts for name, verdicts in own.items()},
        )

    @cached_property
    def _costs(self) -> Mapping[WorkloadName, Mapping[str, int]]:
        """What each AIWorkload cost in the windows that were counted, by currency."""
        found: dict[WorkloadName, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for run in runs_of(self.counted.windows if self.counted else ()):
            for one in self._reader.sums(run, _BY_WORKLOAD, {}, cluster=self._app.cluster):
                if one.keys[1] and one.currency:
                    found[one.keys[0], one.keys[1]][one.currency] += one.cost_nanos
        return found

    @property
    def _rests_on(self) -> Window:
        windows = self.counted.windows if self.counted else (self._span,)
        return Window(windows[0].start_ms, windows[-1].end_ms)

    def _figures(self, name: WorkloadName, judged: JudgedLine, unit: OwnUnit | None) -> UnitFigures:
        line = judged.line
        return UnitFigures(
            judged.costs,
            self._rests_on,
            line.pods,
            line.counted,
            line.discovered,
            line.by_model,
            line.tenancy,
            None if unit is None else self._verdict(name, unit, line.costs.did, line.costs.spent),
            judged.outcomes,
            line.behind,
            growth(tokens_per_request(line.costs), self._before.get(line.keys)),
        )

    def _of_counter(self, name: WorkloadName, unit: OwnUnit, nanos: int, currency: str) -> UnitFigures:
        """A workload of which its own counter alone is known."""
        spent = Spent(nanos, None, currency)
        verdict = self._verdict(name, unit, None, spent)
        return UnitFigures(unit_costs(spent, Tally(), None), self._rests_on, verdict=verdict)

    def _verdict(self, name: WorkloadName, unit: OwnUnit, did: Tally | None, spent: Spent) -> UnitVerdict:
        own = self.counted.own.get(name) if self.counted else None
        return judge(unit, units_done(unit, own, did), spent.cost_nanos, spent.currency)
