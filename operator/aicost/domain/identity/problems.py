"""Claims that cannot be what their author meant."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.identity.claim_index import chain_of, target_key
from aicost.domain.identity.claims import LabelSelector, TargetRef, WorkloadClaim
from aicost.domain.identity.selectors import describe_selector, selects, unknown_operators
from aicost.domain.inventory.pods import PodFacts

_SHOWN = 3


class ClaimProblemKind(StrEnum):
    """What is odd about a claim; each fits as the reason of a condition."""

    SELECTS_NOTHING = "SelectsNothing"
    SELECTS_EVERYTHING = "SelectsEverything"
    TARGET_NOT_FOUND = "TargetNotFound"
    INVALID_SELECTOR = "InvalidSelector"


@dataclass(frozen=True, slots=True)
class ClaimProblem:
    """What is odd about one AIWorkload.

    Attributes:
        message: for people: what was looked for, what is there instead, and what to change.
    """

    namespace: str
    workload: str
    kind: ClaimProblemKind
    message: str


def problems_of(
    claims: Iterable[WorkloadClaim], pods: Sequence[PodFacts], claimed: Mapping[str, int]
) -> tuple[ClaimProblem, ...]:
    """Look at the claims of one namespace.

    Args:
        claims: in the order in which the problems are to be told.
        pods: all pods of the namespace.
        claimed: uid of a claim -> how many pods it selects.
    """
    found = (_problem(claim, pods, claimed.get(claim.uid, 0)) for claim in claims)
    return tuple(problem for problem in found if problem is not None)


def _problem(claim: WorkloadClaim, pods: Sequence[PodFacts], claimed: int) -> ClaimProblem | None:
    kind_and_message = _look_at(claim, pods, claimed)
    if kind_and_message is None:
        return None
    kind, message = kind_and_message
    return ClaimProblem(claim.namespace, claim.name, kind, message)


def _look_at(claim: WorkloadClaim, pods: Sequence[PodFacts], claimed: int) -> tuple[ClaimProblemKind, str] | None:
    if claim.target is not None:
        return None if claimed else _no_target(claim.target, claim.namespace, pods)
    if claim.selector is None:
        return ClaimProblemKind.INVALID_SELECTOR, "give spec.targetRef or spec.selector: without them no pod is claimed"
    if operators := unknown_operators(claim.selector):
        known = "In, NotIn, Exists or DoesNotExist"
        return ClaimProblemKind.INVALID_SELECTOR, f"spec.selector: operator {operators[0]!r} is unknown: use {known}"
    if _is_everything(claim.selector, pods, claimed):
        return ClaimProblemKind.SELECTS_EVERYTHING, _everything(claim.selector, claim.namespace, claimed)
    return None if claimed else _nothing(claim.selector, claim.namespace, pods)


def _is_everything(selector: LabelSelector, pods: Sequence[PodFacts], claimed: int) -> bool:
    """No terms at all, or all pods of a namespace that runs more than one thing."""
    if not selector.match_labels and not selector.expressions:
        return True
    return 0 < claimed == len(pods) and len({chain_of(pod)[-1] for pod in pods}) > 1


def _everything(selector: LabelSelector, namespace: str, claimed: int) -> str:
    return (
        f"spec.selector {describe_selector(selector)} selects every pod of namespace {namespace} ({claimed}): their "
        "whole cost goes to this AIWorkload. Name a label that only its own pods carry, or use spec.targetRef."
    )


def _nothing(selector: LabelSelector, namespace: str, pods: Sequence[PodFacts]) -> tuple[ClaimProblemKind, str]:
    message = (
        f"spec.selector {describe_selector(selector)} selects none of the {len(pods)} pods of namespace {namespace}. "
        f"{_first_miss(selector, pods)}"
    )
    return ClaimProblemKind.SELECTS_NOTHING, message


def _first_miss(selector: LabelSelector, pods: Sequence[PodFacts]) -> str:
    """Say which term no pod meets, and what the pods carry instead."""
    for key, value in sorted(selector.match_labels.items()):
        if not any(pod.labels.get(key) == value for pod in pods):
            seen = Counter(pod.labels[key] for pod in pods if key in pod.labels)
            return f"No pod carries {key}={value}; {_instead(f'values of {key}', seen)}"
    missed = [term for term in selector.expressions if not _met(LabelSelector(expressions=(term,)), pods)]
    if missed:
        return f"No pod meets {describe_selector(LabelSelector(expressions=(missed[0],)))}: correct that term."
    return "Each term is met by some pod, but no pod meets all: remove the terms that its pods do not carry."


def _met(selector: LabelSelector, pods: Sequence[PodFacts]) -> bool:
    return any(selects(selector, pod.labels) for pod in pods)


def _no_target(target: TargetRef, namespace: str, pods: Sequence[PodFacts]) -> tuple[ClaimProblemKind, str]:
    message = (
        f"spec.targetRef {target.kind}/{target.name} ({target.api_version}) owns no pod of namespace {namespace}: it "
        f"does not exist, or it runs nothing now. {_other_targets(target, pods)}"
    )
    return ClaimProblemKind.TARGET_NOT_FOUND, message


def _other_targets(target: TargetRef, pods: Sequence[PodFacts]) -> str:
    links = [link for pod in pods for link in chain_of(pod)]
    _, kind, name = target_key(target)
    groups = Counter(group or "v1" for group, its_kind, its_name in links if (its_kind, its_name) == (kind, name))
    if groups:
        return _instead(f"API groups of {kind}/{name}", groups)
    return _instead(
        f"{kind} objects that own pods", Counter(its_name for _, its_kind, its_name in links if its_kind == kind)
    )


def _instead(what: str, seen: Counter[str]) -> str:
    """Name the few most common of what is there."""
    if not seen:
        return f"there are no {what}: check the spelling."
    common = [name for name, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))]
    more = f" and {len(common) - _SHOWN} more" if len(common) > _SHOWN else ""
    return f"{what} here: {', '.join(common[:_SHOWN])}{more}."
