"""Questions about objects of the past: which series there were, their last values, and when they were there.

Every question is an instant query, evaluated just behind the span; what is too much at once is asked in halves. Series
of one object that differ in labels of the scrape alone (a restarted or doubled exporter) are one row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration, one_of, selector
from aicost.adapters.prometheus.replies import Matrix, Vector, labels_of, samples_of
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.series import Millis
from aicost.ports.errors import InvalidAnswer, SourceUnavailable

_PADDING_MS = SECOND_MS
_SHORTEST_MS = 2 * MINUTE_MS
_AT_ONCE = 100
"""Objects that one question names."""
EXPORTED = "exported_"
SCRAPE = frozenset({"job", "instance", "endpoint", "service", "prometheus", "prometheus_replica", "__replica__"})
"""Labels that say how a series was scraped; they tell no objects apart."""


@dataclass(frozen=True, slots=True)
class Row:
    """One series, or several that say the same.

    Attributes:
        labels: as the exporter wrote them: `exported_...` is taken back.
        value: the last value.
    """

    labels: Mapping[str, str]
    value: float

    def get(self, label: str) -> str:
        """A label, empty where there is none."""
        return self.labels.get(label, "")


@dataclass(frozen=True, slots=True)
class Points:
    """All samples of one object's series in a span, in order of time."""

    labels: Mapping[str, str]
    at_ms: Millis
    value: "np.ndarray[tuple[int], np.dtype[np.float64]]"


