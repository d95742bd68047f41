"""Conditions of budgets: where they stand, what they do, what holds them back, and what waits for a person."""

from collections.abc import Iterator, Mapping, Sequence

from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.models.budget.doings import Enforced
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.conditions import Statement
from aicost.crd.status.texts import money
from aicost.domain.budgets.deciding.decide import Why
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Mode
from aicost.domain.budgets.messages.words import GATE_DOES, blind, command, moment, percent
from aicost.domain.budgets.overrides.values import Phase
from aicost.domain.budgets.pace import Standing
from aicost.entrypoints.controller.publish import judging

_YES, _NO = ConditionStatus.TRUE, ConditionStatus.FALSE


def ready(currency: str, foreign: Sequence[str]) -> Statement:
    """Ready of a budget: amounts of another currency are not in its spend, and nothing is converted."""
    if foreign:
        text = (
            f"A part of the cost is in {', '.join(foreign)} and is not in the spend: budget it in a budget of its own."
        )
        return judging.not_ready(Reason.CURRENCY_MISMATCH, f"The budget is in {currency}. {text}")
    return judging.reported()


def within(standing: Standing, currency: str) -> Statement:
    """WithinBudget: spend and forecast against the limit."""
    kind, limit = ConditionType.WITHIN_BUDGET, money(standing.limit_nanos, currency)
    counted = standing.spend.counted_nanos
    spent = f"{money(counted, currency)} of {limit} are spent"
    if counted >= standing.limit_nanos:
        return Statement(kind, _NO, Reason.OVER_LIMIT, f"{spent}: the limit is reached.")
    forecast = standing.forecast_nanos
    if forecast is not None and forecast > standing.limit_nanos:
        text = f"{spent}; at this pace it will be {money(forecast, currency)} at the end of the period."
        return Statement(kind, _YES, Reason.FORECAST_OVER, text)
    return Statement(kind, _YES, Reason.WITHIN, f"{spent}.")


def enforcing(one: Evaluation, asked: Mode, denied: Sequence[str]) -> Statement:
    """Enforcing: whether a gate is open and does its work.

    Args:
        one: the budget.
        asked: the mode of its spec.
        denied: rights that the controller lacks for its steps.
    """
    return next(found for found in _enforcing(one, asked, denied) if found is not None)


def _enforcing(one: Evaluation, asked: Mode, denied: Sequence[str]) -> Iterator[Statement | None]:
    """Each reason in turn, the first that holds counts; the last one always does."""
    plan, glass, gate = one.plan, one.weighed.glass, one.last.gate
    ends = moment(glass.ends_ms) if glass and glass.ends_ms else "it is reviewed"
    yield _not(bool(denied), Reason.NOT_PERMITTED, " ".join(denied)[:2048])
    yield _not(glass is not None, Reason.GLASS_BROKEN, f"A break-glass lifts all gates until {ends}.")
    switched = f"The mode is {asked}, and enforcement is switched off for this release (budgets.enforcement)."
    yield _not(plan.mode is not asked, Reason.SWITCHED_OFF, switched)
    observes = "The mode is Observe: it shows where it stands and does nothing else."
    yield _not(plan.mode is Mode.OBSERVE, Reason.OBSERVE_ONLY, observes)
    advises = "The mode is Advise: it tells people and does nothing else."
    yield _not(plan.mode is Mode.ADVISE, Reason.ADVISE_ONLY, advises)
    yield _not(plan.paused, Reason.PAUSED, "It is paused: nothing is opened and nothing closed.")
    yield _not(gate is None, Reason.NOTHING_REACHED, "No rung is reached.")
    if gate is not None:
        text = f"Gate {gate} is open since {moment(one.memory.gate.since_ms)}: {GATE_DOES[gate]}."
        yield Statement(ConditionType.ENFORCING, _YES, Reason.GATE_OPEN, text)


def _not(holds: bool, reason: Reason, text: str) -> Statement | None:  # noqa: FBT001 -- what it is about
    return Statement(ConditionType.ENFORCING, _NO, reason, text) if holds else None


