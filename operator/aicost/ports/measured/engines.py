"""What engines that serve models count, and the gateways before them."""

from collections.abc import Collection, Sequence
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import RawSeries


class EngineSource(Protocol):
    """Raw series of the counters of engines and gateways."""

    def series(self, span: Window) -> Sequence[RawSeries]:
        """All samples with a time in the half-open span, of the counters that `aicost.domain.serving` names.

        Labels are exactly as the source shows them: `namespace` and `pod` say who was scraped. Where each target was
        watched from a moment of its own on, its series say which.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted: see the port `TelemetrySource`.
        """

    def before(self, pods: Collection[PodName], span: Window) -> Sequence[RawSeries]:
        """The last sample of each of these series in a span, of some pods.

        Its time may be given as the last moment of the span: only its value counts.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted: see the port `TelemetrySource`.
        """
