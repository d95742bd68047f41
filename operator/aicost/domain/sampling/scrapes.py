"""One answer of one exporter, as it is handed to a journal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """Who was asked.

    Attributes:
        address: host and port, or a URL: what tells targets apart.
        node: the node that the exporter runs on, None where it is not known.
        pod: (namespace, name) of the exporter's pod.
    """

    address: str
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
