"""What pods use of CPU and memory, by the series of the kubelet (cAdvisor).

The server is asked for little: at each fifth minute the last value of each container's CPU counter, and the mean of its
memory over the five minutes before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite

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
    container_of,
    increases,
    means,
    moments_of,
    pods_of,
)
from aicost.domain.attribution.resources.observed import Observations
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window

_BY = ",".join(IDENTITY)
_Answer = tuple[Mapping[str, str], Sequence[tuple[int, float]]]
"""Labels of a series, with moments and values."""


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
        try:
            cpu = self._ask(f"max by ({_BY}) (last_over_time({{}}[{duration(STEP_MS)}]))", CPU, moments)
            memory = self._ask(f"avg by ({_BY}) (avg_over_time({{}}[{duration(STEP_MS)}]))", MEMORY, moments)
        except TooMuchAsked as error:
            return Observations(problem=f"{error}, even for {STEP_MS // MINUTE_MS} min: pods count by their requests")
        return Observations(tuple(pods_of(increases(cpu, moments), means(memory, moments))))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _ask(self, query: str, metric: str, moments: list[int]) -> dict[Container, dict[int, float]]:
        """Values of all containers at each moment; of the pods' own rows where there are none of containers."""
        found: dict[Container, dict[int, float]] = {}
        for names in (('container!=""', f'container!="{PAUSE}"'), ('container=""', 'pod!=""')):
            wanted = query.format(selector((metric,), self._matchers, *names))
            for labels, pairs in self._values(wanted, moments):
                container = container_of(labels)
                known = [(at_ms, value) for at_ms, value in pairs if isfinite(value) and value >= 0]
                if container is not None and known:
                    _keep_largest(found.setdefault(container, {}), known)
            if found:
                break
        return found

    def _values(self, query: str, moments: list[int]) -> Iterator[_Answer]:
        """Answers for regular moments as one question, and one more for a last moment that is not."""
        regular = [moment for moment in moments if moment % STEP_MS == 0]
        if regular:
            yield from self._regular(query, regular)
        for moment in moments[len(regular) :]:
            for one in self._client.query(query, moment, Vector).result:
                yield one.metric, [(moment, float(one.value[1]))]

    def _regular(self, query: str, moments: list[int]) -> Iterator[_Answer]:
        """In halves where the whole is too much."""
        over = duration(moments[-1] - moments[0] + SECOND_MS)  # servers differ in whether the first moment is in
        try:
            matrix = self._client.query(f"({query})[{over}:{duration(STEP_MS)}]", moments[-1], Matrix)
        except TooMuchAsked:
            if len(moments) == 1:
                raise
            middle = len(moments) // 2
            yield from self._regular(query, moments[:middle])
            yield from self._regular(query, moments[middle:])
            return
        wanted, span = set(moments), Window(moments[0], moments[-1] + 1)
        every = samples_within(self._url, [series.values for series in matrix.result], span)
        for series, (at_ms, value) in zip(matrix.result, every, strict=True):
            pairs = zip(at_ms.tolist(), value.tolist(), strict=True)
            yield labels_of(self._url, series.metric), [pair for pair in pairs if pair[0] in wanted]


def _keep_largest(known: dict[int, float], pairs: Iterable[tuple[int, float]]) -> None:
    """Where several series speak of a container at one moment, the largest value counts."""
    for at_ms, value in pairs:
        known[at_ms] = max(known.get(at_ms, 0.0), value)
