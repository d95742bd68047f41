"""How long requests took, as far as buckets tell: a bound that is true, never a point between two of them."""

from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.serving.meters import WITHIN_MS, Count
from aicost.domain.serving.tallies import Tally


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound of what a share of the requests took.

    Attributes:
        millis: how long.
        is_upper: they took at most so long; else some of them took longer.
    """

    millis: int
    is_upper: bool


def quantile(did: Tally, share: Fraction) -> Bound | None:
    """How long a share of the requests took; None where no bucket was counted.

    Engines of other buckets may be missing in one of them: it then holds less than it should, and the bound is true.
    """
    timed = did.get(Count.TIMED)
    known = [(millis, did.counts[count]) for count, millis in WITHIN_MS.items() if count in did.counts]
    if not timed or not known:
        return None
    enough = [millis for millis, number in known if number >= share * timed]
    return Bound(min(enough), is_upper=True) if enough else Bound(max(known)[0], is_upper=False)
