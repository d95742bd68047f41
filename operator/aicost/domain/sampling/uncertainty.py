"""How far an integral of samples may be from the truth.

Three independent things go wrong, each with a variance:

- *between samples*: a piece of length `dt` that is followed by a step `dv` is wrong by something up to `dv`:
  `(dv * dt)^2 / 12` for each piece;
- *lag*: a sample describes time before it and is carried to time after it, so the integral is that of the load some
  time ago. That errs by up to the lag `L` times the change `D` of the load from the head of the part to its tail (the
  means of its first and last `L`), wherever in between it changed: `(L * D)^2 / 3`. A first sample that mixes in the
  time before its holder shows in it too;
- *rounding*: exporters print in steps of `q`, and a steady load is always rounded the same way: `(q * covered)^2 / 12`.

The error bar is the 95 % half-width `1.96 * sqrt(sum)`, rounded up to an integer.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import SECOND_MS
from aicost.domain.sampling.series import PPB, Millis, Parts, Signal

HALF_WIDTH_95 = 1.96
COLLECTION_MS = 30 * SECOND_MS
"""How often exporters collect unless told otherwise: a scraped value may be older than the scrape by so much."""
RESOLUTION: Mapping[Signal, int] = {Signal.GPU_UTIL: PPB // 100}
"""Steps in which exporters print: whole percents for the coarse utilisation, six decimals for the others."""
_FINE = PPB // 1_000_000


def lag_ms(interval_ms: int) -> int:
    """Longest lag of what is carried behind what was: one interval and one collection."""
    return interval_ms + COLLECTION_MS


def steps(value: Parts, *, alone: bool) -> Parts:
    """The step from each sample to the next, 0 after the last.

    Args:
        value: samples of a span in order.
        alone: the only sample of a span, soon after its start. Nothing tells how much of it is from before the span,
            so it may be off by all that an activity can be.
    """
    return np.maximum(value, PPB - value) if alone else np.abs(np.diff(value, append=value[-1:]))


def between(step: Parts, length_ms: Millis) -> NDArray[np.float64]:
    """Variance of each piece for what may have happened between samples."""
    return (step.astype(np.float64) * length_ms.astype(np.float64)) ** 2 / 12


def of_lag(change: int, lag: int) -> float:
    """Variance for the lag, from the change of the load between both ends of a part."""
    return (float(lag) * change) ** 2 / 3


def of_rounding(signal: Signal, covered_ms: int) -> float:
    """Variance for the rounding of printed values."""
    return (float(RESOLUTION.get(signal, _FINE)) * covered_ms) ** 2 / 12


def half_width(variances: Iterable[float]) -> int:
    """Half-width of the 95 % error bar; exactly rounded, so the order of terms and the machine do not matter."""
    return math.ceil(HALF_WIDTH_95 * math.sqrt(math.fsum(variances)))
