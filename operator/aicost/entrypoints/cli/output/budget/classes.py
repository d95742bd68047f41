"""What a request for more is by the budget's own rules, and who may decide it. The API server has the last word."""

from collections.abc import Iterator
from dataclasses import dataclass

from aicost.crd.convert.budget.override import read_override
from aicost.crd.status.texts import money
from aicost.domain.budgets.overrides.classify import Classified, ClassReason, allows_self_approval, classify
from aicost.domain.budgets.overrides.values import Override, OverrideClass, Purpose
from aicost.domain.budgets.periods import current_period
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef
from aicost.entrypoints.cli.output.budget.reading import Body, budget_of, plan_of, text, whole

VERBS = {OverrideClass.MINOR: "approve-minor", OverrideClass.MAJOR: "approve-major"}
"""Verbs on a budget that a decision takes."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a request will be taken for.

    Attributes:
        plan: what the budget asks for; None where it cannot be read.
        found: the class with its reason; None for a break-glass, and where the budget cannot be read.
        base_nanos: what percentages are of.
        minor_nanos: minor overruns of the period so far.
    """

    override: Override
    budget: BudgetRef
    plan: BudgetPlan | None
    found: Classified | None = None
    base_nanos: int = 0
    minor_nanos: int = 0

    @property
    def verb(self) -> str:
        """The verb on the budget that a decision takes."""
        return VERBS[self.found.as_class if self.found else OverrideClass.MAJOR]

    @property
    def allows_own(self) -> bool:
        """Whether who asks may approve it, with the verb."""
        minor = self.found is not None and self.found.as_class is OverrideClass.MINOR
        return minor and self.plan is not None and allows_self_approval(self.plan)


def override_of(body: Body) -> Override:
    """A request as the domain knows it; of one that cannot be read, who asks and why."""
    try:
        read = read_override(body).value
    except (KeyError, TypeError, ValueError, AttributeError):
        read = None
    if read is not None:
        return read.override
    namespace, name, uid = (text(body, "metadata", field) for field in ("namespace", "name", "uid"))
    by, why = text(body, "spec", "requestedBy"), text(body, "spec", "reason")
    return Override(namespace, name, uid, Purpose.RAISE_LIMIT, by, 0, why)


def predict(request: Body, budget: Body | None, now_ms: int) -> Prediction:
    """Say what a request will be taken for.

    Args:
        request: the BudgetOverride.
        budget: its budget; None where it cannot be read.
        now_ms: the present moment.
    """
    override, ref = override_of(request), budget_of(request)
    plan = plan_of(budget)
    if plan is None:
        return Prediction(override, ref, None)
    base = whole(budget, "status", "limitParts", "baseNanos")
    if base is None:  # nothing was computed yet: what the spec says
        base = plan.limit_nanos(current_period(plan.rule, now_ms).start_ms)
    minor = whole(budget, "status", "limitParts", "minorNanos") or 0
    found = classify(override, plan.approvals.minor, base, minor)
    return Prediction(override, ref, plan, found, base, minor)


def class_words(one: Prediction) -> str:
    """The class, and why."""
    if one.override.purpose is Purpose.BREAK_GLASS:
        return "neither minor nor major: a break-glass holds at once and is reviewed afterwards"
    if one.plan is None or one.found is None:
        return "not known from here, because the budget cannot be read; who may read it sees it"
    return f"{one.found.as_class.lower()}: {_why(one, one.plan, one.found)}"


def _why(one: Prediction, plan: BudgetPlan, found: Classified) -> str:
    rule, currency = plan.approvals.minor, plan.currency
    base, asked, most = (money(nanos or 0, currency) for nanos in (one.base_nanos, found.asked_nanos, found.most_nanos))
    so_far = money(one.minor_nanos, currency)
    match found.reason:
        case ClassReason.STOPS_PRODUCTION:
            return "stopping production always is"
        case ClassReason.ABOVE_PERCENT:
            return f"{asked} is more than {rule.percent}% of {base}, which is {most}"
        case ClassReason.ABOVE_AMOUNT:
            return f"{asked} is more than {most}, the most that one minor request may ask for"
        case ClassReason.ABOVE_CUMULATIVE:
            return (
                f"all minor overruns of a period together may add {rule.cumulative_percent}% of {base}; "
                f"{so_far} are used, {most} are left, and it asks for {asked}"
            )
        case ClassReason.WITHIN:
            least = "" if rule.max_nanos is None else f" and {money(rule.max_nanos, currency)}"
            together = f"with {so_far} of minor overruns before it, within {rule.cumulative_percent}%"
            return f"{asked} is within {rule.percent}% of {base}{least} and, {together}"


def asked_words(one: Prediction) -> str:
    """What is asked for, in few words."""
    override = one.override
    if override.purpose is Purpose.BREAK_GLASS:
        return "break-glass"
    if override.purpose is Purpose.STOP_PRODUCTION:
        return "stop production"
    return " or ".join(_amounts(one)) or "-"


def _amounts(one: Prediction) -> Iterator[str]:
    currency = "" if one.plan is None else one.plan.currency
    if one.override.percent is not None:
        added = f" = {money(one.override.asked_nanos(one.base_nanos), currency)}" if one.plan else ""
        yield f"+{one.override.percent}%{added}"
    elif one.override.nanos is not None:
        yield f"+{_amount(one.override.nanos, currency)}"


def _amount(amount_nanos: int, currency: str) -> str:
    """An amount; without its currency where the budget cannot be read."""
    return money(amount_nanos, currency) if currency else money(amount_nanos, "XXX").removesuffix(" XXX")


def who_words(one: Prediction) -> str:
    """Who may decide it."""
    plural = f"{one.budget.kind.lower()}s"
    place = f" in namespace {one.budget.namespace}" if one.budget.namespace else ""
    on = f"on {plural}/{one.budget.name}{place}"
    if one.found is None:
        return f"whoever has the verb approve-minor {on}; if it is major, approve-major"
    own = "included" if one.allows_own else "excepted"
    return f"whoever has the verb {one.verb} {on}, {one.override.requested_by} {own}"
