"""Where samples come from."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import RawSeries


class TelemetrySource(Protocol):
    """Samples of GPUs over time."""

    @property
    def interval_ms(self) -> int:
        """Time between samples that the source aims at."""

    def samples(self, span: Window) -> Sequence[RawSeries]:
        """All raw samples with a time in the half-open span.

        Raises:
            SourceUnavailable: no answer, or half an answer: never part of the samples in silence.
            InvalidAnswer: not what the source should say.
            NotPermitted: it refuses our credentials.
            InvalidRequest: a file of a secret cannot be read.
        """
