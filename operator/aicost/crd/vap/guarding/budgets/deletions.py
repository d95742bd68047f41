"""The guard of what may not just be deleted: gates, steps that are in force, budgets that refuse, and decisions."""

from aicost.crd.vap.guarding.budgets.budgets import BUDGETS
from aicost.crd.vap.guarding.budgets.named import about_named
from aicost.crd.vap.guarding.budgets.verbs import (
    ALL_HERE,
    EDIT_LIMIT,
    ITSELF,
    PLURAL,
    keepers,
    lacks,
    may_here,
    may_itself,
)
from aicost.crd.vap.guarding.guard import Check, Guard
from aicost.crd.vap.language.cel import found, texts
from aicost.crd.vap.language.requests import USER
from aicost.crd.vap.language.sentences import sentence
from aicost.crd.vap.language.shapes import Rules
from aicost.domain.budgets.gates import GATES, Gate, Mode, at_least
from aicost.domain.budgets.overrides.values import Purpose
from aicost.domain.enforcement.values import IN_FORCE, ActionPhase

_MORE = "ask for more with kubectl aicost budget request, or ask somebody who has the verb"
_RECORDS = ("budgetactions", "budgetgates")
_HELD = (*sorted(IN_FORCE), ActionPhase.CONTESTED)
_REFUSING = tuple(gate for gate in GATES if at_least(gate, Gate.DENY_NEW))


def deletion_guard(account: str) -> Guard:
    """Who gets out of a budget by deleting something needs the verb that breaks the glass.

    Args:
        account: user name of the controller.
    """
    variables = {
        "free": keepers(account),
        "phase": found("oldObject", "/status/phase"),
        "mode": found("oldObject", "/spec/mode"),
        "gate": found("oldObject", "/status/gate"),
        "decided": f"{found('oldObject', '/spec/decision')}.size() > 0",
        "mine": f"{found('oldObject', '/spec/requestedBy')}.exists(v, v == {USER})",
        "purpose": found("oldObject", "/spec/purpose"),
        **about_named("oldObject"),
    }
    remark = f"variables.free ? '' : {sentence('<user> deletes <what>', what=ITSELF)}"
    rules = Rules({"aicost.dev": [*_RECORDS, *BUDGETS, "budgetoverrides"]}, ("DELETE",))
    checks = [_records(), _budgets(), _overrides()]
    return Guard("budget-deletion", rules, variables, checks, children=True, remark=remark)


def _check(plurals: tuple[str, ...], free: str, may: str, message: str) -> Check:
    return Check(f"variables.free || !({PLURAL} in {texts(plurals)}) || {free} || {may}", message)


def _records() -> Check:
    """Gates lapse by themselves, and steps are undone from their records."""
    ended = f"({PLURAL} == 'budgetactions' && !variables.phase.exists(v, v in {texts(_HELD)}))"
    message = sentence(
        f"[budget] <what> is in force: <lacks>. Fix: {_MORE}", what=ITSELF, lacks=lacks(EDIT_LIMIT, ALL_HERE)
    )
    return _check(_RECORDS, ended, may_here(EDIT_LIMIT), message)


def _budgets() -> Check:
    refuses = f"(variables.mode.exists(v, v == '{Mode.ENFORCE}') && variables.gate.exists(v, v in {texts(_REFUSING)}))"
    message = sentence(
        f"[budget] <what> has its gate at <gate>: <lacks>. Fix: {_MORE}",
        what=ITSELF,
        gate="string((variables.gate + [''])[0])",
        lacks=lacks(EDIT_LIMIT),
    )
    return _check(BUDGETS, f"!{refuses}", may_itself(EDIT_LIMIT), message)


def _overrides() -> Check:
    """A break-glass holds without a decision, so it is no less kept for its review."""
    undecided = f"(variables.mine && !variables.decided && !variables.purpose.exists(v, v == '{Purpose.BREAK_GLASS}'))"
    message = sentence(
        "[budget] <what> stays as a record: only who asked may take it back, and only before it holds; <lacks>. Fix: "
        "leave it, it ends by itself",
        what=ITSELF,
        lacks=lacks(EDIT_LIMIT, "variables.budget"),
    )
    return _check(("budgetoverrides",), undecided, f"variables.named.check('{EDIT_LIMIT}').allowed()", message)
