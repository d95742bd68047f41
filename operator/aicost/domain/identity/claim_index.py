"""Finding the claims on a pod without asking each AIWorkload of the namespace."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aicost.domain.identity.claims import LabelSelector, TargetRef, WorkloadClaim
from aicost.domain.identity.selectors import selects, unknown_operators
from aicost.domain.inventory.pods import PodFacts

Rank = tuple[bool, int, int, str]
"""The smaller wins: is a selector, links to the owner, creation of the AIWorkload, its name."""

_Target = tuple[str, str, str]
_Label = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Bid:
    """One AIWorkload's claim on one pod."""

    claim: WorkloadClaim
    rank: Rank


def chain_of(pod: PodFacts) -> list[tuple[str, str, str]]:
    """The pod and its owners, nearest first, as API group, kind and name."""
    owners = ((_group(owner.api_version), owner.kind, owner.name) for owner in pod.owners)
    return [("", "Pod", pod.name), *owners]


def target_key(target: TargetRef) -> tuple[str, str, str]:
    """API group, kind and name of a target. The version is left out: an object has one name in all its versions."""
    return _group(target.api_version), target.kind, target.name


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


class ClaimIndex:
    """The claims of one namespace by what they ask for: their target, or the rarest label of their selector."""

    def __init__(self, claims: Sequence[WorkloadClaim]) -> None:
        self._by_target: dict[_Target, list[WorkloadClaim]] = defaultdict(list)
        self._by_label: dict[_Label, list[tuple[LabelSelector, WorkloadClaim]]] = defaultdict(list)
        self._by_expression: list[tuple[LabelSelector, WorkloadClaim]] = []
        asked = Counter(label for claim in claims if claim.selector for label in claim.selector.match_labels.items())
        for claim in claims:
            self._add(claim, asked)

    def _add(self, claim: WorkloadClaim, asked: Counter[_Label]) -> None:
        """File a claim; one with an operator that nobody knows selects nothing."""
        if claim.target is not None:
            self._by_target[target_key(claim.target)].append(claim)
        elif claim.selector is not None and not unknown_operators(claim.selector):
            labels = claim.selector.match_labels.items()
            shelf = self._by_label[min(labels, key=lambda label: asked[label])] if labels else self._by_expression
            shelf.append((claim.selector, claim))

    def bids(self, pod: PodFacts) -> Iterator[Bid]:
        """Each claim on a pod once, in no order."""
        yield from self._targeted(pod)
        for label in pod.labels.items():
            yield from _selected(self._by_label.get(label, ()), pod)
        yield from _selected(self._by_expression, pod)

    def _targeted(self, pod: PodFacts) -> Iterator[Bid]:
        """A chain that names one owner twice is claimed once, by the nearer link."""
        if not self._by_target:
            return
        nearest = {link: distance for distance, link in reversed(list(enumerate(chain_of(pod))))}
        for link, distance in nearest.items():
            for claim in self._by_target.get(link, ()):
                yield Bid(claim, (False, distance, claim.created_ms, claim.name))


def _selected(candidates: Sequence[tuple[LabelSelector, WorkloadClaim]], pod: PodFacts) -> Iterator[Bid]:
    for selector, claim in candidates:
        if selects(selector, pod.labels):
            yield Bid(claim, (True, 0, claim.created_ms, claim.name))
