"""The agent as a server: a round each second, and pages that tell what was found."""

import logging
import signal
import threading
import time
from types import FrameType

from aicost.entrypoints.agent.server import Pages
from aicost.telemetry.agent import exposition
from aicost.usecases.agent.measure import MeasurePods

_LOG = logging.getLogger(__name__)
_LONGEST_ROUND_SECONDS = 60.0


class Serving:
    """Rounds until it is told to end.

    Args:
        measure: what is done in a round.
        node: name of the node.
        interval_seconds: from the beginning of a round to that of the next.
    """

    def __init__(self, measure: MeasurePods, node: str, interval_seconds: float) -> None:
        self._measure, self._node, self._interval = measure, node, interval_seconds
        self._end = threading.Event()
        self._round_at = time.monotonic()

    def run(self, address: str, port: int) -> None:
        """Serve until SIGTERM or SIGINT, and write the counters down once more.

        Raises:
            OSError: the port cannot be had.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_end)
        pages = Pages(address, port, {"/metrics": self.metrics, "/healthz": self.alive, "/readyz": self.ready})
        _LOG.info("serving /metrics on port %d", pages.server_address[1])
        try:
            self._rounds()
        finally:
            self._measure.tell(at_once=True)
            pages.close()

    def metrics(self) -> tuple[int, str]:
        """The page of metrics."""
        return 200, exposition(self._measure.tell(), self._node)

    def alive(self) -> tuple[int, str]:
        """Whether rounds are made. A device or a driver that fails is no reason to be restarted."""
        late = time.monotonic() - self._round_at
        return (200, "ok\n") if late < _LONGEST_ROUND_SECONDS else (503, f"no round for {late:.0f} seconds\n")

    def ready(self) -> tuple[int, str]:
        """Whether something is measured and kept."""
        told = self._measure.tell()
        return (200, "ok\n") if told.up else (503, f"{told.problem or 'no device was read yet'}\n")

    def _rounds(self) -> None:
        next_at = time.monotonic()
        while not self._end.is_set():
            try:
                self._measure.round()
            except Exception:  # noqa: BLE001 # a bug of one round ends no other
                _LOG.exception("a round failed; the next one follows")
            self._round_at = time.monotonic()
            next_at = max(next_at + self._interval, self._round_at)
            self._end.wait(next_at - self._round_at)

    def _told_to_end(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._end.set()
