"""The figures that a gate was decided by, read back from a status: each rung is compared by the domain's own rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aicost.domain.budgets.deciding.figures import BudgetSpend, Data, figure_of
from aicost.domain.budgets.gates import Basis
from aicost.domain.budgets.pace import Spend, stand
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import PPM, BudgetPlan, Rung
from aicost.domain.enforcement.values import IN_FORCE
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import DAY_MS, HOUR_MS
from aicost.entrypoints.cli.output.budget.reading import Body, at, items, moment, share_ppm, text, whole

_SPANS_MS = {"1h": HOUR_MS, "6h": 6 * HOUR_MS, "3d": 3 * DAY_MS}


@dataclass(frozen=True, slots=True)
class Money:
    """The amounts of a status, in nano-units.

    Attributes:
        settled: spend of closed windows.
        provisional: what the open window contributes.
        accrued: what was held since that was computed.
        forecast: likely spend at the end; None where it is not known.
        rate: the higher of the mean rate of the last day and of what runs now, per hour; None where neither is known.
    """

    limit: int
    settled: int
    provisional: int
    accrued: int
    forecast: int | None
    rate: int | None

    @property
    def counted(self) -> int:
        """All that the budget is judged by."""
        return self.settled + self.provisional + self.accrued


@dataclass(frozen=True, slots=True)
class RungFigure:
    """A rung with the figure that it is compared with.

    Attributes:
        now: the figure, in the rung's unit; None where it is not known.
        status: what the status says of it; empty where it says nothing.
    """

    rung: Rung
    now: int | None
    status: Body


def money_of(budget: Body) -> Money | None:
    """The amounts; None while nothing was computed."""
    status = at(budget, "status")
    limit, total = whole(status, "limitNanos"), whole(status, "spent", "totalNanos")
    if limit is None or limit <= 0 or total is None:
        return None
    provisional = whole(status, "spent", "provisionalNanos") or 0
    rates = [whole(status, name) for name in ("ratePerHourNanos", "committedPerHourNanos")]
    return Money(
        limit=limit,
        settled=total - provisional,
        provisional=provisional,
        accrued=whole(status, "spent", "accruedNanos") or 0,
        forecast=whole(status, "forecast", "totalNanos"),
        rate=max((rate for rate in rates if rate is not None), default=None),
    )


def rung_figures(budget: Body, plan: BudgetPlan, actions: Sequence[Body]) -> tuple[RungFigure, ...]:
    """Each rung of the ladder, in its order."""
    stated = {text(one, "name"): one for one in items(budget, "status", "rungs")}
    spend = _spend(budget, actions)
    return tuple(RungFigure(rung, _figure(rung, spend), stated.get(rung.name, {})) for rung in plan.ladder)


def _figure(rung: Rung, spend: BudgetSpend | None) -> int | None:
    return None if spend is None else figure_of(rung, spend)


def rung_amount(rung: Rung, limit_nanos: int) -> int | None:
    """Where a rung stands in money; None for one that is not about an amount."""
    return divide(limit_nanos * rung.at, PPM) if rung.basis in {Basis.ACTUAL, Basis.FORECAST} else None


def _spend(budget: Body, actions: Sequence[Body]) -> BudgetSpend | None:
    """The figures as the decision saw them; None while nothing was computed."""
    status, money = at(budget, "status"), money_of(budget)
    start, updated = moment(status, "period", "start"), moment(status, "updatedAt")
    if money is None or start is None or updated is None:
        return None
    period = Period(start, moment(status, "period", "end"))
    committed = whole(status, "committedPerHourNanos") or 0
    spend = Spend(
        nanos=money.settled + money.provisional,
        provisional_nanos=money.provisional,
        recent_nanos=0,
        recent_ms=0,
        since_ms=start,
        accrued_nanos=money.accrued,
        committed_nanos=committed,
        lately=tuple(_lately(status)),
    )
    standing = replace(stand(money.limit, period, spend, updated), forecast_nanos=money.forecast)
    return BudgetSpend(
        period=period,
        key=0,
        standing=standing,
        data=Data(moment(status, "data", "asOf")),
        committed_nanos=committed,
        stopped_nanos=_stopped(actions),
        unit_cost_ppm=share_ppm(status, "unitCost"),
    )


def _lately(status: Body) -> Iterator[tuple[int, int]]:
    """The cost of the spans whose rates the status has."""
    for one in items(status, "burn"):
        span_ms, rate = _SPANS_MS.get(text(one, "over")), whole(one, "ratePerHourNanos")
        if span_ms is not None and rate is not None:
            yield span_ms, rate * span_ms // HOUR_MS


def _stopped(actions: Sequence[Body]) -> int:
    """Cost per hour of what the budget has stopped: it would run if it were let."""
    in_force = (one for one in actions if text(one, "status", "phase") in IN_FORCE)
    return sum(whole(one, "spec", "estimate", "savePerHourNanos") or 0 for one in in_force)
