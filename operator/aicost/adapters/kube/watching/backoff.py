"""How long to wait before the next attempt."""

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

FIRST_S = 0.5
LONGEST_S = 30.0

_random = SystemRandom()


@dataclass(slots=True)
class Backoff:
    """Waits that double with each failure and are drawn at random, so that many clients do not return at once.

    Attributes:
        uniform: draws a number between two bounds.
        failures: failures in a row.
    """

    uniform: Callable[[float, float], float] = _random.uniform
    failures: int = 0

    def fail(self) -> float:
        """Count a failure; seconds to wait."""
        ceiling = min(LONGEST_S, FIRST_S * 2 ** min(self.failures, 10))
        self.failures += 1
        return self.uniform(ceiling / 2, ceiling)

    def succeed(self) -> None:
        """All is well again."""
        self.failures = 0
