"""Whom to stop: in which order, how many at once, and whom never."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.budgets.plans import VictimOrder, VictimRules
from aicost.domain.enforcement.victims.candidates import Candidate
from aicost.domain.enforcement.victims.idleness import Use
from aicost.domain.identity.stages import Stage

_STAGES: Mapping[str, int] = {Stage.SANDBOX: 0, Stage.EXPERIMENT: 1, Stage.PILOT: 2, Stage.PRODUCTION: 3}
_UNKNOWN_STAGE = 2
"""What nobody calls anything is treated with the care of a pilot."""


class Spared(StrEnum):
    """Why a workload is left alone."""

    NO_LEVER = "it cannot be stopped in a way that can be undone"
    PRODUCTION = "it is production"
    EXEMPT = "it is exempt"
    TOO_YOUNG = "it has only just begun"
    ENDS_SOON = "it ends before it would be stopped"
    STAYS_UP = "a disruption budget keeps its pods"
    WRONG_STAGE = "its stage is not failed fast"
    HANDLED = "a step on it is under way"
    GANG = "another one of its gang stays"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a selection goes by.

    Attributes:
        over_nanos: cost per hour that has to go.
        scope_milli: thousandths of GPUs that the scope holds.
        notice_ms: until a step would be taken.
        may_stop_production: whether somebody allowed it, and the budget does.
        floors: uid of an object -> pods that have to stay.
        handled: uids of objects with a step under way.
        stages: stages that may be stopped; None: all.
        unlimited: whether caps and the shortest runtime are set aside: for what has to go at once.
    """

    victims: VictimRules
    over_nanos: int
    scope_milli: int
    notice_ms: int
    may_stop_production: bool = False
    floors: Mapping[str, int] | None = None
    handled: frozenset[str] = frozenset()
    stages: frozenset[str] | None = None
    unlimited: bool = False


@dataclass(frozen=True, slots=True)
class Victim:
    """A workload that is chosen, and why it is among the first.

    Attributes:
        floor: pods of it that stay.
    """

    candidate: Candidate
    why: str
    floor: int = 0

    @property
    def save_nanos(self) -> int:
        """What stopping it saves per hour."""
        return _without(self.candidate.rate_nanos, self.candidate.live, self.floor)

    @property
    def gpu_milli(self) -> int:
        """GPUs that it gives back."""
        return _without(self.candidate.gpu_milli, self.candidate.live, self.floor)


Gang = tuple[Victim, ...]
"""Workloads that are stopped together or not at all; mostly one."""


