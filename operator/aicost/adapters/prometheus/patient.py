"""A client that waits for a server which does not answer, for work that may take hours."""

from collections.abc import Callable
from typing import TypeVar

from aicost.adapters.prometheus.client import PrometheusClient, TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.ports.errors import SourceUnavailable

T = TypeVar("T")
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
Waiting = Callable[[float, str], None]
"""Waits so many seconds; is told why."""


class PatientClient(PrometheusClient):
    """Asks again, after longer and longer waits, until the server answered or patience is at its end.

    What is too much at once is not asked again: the caller asks for less.

    Args:
        config: the server.
        wait: waits, and tells people why.
        patience_s: after so many seconds of waiting for one answer the failure stands.
    """

    def __init__(self, config: PrometheusConfig, wait: Waiting, patience_s: float) -> None:
        super().__init__(config)
        self._wait, self._patience_s = wait, patience_s

    def query(self, promql: str, at_ms: int | None, kind: type[T]) -> T:
        """Ask an instant query; see the base class for its failures."""
        return self._patiently(lambda: super(PatientClient, self).query(promql, at_ms, kind))

    def metadata(self, metric: str) -> bytes | None:
        """What the server knows of a metric; see the base class."""
        return self._patiently(lambda: super(PatientClient, self).metadata(metric))

    def _patiently(self, ask: Callable[[], T]) -> T:
        waited, pause = 0.0, _FIRST_WAIT_S
        while True:
            try:
                return ask()
            except TooMuchAsked:
                raise
            except SourceUnavailable as error:
                if waited + pause > self._patience_s:
                    raise
                self._wait(pause, str(error))
            waited, pause = waited + pause, min(2 * pause, _LONGEST_WAIT_S)
