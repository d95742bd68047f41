"""Counters of engines that were scraped directly (port `EngineSource`)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from aicost.adapters.journal.samples import SampleJournal
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.scrapes import Scrape, SeriesKey
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.calibration.minutes import BUSY_NAMES

_Target = tuple[str, PodName | None]
_HEARD, _BORN = "up", "born"
"""A series of our own with each answer: that the target was heard at all, and since when its pod is there."""
_OURS = frozenset({"namespace", "pod", "instance"})
_RENAMED = "exported_"
_AWAY_MS = 6 * HOUR_MS
"""A target that was heard within this time before a span is none that only then came to be known."""


def keep_answer(journal: SampleJournal, scrape: Scrape, born_ms: int) -> None:
    """Put what an engine answered into the journal, also that it had nothing to show.

    Args:
        journal: that of engines.
        scrape: the answer.
        born_ms: when its pod was made.

    Raises:
        JournalUnavailable: the volume has refused scrapes for so long that no more are held in memory.
    """
    heard = SeriesKey(_HEARD, ((_BORN, str(born_ms)),))
    shown = [(SeriesKey(one.name, tuple(sorted(one.labels.items()))), one.value) for one in scrape.readings]
    journal.append(scrape.target, scrape.at_ms, [(heard, 1.0), *shown])


class ScrapedEngines:
    """What the journals have: counters of engines, and beside them how busy the GPUs were.

    Args:
        engines: answers of engines.
        gpus: answers of exporters.
    """

    def __init__(self, engines: SampleJournal, gpus: SampleJournal) -> None:
        self._engines, self._gpus = engines, gpus

    def series(self, span: Window) -> Sequence[RawSeries]:
        """All samples of a span; see the port."""
        found = self._engines.samples(span)
        since = self._watched(found, span)
        counters = (replace(one, watched_ms=since[_target(one)]) for one in _counters(found))
        return [*counters, *(one for one in self._gpus.samples(span) if one.name in BUSY_NAMES)]

    def before(self, pods: Collection[PodName], span: Window) -> Sequence[RawSeries]:
        """The last samples of some pods in a span; see the port."""
        return list(_counters(self._engines.last(span, frozenset(pods))))

    def since_ms(self) -> int | None:
        """When an engine was heard for the first time, as far as is kept; None: never."""
        return self._engines.since_ms()

    def _watched(self, found: Sequence[RawSeries], span: Window) -> Mapping[_Target, int]:
        """From when on each target would have shown a counter.

        It is when it was first heard. Of a pod that was made in the span it is when it was made: all that it counted
        belongs to the span, as its cost does. Of an older pod nobody knows what it had counted before.
        """
        heard = self._engines.heard(Window(span.start_ms - _AWAY_MS, span.end_ms))
        since: dict[_Target, int] = {(target.url, target.pod): at_ms for target, at_ms in heard.items()}
        for one in found:
            born_ms = int(one.labels[_BORN]) if one.name == _HEARD else span.end_ms
            if span.start_ms <= born_ms < since[_target(one)]:
                since[_target(one)] = born_ms
        return since


def _target(one: RawSeries) -> _Target:
    """Who was scraped: an address may be that of another pod later on."""
    return one.target_url, one.target_pod


def _counters(found: Sequence[RawSeries]) -> Iterator[RawSeries]:
    """Series under the names of their targets, whatever they call themselves."""
    for one in found:
        if one.name != _HEARD and one.target_pod is not None:
            own = {f"{_RENAMED}{name}" if name in _OURS else name: value for name, value in one.labels.items()}
            namespace, pod = one.target_pod
            labels = {**own, "namespace": namespace, "pod": pod, "instance": urlsplit(one.target_url).netloc}
            yield replace(one, labels=labels)
