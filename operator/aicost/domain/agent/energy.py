"""Energy of a device, and what of it its processes caused."""

from dataclasses import dataclass

from aicost.domain.agent.values import SECOND_NS
from aicost.domain.exact.apportion import divide

MOST_WATTS = 3000
"""No board draws more: what a counter jumps by beyond that is no energy."""
_UPDATE_NS = 2 * SECOND_NS
"""The driver's counter may lag by so much."""
_SMOOTHING = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the driver's counter of energy stood, and when by a clock that never steps within a boot."""

    counter_mj: int
    at_ns: int


def energy_since(mark: Mark | None, now: Mark) -> int | None:
    """Microjoules between two values of the driver's counter; None where they make no sense.

    A counter that fell began again with the driver: what it shows now came since, if it can have.
    """
    if mark is None or now.at_ns < mark.at_ns:
        return None
    most_uj = MOST_WATTS * (now.at_ns - mark.at_ns + _UPDATE_NS) // 1000
    fell = now.counter_mj < mark.counter_mj
    since_uj = (now.counter_mj if fell else now.counter_mj - mark.counter_mj) * 1000
    return since_uj if 0 <= since_uj <= most_uj else None


@dataclass(frozen=True, slots=True)
class IdlePower:
    """What a device draws while nothing computes on it.

    Attributes:
        mw: milliwatts; None until it was seen idle: all of its energy counts as caused till then.
    """

    mw: int | None = None

    def seen(self, energy_uj: int, elapsed_ns: int) -> "IdlePower":
        """After an idle reading: the average drifts towards it."""
        if elapsed_ns <= 0:
            return self
        now = divide(energy_uj * 1_000_000, elapsed_ns)
        return IdlePower(now if self.mw is None else divide(self.mw * (_SMOOTHING - 1) + now, _SMOOTHING))

    def caused_uj(self, energy_uj: int, elapsed_ns: int) -> int:
        """Energy above what the idle device would have drawn."""
        return max(energy_uj - (self.mw or 0) * elapsed_ns // 1_000_000, 0)
