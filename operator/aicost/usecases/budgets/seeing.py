"""What nudges look at, taken from the ledger: hourly figures of one scope, its GPU models, and who contributes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aicost.domain.budgets.nudges.normal import LOOK_BACK_HOURS
from aicost.domain.budgets.nudges.seen import Contributor, Seen
from aicost.domain.budgets.plans import BudgetPlan, NudgeOn
from aicost.domain.budgets.spend.found import ScopeSpend
from aicost.domain.budgets.spend.scopes import Scope, narrowed
from aicost.domain.budgets.spend.series import Timeline
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.sampling.series import Values
from aicost.usecases.budgets.spending import Known
from aicost.usecases.budgets.units import Achievements

HOURS = LOOK_BACK_HOURS + 24
"""Hours that are handed in: the look-back, and the day that is compared with it."""
_NORMAL_DAYS = 7
_MOST_CONTRIBUTORS = 8


@dataclass(frozen=True, slots=True)
class Sight:
    """Looks at scopes for nudges."""

    known: Known
    achievements: Achievements

    def seen(self, plan: BudgetPlan, scope: Scope, found: ScopeSpend) -> Seen:
        """The figures of one scope up to the last whole hour of the ledger."""
        closed = self.known.closed
        if closed.end_ms is None or closed.first_ms is None:
            return Seen()
        end_ms = closed.end_ms // HOUR_MS * HOUR_MS
        cost, idle_ms, busy_ms = found.timeline.hourly(HOURS, end_ms)
        starts = range(end_ms - HOURS * HOUR_MS, end_ms, HOUR_MS)
        units = self.achievements.unit_series(plan, scope, found, starts)
        committed = _committed(found, plan.currency)
        since_ms = max(closed.first_ms, end_ms - LOOK_BACK_HOURS * HOUR_MS)
        lines = {model: closed.timeline(narrowed(scope, {"gpu-model": model}), plan.currency) for model in committed}
        return Seen(
            cost=cost,
            idle_ms=idle_ms,
            busy_ms=busy_ms,
            idle_cost=_part(cost, idle_ms, idle_ms + busy_ms),
            unit_cost=units[0] if units else None,
            units=units[1] if units else None,
            committed=committed,
            first_ms={model: first for model, line in lines.items() if (first := _first(line, since_ms)) is not None},
            since_ms=since_ms,
            contributors=self._contributors(plan, scope, found, end_ms),
        )

    def _contributors(
        self, plan: BudgetPlan, scope: Scope, found: ScopeSpend, end_ms: int
    ) -> dict[NudgeOn, Sequence[Contributor]]:
        """Who costs more than they did: AIWorkloads by their names, and for GPU models what runs on them."""
        risen = []
        for space, name in found.by_workload:
            line = self.known.closed.timeline(narrowed(scope, {"namespace": space, "workload": name}), plan.currency)
            now = line.spent(Window(end_ms - DAY_MS, end_ms))
            before = line.spent(Window(end_ms - (_NORMAL_DAYS + 1) * DAY_MS, end_ms - DAY_MS)) // _NORMAL_DAYS
            risen.append(Contributor(f"{space}/{name}", now, before))
        largest = sorted(risen, key=lambda one: -one.change_nanos)[:_MOST_CONTRIBUTORS]
        return {NudgeOn.RATE: largest, NudgeOn.UNIT_COST: largest, NudgeOn.GPU_MODEL: _on_models(found, plan.currency)}


def _committed(found: ScopeSpend, currency: str) -> dict[str, int]:
    """GPU model -> cost per hour of what runs on it now."""
    rates: Counter[str] = Counter()
    for pod in found.committed:
        if pod.currency == currency and pod.place.gpu_model:
            rates[pod.place.gpu_model] += pod.rate_nanos or 0
    return dict(rates)


def _first(line: Timeline, since_ms: int) -> int | None:
    """Start of the first window with a cost, from a moment on; None for none."""
    at = np.flatnonzero((line.cost > 0) & (line.starts_ms >= since_ms))
    return int(line.starts_ms[at[0]]) if len(at) else None


def _part(whole: Values, part: Values, of: Values) -> Values:
    """A share of each hour's cost; 0 where nothing was held, unknown where the hour is."""
    share: Values = np.divide(part, of, out=np.zeros(len(of)), where=of > 0)
    shared: Values = whole * share
    return shared


def _on_models(found: ScopeSpend, currency: str) -> list[Contributor]:
    """What runs on each GPU model now, by its controller."""
    rates: Counter[tuple[str, str]] = Counter()
    for pod in found.committed:
        if pod.currency == currency:
            holder = pod.holder
            name = holder.workload or f"{holder.controller_kind} {holder.controller}".strip() or holder.pod
            rates[f"{holder.namespace}/{name}", pod.place.gpu_model] += pod.rate_nanos or 0
    largest = rates.most_common(_MOST_CONTRIBUTORS)
    return [Contributor(name, nanos * 24, 0, model) for (name, model), nanos in largest]
