"""Unit costs of AIWorkloads and of the rows of reports, of one moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from aicost.bootstrap import Application
from aicost.crd.status.units import UnitFigures
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.serving.own_units import OwnUnit, UnitVerdict, judge, units_done
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.cost_units import Counted, UnitLine, UnitQuestion, UnitReport, runs_of

_BY_WORKLOAD = ("namespace", "workload")


class Figures:
    """Looked up from one snapshot of the ledger.

    Args:
        app: the use cases.
        reader: the ledger.
        span: the month to date.
    """

    def __init__(self, app: Application, reader: LedgerReader, span: Window) -> None:
        self._app, self._reader, self._span = app, reader, span

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
    def _lines(self) -> Mapping[WorkloadName, Sequence[UnitLine]]:
        found: dict[WorkloadName, list[UnitLine]] = defaultdict(list)
        for line in self._report.lines if self._report else ():
            if line.keys[1]:
                found[line.keys[0], line.keys[1]].append(line)
        return found

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

    def _figures(self, name: WorkloadName, line: UnitLine, unit: OwnUnit | None) -> UnitFigures:
        return UnitFigures(
            line.costs,
            self._rests_on,
            line.pods,
            line.counted,
            line.discovered,
            line.by_model,
            line.tenancy,
            None if unit is None else self._verdict(name, unit, line.costs.did, line.costs.spent),
        )

    def _of_counter(self, name: WorkloadName, unit: OwnUnit, nanos: int, currency: str) -> UnitFigures:
        """A workload of which its own counter alone is known."""
        spent = Spent(nanos, None, currency)
        verdict = self._verdict(name, unit, None, spent)
        return UnitFigures(unit_costs(spent, Tally(), None), self._rests_on, verdict=verdict)

    def _verdict(self, name: WorkloadName, unit: OwnUnit, did: Tally | None, spent: Spent) -> UnitVerdict:
        own = self.counted.own.get(name) if self.counted else None
        return judge(unit, units_done(unit, own, did), spent.cost_nanos, spent.currency)
