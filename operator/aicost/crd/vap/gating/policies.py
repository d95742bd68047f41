"""The money gate: two policies by which the API server itself refuses what a budget does not allow.

They ask each BudgetGate of the namespace. Nothing of ours has to run for that, and nothing of ours can block a cluster:
they let in what they cannot judge, and new workloads also once `until` has passed, which only a living controller moves
forward. There is no clock on updates: what freezes growth is lifted by hand where the controller is gone.

Beyond what `asking` says, the API server does not know: who pays for pods by an AIWorkload or a queue; and of a
`/scale` anything but its namespace. A `/scale` is judged as if its pods asked for accelerators. Where a gate has
selectors, it is judged if the namespace's own labels fulfil them, or if the budget holds the object; else it is let
through. Growth is more pods: what one pod asks for may change. A schedule that is there goes on making its runs, as any
controller makes what its owner asks for; a budget suspends it by a step of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aicost.crd.vap.gating.asking import asking
from aicost.crd.vap.gating.growing import AUTOSCALERS, GROWING, GROWS_IN_ORDER, SCALE, SCALED, growing
from aicost.crd.vap.gating.scope import scope
from aicost.crd.vap.judging.frame import Variables
from aicost.crd.vap.language.cel import found
from aicost.crd.vap.language.requests import NAMESPACE, USER, is_child, is_mirror
from aicost.crd.vap.language.shapes import (
    Object,
    Rules,
    named,
    param_kind,
    validating_binding,
    validating_policy,
)
from aicost.crd.vap.language.templates import plurals
from aicost.crd.vap.language.times import MADE, is_time
from aicost.domain.enforcement.names import EXEMPT_UNTIL
from aicost.domain.workloads.kinds import AI_WORKLOAD, JUDGED_KINDS

NEW, GROWTH = "budget-new", "budget-growth"
"""Last parts of the names of the two policies and their bindings."""
NEW_KINDS = tuple(kind for kind in JUDGED_KINDS if kind is not AI_WORKLOAD)
_UNTIL = "params.?status.?until.orValue('')"
_IN_FORCE = f"[{_UNTIL}].exists(u, {is_time('u')} && {MADE} < timestamp(u))"
_EXEMPT = (
    f"{found('object', '/metadata/annotations/' + EXEMPT_UNTIL.replace('/', '~1'))}"
    f".exists(v, {is_time('v')} && {MADE} < timestamp(v))"
)
_REFUSED = (
    "variables.huge || (variables.selected && (params.?status.?allWorkloads.orValue(false) == true || variables.asks))"
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is written into the policies of the cluster that they are for.

    Attributes:
        controllers: see `is_child`.
        namespaces: text of a list of namespaces that no gate is about, beside those of Kubernetes itself.
        account: user name of the controller of budgets.
    """

    controllers: Sequence[str] | str
    namespaces: str
    account: str


def gate_policies(cluster: Cluster, prefix: str, labels: Mapping[str, str]) -> Iterator[Object]:
    """The policies, each before its binding.

    Args:
        cluster: what they are for.
        prefix: start of their names.
        labels: of all of them.
    """
    new, growth = f"{prefix}-{NEW}", f"{prefix}-{GROWTH}"
    yield validating_policy(new, labels, _new(cluster))
    yield validating_binding(new, labels, ["Deny"], asks=True)
    yield validating_policy(growth, labels, _growth(cluster))
    yield validating_binding(growth, labels, ["Deny"], asks=True)


def _new(cluster: Cluster) -> Object:
    """Nothing new that the gate is about. What a controller makes for its owner comes up again: the owner runs."""
    conditions = {
        "denies-new": f"params.?status.?denyNew.orValue(false) == true && {_IN_FORCE}",
        **_nobodys(cluster),
        "not-a-mirror": f"!({is_mirror()})",
        "not-exempt": f"!{_EXEMPT}",
    }
    variables = {**_about(), **asking(NEW_KINDS), **scope()}
    return _policy(Rules(plurals(NEW_KINDS), ("CREATE",)), conditions, variables, f"!({_REFUSED})")


def _growth(cluster: Cluster) -> Object:
    """Nothing larger that the gate is about. All else of an object may change, and it may become smaller."""
    conditions = {
        "freezes-growth": "params.?status.?freezeGrowth.orValue(false) == true",
        **_nobodys(cluster),
        "not-our-own": f"{USER} != '{cluster.account}'",
    }
    scales = {group: [f"{name}/scale" for name in names] for group, names in plurals(SCALED).items()}
    variables = {**_about(), **growing(), **asking(GROWING, (*AUTOSCALERS, SCALE)), **scope()}
    allowed = f"({GROWS_IN_ORDER}) || !(variables.held.size() > 0 || {_REFUSED})"
    return _policy(Rules(plurals(GROWING, scales), ("UPDATE",)), conditions, variables, allowed)


def _nobodys(cluster: Cluster) -> dict[str, str]:
    """What no gate is about."""
    system = f"[{NAMESPACE}].exists(n, n.startsWith('kube-') || n in {cluster.namespaces})"
    return {"not-of-the-system": f"!{system}", "not-a-child": f"!({is_child(cluster.controllers)})"}


def _about() -> Variables:
    return {"gk": "request.kind.group + '/' + request.kind.kind"}


def _policy(rules: Rules, conditions: Mapping[str, str], variables: Variables, allowed: str) -> Object:
    return {
        "failurePolicy": "Ignore",
        "paramKind": param_kind("BudgetGate"),
        "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": rules.published()},
        "matchConditions": named(conditions),
        "variables": named(variables),
        "validations": [{"expression": allowed, "messageExpression": _MESSAGE, "reason": "Forbidden"}],
    }


_BUDGET = "params.?spec.?budgetRef.?kind.orValue('Budget') + ' \"' + params.?spec.?budgetRef.?name.orValue('') + '\"'"
_FALLBACK = (
    f"'the ' + {_BUDGET} + ' lets nothing new or larger in for now. Fix: make something smaller, or ask for more with "
    "kubectl aicost budget request'"
)
_MESSAGE = (
    "'[budget] ' + [params.?status.?message.orValue('').replace('\\n', ' ').replace('\\r', ' ').trim()]"
    f".map(m, m == '' ? {_FALLBACK} : m)[0]"
)
"""What the controller has written, in one line."""
