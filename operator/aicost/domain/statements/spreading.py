"""Shared costs over payers, by rule: each pool is apportioned by itself, so that its parts sum to it exactly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import lcm

from aicost.domain.exact.apportion import apportion
from aicost.domain.statements.values import Keys, Left, SharedLine, SharedRule, Spread


@dataclass(frozen=True, slots=True)
class Basis:
    """What a payer has of its own in a cluster: the figures that a rule may go by."""

    nanos: int = 0
    milliseconds: int = 0

    def __add__(self, other: "Basis") -> "Basis":
        return Basis(self.nanos + other.nanos, self.milliseconds + other.milliseconds)


@dataclass(frozen=True, slots=True)
class Pool:
    """A shared cost of one cluster and bucket."""

    cluster: str
    bucket: str
    nanos: int
    gpu_milliseconds: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Who carries what of the pools."""

    lines: Mapping[Keys, tuple[SharedLine, ...]]
    left: tuple[Left, ...]


def spread(rule: SharedRule, pools: Iterable[Pool], own: Mapping[str, Mapping[Keys, Basis]]) -> Shares:
    """Spread pools over payers.

    Payers carry what is shared in the clusters where they have something of their own: nobody pays for the idle time
    of a cluster that they do not use. Fixed shares hold in each cluster alike. A pool that nobody has a weight for is
    left.

    Args:
        rule: the rule, not `none`.
        pools: the shared costs.
        own: cluster -> payer -> what is its own there.
    """
    lines: dict[Keys, list[SharedLine]] = {}
    left: list[Left] = []
    for pool in pools:
        weights, rest = _weights(rule, own.get(pool.cluster, {}))
        payers = sorted(payer for payer, weight in weights.items() if weight)
        whole = sum(weights.values()) + rest
        if not payers:
            left.append(Left(pool.cluster, pool.bucket, pool.nanos, pool.gpu_milliseconds))
            continue
        *parts, kept = apportion(pool.nanos, [*(weights[payer] for payer in payers), rest])
        for payer, nanos in zip(payers, parts, strict=True):
            line = SharedLine(pool.cluster, pool.bucket, pool.nanos, weights[payer], whole, nanos)
            lines.setdefault(payer, []).append(line)
        if rest:
            time = apportion(pool.gpu_milliseconds, [whole - rest, rest])[1]
            left.append(Left(pool.cluster, pool.bucket, kept, time))
    return Shares({payer: tuple(found) for payer, found in lines.items()}, tuple(left))


def _weights(rule: SharedRule, own: Mapping[Keys, Basis]) -> tuple[Mapping[Keys, int], int]:
    """Weight of each payer, and the weight of what stays with the platform."""
    if rule.spread is Spread.FIXED:
        whole = lcm(*(share.denominator for share in rule.shares.values()))
        fixed: dict[Keys, int] = {(payer,): int(share * whole) for payer, share in rule.shares.items()}
        return fixed, whole - sum(fixed.values())
    if rule.spread is Spread.COST:
        return {payer: max(0, basis.nanos) for payer, basis in own.items()}, 0
    if rule.spread is Spread.GPU_HOURS:
        return {payer: max(0, basis.milliseconds) for payer, basis in own.items()}, 0
    return {payer: int(bool(basis.nanos or basis.milliseconds)) for payer, basis in own.items()}, 0
