"""One message per second and route: what chat services take."""

import threading
from collections.abc import Callable

from aicost.ports.errors import NotifyFailed

APART_S = 1.0
LONGEST_WAIT_S = 3.0


class Pace:
    """Keeps messages of a route apart. No route waits for another one.

    Args:
        clock: seconds on a clock that nobody sets.
        pause: waits for some seconds.
    """

    def __init__(self, clock: Callable[[], float], pause: Callable[[float], None]) -> None:
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def wait(self, route: str) -> None:
        """Wait for the turn of one more message.

        Raises:
            NotifyFailed: too many are waiting already.
        """
        wait_s = self._turn(route)
        if wait_s > 0:
            self._pause(wait_s)

    def _turn(self, route: str) -> float:
        with self._lock:
            now = self._clock()
            turn = max(now, self._next.get(route, now))
            if turn - now > LONGEST_WAIT_S:
                raise NotifyFailed(f"route {route} has more messages than one per second: this one is sent later")
            self._next[route] = turn + APART_S
            return turn - now
