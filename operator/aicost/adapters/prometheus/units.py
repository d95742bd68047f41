"""Counters of units from a Prometheus-compatible server, each from the namespace of its workload alone.

People of a namespace name the counter and its labels. So the query names the namespace first, every name and value is
escaped, and what comes back is looked at again: a series belongs to the namespace that it is about, which is
`exported_namespace` where it has one and `namespace` else, and it must have been scraped from that namespace. A pod
elsewhere could wear any `exported_namespace`: only targets of the namespaces that `speakers` names, such as that of a
gateway, are believed when they speak of others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration, exact, is_label_name, is_text, one_of, selector
from aicost.adapters.prometheus.replies import Matrix, Vector, labels_of, samples_of
from aicost.domain.budgets.units.counts import CounterSum, CountMethod, UnitCount, add_up, unit_count
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.counters.growth import growth
from aicost.domain.sampling.series import Millis, RawSeries, Values
from aicost.ports.measured.units import Counter, CounterQuery, WorkloadKey

_BEFORE_MS = 6 * HOUR_MS
"""How far back the last value before a span is looked for: a target may be away for hours and come back."""
_WATCHED_MS = 5 * MINUTE_MS
"""Time before the span in which the server must have scraped something: then what it did not show was not there."""
_PADDING_MS = SECOND_MS
_LONGEST_CHUNK_MS = 6 * HOUR_MS
_SHORTEST_CHUNK_MS = 10 * MINUTE_MS
_LARGEST_REPLY_BYTES = 16_000_000
"""Of one question. More than some thousand series is no counter of units, and nobody may keep us busy with it."""

_Labels = Mapping[str, str]
_SeriesKey = frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Samples:
    """The samples of one series, from as many answers as it took."""

    at_ms: list[Millis] = field(default_factory=list)
    value: list[Values] = field(default_factory=list)


class PrometheusUnits:
    """A `UnitCounts` over the HTTP API.

    Raw samples come from an instant query of a range selector and are cut half-open here, as those of GPUs are. The
    last value before the span is asked for apart, so that it may be hours old.
    """

    def __init__(self, config: PrometheusConfig, speakers: frozenset[str] = frozenset()) -> None:
        """Read counters.

        Args:
            config: the server.
            speakers: namespaces whose targets may count for workloads of other namespaces.
        """
        small = replace(config, max_reply_bytes=min(config.max_reply_bytes, _LARGEST_REPLY_BYTES))
        self._matchers, self._url, self._speakers = config.matchers, config.api, speakers
        self._client = PrometheusClient(small)

    def count(self, counters: Sequence[CounterQuery], span: Window) -> Mapping[WorkloadKey, UnitCount]:
        """Units and successes of each workload in a half-open span; see the port."""
        if not counters:
            return {}
        watched_ms = span.start_ms - 1 if self._was_watching(span) else span.end_ms
        found: dict[WorkloadKey, UnitCount] = {}
        for one in counters:
            units = self._sum(one.namespace, one.units, span, watched_ms)
            successes = self._sum(one.namespace, one.successes, span, watched_ms) if one.successes else None
            found[one.key] = unit_count(units, successes)
        return found

    def series(self, namespace: str, counter: Counter, span: Window) -> tuple[RawSeries, ...]:
        """The samples of a half-open span as they are (port `TrainingSource`)."""
        if not _can_be_asked_for(namespace, counter):
            return ()
        try:
            found = self._series(namespace, counter, span)
        except TooMuchAsked:
            return ()
        return tuple(
            RawSeries(counter.metric, dict(key), np.concatenate(one.at_ms), np.concatenate(one.value))
            for key, one in found.items()
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _was_watching(self, span: Window) -> bool:
        """Whether anything was scraped just before the span."""
        up = selector(("up",), self._matchers)
        query = f"count(last_over_time({up}[{duration(_WATCHED_MS)}]))"
        return bool(self._client.query(query, span.start_ms - 1, Vector).result)

    def _sum(self, namespace: str, counter: Counter, span: Window, watched_ms: int) -> CounterSum:
        """What a counter grew by, over all of its series in the namespace."""
        if not _can_be_asked_for(namespace, counter):
            return CounterSum(None, 0, CountMethod.NO_COUNTER)
        try:
            series = self._series(namespace, counter, span)
            before = self._before(namespace, counter, span) if series else {}
        except TooMuchAsked:
            return CounterSum(None, 0, CountMethod.TOO_MANY)
        return add_up(
            growth(*_joined(samples, before.get(key), span), span, watched_ms=watched_ms)
            for key, samples in series.items()
        )

    def _series(self, namespace: str, counter: Counter, span: Window) -> dict[_SeriesKey, _Samples]:
        """The series of the namespace that have samples in the span."""
        found: dict[_SeriesKey, _Samples] = {}
        for wanted in self._selectors(namespace, counter):
            for chunk in _chunks(span):
                for part, matrix in self._fetch(wanted, chunk):
                    for one in matrix.result:
                        labels = labels_of(self._url, one.metric)
                        if self._belongs(labels, namespace, counter):
                            _add(found, _key(labels), *samples_of(self._url, one.values), part)
        return found

    def _before(self, namespace: str, counter: Counter, span: Window) -> dict[_SeriesKey, float]:
        """The last value of each series before the span."""
        found: dict[_SeriesKey, float] = {}
        for wanted in self._selectors(namespace, counter):
            query = f"last_over_time({wanted}[{duration(_BEFORE_MS)}])"
            for one in self._client.query(query, span.start_ms - 1, Vector).result:
                if self._belongs({"__name__": counter.metric, **one.metric}, namespace, counter):
                    found[_key(one.metric)] = float(one.value[1])
        return found

    def _selectors(self, namespace: str, counter: Counter) -> Iterator[str]:
        """Selectors without a series in common: what the namespace says of itself, and what speakers say of it."""
        own = (exact("namespace", namespace), one_of("exported_namespace", ("", namespace)))
        told = (exact("exported_namespace", namespace), one_of("namespace", sorted(self._speakers - {namespace})))
        for scope in (own, told) if self._speakers - {namespace} else (own,):
            labels = (exact(name, value) for name, value in sorted(counter.labels.items()))
            yield selector((counter.metric,), self._matchers, *scope, *labels)

    def _belongs(self, labels: _Labels, namespace: str, counter: Counter) -> bool:
        """Whether a series is what was asked for. A server could read a selector otherwise than it is meant."""
        scraped, told = labels.get("namespace", ""), labels.get("exported_namespace", "")
        believed = scraped == namespace or scraped in self._speakers
        asked = (("__name__", counter.metric), *counter.labels.items())
        return (told or scraped) == namespace and believed and all(labels.get(k, "") == v for k, v in asked)

    def _fetch(self, wanted: str, part: Window) -> Iterator[tuple[Window, Matrix]]:
        """Answers for one part of time, in halves where the whole is too much.

        Raises:
            TooMuchAsked: it is too much even for some minutes: there are too many series.
        """
        try:
            around = duration(part.length_ms + 2 * _PADDING_MS)
            yield part, self._client.query(f"{wanted}[{around}]", part.end_ms + _PADDING_MS, Matrix)
        except TooMuchAsked:
            if part.length_ms < 2 * _SHORTEST_CHUNK_MS:
                raise
            middle = (part.start_ms + part.end_ms) // 2
            yield from self._fetch(wanted, Window(part.start_ms, middle))
            yield from self._fetch(wanted, Window(middle, part.end_ms))


def _can_be_asked_for(namespace: str, counter: Counter) -> bool:
    """Whether there can be such a series: what no series can be called is not even sent."""
    texts = (namespace, counter.metric, *counter.labels.values())
    return bool(namespace and counter.metric) and all(map(is_text, texts)) and all(map(is_label_name, counter.labels))


def _chunks(span: Window) -> Iterator[Window]:
    for start_ms in range(span.start_ms, span.end_ms, _LONGEST_CHUNK_MS):
        yield Window(start_ms, min(start_ms + _LONGEST_CHUNK_MS, span.end_ms))


def _key(labels: _Labels) -> _SeriesKey:
    """What tells the series of one counter apart; functions of the server drop the name."""
    return frozenset((name, value) for name, value in labels.items() if name != "__name__")


def _add(found: dict[_SeriesKey, _Samples], key: _SeriesKey, at_ms: Millis, value: Values, part: Window) -> None:
    """Keep what lies inside the part, with the rest of the same series."""
    inside = (at_ms >= part.start_ms) & (at_ms < part.end_ms)
    if inside.any():
        mine = found.setdefault(key, _Samples())
        mine.at_ms.append(at_ms[inside])
        mine.value.append(value[inside])


def _joined(samples: _Samples, before: float | None, span: Window) -> tuple[Millis, Values]:
    """All samples of a series, with the last one before the span at the moment before it."""
    early = ([], []) if before is None else ([span.start_ms - 1], [before])
    at_ms = np.concatenate((np.array(early[0], np.int64), *samples.at_ms))
    return at_ms, np.concatenate((np.array(early[1], np.float64), *samples.value))
