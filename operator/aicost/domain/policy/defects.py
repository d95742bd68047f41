"""What is wrong with policies although each of their fields is in order: parts that have no effect, or contradict."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from aicost.domain.policy.policies import AllowedValues, LabelKey, LabelPolicy, NamespaceScope


class PolicyDefectKind(StrEnum):
    """What is wrong; each fits as the reason of a condition."""

    NOT_ALLOWED = "NotAllowed"
    AMBIGUOUS_ALIAS = "AmbiguousAlias"
    UNKNOWN_KEY = "UnknownKey"
    UNKNOWN_KIND = "UnknownKind"
    CONFLICT = "ConflictingPolicies"


@dataclass(frozen=True, slots=True, order=True)
class PolicyDefect:
    """One thing that is wrong with a policy.

    Attributes:
        policy: the policy that this is to be reported on.
        message: for people: what happens because of it, and what to change.
    """

    policy: str
    kind: PolicyDefectKind
    message: str


def find_defects(policies: Sequence[LabelPolicy], known_kinds: Collection[str] = ()) -> tuple[PolicyDefect, ...]:
    """Look through all policies; what concerns two of them is told to both.

    Args:
        policies: as they were read.
        known_kinds: kinds that can be judged; empty: any.
    """
    own = [defect for policy in policies for defect in _own_defects(policy, known_kinds)]
    between = [defect for one, other in combinations(policies, 2) for defect in _conflicts(one, other)]
    return tuple(sorted({*own, *between}))


def _own_defects(policy: LabelPolicy, known_kinds: Collection[str]) -> Iterator[PolicyDefect]:
    for key in policy.keys:
        for text in _unreachable(key):
            yield PolicyDefect(policy.name, PolicyDefectKind.NOT_ALLOWED, f"key {key.key}: {text}")
    for text in _ambiguous(policy.keys):
        yield PolicyDefect(policy.name, PolicyDefectKind.AMBIGUOUS_ALIAS, text)
    for text in _unknown_keys(policy):
        yield PolicyDefect(policy.name, PolicyDefectKind.UNKNOWN_KEY, text)
    for kind in sorted(set(policy.kinds) - set(known_kinds)) if known_kinds else ():
        text = f"kind {kind}: it is no kind that runs pods as far as is known, so none of it is judged: correct it"
        yield PolicyDefect(policy.name, PolicyDefectKind.UNKNOWN_KIND, text)


def closed(allowed: AllowedValues) -> bool:
    """Whether the list alone says which values are allowed."""
    return bool(allowed.values) and not (allowed.pattern or allowed.config_map)


def _unreachable(key: LabelKey) -> Iterator[str]:
    """Values that the policy itself gives or binds and that it does not allow."""
    allowed = key.allowed
    if not closed(allowed):
        return
    given = [("default", key.default)] if key.default else []
    given += [(f"valueAliases.{written}", meant) for written, meant in sorted(key.value_aliases.items())]
    given += [(f"groups.{group}", value) for group, value in sorted(key.groups.items())]
    given += [("allowed.bound", value) for value in sorted(allowed.bound)]
    for field, value in given:
        if value not in allowed.values:
            yield f"{field} is {value}, which allowed.values does not have: add it there, or correct it"


def _ambiguous(keys: Iterable[LabelKey]) -> Iterator[str]:
    """Label keys that stand for two keys of one policy."""
    meanings: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        for label in dict.fromkeys((key.label, key.key, *key.aliases)):
            meanings[label].append(key.key)
    for label, meant in sorted(meanings.items()):
        if len(meant) > 1:
            yield f"the label {label} stands for {' and '.join(meant)}: {meant[0]} gets it; take it out of the other"


def _unknown_keys(policy: LabelPolicy) -> Iterator[str]:
    there = {key.key for key in policy.keys}
    for exemption in policy.exemptions:
        for key in exemption.keys:
            if key not in there:
                yield f"exemption {exemption.name}: the policy has no key {key}, so this excuses nothing: correct it"


def _conflicts(one: LabelPolicy, other: LabelPolicy) -> Iterator[PolicyDefect]:
    """What two policies say differently of the same key on the same objects. Scopes by label may always meet."""
    if not (_may_meet(one.namespaces, other.namespaces) and _common(one.kinds, other.kinds)):
        return
    theirs = {key.label: key for key in other.keys}
    for key in one.keys:
        for text in _contradictions(key, theirs[key.label]) if key.label in theirs else ():
            message = f"key {key.key}: {one.name} and {other.name} {text}"
            yield PolicyDefect(one.name, PolicyDefectKind.CONFLICT, message)
            yield PolicyDefect(other.name, PolicyDefectKind.CONFLICT, message)


def _contradictions(one: LabelKey, other: LabelKey) -> Iterator[str]:
    if closed(one.allowed) and closed(other.allowed) and not set(one.allowed.values) & set(other.allowed.values):
        yield "allow no value in common, so none satisfies both: give one of them another scope, or merge the lists"
    if one.case is not other.case:
        yield f"treat letter case differently ({one.case} and {other.case}): choose one"
    if one.default and other.default and one.default != other.default:
        yield f"give different defaults ({one.default} and {other.default}): keep one"
    for written in sorted(one.value_aliases.keys() & other.value_aliases.keys()):
        meant, otherwise = one.value_aliases[written], other.value_aliases[written]
        if meant != otherwise:
            yield f"read {written} differently ({meant} and {otherwise}): keep one"


def _may_meet(one: NamespaceScope | None, other: NamespaceScope | None) -> bool:
    if one is None or other is None or one.selector or other.selector:
        return True
    return bool(one.names & other.names)


def _common(one: Sequence[str], other: Sequence[str]) -> bool:
    return not one or not other or bool(set(one) & set(other))
