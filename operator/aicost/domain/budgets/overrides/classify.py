"""Whether a request for more is a minor overrun or a major one, and why: everybody who asks gets the same answer."""

from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.budgets.overrides.values import Override, OverrideClass, Purpose
from aicost.domain.budgets.plans import BudgetPlan, MinorRule


class ClassReason(StrEnum):
    """Why a request is what it is."""

    WITHIN = "Within"
    ABOVE_PERCENT = "AbovePercent"
    ABOVE_AMOUNT = "AboveAmount"
    ABOVE_CUMULATIVE = "AboveCumulative"
    STOPS_PRODUCTION = "StopsProduction"


@dataclass(frozen=True, slots=True)
class Classified:
    """What a request is.

    Attributes:
        asked_nanos: what it adds to the limit; None for a request that is not about an amount.
        most_nanos: the most that it might have asked for as a minor one: what the reason names, or for one that is
            within, the tightest of all bounds. None for a request that is not about an amount.
    """

    as_class: OverrideClass
    reason: ClassReason
    asked_nanos: int | None = None
    most_nanos: int | None = None


def classify(override: Override, rule: MinorRule, base_nanos: int, minor_nanos: int) -> Classified | None:
    """Say what a request is; None for a break-glass, which is neither.

    It is minor if it asks for no more than the percentage and the amount that one request may ask for, and if it and
    all minor overruns of the period together stay within the cumulative percentage.

    Args:
        override: the request.
        rule: what the budget calls minor.
        base_nanos: limit of the period before anything was carried or approved; percentages are of it.
        minor_nanos: what other minor overruns add in this period, ended ones included.
    """
    if override.purpose is Purpose.BREAK_GLASS:
        return None
    if override.purpose is Purpose.STOP_PRODUCTION:
        return Classified(OverrideClass.MAJOR, ClassReason.STOPS_PRODUCTION)
    asked = override.asked_nanos(base_nanos)
    bounds = _bounds(rule, base_nanos, minor_nanos)
    for most, reason in bounds:
        if asked > most:
            return Classified(OverrideClass.MAJOR, reason, asked, most)
    return Classified(OverrideClass.MINOR, ClassReason.WITHIN, asked, min(bounds)[0])


def _bounds(rule: MinorRule, base_nanos: int, minor_nanos: int) -> list[tuple[int, ClassReason]]:
    """The most that a minor request may ask for, by each bound; those of a single request first."""
    single = [(base_nanos * rule.percent // 100, ClassReason.ABOVE_PERCENT)]
    if rule.max_nanos is not None:
        single.append((rule.max_nanos, ClassReason.ABOVE_AMOUNT))
    left = max(0, base_nanos * rule.cumulative_percent // 100 - minor_nanos)
    return [*sorted(single), (left, ClassReason.ABOVE_CUMULATIVE)]


def allows_self_approval(budget: BudgetPlan) -> bool:
    """Whether people with the verb approve-minor may approve a minor overrun that they asked for themselves."""
    said = budget.approvals.minor.self_approval
    return not budget.is_production if said is None else said
