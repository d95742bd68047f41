"""GPU metrics that a server has by names that no dialect has: so that a renamed field is not taken for silence."""

from collections.abc import Sequence

from aicost.adapters.prometheus.client import PrometheusClient
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import exact, one_of, quote
from aicost.adapters.prometheus.replies import Vector
from aicost.domain.sampling.dialects import METRICS
from aicost.domain.sampling.placement import HOST_LABELS
from aicost.domain.trust.values import Stranger

_FAMILY = "DCGM_FI_.+"
_WHERE = (*HOST_LABELS, "instance")
"""Labels that may say which node a series is of."""
_MOST = 5_000
"""Names times nodes that are read of one answer: more would be no more news."""


class PrometheusNames:
    """Asks one server.

    Args:
        config: the server.
        client: how it is reached; None makes a client that fails at once where the server does.
    """

    def __init__(self, config: PrometheusConfig, client: PrometheusClient | None = None) -> None:
        self._config = config
        self._client = client or PrometheusClient(config)

    def strangers(self) -> Sequence[Stranger]:
        """Names of the exporter's family that are unknown, each once for each node.

        Raises:
            SourceUnavailable, NotPermitted, InvalidAnswer, InvalidRequest: as of `PrometheusSource.samples`.
        """
        known = one_of("__name__", sorted(name for name in METRICS if name.startswith("DCGM_"))).replace("=~", "!~", 1)
        matchers = [exact(label, value) for label, value in sorted(self._config.matchers.items())]
        wanted = "{" + ",".join([f"__name__=~{quote(_FAMILY)}", known, *matchers]) + "}"
        answer = self._client.query(f"count by (__name__,{','.join(_WHERE)}) ({wanted})", None, Vector)
        return tuple(
            Stranger(name, {label: text for label, text in one.metric.items() if label in _WHERE})
            for one in answer.result[:_MOST]
            if (name := one.metric.get("__name__", ""))
        )
