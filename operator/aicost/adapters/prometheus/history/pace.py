"""GPU samples of the past, with the time between them as it was then (port `TelemetrySource`)."""

from collections.abc import Iterable, Sequence

import numpy as np

from aicost.adapters.prometheus.source import PrometheusSource
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.series import Millis, RawSeries

_LOOKED_AT = 200
"""Series whose distances are looked at."""
_COARSER = 2.5
"""So many times the usual distance is no jitter."""


class PacedSource:
    """A source whose interval is that of the samples that came last.

    Args:
        source: the real one.
        usual_ms: time between the newest samples.
    """

    def __init__(self, source: PrometheusSource, usual_ms: int) -> None:
        self._source, self._usual_ms = source, usual_ms
        self._interval_ms = usual_ms

    @property
    def interval_ms(self) -> int:
        """Time between the samples that came last; the usual one before any came."""
        return self._interval_ms

    @property
    def coarse(self) -> bool:
        """Whether they stood much further apart than is usual: they were down-sampled, or scraped otherwise."""
        return self._interval_ms >= max(2 * MINUTE_MS, _COARSER * self._usual_ms)

    def samples(self, span: Window) -> Sequence[RawSeries]:
        """All raw samples in the half-open span; see the port."""
        found = self._source.samples(span)
        self._interval_ms = typical_distance(one.at_ms for one in found[:_LOOKED_AT]) or self._usual_ms
        return found


def typical_distance(series: Iterable[Millis]) -> int:
    """The distance of samples in which half of the time lies, 0 where there are none.

    A few samples that stand close do not count for much, and neither does one gap.
    """
    distances = np.sort(np.concatenate([np.diff(np.unique(at_ms)) for at_ms in series] or [np.zeros(0, np.int64)]))
    passed = np.cumsum(distances)
    return int(distances[np.searchsorted(passed, passed[-1] / 2)]) if len(distances) else 0
