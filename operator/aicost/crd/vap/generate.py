"""Label policies as objects of the API server: it judges by them itself, with no pod of ours in the path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aicost.crd.vap.guarding.bound import guards_of
from aicost.crd.vap.judging.effects import clock, message, strictness, verdicts
from aicost.crd.vap.judging.frame import BEFORE, Variables, frame, reachable
from aicost.crd.vap.judging.inheritance import World
from aicost.crd.vap.judging.keys import KeyText
from aicost.crd.vap.language.cel import text, texts
from aicost.crd.vap.language.requests import is_child, is_mirror
from aicost.crd.vap.language.scopes import covered, modes
from aicost.crd.vap.language.shapes import (
    Object,
    Rules,
    mutating_binding,
    mutating_policy,
    named,
    validating_binding,
    validating_policy,
)
from aicost.crd.vap.language.templates import plurals
from aicost.crd.vap.unsupported import Unsupported, unsupported
from aicost.crd.vap.writing import contested, numbers, patches, writes
from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.policies import LabelKey, LabelPolicy, Mode
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.workloads.kinds import JUDGED_KINDS
from aicost.domain.workloads.places import JudgedKind

LABELS: Mapping[str, str] = {"app.kubernetes.io/managed-by": "aicost", "aicost.dev/enforcement": "labels"}
"""Labels of all that is generated: by them it is found again."""
_HOLDS = {
    "deny": "variables.deny.size() == 0",
    "warn": "variables.deny.size() > 0 || variables.told.size() == 0",
}
"""Action -> what holds for an object that it does not meet. Who is refused needs no warning."""
_ACTIONS = {"deny": "Deny", "warn": "Warn"}
_REFUSING = frozenset({Mode.DENY, Mode.DENY_NEW})
_OF_VERDICTS = ("told", "deny", "bad", "imm", "same", "excused", "until", "now", "times", BEFORE)
"""Ends of names of variables that nobody asks for who only writes labels."""
_STAGE = LabelKey(Dimension.STAGE, LABEL_PREFIX + Dimension.STAGE, Dimension.STAGE)


@dataclass(frozen=True, slots=True)
class Generated:
    """What a policy becomes.

    Attributes:
        objects: to be applied, policies before their bindings.
        unsupported: what CEL cannot express of it.
    """

    objects: tuple[Object, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()


def generate(snapshot: PolicySnapshot, policy: LabelPolicy, *, mutating: bool = True) -> Generated:
    """The objects that judge as `domain.policy.admit` does, as far as CEL can.

    Args:
        snapshot: of the world, of which CEL sees the object, its namespace and the requester; the rest is written in.
        policy: one of its policies.
        mutating: whether the server has MutatingAdmissionPolicy v1, which writes labels.
    """
    kinds = tuple(kind for kind in JUDGED_KINDS if reachable(kind) and (not policy.kinds or kind.kind in policy.kinds))
    gaps = tuple(unsupported(snapshot, policy, mutating=mutating))
    if not kinds or not policy.keys or modes(policy) <= {Mode.AUDIT}:
        return Generated((), gaps)
    keys = _keys(policy, World(snapshot.listed, snapshot.service_accounts, snapshot.queues, snapshot.claims))
    variables = _variables(snapshot, policy, kinds, keys)
    refuses = modes(policy) & _REFUSING or any(key.allowed.bound for key in policy.keys)
    actions = ("deny", "warn") if refuses else ("warn",)
    said = message(policy, keys, "told")
    pairs = [_pair(snapshot, policy, kinds, variables, (action, _HOLDS[action], said)) for action in actions]
    if mutating:
        pairs.append(_writer(snapshot, policy, kinds, variables, keys))
    return Generated(tuple(one for pair in pairs for one in pair), gaps)


def object_name(policy: LabelPolicy, part: str) -> str:
    """Name of an object that stands for a part of a policy."""
    return f"{policy.name}.{part}.labels.aicost.dev"


def generated_guards(snapshot: PolicySnapshot, policy: LabelPolicy) -> tuple[Object, ...]:
    """The guards that a policy asks for, whatever judges by it."""
    pairs = (
        guard.objects(object_name(policy, guard.name), LABELS, snapshot.controllers) for guard in guards_of(policy)
    )
    return tuple(one for pair in pairs for one in pair)


def _keys(policy: LabelPolicy, world: World) -> list[KeyText]:
    return [KeyText(key, f"k{number}", world) for number, key in enumerate(policy.keys)]


def _variables(
    snapshot: PolicySnapshot, policy: LabelPolicy, kinds: Sequence[JudgedKind], keys: Sequence[KeyText]
) -> Variables:
    """All variables, in the order in which they build on each other. Those that nobody asks for cost nothing."""
    variables = {**frame(kinds, snapshot.queues), **clock(), **strictness(policy)}
    history = Mode.DENY_NEW in modes(policy) or any(one.key.allowed.bound for one in keys)
    for one in keys:
        variables |= {**one.spoken(), **(one.spoken(BEFORE) if history or one.key.immutable else {})}
    variables |= _stages(keys)
    for one in keys:
        variables |= one.judged(history=history)
    return {**variables, **verdicts(policy, keys, history=history)}


def _stages(keys: Sequence[KeyText]) -> Variables:
    """The stages that the pods are in, by the policy's own key or by the plain label."""
    if not any(one.key.stages or one.key.default for one in keys):
        return {"stages": "[]"}
    own = next((one for one in keys if one.key.dimension is Dimension.STAGE), None)
    one = own or KeyText(_STAGE, "stage", keys[0].world)
    spoken = {} if own else one.spoken()
    return {**spoken, "stages": f"({one.value_at(one.key.default)}).filter(s, s in {texts(Stage)})"}


