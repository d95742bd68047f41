"""Asks engines for the few counters that unit costs need. Whoever may start a pod answers here: nothing is trusted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from aicost.adapters.dcgm.scrape import ScrapeConfig, Scraper, Wanted
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from aicost.domain.serving.calibration.minutes import BUSY_NAMES
from aicost.domain.serving.wanted import BOUNDS, BUCKETS, WANTED

MOST_BYTES = 4_000_000
"""Size above which an answer is refused; vLLM shows about 100 kB."""
MOST_SERIES = 2_000
"""Series of one target that are kept, all that it ever showed together; an engine shows about a hundred."""
MOST_IN_ALL = 300_000
"""The same of all targets together: each series takes memory for as long as its samples are kept."""
LONGEST_LABELS = 2_048
"""Characters of all labels of one series together."""
_BUCKETS, _BOUNDS = frozenset(BUCKETS), frozenset(BOUNDS)
_THROUGH = "let a Prometheus scrape it"


def _keeps(name: str, labels: Mapping[str, str]) -> bool:
    """Of histograms a few buckets, of all else everything."""
    return name not in _BUCKETS or labels.get("le", "") in _BOUNDS


ENGINES = Wanted(frozenset(WANTED) - frozenset(BUSY_NAMES), _keeps, usual=":8000/metrics", nothing="")
"""How busy GPUs were is told by exporters alone: a pod does not speak of them."""


class EngineScraper:
    """Scrapes engines, and keeps each of them to its part of the memory.

    Args:
        clock: the present moment.
        timeout_s: longest time that one answer may take in all.
    """

    def __init__(self, clock: Callable[[], int], timeout_s: float) -> None:
        self._scraper = Scraper(clock, ScrapeConfig(timeout_s, MOST_BYTES, workers=32), ENGINES)
        self._seen: dict[str, set[int]] = {}

    def scrape_all(self, targets: Sequence[ScrapeTarget]) -> tuple[Scrape, ...]:
        """Ask all targets; one whose answer cannot be kept says so in its own scrape, the others go on."""
        self._seen = {target.url: self._seen.get(target.url, set()) for target in targets}
        return tuple(self._kept(scrape) for scrape in self._scraper.scrape_all(targets))

    def close(self) -> None:
        """Close all connections."""
        self._scraper.close()

    def _kept(self, scrape: Scrape) -> Scrape:
        """An answer as a whole or not at all: the half of it would be a wrong count."""
        problem = self._problem(scrape)
        return replace(scrape, readings=(), error=f"{scrape.target.url} {problem}") if problem else scrape

    def _problem(self, scrape: Scrape) -> str:
        if any(_length(one.labels) > LONGEST_LABELS for one in scrape.readings):
            return f"shows a series whose labels have more than {LONGEST_LABELS} characters: {_THROUGH}"
        seen = self._seen[scrape.target.url]
        fresh = {hash((one.name, *sorted(one.labels.items()))) for one in scrape.readings} - seen
        if len(seen) + len(fresh) > MOST_SERIES:
            return f"has shown more than {MOST_SERIES} series of wanted counters, too many to be kept: {_THROUGH}"
        if fresh and sum(map(len, self._seen.values())) + len(fresh) > MOST_IN_ALL:
            return f"is not kept: all engines together show more than {MOST_IN_ALL} series: {_THROUGH}"
        seen |= fresh
        return ""


def _length(labels: Mapping[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in labels.items())
