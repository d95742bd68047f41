"""What workloads achieved for their money: units of known hours over the cost of the same hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import BudgetPlan, Redline
from aicost.domain.budgets.redlines import Judged, Subject
from aicost.domain.budgets.spend.found import ScopeSpend
from aicost.domain.budgets.spend.scopes import Scope, narrowed
from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.budgets.units.hours import UnitHours, hourly, summed
from aicost.domain.budgets.units.targets import Achieved, WorkloadName, achieved
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from aicost.domain.sampling.series import Values
from aicost.ports.measured.units import UnitCounts, WorkloadUnit
from aicost.usecases.budgets.spending import HISTORY_DAYS, Known

MOST_AT_ONCE = 200
"""Hours of workloads that are asked for in one look: the past is filled in by and by, the latest first."""
_LOOK_MS = MINUTE_MS


@dataclass(slots=True)
class UnitBook:
    """Keeps what workloads did by hour. Blocks: it asks the source.

    Attributes:
        source: counts units.
    """

    source: UnitCounts
    units: Mapping[WorkloadName, WorkloadUnit] = field(default_factory=dict)
    _hours: dict[WorkloadName, UnitHours] = field(default_factory=dict)
    _looked_ms: int = 0

    def refresh(self, units: Sequence[WorkloadUnit], now_ms: int) -> None:
        """Ask for what is missing of some workloads: once a minute, and not too much at once.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted, InvalidRequest: the source did not answer; what is known
                stays known, and nothing else is.
        """
        self._take(units)
        if not self.units or 0 <= now_ms - self._looked_ms < _LOOK_MS:
            return
        self._looked_ms = now_ms
        whole = Window(max(0, now_ms - HISTORY_DAYS * DAY_MS), now_ms)
        wanted = [(hour, name) for name in self.units for hour in self._hours[name].missing(whole, now_ms)]
        by_hour: dict[Window, list[WorkloadName]] = {}
        for hour, name in sorted(wanted, key=lambda pair: -pair[0].start_ms)[:MOST_AT_ONCE]:
            by_hour.setdefault(hour, []).append(name)
        for hour, names in by_hour.items():
            for name, count in self.source.count([self.units[name].query for name in names], hour).items():
                self._hours[name].closed[hour.start_ms] = count
        self._ask_tail(Window(now_ms // HOUR_MS * HOUR_MS, now_ms))

    def _take(self, units: Sequence[WorkloadUnit]) -> None:
        """Another counter begins with nothing known."""
        new = {one.query.key: one for one in units}
        self._hours = {
            name: self._hours[name] if self._asks_the_same(name, one) else UnitHours() for name, one in new.items()
        }
        self.units = new

    def _asks_the_same(self, name: WorkloadName, one: WorkloadUnit) -> bool:
        return name in self.units and self.units[name].query == one.query

    def _ask_tail(self, tail: Window) -> None:
        if tail.length_ms <= 0:
            return
        for name, count in self.source.count([one.query for one in self.units.values()], tail).items():
            self._hours[name].tail = (tail, count)

    def count(self, name: WorkloadName, span: Window) -> tuple[tuple[Window, UnitCount], ...]:
        """Parts of a span in which the units of a workload were counted."""
        hours = self._hours.get(name)
        return hours.known(span) if hours else ()

    def by_hour(self, name: WorkloadName, starts: Sequence[int]) -> Mapping[int, int]:
        """Units of some hours of a workload."""
        hours = self._hours.get(name)
        return hourly(hours, starts) if hours else {}


@dataclass(frozen=True, slots=True)
class Achievements:
    """Answers what budgets ask of units, from one look at cost and counts."""

    book: UnitBook
    known: Known

    def achieved(self, plan: BudgetPlan, scope: Scope, found: ScopeSpend, period: Period) -> Achieved:
        """What a scope achieved in a period, or in the last three weeks of it: the hours with counts on both sides."""
        names = self._inside(found)
        if not names:
            return Achieved()
        now = self.known.now_ms
        span = self._known_since(max(period.start_ms, now - HISTORY_DAYS * DAY_MS))
        parts = {name: self.book.count(name, span) for name in names}
        counts = {name: summed(count for _, count in known) for name, known in parts.items() if known}
        costs = {name: self._cost(name, scope, plan.currency, parts[name]) for name in counts}
        return achieved([self.book.units[name].target for name in names], counts, costs, plan.currency)

    def _known_since(self, start_ms: int) -> Window:
        """From a moment until now, as far as the ledger reaches back: units of before would have no cost."""
        first, now = self.known.closed.first_ms, self.known.now_ms
        return Window(min(now, max(start_ms, self.known.epoch_ms if first is None else first)), now)

    def _inside(self, found: ScopeSpend) -> list[WorkloadName]:
        """Workloads with a counter that have a cost in the scope."""
        return sorted(name for name in found.by_workload if name in self.book.units)

    def _cost(self, name: WorkloadName, scope: Scope, currency: str, parts: Sequence[tuple[Window, UnitCount]]) -> int:
        """Cost of a workload in the parts of time in which its units were counted."""
        own = _of_workload(scope, name)
        closed_ms = self.known.closed.end_ms or 0
        line = self.known.closed.timeline(own, currency)
        settled = sum(line.spent(part) for part, _ in parts if part.start_ms < closed_ms)
        still = [part for part, _ in parts if part.end_ms > closed_ms]
        return settled + sum(self._open(own, currency, Window(max(p.start_ms, closed_ms), p.end_ms)) for p in still)

    def _open(self, scope: Scope, currency: str, part: Window) -> int:
        sums = self.known.open.between(part.start_ms, part.end_ms).inside(scope)
        return sum(one.cost_nanos for one in sums if one.currency == currency)

    def judged(self, redline: Redline, plan: BudgetPlan, scope: Scope, found: ScopeSpend) -> list[Judged]:
        """The workloads that a redline judges, over its span: AIWorkloads, and controllers that none claims."""
        now = self.known.now_ms
        span = Window(now - redline.window_ms, now)
        stages = _stages(found)
        names = sorted({name for name in stages if name[0] == "AIWorkload"})
        judged = [
            self._judge((space, name), stages[kind, space, name], plan, scope, span) for kind, space, name in names
        ]
        return judged + self._unclaimed(stages, plan, scope, span)

    def _judge(self, name: WorkloadName, stage: str, plan: BudgetPlan, scope: Scope, span: Window) -> Judged:
        parts = self.book.count(name, self._known_since(span.start_ms)) if name in self.book.units else ()
        subject = Subject("AIWorkload", *name)
        if parts:
            cost = self._cost(name, scope, plan.currency, parts)
            return Judged(subject, cost, summed(count for _, count in parts), stage)
        return Judged(subject, self._spent(_of_workload(scope, name), plan.currency, span), None, stage)

    def _unclaimed(
        self, stages: Mapping[tuple[str, str, str], str], plan: BudgetPlan, scope: Scope, span: Window
    ) -> list[Judged]:
        found = []
        for (kind, space, name), stage in sorted(stages.items()):
            if kind != "AIWorkload":
                own = narrowed(scope, {"namespace": space, "controller": f"{kind}/{name}", "workload": ""})
                found.append(Judged(Subject(kind, space, name), self._spent(own, plan.currency, span), None, stage))
        return found

    def _spent(self, scope: Scope, currency: str, span: Window) -> int:
        """Cost in a span: closed windows, the open one, and what accrued since."""
        known = self.known
        closed = known.closed.timeline(scope, currency).spent(span)
        here = (known.running.pods[place] for place in known.running.groups.inside(scope))
        accrued = sum(one.accrued(max(known.running.since_ms, span.start_ms), known.now_ms) for one in here)
        return closed + self._open(scope, currency, span) + accrued

    def unit_series(
        self, plan: BudgetPlan, scope: Scope, found: ScopeSpend, starts: Sequence[int]
    ) -> tuple[Values, Values] | None:
        """Cost and units by hour of the workloads that are counted; None where there is none."""
        names = self._inside(found)
        if not names:
            return None
        cost, units = (np.full(len(starts), np.nan) for _ in range(2))
        for name in names:
            line = self.known.closed.timeline(_of_workload(scope, name), plan.currency)
            spent, _, _ = line.hourly(len(starts), starts[-1] + HOUR_MS)
            counted = self.book.by_hour(name, starts)
            both = [place for place, start in enumerate(starts) if start in counted and np.isfinite(spent[place])]
            for place in both:
                cost[place] = np.nansum([cost[place], spent[place]])
                units[place] = np.nansum([units[place], counted[starts[place]]])
        return cost, units


def _of_workload(scope: Scope, name: WorkloadName) -> Scope:
    return narrowed(scope, {"namespace": name[0], "workload": name[1]})


def _stages(found: ScopeSpend) -> dict[tuple[str, str, str], str]:
    """What runs in a scope, as subjects of redlines, with its stage."""
    stages: dict[tuple[str, str, str], str] = {}
    for pod in found.committed:
        holder = pod.holder
        if holder.workload:
            key = ("AIWorkload", holder.namespace, holder.workload)
        else:
            key = (holder.controller_kind, holder.namespace, holder.controller)
        stages[key] = holder.dimensions.get("stage", "")
    return stages
