"""What a gauge showed, and for how long: its sum over time can be added to those of others, which its mean cannot."""

from dataclasses import dataclass

import numpy as np

from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.counters.growth import is_count
from aicost.domain.sampling.series import Millis, Values

LONGEST_MS = 5 * MINUTE_MS
"""A value is believed for so long, unless another one follows."""


@dataclass(frozen=True, slots=True)
class Held:
    """A gauge over a span.

    Attributes:
        value_seconds: each value times the seconds that it stood.
        seconds: how long it was looked at.
    """

    value_seconds: float
    seconds: float


def held(at_ms: Millis, values: Values, span: Window) -> Held | None:
    """What a gauge showed in a half-open span; None where it showed nothing.

    Each sample stands until the next one, but not for longer than `LONGEST_MS`. Spans that follow each other add up to
    their whole, if the samples of some time before each are handed in.

    Args:
        at_ms: times of the samples of one series, in any order.
        values: their values. What is no number, negative or beyond all counting is no sample.
        span: which time.
    """
    good = is_count(values)
    order = np.argsort(at_ms[good], kind="stable")
    begins, value = at_ms[good][order], values[good][order]
    ends = np.minimum(np.append(begins[1:], span.end_ms), begins + LONGEST_MS)
    stood = np.clip(ends, span.start_ms, span.end_ms) - np.clip(begins, span.start_ms, span.end_ms)
    stood = np.maximum(stood, 0)
    whole = int(stood.sum())
    return Held(float((value * stood).sum()) / SECOND_MS, whole / SECOND_MS) if whole else None
