"""Guards of what the controller alone writes: gates, records, figures, and undo data on workloads."""

from collections.abc import Mapping

from aicost.crd.vap.guarding.budgets.verbs import ALL_HERE, ITSELF, lacks, may_here
from aicost.crd.vap.guarding.guard import Check, Guard
from aicost.crd.vap.guarding.guards import EXEMPT
from aicost.crd.vap.language.cel import MANY, found, stands, text
from aicost.crd.vap.language.requests import SUBRESOURCE, USER
from aicost.crd.vap.language.sentences import sentence
from aicost.crd.vap.language.shapes import Rules
from aicost.crd.vap.language.templates import POD_NOTES, plurals, with_wrapped
from aicost.domain.enforcement.levers.table import LEVERS
from aicost.domain.enforcement.names import ACTION_AT, CHECKPOINT_REQUEST, EXEMPT_UNTIL, NOTICE, RESTORE
from aicost.domain.enforcement.writing.pointers import annotation, label
from aicost.domain.enforcement.writing.records import ENFORCED
from aicost.domain.workloads.kinds import JUDGED_KINDS

_RECORDS = ("budgetactions", "budgetgates")
_FIGURES = ("budgets", "clusterbudgets", "budgetoverrides")
_MARKS: Mapping[str, str] = {
    f"label {ENFORCED}": label(ENFORCED),
    **{f"annotation {name}": annotation(name) for name in (ENFORCED, NOTICE, ACTION_AT, CHECKPOINT_REQUEST)},
}
_HELD = plurals(
    JUDGED_KINDS,
    {"": ["resourcequotas"], "kueue.x-k8s.io": ["localqueues", "workloads"]},
    *({one.group: [one.plural]} for one in LEVERS),
)
"""Whatever a budget may hold, and what it writes notes on."""


def records_guard(account: str) -> Guard:
    """Gates, actions and figures are what the controller found and did: nobody else writes them.

    Args:
        account: user name of the controller.
    """
    rules = [*_RECORDS, *(f"{name}/status" for name in (*_RECORDS, *_FIGURES))]
    what = sentence("<itself><part>", itself=ITSELF, part=SUBRESOURCE)
    message = sentence(
        "[budget] <what>: the controller alone writes it, and <user> is not the controller. Fix: change the budget "
        f"itself; what was stopped comes back by its annotation {RESTORE}",
        what=what,
    )
    ours = f"{USER} == '{account}'"
    remark = f"{ours} ? '' : {sentence('<user> writes <what>', what=what)}"
    return Guard(
        "budget-records", Rules({"aicost.dev": rules}), {}, [Check(ours, message)], children=True, remark=remark
    )


def undo_guard(account: str) -> Guard:
    """What a budget has written on a workload to undo its step, and to announce it, stays as it is.

    Who deletes the object is free, and so are others who change all else of it, and controllers that hand annotations
    down to what they make for it.

    Args:
        account: user name of the controller.
    """
    marks = (
        f"({found('object', at)} == {found('oldObject', at)} ? [] : [{text(name)}])" for name, at in _MARKS.items()
    )
    variables = {"changed": " + ".join(marks)}
    changed = "variables.changed.join(', ')"
    message = sentence(
        "[budget] <changed>: it holds what a budget needs to undo its step, so the controller alone writes it, and "
        "<user> is not the controller. Fix: leave it as it is; to get the workload back, ask for more with kubectl "
        "aicost budget request",
        changed=changed,
    )
    honest = f"variables.changed.size() == 0 || {USER} == '{account}'"
    remark = f"{honest} ? '' : {sentence('<user> changes <changed>', changed=changed)}"
    return Guard("budget-undo", Rules(_HELD), variables, [Check(honest, message)], remark=remark)


def budget_exemption_guard() -> Guard:
    """Who exempts a workload from budgets may do so. In pods that stand in lists of lists nobody sees it."""
    name = f"annotations/{EXEMPT_UNTIL.replace('/', '~1')}"
    pointers = (f"/metadata/{name}", *(f"{at.removesuffix('/annotations')}/{name}" for at in POD_NOTES))
    assert all(pointer.count(MANY) <= 1 for pointer in pointers)
    said, before = (f"({with_wrapped(root)}).map(w, {stands('w', *pointers)})" for root in ("object", "oldObject"))
    variables = {
        "before": f"request.operation == 'UPDATE' ? {before} : []",
        "new": f"({said}).map(s, s.filter(v, !variables.before.exists(b, v in b))).filter(s, s.size() > 0)",
    }
    message = sentence(
        f"[budget] annotation {EXEMPT_UNTIL} is not for everybody: <lacks>. Fix: take it out, or ask somebody who has "
        "the verb to set it",
        lacks=lacks(EXEMPT, ALL_HERE),
    )
    until = sentence("<user> exempts it from budgets until <until>", until="string(variables.new[0][0])")
    return Guard(
        "budget-exemption",
        Rules(plurals(JUDGED_KINDS)),
        variables,
        [Check(f"variables.new.size() == 0 || {may_here(EXEMPT)}", message)],
        remark=f"variables.new.size() == 0 ? '' : {until}",
    )
