"""One answer of one exporter: as it is read, and as a journal keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """Who was asked.

    Attributes:
        url: where its metrics are: what tells targets apart.
        node: the node that the exporter runs on, None where it is not known.
        pod: (namespace, name) of the exporter's pod.
    """

    url: str
    node: str | None = None
    pod: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Which series a value belongs to.

    Attributes:
        name: metric name as the exporter writes it.
        labels: label pairs, sorted by name.
        help: HELP text of the metric, empty where there is none.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one series, as one scrape shows it: the scalar form of a `RawSeries`."""

    name: str
    labels: Mapping[str, str]
    value: float
    help: str = ""

    @property
    def key(self) -> SeriesKey:
        """Which series the value belongs to."""
        return SeriesKey(self.name, tuple(sorted(self.labels.items())), self.help)


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one target answered once.

    Attributes:
        target: who was asked.
        at_ms: when it was asked, by our own clock: the time of each reading, whatever the exporter stamped.
        readings: the needed values; NaN, infinities and sentinels included.
        defects: lines that could not be read; the others were.
        clock_skew_ms: how far the exporter's own stamps are ahead of ours, None where it stamps nothing.
        error: why there is no reading, None where there is an answer.
    """

    target: ScrapeTarget
    at_ms: int
    readings: tuple[Reading, ...] = ()
    defects: int = 0
    clock_skew_ms: int | None = None
    error: str | None = None