def _without(whole: int, pods: int, floor: int) -> int:
    return whole - whole * min(floor, pods) // pods if pods else whole


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is stopped, in their order, and who is left alone and why."""

    victims: tuple[Victim, ...]
    spared: tuple[tuple[Candidate, Spared], ...]

    @property
    def saves_nanos(self) -> int:
        """What stopping them saves per hour."""
        return sum(one.save_nanos for one in self.victims)


def select(found: Iterable[Candidate], rules: Rules, now_ms: int) -> Selection:
    """Choose whom to stop.

    1. Whom never: see `Spared`. 2. The others in the order that the budget names. 3. One after the other, gangs as a
    whole, until enough is saved or the caps of one cycle are reached; the first may always go, however large it is,
    else a budget with one workload could stop nothing. 4. From the last to the first, whoever turns out not to be
    needed is let go again.
    """
    spared: list[tuple[Candidate, Spared]] = []
    usable: list[Candidate] = []
    for one in found:
        reason = _spared(one, rules, now_ms)
        if reason is None:
            usable.append(one)
        else:
            spared.append((one, reason))
    whole, broken = _whole_gangs(usable, spared)
    ordered = sorted(whole, key=lambda gang: min(_key(one, rules.victims.order) for one in gang))
    chosen = _pruned(_greedy([_gang(gang, rules) for gang in ordered], rules), rules.over_nanos)
    victims = tuple(one for gang in chosen for one in gang)
    return Selection(victims, (*spared, *((one, Spared.GANG) for one in broken)))


def _gang(members: Iterable[Candidate], rules: Rules) -> Gang:
    return tuple(_victim(one, rules) for one in sorted(members, key=lambda one: _key(one, rules.victims.order)))


def _saves(gang: Gang) -> int:
    """What stopping a gang saves per hour: pods that stay go on costing."""
    return sum(one.save_nanos for one in gang)


def _spared(one: Candidate, rules: Rules, now_ms: int) -> Spared | None:
    """Why a workload is left alone; None where it may be stopped."""
    floor = (rules.floors or {}).get(one.target.uid, 0)
    production = one.stage == Stage.PRODUCTION and not rules.may_stop_production
    young = not rules.unlimited and now_ms - one.since_ms < rules.victims.min_runtime_ms
    soon = one.ends_ms is not None and now_ms < one.ends_ms < now_ms + rules.notice_ms
    checks = (
        (one.target.uid in rules.handled, Spared.HANDLED),
        (one.lever is None, Spared.NO_LEVER),
        (production, Spared.PRODUCTION),
        (rules.stages is not None and one.stage not in rules.stages, Spared.WRONG_STAGE),
        (one.exempt_ms > now_ms, Spared.EXEMPT),
        (young, Spared.TOO_YOUNG),
        (soon, Spared.ENDS_SOON),
        (floor >= one.live or (floor > 0 and not _scales(one)), Spared.STAYS_UP),
    )
    return next((reason for holds, reason in checks if holds), None)


def _scales(one: Candidate) -> bool:
    """Whether some of its pods can stay."""
    return one.lever is not None and one.lever.name == "Scale" and not one.queued


def _whole_gangs(
    usable: Sequence[Candidate], spared: Sequence[tuple[Candidate, Spared]]
) -> tuple[list[tuple[Candidate, ...]], list[Candidate]]:
    """Gangs of which every member may be stopped, and members of gangs of which one may not."""
    kept = {one.gang for one, _ in spared if one.gang}
    gangs: defaultdict[str, list[Candidate]] = defaultdict(list)
    for one in usable:
        gangs[one.gang or f"alone/{one.target.uid}"].append(one)
    whole = [tuple(members) for gang, members in gangs.items() if gang not in kept]
    return whole, [one for gang, members in gangs.items() if gang in kept for one in members]


_KEYS: Mapping[VictimOrder, Callable[[Candidate], int]] = {
    VictimOrder.REDLINE: lambda one: 0 if one.crossed else 1,
    VictimOrder.STAGE: lambda one: _STAGES.get(one.stage, _UNKNOWN_STAGE),
    VictimOrder.IDLE: lambda one: 0 if one.use is Use.IDLE else 1,
    VictimOrder.PRIORITY: lambda one: one.priority,
    VictimOrder.LOSS_AT_STAKE: lambda one: one.stake_ms or 0,
    VictimOrder.YOUNGEST: lambda one: -one.since_ms,
}


def _key(one: Candidate, order: Sequence[VictimOrder]) -> tuple[object, ...]:
    return (*(_KEYS[name](one) for name in order), str(one.target))


def _greedy(ordered: Sequence[Gang], rules: Rules) -> list[Gang]:
    """As many as it takes, as far as the caps of one cycle go. What costs nothing saves nothing, and is let run."""
    chosen: list[Gang] = []
    count = milli = saved = 0
    most_milli = int(rules.scope_milli * rules.victims.max_gpu_share)
    for gang in ordered:
        if saved >= rules.over_nanos:
            break
        size, gpus, saves = len(gang), sum(one.gpu_milli for one in gang), _saves(gang)
        if not saves and not rules.unlimited:
            continue
        fits = count + size <= rules.victims.max_per_cycle and milli + gpus <= most_milli
        if chosen and not fits and not rules.unlimited:
            continue
        chosen.append(gang)
        count, milli, saved = count + size, milli + gpus, saved + saves
    return chosen


def _pruned(chosen: Sequence[Gang], over_nanos: int) -> list[Gang]:
    """Without those that are not needed, the last one first."""
    kept = list(chosen)
    saved = sum(map(_saves, kept))
    for gang in reversed(chosen):
        if saved - _saves(gang) >= over_nanos:
            kept.remove(gang)
            saved -= _saves(gang)
    return kept


def _victim(one: Candidate, rules: Rules) -> Victim:
    floor = (rules.floors or {}).get(one.target.uid, 0)
    return Victim(one, why(one), floor if _scales(one) else 0)


def why(one: Candidate) -> str:
    """What puts a workload among the first, for people."""
    parts = [
        "beyond a redline" if one.crossed else "",
        one.stage or "no stage",
        "idle" if one.use is Use.IDLE else "",
        f"priority {one.priority}" if one.priority else "",
        "nothing is lost" if one.stake_ms is None else f"{one.stake_ms / 3_600_000:.2f} GPU-hours at stake",
    ]
    return ", ".join(part for part in parts if part)
