"""The guards of minor overruns: each is asked of the budget itself, within its own rules, in nano-units and exactly.

An overrun of a budget that does not exist is asked of nobody; when the controller takes a decision up it looks again.
"""

from aicost.crd.vap.guarding.guard import Check, Guard
from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import all_of, first_or, found
from aicost.crd.vap.language.requests import USER
from aicost.crd.vap.language.sentences import sentence
from aicost.crd.vap.language.shapes import Rules
from aicost.crd.vap.language.values import plain
from aicost.domain.budgets.overrides.values import OverrideClass, Ruling
from aicost.domain.budgets.plans import MinorRule
from aicost.domain.exact.amounts import NANOS_PER_UNIT
from aicost.domain.identity.stages import Stage

_MINOR = "params.?spec.?approvals.?minor"
_PARTS = "params.?status.?limitParts"
_NONE = "9223372036854775807"
"""More than any limit."""
_DECIMALS = len(str(NANOS_PER_UNIT)) - 1


def minor_overrun_guard(kind: str, name: str) -> Guard:
    """No minor overrun is larger than its budget says, alone or with the others of the period.

    Args:
        kind: Budget or ClusterBudget.
        name: last part of the guard's name.
    """
    checks = [_known(), _alone(), _together(), _own()]
    rules = Rules({"aicost.dev": ["budgetoverrides"]}, ("UPDATE",))
    return Guard(
        name, rules, _variables(), checks, _conditions(kind), children=True, remark=_remark(), params=kind
    )  # fmt: skip


def _conditions(kind: str) -> dict[str, str]:
    """What it is about: a new approval of class Minor, of this very budget. Other purposes are never minor."""

    def says(pointer: str, value: str) -> str:
        return f"{found('object', pointer)}.exists(v, v == {value})"

    approves = [
        f"{found('oldObject', '/spec/decision')}.size() == 0",
        says("/spec/decision/class", f"'{OverrideClass.MINOR}'"),
        says("/spec/decision/state", f"'{Ruling.APPROVED}'"),
    ]
    about = [says("/spec/budgetRef/kind", f"'{kind}'"), says("/spec/budgetRef/name", "params.metadata.name")]
    sized = " + ".join(found("object", f"/spec/{field}") for field in ("amount", "percent"))
    return {"approves": all_of(approves), "of-some-size": f"({sized}).size() > 0", "about-this-budget": all_of(about)}


def _variables() -> Variables:
    usual = MinorRule()
    base = f"{_PARTS}.?baseNanos.orValue(0)"
    amount = f"{found('object', '/spec/amount')}.map(a, {_nanos('string(a)')})"
    percent = f"{found('object', '/spec/percent')}.map(p, p > 100 ? {_NONE} : {_share('variables.base', 'int(p)')})"
    return {
        "base": base,
        "asked": f"({amount} + {percent} + [{_NONE}])[0]",
        "percent": f"{_MINOR}.?percent.orValue({usual.percent})",
        "cumulative": f"{_MINOR}.?cumulativePercent.orValue({usual.cumulative_percent})",
        "cap": f"{_MINOR}.?maxAmount.orValue('')",
        "most": f"[{_share('variables.base', 'variables.percent')}, variables.cap == '' ? {_NONE} : "
        f"{_nanos('variables.cap')}].min()",
        "left": f"{_share('variables.base', 'variables.cumulative')} - {_PARTS}.?minorNanos.orValue(0)",
        "requester": f"string({first_or(found('object', '/spec/requestedBy'), repr(''))})",
        "production": _production(),
        "selfApproval": f"{_MINOR}.?selfApproval.orValue(!variables.production)",
        "name": "params.metadata.name",
    }


def _nanos(text: str) -> str:
    """The nano-units of a decimal text, as the definition lets one in."""
    fraction = f"((p.size() > 1 ? p[1] : '') + '{'0' * _DECIMALS}').substring(0, {_DECIMALS})"
    return f"[{text}.split('.')].map(p, int(p[0]) * {NANOS_PER_UNIT} + int({fraction}))[0]"


def _share(base: str, percent: str) -> str:
    """Some percent of an amount, at most 100, rounded down and without leaving 64 bits."""
    return f"({base} / 100 * {percent} + {base} % 100 * {percent} / 100)"


def _production() -> str:
    scope = "params.?spec.?scope.?dimensions.?stage.orValue([])"
    stages = f"({scope} + {found('params', '/spec/stage')})"
    return f"{stages}.exists(s, {plain('string(s)')} == '{Stage.PRODUCTION}')"


def _said(words: str, **values: str) -> str:
    return sentence(f'[budget] minor overrun of "<name>": {words}', name="variables.name", **values)


def _known() -> Check:
    message = _said(
        "its status says no limit yet, so nobody knows what is minor. Fix: wait until kubectl get budget shows LIMIT, "
        "or write class: Major"
    )
    return Check(f"{_PARTS}.?baseNanos.hasValue()", message)


def _alone() -> Check:
    message = _said(
        "it asks for more than <percent> percent of the limit<cap>. Fix: decide it as class: Major, or ask for less",
        percent="string(variables.percent)",
        cap=f"(variables.cap == '' ? '' : {sentence(' or than <cap>', cap='variables.cap')})",
    )
    return Check("variables.asked <= variables.most", message)


def _together() -> Check:
    message = _said(
        "with the others of this period it comes to more than <percent> percent of the limit. Fix: decide it as "
        "class: Major, or ask for less",
        percent="string(variables.cumulative)",
    )
    return Check("variables.asked <= variables.left", message)


def _own() -> Check:
    message = _said(
        "<user> asked for it and cannot approve it: spec.approvals.minor.selfApproval of the budget does not allow it. "
        "Fix: ask somebody else to decide"
    )
    return Check(f"variables.requester != {USER} || variables.selfApproval", message)


def _remark() -> str:
    return sentence(
        "<user> approves a minor overrun of <name>: <asked> nano-units of at most <most>, <left> left, for <requester>",
        name="variables.name",
        asked="string(variables.asked)",
        most="string(variables.most)",
        left="string(variables.left)",
        requester="variables.requester",
    )
