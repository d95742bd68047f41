"""What rows of CPU and memory say beside where, who and how much."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from aicost.domain.attribution.resources.cells import Flags
from aicost.domain.attribution.resources.kinds import Kind
from aicost.domain.attribution.resources.lines import ALL_BUCKETS, Lines
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.columns import Wording
from aicost.domain.ledger.rows import Bucket, Method, Quality

UNDIVIDED = "undivided"
"""Flag of CPU whose cost holds that of the memory: no reference rate tells the two apart."""
_UNMEASURED = ALL_BUCKETS.index(Bucket.ALLOCATED_UNMEASURED)
_SAMPLED = frozenset({Bucket.USED, Bucket.ALLOCATED_IDLE})


class Price(NamedTuple):
    """What rows say of their price.

    Attributes:
        undivided: as `UNDIVIDED`.
    """

    currency: str
    price: str
    listed: bool
    undivided: bool


@dataclass(frozen=True, slots=True)
class Words:
    """Each wording once."""

    window: Window
    known: dict[tuple[object, ...], Wording] = field(default_factory=dict)

    def of(self, kind: Kind, prices: Sequence[Price], lines: Lines, empty: Flags) -> list[Wording]:
        """What the row of each line says.

        Args:
            kind: of all lines.
            prices: of each segment.
            lines: the lines.
            empty: for each segment, whether no pod was there.
        """
        numbers: dict[Price, int] = {}
        price = np.array([numbers.setdefault(one, len(numbers)) for one in prices], np.int64)
        blind = empty.copy()
        blind[lines.segment[lines.bucket == _UNMEASURED]] = True
        said = ((price * 2 + blind)[lines.segment] * 2 + lines.uncertain) * len(ALL_BUCKETS) + lines.bucket
        several, found = list(numbers), dict[int, Wording]()
        for one in np.unique(said).tolist():
            rest, bucket = divmod(one, len(ALL_BUCKETS))
            price_of, flags = several[rest >> 2], rest & 3
            found[one] = self.say(kind, price_of, ALL_BUCKETS[bucket], blind=flags > 1, uncertain=bool(flags & 1))
        return [found[one] for one in said.tolist()]

    def say(self, kind: Kind, price: Price, bucket: Bucket, *, blind: bool, uncertain: bool) -> Wording:
        """What a row says.

        Args:
            kind: the resource.
            price: its price.
            bucket: what the money was for.
            blind: something of its segment is not measured.
            uncertain: an end went unseen.
        """
        sampled = bucket in _SAMPLED or not (blind or bucket is Bucket.ALLOCATED_UNMEASURED)
        key = (kind.component, price, bucket, sampled, uncertain)
        if key not in self.known:
            quality, signal = (kind.quality, kind.signal) if sampled else (Quality.ASSUMED, "")
            flags = tuple(name for name, true in (("gap", uncertain), (UNDIVIDED, price.undivided)) if true)
            said = (quality, signal, price.currency, price.price, price.listed, flags)
            self.known[key] = Wording(self.window, 0, kind.component, bucket, Method.REQUEST_OR_USE, *said)
        return self.known[key]
