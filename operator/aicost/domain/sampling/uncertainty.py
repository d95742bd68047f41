"""How far an integral of samples may be from the truth.

Between two samples nothing is known but the samples themselves. A piece of length `dt` that is followed by a step `dv`
is taken to be wrong by something between 0 and `dv`: a variance of `dv^2 / 12`. The first sample of a span may also
hold time from before the span (a gauge looks back), and then it is wrong by up to the whole step on all that it
reaches: `dv^2 / 3`. Exporters round: a step of `q` adds `q^2 / 12`. Errors of pieces are independent, so

    error = 1.96 * sqrt(sum((dt * sigma)^2))        95 % half-width, rounded up to an integer
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from aicost.domain.sampling.series import PPB, Millis, Parts, Signal

HALF_WIDTH_95 = 1.96
RESOLUTION: Mapping[Signal, int] = {Signal.GPU_UTIL: PPB // 100}
"""Steps in which exporters print: whole percents for the coarse utilisation, six decimals for the others."""
_FINE = PPB // 1_000_000


def squared_errors(value: Parts, signal: Signal, *, mixed: bool) -> NDArray[np.float64]:
    """Variance of each value of a span, in squared parts per billion.

    Args:
        value: the samples of the span in order.
        signal: what was sampled.
        mixed: the first sample may hold time from before the span.
    """
    steps = np.abs(np.diff(value, append=value[-1:])).astype(np.float64)
    spread = steps * steps / 12
    if mixed:
        spread[:1] *= 4
    return spread + float(RESOLUTION.get(signal, _FINE)) ** 2 / 12


def half_width(error_squared: NDArray[np.float64], length_ms: Millis) -> int:
    """Half-width of the 95 % error bar of `sum(value * length)`.

    The sum is exactly rounded, so the bar does not depend on the order of the pieces or on the machine.
    """
    terms = error_squared * length_ms.astype(np.float64) ** 2
    return math.ceil(HALF_WIDTH_95 * math.sqrt(math.fsum(terms.tolist())))
