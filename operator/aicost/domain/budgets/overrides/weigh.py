"""What requests for more come to: which hold now, what they add, and what becomes of the others."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.budgets.overrides.classify import Classified, allows_self_approval, classify
from aicost.domain.budgets.overrides.values import Override, OverrideClass, Phase, Purpose, Ruling
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.exact.windows import DAY_MS, HOUR_MS

UNDECIDED_MS = 72 * HOUR_MS
"""After this nobody will decide any more."""
OPEN_END_MS = 30 * DAY_MS
"""How long an override of a budget without an end holds that names no end itself."""


class OverrideReason(StrEnum):
    """Why a request stands where it does."""

    ACTIVE = "Active"
    UNDECIDED = "Undecided"
    NEEDS_MAJOR = "NeedsMajor"
    NOT_ALLOWED = "NotAllowed"
    DENIED = "Denied"
    EXPIRED = "Expired"
    REVIEW_MISSING = "ReviewMissing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request.

    Attributes:
        classified: what it is; None for a break-glass.
        added_nanos: what it adds to the limit now.
        ends_ms: when it ends, or when nobody will decide any more; None where it has ended.
    """

    override: Override
    phase: Phase
    reason: OverrideReason
    classified: Classified | None
    added_nanos: int = 0
    active_ms: int | None = None
    ends_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What all requests of a budget come to.

    Attributes:
        approved_nanos: what is added to the limit.
        minor_nanos: what minor overruns have added in this period, ended ones included.
        may_stop_production: whether somebody allowed that workloads of stage production are stopped.
        glass: the break-glass that lifts the gates now.
        review_due: whether a break-glass has ended and nobody reviewed it.
    """

    verdicts: tuple[Verdict, ...] = ()
    approved_nanos: int = 0
    minor_nanos: int = 0
    may_stop_production: bool = False
    glass: Verdict | None = None
    review_due: bool = False

    @property
    def active(self) -> tuple[Override, ...]:
        """Requests that hold now."""
        return tuple(one.override for one in self.verdicts if one.phase is Phase.ACTIVE)


def weigh(overrides: Iterable[Override], budget: BudgetPlan, period: Period, base_nanos: int, now_ms: int) -> Weighed:
    """Weigh all requests for one budget, those that hold longest first, so that the cumulative cap meets the latest.

    Args:
        overrides: requests that name the budget.
        budget: what it allows.
        period: the period that is running.
        base_nanos: its limit before anything was carried or approved.
        now_ms: the present moment.
    """
    verdicts: list[Verdict] = []
    minor = 0
    for one in sorted(overrides, key=_by_age):
        verdict = _judge(one, budget, period, (base_nanos, minor), now_ms)
        verdicts.append(verdict)
        minor += _minor(verdict, budget, period, base_nanos)
    live = [one for one in verdicts if one.phase is Phase.ACTIVE]
    return Weighed(
        verdicts=tuple(verdicts),
        approved_nanos=sum(one.added_nanos for one in live),
        minor_nanos=minor,
        may_stop_production=any(one.override.purpose is Purpose.STOP_PRODUCTION for one in live),
        glass=next((one for one in live if one.override.purpose is Purpose.BREAK_GLASS), None),
        review_due=any(one.phase is Phase.REVIEW_DUE for one in verdicts),
    )


def _by_age(one: Override) -> tuple[int, int, str, str]:
    """Those that hold already, in the order in which they began, then the others as they came."""
    began = one.active_ms if one.active_ms is not None else 2**62
    return began, one.created_ms, one.namespace, one.name


def _minor(verdict: Verdict, budget: BudgetPlan, period: Period, base_nanos: int) -> int:
    """What a minor overrun counts for in each period that it holds in, also once it has ended."""
    one, active = verdict.override, verdict.active_ms
    if one.decided is None or active is None or verdict.classified is None:
        return 0
    is_minor = one.decided.ruling is Ruling.APPROVED and one.decided.as_class is OverrideClass.MINOR
    holds = active >= period.start_ms or _ends_ms(one, budget, period, active) > period.start_ms
    return one.asked_nanos(base_nanos) if is_minor and holds else 0


def _judge(one: Override, budget: BudgetPlan, period: Period, sums: tuple[int, int], now_ms: int) -> Verdict:
    if one.purpose is Purpose.BREAK_GLASS:
        return _judge_glass(one, budget, now_ms)
    classified = classify(one, budget.approvals.minor, *sums)
    if one.lapsed:
        return Verdict(one, Phase.EXPIRED, OverrideReason.EXPIRED, classified)
    if one.decided is not None and one.decided.ruling is Ruling.DENIED:
        return Verdict(one, Phase.DENIED, OverrideReason.DENIED, classified)
    if doubt := _waits_for(one, budget, classified):
        return _undecided(one, classified, doubt, now_ms)
    active = one.active_ms if one.active_ms is not None else now_ms
    ends = _ends_ms(one, budget, period, active)
    if now_ms >= ends:
        return Verdict(one, Phase.EXPIRED, OverrideReason.EXPIRED, classified, active_ms=one.active_ms)
    added = one.asked_nanos(sums[0]) if one.purpose is Purpose.RAISE_LIMIT else 0
    return Verdict(one, Phase.ACTIVE, OverrideReason.ACTIVE, classified, added, active, ends)


def _waits_for(one: Override, budget: BudgetPlan, classified: Classified | None) -> OverrideReason | None:
    """Why a request does not hold yet; None where it does, or did."""
    if one.decided is None:
        return OverrideReason.UNDECIDED
    return None if one.active_ms is not None else _doubt(one, budget, classified)


def _doubt(one: Override, budget: BudgetPlan, classified: Classified | None) -> OverrideReason | None:
    """Why an approval does not hold. The API server has asked the same; what it let through is asked once more."""
    decided = one.decided
    if decided is None or classified is None:
        return None
    as_minor = decided.as_class is OverrideClass.MINOR
    if as_minor and classified.as_class is OverrideClass.MAJOR:
        return OverrideReason.NEEDS_MAJOR
    by_self = decided.by == one.requested_by
    if by_self and not (as_minor and allows_self_approval(budget)):
        return OverrideReason.NOT_ALLOWED
    if one.purpose is Purpose.STOP_PRODUCTION and not budget.safety.victims.allow_production:
        return OverrideReason.NOT_ALLOWED
    return None


def _undecided(one: Override, classified: Classified | None, reason: OverrideReason, now_ms: int) -> Verdict:
    ends = one.created_ms + UNDECIDED_MS
    if now_ms >= ends:
        return Verdict(one, Phase.EXPIRED, OverrideReason.EXPIRED, classified)
    return Verdict(one, Phase.PENDING, reason, classified, ends_ms=ends)


def _judge_glass(one: Override, budget: BudgetPlan, now_ms: int) -> Verdict:
    """It holds at once, and not for long; afterwards somebody else looks at it."""
    ends = one.created_ms + budget.approvals.break_glass_ms
    ends = ends if one.until_ms is None else min(ends, one.until_ms)
    if now_ms < ends:
        return Verdict(one, Phase.ACTIVE, OverrideReason.ACTIVE, None, 0, one.created_ms, ends)
    if one.reviewed_by not in {"", one.requested_by}:
        return Verdict(one, Phase.EXPIRED, OverrideReason.EXPIRED, None, active_ms=one.created_ms)
    return Verdict(one, Phase.REVIEW_DUE, OverrideReason.REVIEW_MISSING, None, active_ms=one.created_ms)


def _ends_ms(one: Override, budget: BudgetPlan, period: Period, active_ms: int) -> int:
    """When it ends: as it asks, or with the period that it began in, and never later than the budget allows."""
    asked = one.until_ms if one.until_ms is not None else _usual_end(period, active_ms)
    longest = budget.approvals.max_duration_ms
    return asked if longest is None else min(asked, active_ms + longest)


def _usual_end(period: Period, active_ms: int) -> int:
    if period.end_ms is None:
        return active_ms + OPEN_END_MS
    return period.end_ms if active_ms >= period.start_ms else period.start_ms