class Asker:
    """Asks one server.

    Args:
        config: the server, and labels that all series must have.
        client: how it is reached.
    """

    def __init__(self, config: PrometheusConfig, client: PrometheusClient) -> None:
        self._client, self._matchers, self._url = client, config.matchers, config.api

    def last(self, metric: str, span: Window, by: Sequence[str] = (), *matchers: str) -> list[Row]:
        """The last value of each series of a metric that had samples in a span.

        Args:
            metric: its name.
            span: half-open.
            by: labels that matter; none: all.
            matchers: further matchers.
        """
        selected = selector((metric,), self._matchers, *matchers)
        found: dict[frozenset[tuple[str, str]], Row] = {}
        for vector in self._over(lambda around: _grouped(f"last_over_time({selected}[{around}])", by), span):
            for row in rows_of(vector):
                found[frozenset(row.labels.items())] = row
        return list(found.values())

    def highest(self, metric: str, span: Window, by: Sequence[str], *matchers: str) -> list[Row]:
        """The same with the greatest value of each."""
        return self._extremes("max", max, metric, span, by, matchers)

    def changed(self, metric: str, span: Window, by: Sequence[str], *matchers: str) -> list[Row]:
        """The objects whose value was not the same all the time."""
        least = {
            frozenset(row.labels.items()): row.value for row in self._extremes("min", min, metric, span, by, matchers)
        }
        greatest = self._extremes("max", max, metric, span, by, matchers)
        return [row for row in greatest if row.value > least.get(frozenset(row.labels.items()), row.value)]

    def _extremes(
        self,
        word: str,
        fold: Callable[[float, float], float],
        metric: str,
        span: Window,
        by: Sequence[str],
        matchers: Sequence[str],
    ) -> list[Row]:
        selected = selector((metric,), self._matchers, *matchers)
        found: dict[frozenset[tuple[str, str]], Row] = {}
        for vector in self._over(lambda around: f"{word} {_by(by)} ({word}_over_time({selected}[{around}]))", span):
            for row in rows_of(vector):
                key = frozenset(row.labels.items())
                found[key] = replace(row, value=fold(row.value, found[key].value)) if key in found else row
        return list(found.values())

    def seen_at(self, metric: str, at_ms: int, by: Sequence[str], *matchers: str) -> list[Row]:
        """The moment in seconds of the newest sample of each series that is there at a moment."""
        selected = selector((metric,), self._matchers, *matchers)
        return rows_of(self._client.query(_grouped(f"timestamp({selected})", by), at_ms, Vector))

    def there_at(self, metric: str, at_ms: int) -> list[Row]:
        """All series of a metric that are there at a moment, with all of their labels."""
        return rows_of(self._client.query(selector((metric,), self._matchers), at_ms, Vector))

    def edges(
        self, metric: str, span: Window, by: Sequence[str], step_ms: int, *matchers: str
    ) -> Mapping[frozenset[tuple[str, str]], tuple[int, int]]:
        """The first and the last sample of each object in a span, found by looking each step: within one step."""
        selected = selector((metric,), self._matchers, *matchers)
        found: dict[frozenset[tuple[str, str]], tuple[int, int]] = {}
        for word, fold in (("min", min), ("max", max)):
            for vector in self._over(
                lambda around, word=word: (  # type: ignore[misc] # a default binds the loop's value
                    f"{word} {_by(by)} ({word}_over_time(timestamp({selected})[{around}:{duration(step_ms)}]))"
                ),
                span,
            ):
                for row in rows_of(vector):
                    key, at = frozenset(row.labels.items()), round(row.value * SECOND_MS)
                    first, last = found.get(key, (at, at))
                    found[key] = (fold(first, at), last) if word == "min" else (first, fold(last, at))
        return {key: (max(a, span.start_ms), b) for key, (a, b) in found.items() if b >= span.start_ms}

    def beats(self, metrics: Sequence[str], span: Window, step_ms: int) -> Millis:
        """When an exporter was scraped: the moments of the samples of the first of some metrics that has any."""
        newest = " or ".join(f"max(timestamp({selector((metric,), self._matchers)}))" for metric in metrics)
        moments: set[int] = set()
        for matrix in self._matrices(lambda around: f"({newest})[{around}:{duration(step_ms)}]", span):
            for series in matrix.result:
                _, value = samples_of(self._url, series.values)
                moments.update(int(at) for at in np.rint(value * SECOND_MS).astype(np.int64))
        return np.array(sorted(at for at in moments if span.start_ms <= at < span.end_ms), np.int64)

    def points(self, metric: str, span: Window, label: str, values: Iterable[str], *matchers: str) -> list[Points]:
        """All samples in a span of the series whose label has one of some values."""
        found: dict[frozenset[tuple[str, str]], list[tuple[Millis, np.ndarray[tuple[int], np.dtype[np.float64]]]]] = {}
        every = sorted(values)
        for begin in range(0, len(every), _AT_ONCE):
            wanted = selector((metric,), self._matchers, one_of(label, every[begin : begin + _AT_ONCE]), *matchers)
            for part, matrix in self._parts(wanted, span):
                for series in matrix.result:
                    at_ms, value = samples_of(self._url, series.values)
                    inside = (at_ms >= part.start_ms) & (at_ms < part.end_ms)
                    if inside.any():
                        labels = told(labels_of(self._url, series.metric))
                        found.setdefault(frozenset(labels.items()), []).append((at_ms[inside], value[inside]))
        return [_points(dict(key), parts) for key, parts in found.items()]

    def moments(self, metric: str, span: Window, step_ms: int) -> Millis:
        """The moments, step by step, at which there were series of a metric."""
        selected, found = selector((metric,), self._matchers), set()
        for matrix in self._matrices(lambda around: f"count({selected})[{around}:{duration(step_ms)}]", span):
            for series in matrix.result:
                found.update(samples_of(self._url, series.values)[0].tolist())
        return np.array(sorted(found), np.int64)

    def values(self, metric: str, label: str, at_ms: int) -> set[str]:
        """The values of a label among the series of a metric at a moment."""
        query = f"count by ({label}) ({selector((metric,), self._matchers)})"
        return {one.metric.get(label, "") for one in self._client.query(query, at_ms, Vector).result}

    def count_names(self, metrics: Sequence[str], at_ms: int) -> dict[str, int]:
        """How many series each of some metrics has at a moment."""
        query = f"count by (__name__) ({selector(metrics, self._matchers)})"
        found = self._client.query(query, at_ms, Vector).result
        return {one.metric.get("__name__", ""): round(_number(one.value[1])) for one in found}

    def _over(self, make: Callable[[str], str], span: Window) -> Iterator[Vector]:
        """Answers for a span, in halves where the whole is too much; the later half comes last."""
        try:
            yield self._client.query(make(_around(span)), span.end_ms + _PADDING_MS, Vector)
        except TooMuchAsked as error:
            for half in _halves(span, error):
                yield from self._over(make, half)

    def _matrices(self, make: Callable[[str], str], span: Window) -> Iterator[Matrix]:
        try:
            yield self._client.query(make(_around(span)), span.end_ms + _PADDING_MS, Matrix)
        except TooMuchAsked as error:
            for half in _halves(span, error):
                yield from self._matrices(make, half)

    def _parts(self, wanted: str, span: Window) -> Iterator[tuple[Window, Matrix]]:
        try:
            yield span, self._client.query(f"{wanted}[{_around(span)}]", span.end_ms + _PADDING_MS, Matrix)
        except TooMuchAsked as error:
            for half in _halves(span, error):
                yield from self._parts(wanted, half)


