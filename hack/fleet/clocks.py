"""Clocks for the servers: a function that says which moment of the script it is."""

import threading
import time
from collections.abc import Callable

Clock = Callable[[], int]  # milliseconds since the epoch


def real_clock() -> int:
    """The computer's clock."""
    return time.time_ns() // 1_000_000


def accelerated(start_ms: int, speed: int) -> Clock:
    """A clock that shows `start_ms` now and runs `speed` times as fast as real time."""
    begun_ns = time.monotonic_ns()
    return lambda: start_ms + (time.monotonic_ns() - begun_ns) * speed // 1_000_000


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self, at_ms: int) -> None:
        self._at_ms = at_ms
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Where it stands."""
        with self._lock:
            return self._at_ms

    def advance(self, by_ms: int) -> int:
        """Move on and say where it stands now."""
        with self._lock:
            self._at_ms += by_ms
            return self._at_ms
