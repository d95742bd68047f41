"""Samples of GPUs from a Prometheus-compatible server.

Raw samples come from an instant query of a range selector, padded on both sides and cut half-open here: a query of a
range would resample, and servers disagree about what lies on the edge of a selector.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked, ahead
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import Selection, duration, exact, one_of, selector
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.adapters.prometheus.replies import (
    Gathered,
    Matrix,
    MatrixSeries,
    Vector,
    helps_of,
    labels_of,
    samples_within,
)
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.sampling.dialects import HELP_DECIDES, METRICS, PROMQL_GROUPS, Dialect, dialect_of
from aicost.domain.sampling.scrapes import Target, targets_of
from aicost.domain.sampling.series import Millis, RawSeries, Values
from aicost.ports.errors import SourceUnavailable

_PADDING_MS = SECOND_MS
_SHORTEST_CHUNK_MS = SECOND_MS


@dataclass(frozen=True, slots=True)
class Found:
    """What a server has of GPUs now: its series per metric name, and the exporter's dialect."""

    series: dict[str, int]
    dialect: Dialect


class PrometheusSource:
    """A `TelemetrySource` over the HTTP API.

    Args:
        config: the server.
        client: how it is reached; None makes a client that fails at once where the server does.
        remote: the quicker way to samples, used where the server has it; None asks the API alone.
    """

    def __init__(
        self, config: PrometheusConfig, client: PrometheusClient | None = None, remote: RemoteRead | None = None
    ) -> None:
        self._config = config
        self._client = client or PrometheusClient(config)
        self._remote = remote
        self._url = config.api
        self._groups = tuple(
            Selection(wanted, (*sorted(config.matchers.items()), *where.items()))
            for names, where in PROMQL_GROUPS
            if (wanted := [name for name in names if METRICS[name].signal in config.signals])
        )

    @property
    def interval_ms(self) -> int:
        """Time between samples that the source aims at."""
        return self._config.interval_ms

    def samples(self, span: Window) -> Sequence[RawSeries]:
        """All raw samples with a time in the half-open span; see the port.

        Steps: 1. fetch in parts of bounded size; 2. ask which pods and nodes were scraped; 3. ask for HELP texts where
        a unit hangs on them.
        """
        every = self._remote.samples(self._groups, span) if self._remote and span.length_ms else None
        if every is None:
            every = self._by_api(span)
        targets = targets_of(self._up(every, span), [one.labels for one in every])
        helps = self._helps({one.labels.get("__name__", "") for one in every})
        return tuple(_finished(one, targets.of(one.labels), helps) for one in every)

    def probe(self) -> Found | None:
        """Whether the server has series of GPUs now, and in which dialect; None where it has none.

        Raises:
            SourceUnavailable, NotPermitted, InvalidAnswer: see `samples`.
        """
        counts = {
            one.metric["__name__"]: int(float(one.value[1]))
            for names, where in PROMQL_GROUPS
            for one in self._count(names, *_equal(where)).result
        }
        lower = bool(self._count(tuple(counts), 'hostname!=""').result) if counts else False
        dialect = dialect_of(frozenset(counts), lower_case_host=lower)
        return Found(counts, dialect) if dialect else None

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        if self._remote:
            self._remote.close()

    def _count(self, names: Sequence[str], *more: str) -> Vector:
        wanted = selector(names, self._config.matchers, *more)
        return self._client.query(f"count by (__name__) ({wanted})", None, Vector)

    def _by_api(self, span: Window) -> Sequence[Gathered]:
        """All series that have samples in a span, by queries."""
        gathered: dict[bytes, Gathered] = {}
        for part, matrix in ahead(self._answers(span)):
            values = samples_within(self._url, [series.values for series in matrix.result], part)
            for series, (at_ms, value) in zip(matrix.result, values, strict=True):
                self._add(gathered, series, at_ms, value)
        return tuple(gathered.values())

    def _answers(self, span: Window) -> Iterator[tuple[Window, Matrix]]:
        """Answers for all parts of a span."""
        for chunk in _chunks(span, self._config.chunk_ms):
            for wanted in self._groups:
                yield from self._fetch(wanted, chunk)

    def _fetch(self, wanted: Selection, part: Window) -> Iterator[tuple[Window, Matrix]]:
        """Answers for one part of time, in halves where the whole is too much."""
        try:
            yield part, self._select(wanted, part)
        except TooMuchAsked as error:
            if part.length_ms < 2 * _SHORTEST_CHUNK_MS:
                raise SourceUnavailable(f"{error}, even for {part.length_ms / SECOND_MS:g} s of samples") from error
            middle = (part.start_ms + part.end_ms) // 2
            yield from self._fetch(wanted, Window(part.start_ms, middle))
            yield from self._fetch(wanted, Window(middle, part.end_ms))

    def _select(self, wanted: Selection, part: Window) -> Matrix:
        around = duration(part.length_ms + 2 * _PADDING_MS)
        return self._client.query(f"{wanted}[{around}]", part.end_ms + _PADDING_MS, Matrix)

    def _add(self, gathered: dict[bytes, Gathered], series: MatrixSeries, at_ms: Millis, value: Values) -> None:
        """Keep samples with the rest of the same series."""
        if not len(at_ms):
            return
        key = bytes(series.metric)
        if key not in gathered:
            gathered[key] = Gathered(labels_of(self._url, series.metric))
        gathered[key].at_ms.append(at_ms)
        gathered[key].value.append(value)

    def _up(self, series: Sequence[Gathered], span: Window) -> list[dict[str, str]]:
        """Labels of the targets that the series were scraped from."""
        jobs = sorted({job for one in series if (job := one.labels.get("job"))})
        if not jobs:
            return []
        wanted = selector(("up",), self._config.matchers, one_of("job", jobs))
        return [one.metric for vector in self._last(wanted, span) for one in vector.result]

    def _last(self, wanted: str, part: Window) -> Iterator[Vector]:
        """The last samples of a part of time, in halves where the whole is too much."""
        query = f"last_over_time({wanted}[{duration(part.length_ms + 2 * _PADDING_MS)}])"
        try:
            yield self._client.query(query, part.end_ms + _PADDING_MS, Vector)
        except TooMuchAsked:
            if part.length_ms < 2 * _SHORTEST_CHUNK_MS:
                raise
            middle = (part.start_ms + part.end_ms) // 2
            yield from self._last(wanted, Window(part.start_ms, middle))
            yield from self._last(wanted, Window(middle, part.end_ms))

    def _helps(self, names: set[str]) -> dict[str, str]:
        """HELP texts of the metrics whose unit hangs on them; none where exporters contradict each other."""
        helps = {}
        for name in sorted(names & HELP_DECIDES):
            body = self._client.metadata(name)
            texts = helps_of(self._url, body, name) if body else frozenset()
            if len(texts) == 1:
                helps[name] = next(iter(texts))
        return helps


def _equal(where: Mapping[str, str]) -> list[str]:
    return [exact(label, value) for label, value in where.items()]


def _chunks(span: Window, length_ms: int) -> Iterator[Window]:
    for start in range(span.start_ms, span.end_ms, length_ms):
        yield Window(start, min(start + length_ms, span.end_ms))


def _finished(one: Gathered, target: Target, helps: dict[str, str]) -> RawSeries:
    name = one.labels.pop("__name__", "")
    return RawSeries(
        name=name,
        labels=one.labels,
        at_ms=one.at_ms[0] if len(one.at_ms) == 1 else np.concatenate(one.at_ms),
        value=one.value[0] if len(one.value) == 1 else np.concatenate(one.value),
        target_node=target.node,
        target_pod=target.pod,
        help=helps.get(name, ""),
    )
