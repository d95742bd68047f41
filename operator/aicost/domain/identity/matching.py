"""Which AIWorkload claims which pod.

The rule, where several claim one pod: a targetRef beats a selector; of two targetRefs the one to the nearer owner wins;
then the older AIWorkload; then the first name in the alphabet. Claims reach no further than their own namespace.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.identity.claim_index import ClaimIndex
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.conflicts import ClaimConflict, Contest, conflicts_of
from aicost.domain.identity.problems import ClaimProblem, problems_of
from aicost.domain.inventory.pods import PodFacts


@dataclass(frozen=True, slots=True)
class Matching:
    """Who speaks for whom.

    Attributes:
        by_pod: uid of a pod -> the AIWorkload that claims it; a pod that none claims is absent.
        conflicts: each contest twice, once for either side.
        problems: claims that select nothing or everything, or whose target owns no pod.
    """

    by_pod: Mapping[str, WorkloadClaim]
    conflicts: tuple[ClaimConflict, ...] = ()
    problems: tuple[ClaimProblem, ...] = ()


@dataclass(slots=True)
class _Tally:
    """What the pods of one namespace showed.

    Attributes:
        contests: winner and loser -> the pods that both claim.
        claimed: uid of a claim -> how many pods it selects, won or lost.
    """

    by_pod: dict[str, WorkloadClaim] = field(default_factory=dict)
    contests: dict[tuple[str, str], Contest] = field(default_factory=dict)
    claimed: Counter[str] = field(default_factory=Counter)


def match_claims(pods: Iterable[PodFacts], claims: Iterable[WorkloadClaim]) -> Matching:
    """Find the AIWorkload of each pod, and say what is odd about the claims.

    The result depends on neither the order of the pods nor that of the claims.
    """
    pods_of: dict[str, list[PodFacts]] = defaultdict(list)
    for pod in pods:
        pods_of[pod.namespace].append(pod)
    claims_of: dict[str, list[WorkloadClaim]] = defaultdict(list)
    for claim in claims:
        claims_of[claim.namespace].append(claim)
    return _merge([_match_namespace(pods_of.get(name, []), claims_of[name]) for name in sorted(claims_of)])


def _match_namespace(pods: Sequence[PodFacts], claims: Sequence[WorkloadClaim]) -> Matching:
    index, tally = ClaimIndex(claims), _Tally()
    for pod in sorted(pods, key=lambda pod: (pod.name, pod.uid)):
        _judge(pod, index, tally)
    ordered = sorted(claims, key=lambda claim: claim.name)
    return Matching(tally.by_pod, conflicts_of(tally.contests), problems_of(ordered, pods, tally.claimed))


def _judge(pod: PodFacts, index: ClaimIndex, tally: _Tally) -> None:
    """Give the pod to the strongest of those that claim it, and count it for the others."""
    bids = sorted(index.bids(pod), key=lambda bid: bid.rank)
    tally.claimed.update(bid.claim.uid for bid in bids)
    if bids:
        tally.by_pod[pod.uid] = bids[0].claim
    for loser in bids[1:]:
        pair = (bids[0].claim.uid, loser.claim.uid)
        tally.contests.setdefault(pair, Contest(bids[0], loser, pod.name)).pods += 1


def _merge(parts: Sequence[Matching]) -> Matching:
    return Matching(
        by_pod={uid: claim for part in parts for uid, claim in part.by_pod.items()},
        conflicts=tuple(conflict for part in parts for conflict in part.conflicts),
        problems=tuple(problem for part in parts for problem in part.problems),
    )
