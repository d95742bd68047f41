"""What two policies say differently of the same key on the same objects."""

from collections.abc import Iterator, Sequence

from aicost.domain.policy.policies import LabelKey, LabelPolicy, NamespaceScope
from aicost.domain.policy.review.findings import PolicyDefect, PolicyDefectKind, closed


def conflicts(one: LabelPolicy, other: LabelPolicy) -> Iterator[PolicyDefect]:
    """What is told to both. Scopes that select by label may always meet."""
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