def _pair(
    snapshot: PolicySnapshot,
    policy: LabelPolicy,
    kinds: Sequence[JudgedKind],
    variables: Variables,
    judging: tuple[str, str, str],
) -> tuple[Object, Object]:
    action, expression, said = judging
    name = object_name(policy, action)
    spec = {
        "failurePolicy": "Ignore",
        "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": Rules(plurals(kinds)).published()},
        "matchConditions": named(_conditions(snapshot)),
        "variables": named(variables),
        "validations": [{"expression": expression, "messageExpression": said, "reason": "Forbidden"}],
        "auditAnnotations": [{"key": "revision", "valueExpression": text(snapshot.revision)}],
    }
    return validating_policy(name, LABELS, spec), validating_binding(name, LABELS, [_ACTIONS[action]])


def _writer(
    snapshot: PolicySnapshot,
    policy: LabelPolicy,
    kinds: Sequence[JudgedKind],
    variables: Variables,
    keys: Sequence[KeyText],
) -> tuple[Object, Object]:
    """Writes labels at creation. `verdicts` are not asked for: what is refused afterwards is not kept anyway."""
    name = object_name(policy, "write")
    free = [one for one in keys if one.key.label not in contested(snapshot, policy)]
    judged = {key: each for key, each in variables.items() if not key.endswith(_OF_VERDICTS)}
    spec = {
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "matchPolicy": "Equivalent",
            "resourceRules": Rules(plurals(kinds), ("CREATE",)).published(),
        },
        "matchConditions": named(_conditions(snapshot)),
        "variables": named({**numbers(), **judged, **writes(kinds, free)}),
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patches(free)}}],
    }
    return mutating_policy(name, LABELS, spec), mutating_binding(name, LABELS)


def _conditions(snapshot: PolicySnapshot) -> dict[str, str]:
    """What is out of scope, as in `domain.policy.judging.scopes`."""
    return {
        "not-of-the-system": f"!{covered(snapshot.system_namespaces, 'request.namespace')}",
        "not-a-child": f"!({is_child(snapshot.controllers)})",
        "not-a-mirror": f"!({is_mirror()})",
    }
