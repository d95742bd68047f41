"""Raw samples of a Prometheus as they are, the series `up` among them, to be written down."""

from collections.abc import Iterator

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration, one_of, selector
from aicost.adapters.prometheus.replies import Matrix, labels_of, samples_of
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.domain.attribution.resources.kubelet import CPU, MEMORY
from aicost.domain.exact.windows import HOUR_MS, SECOND_MS, Window
from aicost.domain.sampling.dialects import PROMQL_NAMES
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.wanted import BOUNDS, BUCKETS, COUNTERS

_UP = "up"
_COUNTERS = tuple(sorted({*COUNTERS} - {*PROMQL_NAMES}))
"""Counters of engines and gateways; how busy GPUs were is among the samples of GPUs already."""
_PADDING_MS = SECOND_MS


class PrometheusRecording:
    """What a `PrometheusSource` rests on, part by part."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._config = config
        self._client, self._source = PrometheusClient(config), PrometheusSource(config)

    def parts(self, span: Window) -> Iterator[tuple[RawSeries, ...]]:
        """All samples of a span, an hour at a time; errors as of `PrometheusSource.samples`."""
        for start in range(span.start_ms, span.end_ms, HOUR_MS):
            part = Window(start, min(start + HOUR_MS, span.end_ms))
            series = tuple(self._source.samples(part))
            yield (*series, *self._up(series, part))
            for names, more in (((CPU,), ()), ((MEMORY,), ()), (_COUNTERS, ()), (BUCKETS, (one_of("le", BOUNDS),))):
                yield tuple(self._select(selector(names, self._config.matchers, 'pod!=""', *more), part))

    def has_gpus(self) -> bool:
        """Whether the server has series of GPUs now; errors as of `PrometheusSource.probe`."""
        return self._source.probe() is not None

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._source.close()

    def _up(self, series: tuple[RawSeries, ...], part: Window) -> Iterator[RawSeries]:
        """The series that tell which pods and nodes were scraped."""
        jobs = sorted({job for one in series if (job := one.labels.get("job"))})
        if not jobs:
            return
        yield from self._select(selector((_UP,), self._config.matchers, one_of("job", jobs)), part)

    def _select(self, wanted: str, part: Window) -> Iterator[RawSeries]:
        """Raw samples of a selector, in halves where the whole is too much."""
        query = f"{wanted}[{duration(part.length_ms + 2 * _PADDING_MS)}]"
        try:
            matrix = self._client.query(query, part.end_ms + _PADDING_MS, Matrix)
        except TooMuchAsked:
            if part.length_ms < 2 * SECOND_MS:
                raise
            middle = (part.start_ms + part.end_ms) // 2
            yield from self._select(wanted, Window(part.start_ms, middle))
            yield from self._select(wanted, Window(middle, part.end_ms))
            return
        for one in matrix.result:
            labels = labels_of(self._config.api, one.metric)
            at_ms, value = samples_of(self._config.api, one.values)
            inside = (at_ms >= part.start_ms) & (at_ms < part.end_ms)
            if inside.any():
                yield RawSeries(labels.pop("__name__", ""), labels, at_ms[inside], value[inside])
