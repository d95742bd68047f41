"""Two AIWorkloads that claim the same pods, told to both."""

from collections.abc import Mapping
from dataclasses import dataclass

from aicost.domain.identity.claim_index import Bid
from aicost.domain.identity.claims import WorkloadClaim

_RULES = (
    "a targetRef beats a selector",
    "the targetRef to the nearer owner wins",
    "the older AIWorkload wins",
    "of two that are equally old the first name in the alphabet wins",
)
"""The rule that decided, by the first part of the rank in which two claims differ."""


@dataclass(slots=True)
class Contest:
    """Pods of one winner that one loser claims too; counted while the pods are judged."""

    winner: Bid
    loser: Bid
    example: str
    pods: int = 0


@dataclass(frozen=True, slots=True)
class ClaimConflict:
    """A contest as one side sees it.

    Attributes:
        namespace, workload: the AIWorkload that this is to be reported on.
        other: the AIWorkload that claims the same pods.
        won: whether `workload` has the pods.
        pods: how many pods both claim.
        example: one of them.
        rule: what decided.
        message: for people: both names, who has the pods, why, and what to change.
    """

    namespace: str
    workload: str
    other: str
    won: bool
    pods: int
    example: str
    rule: str
    message: str


def conflicts_of(contests: Mapping[tuple[str, str], Contest]) -> tuple[ClaimConflict, ...]:
    """Tell each contest to both sides, in the order of their names."""
    told = [side for contest in contests.values() for side in _both_sides(contest)]
    return tuple(sorted(told, key=lambda conflict: (conflict.workload, conflict.other, not conflict.won)))


def _both_sides(contest: Contest) -> tuple[ClaimConflict, ClaimConflict]:
    winner, loser = contest.winner.claim, contest.loser.claim
    return _side(contest, winner, loser, won=True), _side(contest, loser, winner, won=False)


def _side(contest: Contest, claim: WorkloadClaim, other: WorkloadClaim, *, won: bool) -> ClaimConflict:
    return ClaimConflict(
        namespace=claim.namespace,
        workload=claim.name,
        other=other.name,
        won=won,
        pods=contest.pods,
        example=contest.example,
        rule=_rule(contest),
        message=_message(contest),
    )


def _rule(contest: Contest) -> str:
    pairs = zip(contest.winner.rank, contest.loser.rank, _RULES, strict=True)
    return next(rule for ours, theirs, rule in pairs if ours != theirs)


def _message(contest: Contest) -> str:
    winner, loser = contest.winner.claim, contest.loser.claim
    pods = "1 pod" if contest.pods == 1 else f"{contest.pods} pods"
    return (
        f"AIWorkload/{winner.name} and AIWorkload/{loser.name} in namespace {winner.namespace} both claim {pods} "
        f"({'' if contest.pods == 1 else 'such as '}{contest.example}); the cost goes to AIWorkload/{winner.name}: "
        f"{_rule(contest)}. {_fix(loser)}, or delete one of the two."
    )


def _fix(loser: WorkloadClaim) -> str:
    if loser.target is None:
        return f"Narrow spec.selector of AIWorkload/{loser.name}"
    return f"Point spec.targetRef of AIWorkload/{loser.name} (now {loser.target.kind}/{loser.target.name}) elsewhere"
