"""Whom a budget would have stopped: by stage and by recorded cost, which is all that a ledger tells of the past."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.budgets.deciding.figures import BudgetSpend
from aicost.domain.budgets.gates import Basis, Gate
from aicost.domain.budgets.plans import Rung, VictimOrder, VictimRules
from aicost.domain.budgets.simulation.workloads import STAGES, Seen
from aicost.domain.enforcement.planning import FAST_STAGES
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from aicost.domain.identity.stages import Stage

_UNSTOPPABLE = frozenset({"", "DaemonSet", "Node", "RayService"})
"""Kinds of owners that have no switch of their own, or make again what is stopped; empty: pods without an owner."""


class Kept(StrEnum):
    """Why a workload would have been left alone."""

    PRODUCTION = "production is never stopped"
    NO_LEVER = "it cannot be stopped in a way that can be undone"


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom to stop, in their order, and who is left alone and why."""

    victims: tuple[Seen, ...]
    kept: tuple[tuple[Seen, Kept], ...]


def choose(found: Iterable[Seen], rules: VictimRules, over_nanos: int, gate: Gate) -> Choice:
    """Choose whom to stop: as many as it takes, as far as the caps of one cycle go, then without those not needed.

    Args:
        found: what runs and is not stopped.
        rules: the order and the caps. Of the order a ledger tells the stage; within one the costliest goes first. The
            cap on GPUs is taken of the cost.
        over_nanos: cost per hour that has to go.
        gate: FastFail stops all experiments at once, whatever they cost.
    """
    every = list(found)
    kept = tuple((one, why) for one in every if (why := _kept(one)) is not None)
    usable = [one for one in every if _kept(one) is None]
    if gate is Gate.FAST_FAIL:
        return Choice(tuple(_ordered([one for one in usable if one.stage in FAST_STAGES], rules)), kept)
    most = int(sum(one.rate_nanos for one in every) * rules.max_gpu_share)
    return Choice(tuple(_needed(_greedy(_ordered(usable, rules), rules, over_nanos, most), over_nanos)), kept)


def over_rate(spend: BudgetSpend, rung: Rung | None, now_ms: int) -> int:
    """Cost per hour above what lasts to the end of the period: all of it where nothing is left.

    A rung on the committed rate asks for no more than its own exit.
    """
    if rung is not None and rung.basis is Basis.COMMITTED_RATE:
        return max(0, spend.committed_nanos - rung.exit)
    left = max(0, spend.limit_nanos - spend.standing.spend.counted_nanos)
    ends = spend.period.end_ms
    length = now_ms - spend.period.start_ms if ends is None else ends - now_ms
    return max(0, spend.committed_nanos - left * HOUR_MS // max(length, MINUTE_MS))


def _kept(one: Seen) -> Kept | None:
    if one.stage == Stage.PRODUCTION:
        return Kept.PRODUCTION
    return Kept.NO_LEVER if one.workload.controller.partition("/")[0] in _UNSTOPPABLE else None


def _ordered(found: Iterable[Seen], rules: VictimRules) -> list[Seen]:
    by_stage = VictimOrder.STAGE in rules.order

    def key(one: Seen) -> tuple[int, int, str]:
        return STAGES.index(one.stage) if by_stage else 0, -one.rate_nanos, str(one.workload)

    return sorted(found, key=key)


def _greedy(ordered: Sequence[Seen], rules: VictimRules, over_nanos: int, most_nanos: int) -> list[Seen]:
    """As many as it takes, as far as the caps of one cycle go; the first may always go, however large it is."""
    chosen: list[Seen] = []
    saved = 0
    for one in ordered:
        if saved >= over_nanos or len(chosen) >= max(1, rules.max_per_cycle):
            break
        if not chosen or saved + one.rate_nanos <= most_nanos:
            chosen.append(one)
            saved += one.rate_nanos
    return chosen


def _needed(chosen: Sequence[Seen], over_nanos: int) -> list[Seen]:
    """Without those that are not needed, the last one first."""
    kept, saved = list(chosen), sum(one.rate_nanos for one in chosen)
    for one in reversed(chosen):
        if saved - one.rate_nanos >= over_nanos:
            kept.remove(one)
            saved -= one.rate_nanos
    return kept
