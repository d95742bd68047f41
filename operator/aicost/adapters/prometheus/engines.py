"""Counters of engines and gateways from a Prometheus-compatible server (port `EngineSource`)."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import Selection, duration, one_of, selector
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.adapters.prometheus.replies import Gathered, Matrix, Vector, labels_of, samples_within
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.wanted import BOUNDS, BUCKETS, COUNTERS

_PADDING_MS = SECOND_MS
_CHUNK_MS = 35 * MINUTE_MS
"""An hour with the minutes before it in two answers: labels are read once for each."""
_MANY_PODS = 200
"""Of more pods than these all are asked for: a query has its length."""


class PrometheusEngines:
    """The counters of all engines and gateways that a server scrapes.

    Args:
        config: the server.
        client: how it is reached; None makes a client that fails at once where the server does.
        remote: its remote reads, which are asked first; None asks the API alone.
    """

    def __init__(
        self, config: PrometheusConfig, client: PrometheusClient | None = None, remote: RemoteRead | None = None
    ) -> None:
        self._config, self._remote = config, remote
        self._client = client or PrometheusClient(config)

    def series(self, span: Window) -> Sequence[RawSeries]:
        """All samples of a span; see the port. A series comes in as many parts as it takes."""
        read = self._remote.samples(self._selections(), span) if self._remote and span.length_ms else None
        if read is not None:
            return [found for one in read if (found := _of_pod(one)) is not None]
        return [one for part in _chunks(span) for wanted in self._wanted() for one in self._select(wanted, part)]

    def before(self, pods: Collection[PodName], span: Window) -> Sequence[RawSeries]:
        """The last samples of some pods in a span; see the port."""
        names = sorted({pod for _, pod in pods})
        chosen = self._wanted(*([one_of("pod", names)] if len(names) <= _MANY_PODS else []))
        length, last_ms = duration(span.length_ms), span.end_ms - 1
        answers = [self._client.query(f"last_over_time({wanted}[{length}])", last_ms, Vector) for wanted in chosen]
        return [
            RawSeries(name, labels, np.array([last_ms]), np.array([float(one.value[1])]))
            for answer in answers
            for one in answer.result
            if (labels := dict(one.metric)) and (name := labels.pop("__name__", ""))
            if (labels.get("namespace"), labels.get("pod")) in pods
        ]

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        if self._remote is not None:
            self._remote.close()

    def _selections(self) -> Sequence[Selection]:
        """The same as `_wanted`, but for the pod: that a label is there at all is looked at here."""
        labels = tuple(sorted(self._config.matchers.items()))
        return Selection(COUNTERS, labels), Selection(BUCKETS, labels, (("le", BOUNDS),))

    def _wanted(self, *more: str) -> Sequence[str]:
        """All counters, and a few buckets of histograms that have many."""
        counters = selector(COUNTERS, self._config.matchers, 'pod!=""', *more)
        return counters, selector(BUCKETS, self._config.matchers, 'pod!=""', one_of("le", BOUNDS), *more)

    def _select(self, wanted: str, part: Window) -> Iterator[RawSeries]:
        """Raw samples of a selector, in halves where the whole is too much."""
        around = duration(part.length_ms + 2 * _PADDING_MS)
        try:
            matrix = self._client.query(f"{wanted}[{around}]", part.end_ms + _PADDING_MS, Matrix)
        except TooMuchAsked:
            if part.length_ms < 2 * SECOND_MS:
                raise
            middle = (part.start_ms + part.end_ms) // 2
            yield from self._select(wanted, Window(part.start_ms, middle))
            yield from self._select(wanted, Window(middle, part.end_ms))
            return
        columns = samples_within(self._config.api, [one.values for one in matrix.result], part)
        for one, (at_ms, value) in zip(matrix.result, columns, strict=True):
            if len(at_ms):
                labels = labels_of(self._config.api, one.metric)
                yield RawSeries(labels.pop("__name__", ""), labels, at_ms, value)


def _of_pod(one: Gathered) -> RawSeries | None:
    """A series of a pod as it was gathered; None for one of none."""
    labels = dict(one.labels)
    if not labels.get("pod"):
        return None
    return RawSeries(labels.pop("__name__", ""), labels, np.concatenate(one.at_ms), np.concatenate(one.value))


def _chunks(span: Window) -> Iterator[Window]:
    for start_ms in range(span.start_ms, span.end_ms, _CHUNK_MS):
        yield Window(start_ms, min(start_ms + _CHUNK_MS, span.end_ms))
