"""Pods that run prompts and pods that run answers: one request passes both, and both count it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.tallies import Tally, add_up

ROLE_LABELS = ("llm-d.ai/role", "nvidia.com/dynamo-sub-component-type")
"""Labels of pods that say which phase they run."""


class Role(StrEnum):
    """Which phase a pod runs."""

    PREFILL = "prefill"
    DECODE = "decode"
    BOTH = ""


_OF_PROMPTS = frozenset(
    {Count.INPUT, Count.CACHED, Count.COMPUTED, Count.PREFILLED, Count.EFFECTIVE, Count.PREFILL_BUSY}
    | {Count.PREFILL_TIME, Count.POOL_PREFILL}
)
"""What the pods that run prompts count for the whole: others count the same tokens once more, as a cache's."""
_OF_BOTH = frozenset({Count.RECOMPUTED, Count.PREEMPTED, Count.BUSY, Count.RUNNING, Count.WATCHED})


def role_of(labels: Sequence[str], did: Mapping[str, Tally]) -> Role:
    """Which phase a pod runs, by its labels or else by what its engine says of itself.

    Args:
        labels: values of `ROLE_LABELS`, empty where there are none.
        did: what its engine did, by model.
    """
    told = next((value.strip().lower() for value in labels if value.strip()), "")
    if told:
        return Role(told) if told in set(Role) else Role.BOTH
    counts = {count for one in did.values() for count in one.counts}
    if (Count.POOL_PREFILL in counts) == (Count.POOL_DECODE in counts):
        return Role.BOTH
    return Role.PREFILL if Count.POOL_PREFILL in counts else Role.DECODE


def are_pools(roles: Sequence[Role]) -> bool:
    """Whether pods of these roles are one pool of each phase, and nothing else."""
    return set(roles) == {Role.PREFILL, Role.DECODE}


def as_one(prefill: Sequence[Tally], decode: Sequence[Tally]) -> Tally:
    """What both pools did: prompts as the first counts them, answers and how they ended as the second does."""
    before, after = add_up(prefill), add_up(decode)
    counts = {count: number for count, number in before.counts.items() if count in _OF_PROMPTS}
    counts |= {count: number for count, number in after.counts.items() if count not in _OF_PROMPTS}
    for count in _OF_BOTH & before.counts.keys():
        counts[count] = before.counts[count] + after.counts.get(count, 0)
    outcomes = dict(after.outcomes)
    for lost in (Outcome.REJECTED, Outcome.ABORTED):
        if lost in before.outcomes:
            outcomes[lost] = outcomes.get(lost, 0) + before.outcomes[lost]
    kept = {count: number for count, number in counts.items() if not count.value.startswith("fit-")}
    return Tally(before.engines | after.engines, kept, outcomes, before.at_least or after.at_least)
