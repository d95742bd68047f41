"""Who carries what nobody used, by idle policy. The total is the same under each, to the nano."""

from collections.abc import Mapping, Sequence

from aicost.domain.exact.apportion import apportion
from aicost.domain.ledger.rows import HELD, Bucket
from aicost.domain.reporting.query import IdlePolicy
from aicost.domain.reporting.tally import Contribution

_HELD = frozenset(bucket.value for bucket in HELD)
_SPREAD = frozenset({IdlePolicy.WEIGHTED, IdlePolicy.EVEN})
Keys = tuple[str, ...]


def is_held(item: Contribution) -> bool:
    """Whether a pod held the device: its group is a line. Other buckets have no holder and are idle of the cluster."""
    return item.group.bucket in _HELD


def stays_in_line(item: Contribution, policy: IdlePolicy) -> bool:
    """Whether the cost of a held bucket is the line's own: under `separate`, allocated-idle is not."""
    return policy is not IdlePolicy.SEPARATE or item.group.bucket != Bucket.ALLOCATED_IDLE


def shares(policy: IdlePolicy, costs: Mapping[Keys, int], pool: Sequence[Contribution]) -> dict[Keys, int] | None:
    """The idle that each line carries; None where the policy spreads none, or there is no line to carry it.

    Args:
        policy: `weighted` spreads in proportion to cost (a line below zero carries none), `even` in equal parts.
        costs: line -> its own cost.
        pool: what nobody held.
    """
    if policy not in _SPREAD:
        return None
    lines = sorted(costs)
    weights = [1 if policy is IdlePolicy.EVEN else max(0, costs[keys]) for keys in lines]
    if not any(weights):
        return None
    nanos = sum(item.group.cost_nanos for item in pool)
    return dict(zip(lines, apportion(nanos, weights), strict=True))
