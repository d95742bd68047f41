"""Counters of engines and gateways from a Prometheus-compatible server (port `EngineSource`)."""

from collections.abc import Sequence

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import selector
from aicost.adapters.prometheus.recording import PrometheusRecording
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.gateways import GATEWAY_NAMES
from aicost.domain.serving.meters import GENERIC_NAMES, NAMES


class PrometheusEngines:
    """The counters of all engines and gateways that a server scrapes."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._config = config
        self._recording = PrometheusRecording(config)

    def series(self, span: Window) -> Sequence[RawSeries]:
        """All samples of a span; see the port. Each series stands there once for each hour."""
        wanted = selector((*NAMES, *GENERIC_NAMES, *GATEWAY_NAMES), self._config.matchers, 'pod!=""')
        return tuple(self._recording.selected(wanted, span))

    def close(self) -> None:
        """Close all connections."""
        self._recording.close()
