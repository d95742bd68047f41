"""How much a counter grew: reset-safe, one series at a time. Sum what comes out, never what goes in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis, Values

BEYOND = 2.0**62
"""Nothing counts so far: a value from here on is none of a counter."""


@dataclass(frozen=True, slots=True)
class Growth:
    """By how much one counter grew in a span.

    Attributes:
        by: the growth, in the counter's own unit.
        is_whole: whether the value at the start of the span was known; else it may have grown by more.
    """

    by: float
    is_whole: bool


def increase(at_ms: Millis, values: Values, span: Window, *, watched_ms: int | None = None) -> float | None:
    """By how much a counter grew in a half-open span, at least; None where nothing tells. See `growth`."""
    found = growth(at_ms, values, span, watched_ms=watched_ms)
    return found.by if found else None


def growth(at_ms: Millis, values: Values, span: Window, *, watched_ms: int | None = None) -> Growth | None:
    """By how much a counter grew in a half-open span.

    Growth belongs to the sample that shows it, so spans that follow each other add up to their whole.

    - Between two samples it is their difference, however long the gap. Where the later one is smaller the counter was
      reset, and what it has counted since is its growth; what it counted before the reset and after the sample before
      is lost.
    - The first sample of the span is compared with the last one before it: hand in some of the time before the span.
    - Where there is none before, and the source was watched without finding any, the series began inside the span: it
      counts from 0. So does a pod that was replaced, or a label that appears with its first event.
    - Where nobody watched, the value that it began with is not known. It counts from its first sample on.

    Args:
        at_ms: times of the samples of one series, in any order.
        values: their values. What is no number, negative or beyond all counting is no sample.
        span: the growth of which time.
        watched_ms: from when on the source would have shown a sample of the series, had there been one; None: from the
            start of the span on.

    Returns:
        None where the span has no sample, or one alone that nothing is known before.
    """
    times, counts = _in_order(at_ms, values)
    first, end = (int(index) for index in np.searchsorted(times, (span.start_ms, span.end_ms)))
    if first == end:
        return None
    began = first == 0 and (span.start_ms if watched_ms is None else watched_ms) < int(times[0])
    if first == 0 and not began:
        return Growth(_grown(counts[0], counts[1:end]), is_whole=False) if end > 1 else None
    return Growth(_grown(0.0 if began else counts[first - 1], counts[first:end]), is_whole=True)


def is_count(values: Values) -> NDArray[np.bool_]:
    """Which values a counter can have: numbers, not below 0, and not beyond all counting."""
    return (values >= 0) & (values < BEYOND)


def _in_order(at_ms: Millis, values: Values) -> tuple[Millis, Values]:
    """The samples that are such, by time."""
    good = is_count(values)
    order = np.argsort(at_ms[good], kind="stable")
    return at_ms[good][order], values[good][order]


def _grown(before: float, counts: Values) -> float:
    """The sum of all steps up; a step down is a reset, and what stands after it was counted since."""
    earlier = np.concatenate(([before], counts[:-1]))
    return float(np.where(counts >= earlier, counts - earlier, counts).sum())
