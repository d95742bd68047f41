"""Prices that devices are known by: one that jumps is set aside until a person has looked at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aicost.domain.budgets.deciding.figures import PriceJump
from aicost.domain.budgets.spend.running import Running

MOST = 32
"""Kinds of device that are remembered."""


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """What became of the prices of what runs.

    Attributes:
        known: kind of device -> the price to remember.
        jumps: prices that nobody has accepted.
    """

    known: Mapping[str, int]
    jumps: tuple[PriceJump, ...]


def check_prices(running: Iterable[Running], known: Mapping[str, int], factor: int, *, accepted: bool) -> PriceCheck:
    """Compare the price of each kind of device with the one that it is known by.

    A kind that is seen for the first time is known by what it costs then. A price that rises by more than the factor is
    a jump until somebody accepts it; whatever else it does, it is followed. A large spend is no jump.

    Args:
        running: what runs now, in scope.
        known: what was remembered.
        factor: see `Safety.price_jump_factor`.
        accepted: whether a person has said that prices as they are now are right.
    """
    now = {one.kind: one.hour_nanos for one in running if one.hour_nanos is not None}
    jumps = [
        PriceJump(kind, known[kind], nanos)
        for kind, nanos in sorted(now.items())
        if kind in known and nanos > known[kind] * factor and not accepted
    ]
    jumped = {one.what for one in jumps}
    followed = {kind: nanos for kind, nanos in now.items() if kind not in jumped}
    merged = {**known, **followed}
    first = [*(kind for kind in now), *(kind for kind in known if kind not in now)]
    return PriceCheck({kind: merged[kind] for kind in sorted(first[:MOST])}, tuple(jumps))
