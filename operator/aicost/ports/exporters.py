"""Who measures the GPUs."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.trust.values import ExporterSeen, Stranger


class Exporters(Protocol):
    """The exporters of the cluster."""

    def exporters(self) -> Sequence[ExporterSeen]:
        """Their pods as they are now, each with what its last scrape said where we scrape."""

    def strangers(self) -> Sequence[Stranger]:
        """What the source has of exporters by names that no dialect has.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted, InvalidRequest: as of a `TelemetrySource`.
        """
