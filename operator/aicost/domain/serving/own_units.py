"""The one unit that people judge a workload by: what one costs, and whether that is within their target."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.budgets.units.targets import UnitTarget
from aicost.domain.serving.meters import Outcome
from aicost.domain.serving.tallies import Tally

REQUEST_UNITS = frozenset({"inference", "request"})
"""Units that an engine counts as its requests."""
TOKEN_UNITS = frozenset({"token"})
"""Units that an engine counts as its tokens, of all kinds."""
BY_COUNTER, BY_ENGINE = "counter", "engine"


@dataclass(frozen=True, slots=True)
class OwnUnit:
    """The unit of a workload.

    Attributes:
        name: what one is called.
        target: how many the price is for, and what they may cost.
        has_counter: a counter of its own counts it; else what the engine counts does.
    """

    name: str
    target: UnitTarget
    has_counter: bool = False


@dataclass(frozen=True, slots=True)
class UnitsDone:
    """How many units there were; None where nobody counts them.

    Attributes:
        by: what counted them.
        at_least: there may be more.
    """

    units: int | None = None
    successes: int | None = None
    by: str = ""
    at_least: bool = False


class Standing(StrEnum):
    """How the cost of a unit stands to its target."""

    BELOW = "below"
    MARGIN = "margin"
    """Above it, and within its margin."""
    ABOVE = "above"
    NO_TARGET = "no-target"
    NOT_COUNTED = "not-counted"
    NOTHING_DONE = "nothing-done"
    OTHER_CURRENCY = "other-currency"


@dataclass(frozen=True, slots=True)
class UnitVerdict:
    """A unit, what it costs, and how that stands to the target.

    Attributes:
        cost, per_success: nano-units for as many units, or successes, as the target is for; None where undefined.
        ratio: cost over target.
    """

    unit: OwnUnit
    done: UnitsDone
    standing: Standing
    currency: str
    cost: Fraction | None = None
    per_success: Fraction | None = None
    ratio: Fraction | None = None


def units_done(unit: OwnUnit, own: UnitCount | None, did: Tally | None) -> UnitsDone:
    """How many units a workload did: by its own counter where it names one, else by its engine."""
    if unit.has_counter:
        if own is None or own.units is None:
            return UnitsDone(by=BY_COUNTER)
        return UnitsDone(own.units, own.successes, BY_COUNTER, own.method.value != "counter-increase")
    if did is None:
        return UnitsDone()
    if unit.name in REQUEST_UNITS:
        return UnitsDone(did.requests, did.outcomes.get(Outcome.SUCCESS), BY_ENGINE, did.at_least)
    if unit.name in TOKEN_UNITS:
        kinds = [number for number in (did.computed, did.cached, did.output) if number is not None]
        return UnitsDone(sum(kinds) if kinds else None, None, BY_ENGINE, did.at_least)
    return UnitsDone()


def judge(unit: OwnUnit, done: UnitsDone, cost_nanos: int, currency: str) -> UnitVerdict:
    """Put cost, units and target together.

    Args:
        unit: the unit.
        done: units of the windows that were counted.
        cost_nanos: what the workload cost in the same windows.
        currency: of that cost.
    """
    per, target = unit.target.per, unit.target.nanos
    cost = Fraction(cost_nanos * per, done.units) if done.units else None
    per_success = Fraction(cost_nanos * per, done.successes) if done.successes else None
    comparable = target is not None and unit.target.currency == currency
    ratio = cost / target if comparable and target and cost is not None else None
    return UnitVerdict(unit, done, _standing(unit, done, currency, ratio), currency, cost, per_success, ratio)


def _standing(unit: OwnUnit, done: UnitsDone, currency: str, ratio: Fraction | None) -> Standing:
    if done.units is None:
        return Standing.NOT_COUNTED
    if unit.target.nanos is None:
        return Standing.NO_TARGET
    if unit.target.currency != currency:
        return Standing.OTHER_CURRENCY
    if ratio is None:
        return Standing.NOTHING_DONE
    if ratio <= 1:
        return Standing.BELOW
    return Standing.MARGIN if ratio <= 1 + Fraction(unit.target.margin_percent, 100) else Standing.ABOVE
