"""Whether the latest hour of a series is out of the series' own normal.

Three plain terms, of which the greatest counts:

    sudden     0.7 x |x - mean| / sigma   the latest hour against the 7 days before it
    sustained  |m - mean| / sigma         the mean of the last 6 hours against such means of the 14 days before them
    new range  4                          the latest hour lies beyond all hours before it, by 5 % of their range

On a public corpus of anomalies these beat the usual rule (percent above the mean of some days) by a factor of four, and
a rule by median and absolute deviations by three: load comes in bursts, and that is no anomaly. Half of the gain comes
from not speaking again for a day, which is up to the caller. These are statistics, so they are floats; no amount that
anybody is charged is computed here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aicost.domain.sampling.series import Values

WEEK_HOURS = 7 * 24
LOOK_BACK_HOURS = 14 * 24
"""How far back normal goes."""
RECENT_HOURS = 6
"""Hours whose mean tells a change that stays from a burst."""
LEAST_HOURS = 72
"""Known hours of the look-back below which nothing is said: a daily pattern must have been seen some times."""
UNUSUAL = 4.0
"""Score from which on a series is out of its normal."""

_SUDDEN_WEIGHT = 0.7
"""A single hour counts less than six."""
_NEW_RANGE_SCORE = 4.0
_NEW_RANGE_MARGIN = 0.05
"""Share of the range by which an hour must lie beyond it: the largest of many hours is always a little larger."""
_SIGMA_FLOOR = 0.1
"""Least sigma, as a share of the sigma of the whole history: after a calm week a small stir is no fire."""
_LEAST_OF_RECENT = 3
"""Known hours among the last six without which their mean says nothing."""
_LEAST_OF_TERM = 24
"""Known hours without which a term has nothing to compare with."""
_NOISE = 1e-9
"""Least sigma, as a share of the mean: a sum of floats may differ by its rounding."""


class Term(StrEnum):
    """What about the series is unusual."""

    SUDDEN = "Sudden"
    SUSTAINED = "Sustained"
    NEW_RANGE = "NewRange"


class Direction(StrEnum):
    """To which side of its normal a series is."""

    UP = "Up"
    DOWN = "Down"


class Silence(StrEnum):
    """Why nothing is said."""

    LATEST_MISSING = "LatestHourMissing"
    HISTORY_SHORT = "HistoryShort"
    COST_MISSING = "CostMissing"


@dataclass(frozen=True, slots=True)
class Normality:
    """How the present compares with what is normal.

    Attributes:
        score: how unusual it is; infinite where the past was constant and the present differs.
        term: what about it is the most unusual.
        normal: mean of the past that it was compared with, in the unit of the series.
        now: the latest hour, or for `SUSTAINED` the mean of the last six.
    """

    score: float
    term: Term
    normal: float
    now: float

    @property
    def direction(self) -> Direction:
        """The side that it is on."""
        return Direction.UP if self.now >= self.normal else Direction.DOWN

    @property
    def is_unusual(self) -> bool:
        """Whether it is out of its normal."""
        return self.score >= UNUSUAL


def judge(hourly: Values) -> Normality | Silence:
    """Compare the end of an hourly series with its past.

    Args:
        hourly: one value per hour without gaps in time, the latest last; NaN where nothing is known, which is not 0.
            More than 14 days are welcome: what lies outside all of them is a new range.

    Returns:
        The most unusual of the terms; or why there is none: the latest hour is missing, or fewer than 72 hours of the
        look-back are known.
    """
    if not len(hourly) or not np.isfinite(hourly[-1]):
        return Silence.LATEST_MISSING
    past = _known(hourly[:-1])
    if len(_known(hourly[-1 - LOOK_BACK_HOURS : -1])) < LEAST_HOURS:
        return Silence.HISTORY_SHORT
    floor = _SIGMA_FLOOR * float(past.std())
    found = (_normality(hourly, term, floor) for term in Term)
    return max((one for one in found if one), key=lambda one: one.score)


def means(hourly: Values, term: Term) -> tuple[float, float] | None:
    """Mean of the present and of the past that a term compares; None where too little is known of either."""
    recent, past = (_known(part) for part in _parts(hourly, term))
    least = _LEAST_OF_RECENT if term is Term.SUSTAINED else 1
    if len(recent) < least or len(past) < _LEAST_OF_TERM:
        return None
    return float(recent.mean()), float(past.mean())


def _parts(hourly: Values, term: Term) -> tuple[Values, Values]:
    """The present and the past that a term looks at."""
    match term:
        case Term.SUDDEN:
            return hourly[-1:], hourly[-1 - WEEK_HOURS : -1]
        case Term.SUSTAINED:
            return hourly[-RECENT_HOURS:], hourly[-RECENT_HOURS - LOOK_BACK_HOURS : -RECENT_HOURS]
        case Term.NEW_RANGE:
            return hourly[-1:], hourly[:-1]


def _normality(hourly: Values, term: Term, floor: float) -> Normality | None:
    """What one term says, None where it has too little to go by."""
    compared = means(hourly, term)
    if compared is None:
        return None
    now, normal = compared
    past = _parts(hourly, term)[1]
    return Normality(_SCORES[term](now, normal, past, floor), term, normal, now)


def _sudden(now: float, normal: float, past: Values, floor: float) -> float:
    return _SUDDEN_WEIGHT * _z(now, normal, float(_known(past).std()), floor)


def _sustained(now: float, normal: float, past: Values, floor: float) -> float:
    """Six hours together vary less than one: their mean is compared with means of as many hours."""
    return _z(now, normal, float(_rolling_means(past).std()), floor)


def _new_range(now: float, _normal: float, past: Values, _floor: float) -> float:
    known = _known(past)
    low, high = float(known.min()), float(known.max())
    margin = max(_NEW_RANGE_MARGIN * (high - low), _NOISE * max(abs(low), abs(high)))
    return 0.0 if low - margin <= now <= high + margin else _NEW_RANGE_SCORE


_SCORES: dict[Term, Callable[[float, float, Values, float], float]] = {
    Term.SUDDEN: _sudden,
    Term.SUSTAINED: _sustained,
    Term.NEW_RANGE: _new_range,
}


def _z(now: float, normal: float, sigma: float, floor: float) -> float:
    scale = max(sigma, floor, _NOISE * abs(normal))
    if scale > 0:
        return abs(now - normal) / scale
    return 0.0 if now == normal else float("inf")


def _rolling_means(past: Values) -> Values:
    """Mean of each six hours in a row of which enough are known."""
    known = np.isfinite(past)
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, past, 0.0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    total, count = sums[RECENT_HOURS:] - sums[:-RECENT_HOURS], counts[RECENT_HOURS:] - counts[:-RECENT_HOURS]
    enough = count >= _LEAST_OF_RECENT
    found: Values = total[enough] / count[enough]
    return found


def _known(hourly: Values) -> Values:
    return hourly[np.isfinite(hourly)]
