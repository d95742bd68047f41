"""How many replicas of a workload the load needed, and when there were more.

What one replica can do is what the workload's replicas did at most, on average, in the time that is looked at. The load
needs as many as that times them gives, and at least one. Replicas beyond that are waste, layer by layer: the second
replica was needed whenever two were, the third whenever three were. In each stretch of time in which a layer was there
without a break, waste before the first time that it was needed is *before a spike*, after the last *after a spike*.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.idle.kinds import Phase
from aicost.domain.idle.slices import QUIET, SLICE_MS
from aicost.domain.sampling.series import PPB


@dataclass(slots=True)
class Load:
    """What the replicas of a workload did in one slice.

    Attributes:
        replicas: pods that held GPUs for most of it.
        busy: sum of their activities, each the mean over its devices, in parts per billion.
        known: samples speak of all of them.
    """

    replicas: int = 0
    busy: int = 0
    known: bool = True


@dataclass(frozen=True, slots=True)
class Waste:
    """What was too much in one slice.

    Attributes:
        share: of the idle time of the replicas, how much is waste: at most all of it.
        phases: replicas too many, by phase.
    """

    share: Fraction = Fraction(0)
    phases: Mapping[Phase, int] = field(default_factory=dict)


NO_WASTE = Waste()


def waste_of(loads: Mapping[int, Load]) -> Mapping[int, Waste]:
    """What was too much, by the start of the slice; slices without waste are left out.

    Args:
        loads: by the start of the slice. Where samples do not speak of all replicas nothing is called waste.
    """
    peak = max((load.busy // load.replicas for load in loads.values() if load.known and load.replicas), default=0)
    needed = {at: _needed(load, peak) for at, load in loads.items()}
    phases: dict[int, dict[Phase, int]] = {}
    for layer in range(2, max((load.replicas for load in loads.values()), default=0) + 1):
        for at, phase in _of_layer(layer, loads, needed):
            found = phases.setdefault(at, {})
            found[phase] = found.get(phase, 0) + 1
    return {at: Waste(_share(loads[at], sum(found.values())), found) for at, found in phases.items()}


def _needed(load: Load, peak: int) -> int:
    """Replicas that the load of a slice needed."""
    if not load.known:
        return load.replicas
    if peak <= QUIET or load.busy <= QUIET:
        return min(1, load.replicas)
    return min(load.replicas, max(1, -(-load.busy // peak)))


def _share(load: Load, too_many: int) -> Fraction:
    """Waste as a part of the idle time: a replica too many may still have taken some of the load."""
    idle = load.replicas * PPB - load.busy
    return min(Fraction(1), Fraction(too_many * PPB, idle)) if idle > 0 else Fraction(0)


def _of_layer(layer: int, loads: Mapping[int, Load], needed: Mapping[int, int]) -> Iterator[tuple[int, Phase]]:
    """The slices in which the n-th replica was there and not needed, with their phase."""
    there = sorted(at for at, load in loads.items() if load.replicas >= layer)
    for stretch in _stretches(there):
        used = [at for at in stretch if needed[at] >= layer]
        for at in stretch:
            if needed[at] < layer:
                yield at, _phase(at, used)


def _phase(at: int, used: list[int]) -> Phase:
    if not used:
        return Phase.NEVER_NEEDED
    if at < used[0]:
        return Phase.BEFORE_SPIKE
    return Phase.AFTER_SPIKE if at > used[-1] else Phase.BETWEEN_SPIKES


def _stretches(times: list[int]) -> Iterator[list[int]]:
    """Slices that follow each other without a break."""
    stretch: list[int] = []
    for at in times:
        if stretch and at - stretch[-1] > SLICE_MS:
            yield stretch
            stretch = []
        stretch.append(at)
    if stretch:
        yield stretch