def held(one: Evaluation) -> Statement:
    """EnforcementHeld: whether something keeps the gate where it is, and what to do about it."""
    kind, reason = ConditionType.ENFORCEMENT_HELD, one.last.reason
    if one.plan.paused:
        return Statement(kind, _YES, Reason.PAUSED, "It is paused: set spec.paused to false to go on.")
    if isinstance(reason, Blindness):
        text = blind(reason, one.spend.data, one.now_ms) if reason is not Blindness.STALE else "the figures are too old"
        fix = f" Once you have looked: {command('accept-prices', one.plan.ref)}" if _is_price(reason) else ""
        return Statement(kind, _YES, reason, f"Nothing is opened and nothing closed: {text}.{fix}")
    if reason is Why.LABELS_THIN:
        labels, least = one.spend.data.labels, one.plan.safety.enough_labels
        known = "none of the cost" if labels is None else f"{percent(int(labels * 1_000_000))} of the cost"
        text = f"{known} has all its labels; a gate above FreezeGrowth asks for {percent(int(least * 1_000_000))}."
        return Statement(kind, _YES, Reason.LABELS_THIN, text[0].upper() + text[1:])
    return Statement(kind, _NO, Reason.NOT_HELD, "Nothing holds it back.")


def _is_price(reason: Blindness) -> bool:
    return reason is Blindness.PRICE_JUMP


def contested(done: Enforced) -> Statement:
    """ActuatorContested: whether somebody else keeps undoing a step."""
    kind = ConditionType.ACTUATOR_CONTESTED
    if not done.contested:
        return Statement(kind, _NO, Reason.NOT_CONTESTED, "Nobody undoes what it does.")
    first = done.contested[0]
    text = f"{first.by or 'Somebody else'} keeps undoing what is done to {first.ref}: the controller gave way."
    return Statement(kind, _YES, Reason.CONTESTED, f"{text} {first.hint or ''}".strip())


def restoring(done: Enforced, not_restored: Sequence[str]) -> Statement:
    """RestorePending: whether something is to come back.

    Args:
        done: what is done now.
        not_restored: what did not come back, and why.
    """
    kind = ConditionType.RESTORE_PENDING
    if done.restore_pending:
        count = done.restore_pending
        steps = "1 step is" if count == 1 else f"{count} steps are"
        return Statement(kind, _YES, Reason.RESTORING, f"{steps} to be undone, a few GPUs at a time.")
    if not_restored:
        return Statement(kind, _YES, Reason.NOT_RESTORED, " ".join(not_restored)[:2048])
    return Statement(kind, _NO, Reason.NOTHING_TO_RESTORE, "Nothing waits to come back.")


def routes(wrong: Mapping[str, str], failing: Mapping[str, str]) -> Statement:
    """RoutesReady: whether the routes of a budget are there and take messages.

    Args:
        wrong: routes that it names and that are not offered to it, with the fix.
        failing: routes that do not take messages now, with the reason.
    """
    kind = ConditionType.ROUTES_READY
    if wrong:
        return Statement(kind, _NO, Reason.ROUTE_UNKNOWN, " ".join(wrong.values())[:2048])
    if failing:
        told = "; ".join(f"{name}: {why}" for name, why in failing.items())
        return Statement(kind, _NO, Reason.ROUTE_FAILS, f"Messages are sent again. {told}"[:2048])
    return Statement(kind, _YES, Reason.ROUTES_FOUND, "All its routes are there and take messages.")


def review(one: Evaluation) -> Statement:
    """ReviewDue: whether a break-glass waits for somebody to look at it."""
    kind = ConditionType.REVIEW_DUE
    due = [verdict.override for verdict in one.weighed.verdicts if verdict.phase is Phase.REVIEW_DUE]
    if not due:
        return Statement(kind, _NO, Reason.REVIEWED, "No break-glass waits for its review.")
    first = due[0]
    fix = f'kubectl aicost budget review {first.name} -n {first.namespace} --comment "..."'
    text = f"{first.requested_by} broke the glass, and nobody has reviewed it: somebody else runs {fix}"
    return Statement(kind, _YES, Reason.REVIEW_MISSING, text)