def told(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels as the exporter wrote them.

    Where a Prometheus keeps the target's own labels, it renames those of the exporter that collide: `exported_pod` is
    the object, `pod` the exporter. A collision that the exporter left empty is not renamed: that is mended by
    `rows_of`, which sees the other series.
    """
    own = {name: value for name, value in labels.items() if name not in SCRAPE and not name.startswith(EXPORTED)}
    return own | {n.removeprefix(EXPORTED): value for n, value in labels.items() if n.startswith(EXPORTED)}


def rows_of(vector: Vector) -> list[Row]:
    """The rows of an answer, without those whose value is not finite.

    Raises:
        InvalidAnswer: a value is none at all.
    """
    renamed = {n.removeprefix(EXPORTED) for one in vector.result for n in one.metric if n.startswith(EXPORTED)}
    values = [_number(one.value[1]) for one in vector.result]
    pairs = zip(vector.result, values, strict=True)
    return [Row(_own(one.metric, renamed), value) for one, value in pairs if isfinite(value)]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidAnswer(f"the Prometheus answered with {text[:40]!r}, which is no value") from error


def _own(labels: Mapping[str, str], renamed: set[str]) -> dict[str, str]:
    """The exporter's labels; where it left one empty that others have renamed, the target's is not taken for it."""
    if not any(f"{EXPORTED}{name}" in labels for name in renamed):
        return told(labels)
    empty = {name for name in renamed if f"{EXPORTED}{name}" not in labels}
    return {name: value for name, value in told(labels).items() if name not in empty}


def _points(
    labels: Mapping[str, str], parts: list[tuple[Millis, "np.ndarray[tuple[int], np.dtype[np.float64]]"]]
) -> Points:
    at_ms, value = np.concatenate([a for a, _ in parts]), np.concatenate([v for _, v in parts])
    order = np.argsort(at_ms, kind="stable")
    return Points(labels, at_ms[order], value[order])


def _by(labels: Sequence[str]) -> str:
    return f"by ({','.join((*labels, *(f'{EXPORTED}{label}' for label in labels)))})"


def _grouped(query: str, by: Sequence[str]) -> str:
    return f"max {_by(by)} ({query})" if by else query


def _around(span: Window) -> str:
    return duration(span.length_ms + 2 * _PADDING_MS)


def _halves(span: Window, error: TooMuchAsked) -> tuple[Window, Window]:
    if span.length_ms < 2 * _SHORTEST_MS:
        raise SourceUnavailable(f"{error}, even for {span.length_ms // SECOND_MS} s of the past") from error
    middle = (span.start_ms + span.end_ms) // 2
    return Window(span.start_ms, middle), Window(middle, span.end_ms)
