"""Guards: what people could gain by a lie is asked of RBAC, whatever judges labels.

They are part of the chart, so they hold from the install on and without any pod of ours.
"""

from collections.abc import Iterator, Sequence

from aicost.crd.vap.guarding.guard import Check, Guard
from aicost.crd.vap.language.cel import found, labels_of, stands, texts
from aicost.crd.vap.language.requests import NAMESPACE, USER, may
from aicost.crd.vap.language.shapes import Rules
from aicost.crd.vap.language.templates import POD_LABELS, SPEAKING, with_wrapped
from aicost.crd.vap.language.values import plain
from aicost.domain.policy.judging.exemptions import EXEMPT_REASON, EXEMPT_UNTIL

GROW, EXEMPT = "grow", "exempt"
"""Our own verbs: on aiworkloads, to call something production, and on budgets, to raise their stage; on
costlabelpolicies, to excuse from a policy, and on budgets, from being stopped."""


def stage_guard(
    keys: Sequence[str] = ("aicost.dev/stage",), values: Sequence[str] = ("production",), name: str = "stage"
) -> Guard:
    """Who calls something production may let it grow: budgets spare it and its price is accepted.

    A value that was there already is not asked about again, so that others may still change the rest of the object.

    Args:
        keys: labels that mean the stage.
        values: their values that mean production, in normal form.
        name: last part of the guard's name.
    """
    ours = "request.kind.kind == 'AIWorkload' && request.kind.group == 'aicost.dev'"
    variables = {
        "update": "request.operation == 'UPDATE'",
        "keys": texts(keys),
        "says": _says("object", values, ours),
        "said": f"variables.update && ({_says('oldObject', values, ours)})",
        "below": _below("object", values),
        "belowBefore": f"variables.update ? {_below('oldObject', values)} : 0",
        "reaches": f"{ours} && variables.update && ({_reach('object')}) != ({_reach('oldObject')})",
    }
    honest = (
        "variables.said ? !(variables.says && variables.reaches) "
        ": !variables.says && variables.below <= variables.belowBefore"
    )
    message = (
        f'\'[stage] stage "production" is not for everybody: \' + {USER} + \' lacks the verb "{GROW}" on '
        f"aiworkloads.aicost.dev in namespace \"' + {NAMESPACE} + '\". Fix: use a lower stage such as pilot, or ask "
        "for the ClusterRole that grants the verb'"
    )
    allowed = f"({honest}) || {may(GROW, 'aiworkloads', NAMESPACE)}"
    return Guard(name, Rules(SPEAKING), variables, [Check(allowed, message)])


def _says(root: str, values: Sequence[str], ours: str) -> str:
    """True where an object itself is called production."""
    stated = f"{ours} && {stands(root, '/spec/stage')}.exists(v, {_is('v', values)})"
    return f"[{labels_of(root)}].exists(l, {_labelled(values)}) || ({stated})"


def _labelled(values: Sequence[str]) -> str:
    return f"variables.keys.exists(k, k in l && {_is('l[k]', values)})"


def _is(value: str, values: Sequence[str]) -> str:
    return f"type({value}) == string && {plain(value)} in {texts(values)}"


def _below(root: str, values: Sequence[str]) -> str:
    """How often an object calls pods production, and an object that it wraps."""
    labels = f"([{labels_of('w')}] + {stands('w', *POD_LABELS)}).filter(l, type(l) == map && ({_labelled(values)}))"
    return f"({with_wrapped(root)}).map(w, {labels}.size()).sum()"


def _reach(root: str) -> str:
    """What an AIWorkload speaks for."""
    return f"{found(root, '/spec/selector')} + {found(root, '/spec/targetRef')}"


def exemption_guard() -> Guard:
    """Who excuses an object from a policy may do so."""
    notes = [f"/metadata/annotations/{name.replace('/', '~1')}" for name in (EXEMPT_UNTIL, EXEMPT_REASON)]
    said, before = (" + ".join(found(root, note) for note in notes) for root in ("object", "oldObject"))
    variables = {"before": before, "new": f"({said}).filter(v, !(v in variables.before))"}
    message = (
        f"'[exemption] the annotation {EXEMPT_UNTIL} is not for everybody: ' + {USER} + ' lacks the verb "
        f'"{EXEMPT}" on costlabelpolicies.aicost.dev in namespace "\' + {NAMESPACE} + \'". Fix: take it out, or ask '
        "somebody who has the ClusterRole that grants the verb to set it'"
    )
    honest = f"variables.new.size() == 0 || {may(EXEMPT, 'costlabelpolicies', NAMESPACE)}"
    return Guard(
        "exemption",
        Rules(SPEAKING),
        variables,
        [Check(honest, message)],
        {"has-annotations": "has(object.metadata.annotations)"},
    )


def approval_guard() -> Guard:
    """Who writes an exemption into a policy may do so, and signs it with their own name."""
    pointer = "/spec/exemptions/*"
    variables = {
        "before": found("oldObject", pointer),
        "changed": f"{found('object', pointer)}.filter(e, !(e in variables.before))",
        "foreign": f"variables.changed.filter(e, !has(e.approvedBy) || e.approvedBy != {USER})",
    }
    message = (
        f"variables.foreign.size() > 0 ? '[exemption] spec.exemptions: ' + string(variables.foreign[0].?name.orValue("
        f"'')) + ': approvedBy must be who approves it by writing it. Fix: write approvedBy: \"' + {USER} + '\"' : "
        f"'[exemption] spec.exemptions is not for everybody: ' + {USER} + ' lacks the verb \"{EXEMPT}\" on "
        "costlabelpolicies.aicost.dev. Fix: leave exemptions as they are, or ask for the ClusterRole that grants the "
        "verb'"
    )
    allowed = f"variables.changed.size() == 0 || (variables.foreign.size() == 0 && {may(EXEMPT, 'costlabelpolicies')})"
    return Guard("approval", Rules({"aicost.dev": ["costlabelpolicies"]}), variables, [Check(allowed, message)])


def static_guards() -> Iterator[Guard]:
    """The guards that hold without any policy."""
    yield stage_guard()
    yield exemption_guard()
    yield approval_guard()
