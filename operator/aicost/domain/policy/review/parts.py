"""Parts of one policy that have no effect, or that lead to what the policy itself does not allow."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from aicost.domain.policy.policies import LabelKey, LabelPolicy
from aicost.domain.policy.review.findings import PolicyDefect, PolicyDefectKind, closed


def own_defects(policy: LabelPolicy, known_kinds: Collection[str]) -> Iterator[PolicyDefect]:
    """What is wrong with one policy by itself; where no kinds are known, any will do."""
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
