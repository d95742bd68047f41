"""What pods use of CPU and memory, by the series of the kubelet (cAdvisor).

The server is asked for little: at each fifth minute the last value of each container's CPU counter, and the mean of its
memory over the five minutes before.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration, selector
from aicost.adapters.prometheus.replies import Matrix, Vector, labels_of, samples_within
from aicost.domain.attribution.resources.kubelet import (
    CPU,
    IDENTITY,
    MEMORY,
    PAUSE,
    STEP_MS,
    Container,
    Readings,
    container_of,
    increases,
    means,
    moments_of,
    pods_of,
    readings_of,
)
from aicost.domain.attribution.resources.observed import Observations
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.sampling.series import Millis, Values

_BY = ",".join(IDENTITY)
_Told = tuple[Container | None, Millis, Values]
"""What a series tells: of which container, moments and values."""


class PrometheusUsage:
    """A `UsageSource` over the HTTP API."""

    def __init__(
        self,
        config: PrometheusConfig,
        matchers: Mapping[str, str] | None = None,
        client: PrometheusClient | None = None,
    ) -> None:
        """Read usage.

        Args:
            config: the server.
            matchers: further labels that the kubelet's series must have, such as its job: then no pod can tell of
                another one's use by series of its own that it calls the same.
            client: how it is reached; None makes a client that fails at once where the server does.
        """
        self._client, self._url = client or PrometheusClient(config), config.api
        self._matchers = {**config.matchers, **(matchers or {})}

    def observed(self, span: Window) -> Observations:
        """What pods used in a span; see the port. What is too much for the server is left out, and said."""
        moments = moments_of(span)
        container = cache(self._container)  # both metrics have the same labels
        try:
            cpu = self._ask(f"max by ({_BY}) (last_over_time({{}}[{duration(STEP_MS)}]))", CPU, moments, container)
            memory = self._ask(f"avg by ({_BY}) (avg_over_time({{}}[{duration(STEP_MS)}]))", MEMORY, moments, container)
        except TooMuchAsked as error:
            return Observations(problem=f"{error}, even for {STEP_MS // MINUTE_MS} min: pods count by their requests")
        return Observations(tuple(pods_of(increases(cpu, moments), means(memory, moments))))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _container(self, labels: bytes) -> Container | None:
        return container_of(labels_of(self._url, labels))

    def _ask(
        self, query: str, metric: str, moments: list[int], container: Callable[[bytes], Container | None]
    ) -> Readings:
        """Values of all containers at each moment; of the pods' own rows where there are none of containers."""

        def among(*names: str) -> Readings:
            told = self._values(query.format(selector((metric,), self._matchers, *names)), moments, container)
            return readings_of(((who, at_ms, value) for who, at_ms, value in told if who is not None), moments)

        found = among('container!=""', f'container!="{PAUSE}"')
        return found if len(found.value) else among('container=""', 'pod!=""')

    def _values(
        self, query: str, moments: list[int], container: Callable[[bytes], Container | None]
    ) -> Iterator[_Told]:
        """Answers for regular moments as one question, and one more for a last moment that is not."""
        regular = [moment for moment in moments if moment % STEP_MS == 0]
        if regular:
            yield from self._regular(query, regular, container)
        for moment in moments[len(regular) :]:
            at_ms = np.array([moment], np.int64)
            for one in self._client.query(query, moment, Vector).result:
                yield container_of(one.metric), at_ms, np.array([float(one.value[1])])

    def _regular(
        self, query: str, moments: list[int], container: Callable[[bytes], Container | None]
    ) -> Iterator[_Told]:
        """In halves where the whole is too much."""
        over = duration(moments[-1] - moments[0] + SECOND_MS)  # servers differ in whether the first moment is in
        try:
            matrix = self._client.query(f"({query})[{over}:{duration(STEP_MS)}]", moments[-1], Matrix)
        except TooMuchAsked:
            if len(moments) == 1:
                raise
            middle = len(moments) // 2
            yield from self._regular(query, moments[:middle], container)
            yield from self._regular(query, moments[middle:], container)
            return
        span = Window(moments[0], moments[-1] + 1)
        every = samples_within(self._url, [series.values for series in matrix.result], span)
        for series, (at_ms, value) in zip(matrix.result, every, strict=True):
            yield container(bytes(series.metric)), at_ms, value
