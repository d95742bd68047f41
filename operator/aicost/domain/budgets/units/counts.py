"""Units and successes of a workload, and what one of them costs. Ratios come from sums; undefined is not 0."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aicost.domain.sampling.counters.growth import Growth


class CountMethod(StrEnum):
    """How units were counted."""

    INCREASE = "counter-increase"
    """By the increase of each series, summed."""
    AT_LEAST = "counter-increase-at-least"
    """The same, but what some series had counted before the span is not known: there may be more."""
    NO_SAMPLES = "no-samples"
    """There is no sample of the counter in the span."""
    TOO_MANY = "too-many-series"
    """The counter has more series than are read."""
    NO_COUNTER = "no-such-counter"
    """It has a name, or a label's name, that no counter can have."""


@dataclass(frozen=True, slots=True)
class CounterSum:
    """What the series of one counter add up to.

    Attributes:
        count: whole units; None where nothing is known.
        series: how many series there are.
    """

    count: int | None
    series: int
    method: CountMethod


@dataclass(frozen=True, slots=True)
class UnitCount:
    """What a workload did in a span.

    Attributes:
        units: units; None where they are not known.
        successes: those among them that were a success; None where they are not known, or nobody counts them.
        series: series that were read for both.
        method: how they were counted; of the two counters, the one that is known less well decides.
    """

    units: int | None
    successes: int | None
    series: int
    method: CountMethod


def add_up(grown: Iterable[Growth | None]) -> CounterSum:
    """Sum what the series of one counter grew by. A part of a unit at the end is no unit."""
    every = list(grown)
    known = [one for one in every if one is not None]
    if not known:
        return CounterSum(None, len(every), CountMethod.NO_SAMPLES)
    whole = len(known) == len(every) and all(one.is_whole for one in known)
    method = CountMethod.INCREASE if whole else CountMethod.AT_LEAST
    return CounterSum(math.floor(math.fsum(one.by for one in known)), len(every), method)


def unit_count(units: CounterSum, successes: CounterSum | None) -> UnitCount:
    """Put the two counters of a workload together.

    Where units are counted and the counter of successes exists nowhere, nothing tells whether there was none or nobody
    counts them: successes are not known then.
    """
    if successes is None:
        return UnitCount(units.count, None, units.series, units.method)
    worse = max(units.method, successes.method, key=list(CountMethod).index)
    return UnitCount(units.count, successes.count, units.series + successes.series, worse)


def cost_per_unit(cost_nanos: int, count: UnitCount) -> Fraction | None:
    """Nano-units per unit; undefined without a unit."""
    return Fraction(cost_nanos, count.units) if count.units else None


def cost_per_success(cost_nanos: int, count: UnitCount) -> Fraction | None:
    """Nano-units per success; undefined without a success."""
    return Fraction(cost_nanos, count.successes) if count.successes else None


def success_rate(count: UnitCount) -> Fraction | None:
    """Share of the units that were a success; undefined without a unit.

    Two counters are not read at the same instant, so a success may be seen before its unit: the rate is 1 at most.
    """
    if not count.units or count.successes is None:
        return None
    return min(Fraction(1), Fraction(count.successes, count.units))
