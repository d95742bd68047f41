"""What comes next for a budget, in a few words: a column of `kubectl get`."""

from aicost.domain.budgets.deciding.decide import GateDecision, Why
from aicost.domain.budgets.deciding.figures import Blindness, figure_of
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Basis, Gate, Mode, rank
from aicost.domain.budgets.messages.words import blind, moment, money, percent
from aicost.domain.budgets.pace import PPM
from aicost.domain.budgets.plans import Rung
from aicost.domain.exact.windows import HOUR_MS, describe_length


def outlook(one: Evaluation) -> str:
    """What comes next."""
    return _standstill(one) or _announced(one) or _next(one) or _nothing_harder(one)


def _standstill(one: Evaluation) -> str:
    """Why nothing moves at all; empty where something may."""
    if one.weighed.glass:
        ends = one.weighed.glass.ends_ms
        return f"None: the glass is broken until {moment(ends) if ends else 'it is reviewed'}"
    if one.plan.paused:
        return "None: it is paused"
    reason = one.last.reason
    return f"Held: {blind(reason, one.spend.data, one.now_ms)}" if isinstance(reason, Blindness) else ""


def _announced(one: Evaluation) -> str:
    """A step that is announced or waits for something; empty where there is none."""
    decision = one.last
    if decision.state.pending:
        pending = decision.state.pending
        return f"{_prefix(one.plan.mode)}{pending.gate} at {moment(pending.due_ms)}"
    if decision.reason is Why.IN_COOLDOWN:
        return "The next step that stops pods, after the cooldown"
    if decision.reason is Why.LABELS_THIN:
        return f"Held at {_name(decision)}: too little of the cost has its labels"
    return ""


def _name(decision: GateDecision) -> str:
    return decision.gate.value if decision.gate else "no gate"


def _prefix(mode: Mode) -> str:
    """What only would be done is said to be so."""
    return "" if mode is Mode.ENFORCE else f"{mode} only: "


def _nothing_harder(one: Evaluation) -> str:
    if one.last.reason is Why.MAX_GATE:
        return f"None: maxGate is {one.plan.max_gate}"
    return "None"


def _next(one: Evaluation) -> str:
    """The rung that comes next: of those that do not hold yet, the nearest one that may open something harder."""
    waiting = [rung for rung in one.plan.ladder if not one.last.state.holds(rung) and _matters(one, rung)]
    if not waiting:
        return ""
    rung = max(waiting, key=lambda rung: (_nearness(one, rung), -rank(rung.gate)))
    return f"{_prefix(one.plan.mode)}{rung.gate} at {_at(one, rung)}"


def _matters(one: Evaluation, rung: Rung) -> bool:
    harder = rank(rung.gate) > rank(one.last.gate) or rung.gate is Gate.NOTIFY
    return harder and rank(rung.gate) <= rank(one.plan.max_gate)


def _nearness(one: Evaluation, rung: Rung) -> float:
    """How much of the way to a rung is gone."""
    return (figure_of(rung, one.spend) or 0) / rung.at if rung.at else 0.0


def _at(one: Evaluation, rung: Rung) -> str:
    match rung.basis:
        case Basis.ACTUAL:
            return f"{percent(rung.at)} ({money(rung.at * one.spend.limit_nanos // PPM, one.plan)}){_in(one, rung)}"
        case Basis.FORECAST:
            return f"a forecast of {percent(rung.at)}"
        case Basis.BURN_RATE:
            return f"burn rate {rung.at / PPM:g}"
        case Basis.COMMITTED_RATE:
            return f"{money(rung.at, one.plan)}/h committed"
        case Basis.UNIT_COST:
            return f"unit cost {percent(rung.at)} of target"


def _in(one: Evaluation, rung: Rung) -> str:
    """When that is, at what is spent per hour now."""
    standing = one.spend.standing
    rate = max(standing.rate_per_hour_nanos or 0, standing.spend.committed_nanos)
    missing = rung.at * one.spend.limit_nanos // PPM - standing.spend.counted_nanos
    if rate <= 0 or missing <= 0:
        return ""
    left_ms = missing * HOUR_MS // rate
    ends = one.period.end_ms
    return f" in {describe_length(left_ms)}" if ends is None or one.now_ms + left_ms < ends else ""
