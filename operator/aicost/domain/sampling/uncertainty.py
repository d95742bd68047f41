"""How far an integral of samples may be from the truth.

Four independent things go wrong, each with a variance:

- *between samples*: a piece of length `dt` that is followed by a step `dv` is wrong by something up to `dv`:
  `(dv * dt)^2 / 12` for each piece;
- *lag*: a sample describes time further back than the sample before it, so the integral is that of the load some time
  ago. That errs by up to the lag `L` times the change `D` of the load from the head of the part to its tail (the means
  of its first and last `L`), wherever in between it changed: `(L * D)^2 / 3`;
- *beginning*: the first sample that is the holder's own stands for the time before it, in which samples `e` still mixed
  in what was there before. It errs by up to its length times `E`, the largest difference of an `e` to it:
  `(E * dt)^2 / 3`. A life that has no other samples may be off by all that an activity can be;
- *rounding*: exporters print in steps of `q`, and a steady load is always rounded the same way: `(q * covered)^2 / 12`.

Counters know neither of the first three, but where a span cuts the time between two readings. Those that add up what
processes did are built from samples themselves: 5 % of their gain is the half-width of that.

The error bar is the 95 % half-width `1.96 * sqrt(sum)`, rounded up to an integer.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from aicost.domain.sampling.series import COLLECTION_MS, PPB, Millis, Parts, Signal

HALF_WIDTH_95 = 1.96
LAG_MS = COLLECTION_MS
"""Longest lag of what samples say behind what was, with an exporter that was told nothing."""
RESOLUTION: Mapping[Signal, int] = {Signal.GPU_UTIL: PPB // 100, Signal.POD_UTIL: PPB // 100}
"""Steps in which exporters print: whole percents for the coarse utilisation, six decimals for the others."""
_FINE = PPB // 1_000_000
OF_PROCESSES = frozenset({Signal.POD_SECONDS, Signal.POD_SM_SECONDS})
"""Counters that a node agent adds up from what it sees of processes once a second."""
_SAMPLED = 0.05
"""What such a counter may be off by under time-slicing, as a part of its gain: half-width of a 95 % error bar."""
_HALF_UNIT = 2.0**-53
"""A number that is added to a power of two and taken out again is at most this part of the power off."""
_EXTRACTIONS = 3
"""Each takes some 44 bits off numbers of a few hundred samples: enough for amounts that differ by a factor of 10^24."""


def settling_ms(collection_ms: int, *, held: bool) -> int:
    """How long after the start of a span its samples still show what was there before.

    One collection: what a scrape then shows is the holder's for the most part, and the error is least. For a device
    that nobody holds two, after which nothing of the last holder is left: activity of nobody is not to be guessed.
    """
    return collection_ms if held else 2 * collection_ms


def steps(value: Parts, before: Parts, *, unseen: bool) -> Parts:
    """The step from each sample to the next, 0 after the last; the first one's tells of the time before it too.

    Args:
        value: samples of a span in order, at least one; of several series that were read at the same times, row by row.
        before: samples of the span that came too early to be its own.
        unseen: the first sample comes so late that it speaks of time that no sample saw, early or not.
    """
    step = np.zeros_like(value)
    np.abs(value[..., 1:] - value[..., :-1], out=step[..., :-1])
    start = value[..., :1]
    if before.shape[-1]:
        first = 2 * np.abs(before - start).max(axis=-1, keepdims=True)
    elif unseen:
        first = np.maximum(start, PPB - start)
    else:
        return step
    np.maximum(step[..., :1], first, out=step[..., :1])
    return step


def unsettled_steps(value: Parts) -> Parts:
    """Steps of samples that all came too early: nothing tells how much of them is from before the span."""
    return np.maximum(value, PPB - value)


def between(step: Parts, length_ms: Millis) -> NDArray[np.float64]:
    """Variance of each piece for what may have happened between samples."""
    return (step.astype(np.float64) * length_ms.astype(np.float64)) ** 2 / 12


def of_lag(change: int) -> float:
    """Variance for the lag, from the change of the load between both ends of a part."""
    return (float(LAG_MS) * change) ** 2 / 3


def of_rounding(signal: Signal, covered_ms: int) -> float:
    """Variance for the rounding of printed values."""
    return (float(RESOLUTION.get(signal, _FINE)) * covered_ms) ** 2 / 12


def of_sampling(active: int) -> float:
    """Variance for what a counter of processes missed or counted twice, from the activity that it gained."""
    return (_SAMPLED * active / HALF_WIDTH_95) ** 2


def exact_parts(table: NDArray[np.float64]) -> list[list[float]]:
    """For each row of a table a few numbers that have the same exact sum as the row.

    A number that is added to a far larger power of two and taken out again is left with its leading bits. Those of a
    row are multiples of one unit, and so few that they add up without rounding, in whatever order. What they leave is
    at most half that unit: it is treated likewise, and again. The powers are those of the table's largest number. A row
    of which something is left then, because its numbers are too small beside it, stays as it is.
    """
    rest, leading, sums = table.copy(), np.empty(table.shape), []
    room = 2.0 ** math.ceil(math.log2(table.shape[-1] + 2))
    _, exponent = math.frexp(np.abs(rest, out=leading).max(initial=0.0))
    power = math.ldexp(room, exponent)
    for _ in range(_EXTRACTIONS):
        np.add(rest, power, out=leading)
        leading -= power
        rest -= leading
        sums.append(leading.sum(axis=-1))
        power *= room * _HALF_UNIT
    parts: list[list[float]] = np.stack(sums, axis=-1).tolist()
    for row in np.flatnonzero(rest.any(axis=-1)).tolist():
        parts[row] = table[row].tolist()
    return parts


def half_width(variances: Iterable[float]) -> int:
    """Half-width of the 95 % error bar; exactly rounded, so the order of terms and the machine do not matter."""
    return math.ceil(HALF_WIDTH_95 * math.sqrt(math.fsum(variances)))
