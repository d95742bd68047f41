"""What each nudge watches, and whether it rose by enough to be worth a word.

Only a rise is: what got cheaper needs nobody's attention, and each job that ends would be a fall.
"""

from dataclasses import dataclass

import numpy as np

from aicost.domain.budgets.nudges.normal import Direction, Normality, Silence, judge, means
from aicost.domain.budgets.nudges.seen import Seen
from aicost.domain.budgets.plans import Nudge, NudgeOn
from aicost.domain.exact.windows import DAY_MS
from aicost.domain.sampling.series import Values

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True)
class Change:
    """Something that left its normal.

    Attributes:
        subject: the GPU model; empty where the whole scope is meant.
        now, normal: in the unit of what is watched: nano-units per day for Rate and GpuModel, nano-units per unit for
            UnitCost, a share for IdleShare.
        excess_nanos: what the change costs a day, in nano-units.
        score: how unusual it is; None for a GPU model, which is new or not.
    """

    subject: str
    now: float
    normal: float
    excess_nanos: int
    score: float | None = None


def changes(nudge: Nudge, seen: Seen, now_ms: int) -> tuple[Change, ...] | Silence:
    """What left its normal by more than both floors of a nudge; none, or why nothing can be said."""
    found = _found(nudge.on, seen, now_ms)
    return found if isinstance(found, Silence) else tuple(one for one in found if _is_worth_a_word(nudge, one))


def _found(on: NudgeOn, seen: Seen, now_ms: int) -> tuple[Change, ...] | Silence:
    match on:
        case NudgeOn.RATE:
            return _rate(seen)
        case NudgeOn.UNIT_COST:
            return _unit_cost(seen)
        case NudgeOn.IDLE_SHARE:
            return _idle_share(seen)
        case NudgeOn.GPU_MODEL:
            return _gpu_models(seen, now_ms)


def _is_worth_a_word(nudge: Nudge, change: Change) -> bool:
    """Both floors must be reached. Above a normal of nothing each rise is large, so there the money decides."""
    return change.excess_nanos >= nudge.floor_nanos and change.now - change.normal >= nudge.relative * change.normal


def _rate(seen: Seen) -> tuple[Change, ...] | Silence:
    if seen.cost is None:
        return ()
    found = _risen(seen.cost)
    if not isinstance(found, Normality):
        return found
    now, normal = found.now * _DAY_HOURS, found.normal * _DAY_HOURS
    return (Change("", now, normal, int(now - normal), found.score),)


def _unit_cost(seen: Seen) -> tuple[Change, ...] | Silence:
    """The change of the ratio, times the units of a day."""
    if seen.unit_cost is None or seen.units is None or _is_nothing(seen.unit_cost):
        return ()
    found = _risen(_ratio(seen.unit_cost, seen.units))
    if not isinstance(found, Normality):
        return found
    excess = (found.now - found.normal) * _of_a_day(seen.units)
    return (Change("", found.now, found.normal, int(excess), found.score),)


def _idle_share(seen: Seen) -> tuple[Change, ...] | Silence:
    """The share tells that something is odd, the money of the same hours what it is worth."""
    if seen.idle_ms is None or seen.busy_ms is None or _is_nothing(seen.idle_ms + seen.busy_ms):
        return ()
    found = _risen(_ratio(seen.idle_ms, seen.idle_ms + seen.busy_ms))
    if not isinstance(found, Normality):
        return found
    money = None if seen.idle_cost is None else means(seen.idle_cost, found.term)
    if money is None:
        return Silence.COST_MISSING
    return (Change("", found.now, found.normal, int((money[0] - money[1]) * _DAY_HOURS), found.score),)


def _gpu_models(seen: Seen, now_ms: int) -> tuple[Change, ...] | Silence:
    """Models that run now and were not there before the last day, if at least a day before that is known."""
    if seen.since_ms is None:
        return Silence.HISTORY_SHORT
    first = {model: seen.first_ms.get(model, now_ms) for model, nanos in seen.committed.items() if nanos > 0}
    recent = {model: at_ms for model, at_ms in first.items() if now_ms - at_ms < DAY_MS}
    new = sorted(model for model, at_ms in recent.items() if at_ms - seen.since_ms >= DAY_MS)
    if recent and not new:
        return Silence.HISTORY_SHORT
    days = {model: seen.committed[model] * _DAY_HOURS for model in new}
    return tuple(Change(model, float(nanos), 0.0, nanos) for model, nanos in days.items())


def _risen(hourly: Values) -> Normality | tuple[()] | Silence:
    """The normality of a series that is unusually high, none of one that is not."""
    found = judge(hourly)
    if isinstance(found, Silence):
        return found
    return found if found.is_unusual and found.direction is Direction.UP else ()


def _is_nothing(hourly: Values) -> bool:
    """Whether the latest hour is known to have nothing to watch: then nothing is out of its normal."""
    return len(hourly) > 0 and bool(hourly[-1] == 0)


def _ratio(part: Values, whole: Values) -> Values:
    """Undefined where the whole is nothing."""
    found: Values = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return found


def _of_a_day(hourly: Values) -> float:
    """Units of the last day, its unknown hours taken as the others."""
    known = hourly[-_DAY_HOURS:][np.isfinite(hourly[-_DAY_HOURS:])]
    return float(known.mean()) * _DAY_HOURS if len(known) else 0.0
