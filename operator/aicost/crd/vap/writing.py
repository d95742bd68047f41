"""Labels that the API server writes at creation: normal forms of what is there, and inherited values."""

from collections.abc import Sequence

from aicost.crd.vap.judging.frame import MOST_TEMPLATES, Variables, paths
from aicost.crd.vap.judging.inheritance import bequeathed
from aicost.crd.vap.judging.keys import KeyText
from aicost.crd.vap.language.cel import text
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.policy.policies import Inherit, LabelKey, LabelPolicy
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.workloads.places import JudgedKind

_LABEL_VALUE = text("^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
_SELECTED = (
    "object.?spec.?selector.?matchLabels.orValue({}).map(k, k) "
    "+ object.?spec.?selector.?matchExpressions.orValue([]).map(e, e.key) "
    "+ (variables.gk == '/ReplicationController' ? object.?spec.?selector.orValue({}).map(k, k) : [])"
)


def numbers() -> Variables:
    """The list that places are counted by."""
    return {"all": f"[{', '.join(map(str, range(MOST_TEMPLATES)))}]"}


def contested(snapshot: PolicySnapshot, policy: LabelPolicy) -> frozenset[str]:
    """Labels of a policy that another one reads otherwise: what one writes the other might refuse."""
    others = [key for other in snapshot.policies if other.name != policy.name for key in other.keys]
    return frozenset(
        key.label
        for key in policy.keys
        for other in others
        if other.label == key.label and _reads(other) != _reads(key)
    )


def _reads(key: LabelKey) -> object:
    return key.dimension, key.case, key.value_aliases, key.aliases, key.allowed, key.convention


def writes(kinds: Sequence[JudgedKind], keys: Sequence[KeyText]) -> Variables:
    """What is to be written: of each key the values for the object, and the numbers of templates to write to."""
    each: Variables = {}
    for one in keys:
        each |= _of_key(one)
    return {"paths": paths(kinds), "selected": _SELECTED, **each}


def patches(keys: Sequence[KeyText]) -> str:
    """What is to be written, as a list of operations on the object. Only this expression may speak of operations."""
    quiet = "!variables.holds || variables.mode == 'Audit' || variables.gk == 'aicost.dev/AIWorkload'"
    values = " + ".join(["[]", *(one.of("value") for one in keys)])
    bare = f"!has(object.metadata.labels) && ({values}).size() > 0"
    first = f"({bare} ? [JSONPatch{{op: 'add', path: '/metadata/labels', value: {{}}}}] : [])"
    return f"{quiet} ? [] : {' + '.join([first, *(_patches(one) for one in keys)])}"


def _patches(one: KeyText) -> str:
    label = f"jsonpatch.escapeKey({text(one.key.label)})"
    path = "variables.paths[i] + '/metadata/labels/'"
    inner = _written(one.key, f"{one.of('below')}[i][0]")
    onto = f"JSONPatch{{op: 'add', path: '/metadata/labels/' + {label}, value: {_written(one.key, 'v')}}}"
    into = f"JSONPatch{{op: 'add', path: {path} + {label}, value: {inner}}}"
    return f"{one.of('value')}.map(v, {onto}) + {one.of('into')}.map(i, {into})"


def _of_key(one: KeyText) -> Variables:
    """As in `domain.policy.changes`, but for values that templates inherit where the object may not speak for them."""
    key, own, below, lack = one.key, one.of("own"), one.of("below"), one.of("lack")
    label = text(key.label)
    held = f"{one.of('wrong')}.size() > 0 || {one.of('for')}.size() > 0 || {label} in variables.selected"
    lacking = f"variables.ix.filter(i, i < {one.of('st')}.size() && {one.of('st')}[i].size() == 0)"
    agreed = f"{lack}.size() > 0 && {lack}.all(o, o.size() > 0 && o[0] == {lack}[0][0]) ? {lack}[0] : []"
    stated = f"{own}.size() > 0 ? {own} : {agreed if _speaks(key) else '[]'}"
    value, inner = _written(key, "v"), _written(key, f"{below}[i][0]")
    differs = f"!({label} in variables.own && variables.own[{label}] == {value}) && {value}.matches({_LABEL_VALUE})"
    apart = f"!({label} in variables.lbl[i] && variables.lbl[i][{label}] == {inner}) && {inner}.matches({_LABEL_VALUE})"
    inside = f"i < {below}.size() && i < variables.paths.size() && {below}[i].size() > 0"
    return {
        f"{one.name}heir": f"variables.run.map(t, {bequeathed(key, one.world, 't', one.of('alias'))})",
        f"{one.name}lack": f"{lacking}.map(i, {one.of('heir')}[i])",
        f"{one.name}first": stated,
        f"{one.name}value": f"{held} ? [] : {one.of('first')}.filter(v, v == {one.of('first')}[0] && {differs})",
        f"{one.name}into": f"({held}) ? [] : variables.all.filter(i, {inside} && {apart})",
    }


def _speaks(key: LabelKey) -> bool:
    """Whether what the object inherits counts for its templates. A stage is where work stands, not where it began."""
    return key.dimension is not Dimension.STAGE and Inherit.OWNER in key.inherit


def _written(key: LabelKey, value: str) -> str:
    """How a value is written as a label."""
    return f"{value}.replace('/', '--')" if key.dimension is Dimension.MODEL else value
