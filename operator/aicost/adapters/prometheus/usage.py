"""What pods use of CPU and memory, by the series of the kubelet (cAdvisor).

The server is asked for little: at each fifth minute the last value of each container's CPU counter, and the mean of its
memory over the five minutes before.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice

import numpy as np

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration, selector
from aicost.adapters.prometheus.replies import Counts, Matrix, Vector, columns_within, labels_of
from aicost.domain.attribution.resources.kubelet import (
    CPU,
    IDENTITY,
    MEMORY,
    PAUSE,
    STEP_MS,
    Container,
    Readings,
    Told,
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
_ContainerOf = Callable[[bytes], Container | None]
_Answer = tuple[Sequence[Container | None], Counts, Millis, Values]
"""As `Told`, of series of which some may speak of no container."""


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

    def _ask(self, query: str, metric: str, moments: list[int], container: _ContainerOf) -> Readings:
        """Values of all containers at each moment; of the pods' own rows where there are none of containers."""

        def among(*names: str) -> Readings:
            query_of = query.format(selector((metric,), self._matchers, *names))
            return readings_of(_together(self._answers(query_of, moments, container)), moments)

        found = among('container!=""', f'container!="{PAUSE}"')
        return found if len(found.value) else among('container=""', 'pod!=""')

    def _answers(self, query: str, moments: list[int], container: _ContainerOf) -> Iterator[_Answer]:
        """Answers for regular moments as one question, and one more for a last moment that is not."""
        regular = [moment for moment in moments if moment % STEP_MS == 0]
        if regular:
            yield from self._regular(query, regular, container)
        for moment in moments[len(regular) :]:
            result = self._client.query(query, moment, Vector).result
            once, value = np.ones(len(result), np.int64), np.array([float(one.value[1]) for one in result], np.float64)
            yield [container_of(one.metric) for one in result], once, once * moment, value

    def _regular(self, query: str, moments: list[int], container: _ContainerOf) -> Iterator[_Answer]:
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
        containers = iter([container(bytes(series.metric)) for series in matrix.result])
        values = [series.values for series in matrix.result]
        for at_ms, value, many in columns_within(self._url, values, Window(moments[0], moments[-1] + 1)):
            yield list(islice(containers, len(many))), many, at_ms, value


def _together(answers: Iterable[_Answer]) -> Told:
    """What all answers tell, without the series that speak of no container."""
    some = list(answers)
    who = [one for containers, _, _, _ in some for one in containers]
    many = np.concatenate([np.zeros(0, np.int64), *(one for _, one, _, _ in some)])
    at_ms = np.concatenate([np.zeros(0, np.int64), *(one for _, _, one, _ in some)])
    value = np.concatenate([np.zeros(0, np.float64), *(one for _, _, _, one in some)])
    known = np.array([one is not None for one in who], np.bool_)
    told = np.repeat(known, many)
    return Told([one for one in who if one is not None], many[known], at_ms[told], value[told])
