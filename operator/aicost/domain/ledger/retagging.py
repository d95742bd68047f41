"""What other policies change about rows that are posted: signed differences, and what they move from whom to whom."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aicost.domain.identity.dimensions import UNTAGGED
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Holder, Row
from aicost.domain.ledger.tagging import retagged

REASON = "retag"
"""First word of the reason of each difference row that was posted for changed policies."""
_RULES = ("rule_override ", "rule ", "policy_default ")
_POLICY = "CostLabelPolicy/"
_NAMED = 3


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """One way in which a dimension's value changes.

    Attributes:
        before, after: values, `untagged` for none.
        by: what gives the new value: a rule or default as `POLICY/RULE` or `POLICY`, else the kind of source that
            speaks now (`pod label`); for a value that is taken away, what gave the old one.
    """

    dimension: str
    before: str
    after: str
    by: str
    currency: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What a turn moves: sums over posted rows, so corrections count with their sign.

    Attributes:
        cost_nanos: of what has a price.
        unpriced_milliseconds: the part of the device time that has none.
    """

    cost_nanos: int = 0
    gpu_milliseconds: int = 0
    unpriced_milliseconds: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(
            self.cost_nanos + other.cost_nanos,
            self.gpu_milliseconds + other.gpu_milliseconds,
            self.unpriced_milliseconds + other.unpriced_milliseconds,
        )


@dataclass(frozen=True, slots=True)
class Retagging:
    """What changes about the rows of one window.

    Attributes:
        rows: difference rows to post; empty where nothing changes. Their costs and device times sum to 0.
        moves: what they move, dimension by dimension: a row that changes in two of them stands in two. Empty also where
            values stay and only another source gives them.
    """

    rows: tuple[Row, ...] = ()
    moves: tuple[tuple[Turn, Moved], ...] = ()


def retag(posted: Iterable[Row], tagger: Tagger, revision: int) -> Retagging:
    """Resolve the tags of posted rows again.

    Rows whose tags stay are left alone. The others are taken away under their old tags and added under their new
    ones, so that every sum over both is what it was, to the last nano. Once the differences are posted, the same
    policies change nothing more.

    Args:
        posted: the rows of one window, all revisions.
        tagger: the policies as they are now.
        revision: the next revision of the window.
    """
    pairs = [(row, holder) for row in posted if (holder := retagged(row, tagger)) is not row.holder]
    before, after = [row for row, _ in pairs], [replace(row, holder=holder) for row, holder in pairs]
    moves = _moves(before, after)
    rows = difference(before, after, revision, _reason(turn for turn, _ in moves))
    return Retagging(rows, moves if rows else ())


def _moves(before: Sequence[Row], after: Sequence[Row]) -> tuple[tuple[Turn, Moved], ...]:
    sums: defaultdict[Turn, Moved] = defaultdict(Moved)
    for old, new in zip(before, after, strict=True):
        unpriced = old.gpu_milliseconds if old.cost_nanos is None else 0
        amount = Moved(old.cost_nanos or 0, old.gpu_milliseconds, unpriced)
        for turn in _turns(old.holder, new.holder, old.currency):
            sums[turn] += amount
    return tuple((turn, moved) for turn, moved in sorted(sums.items()) if moved != Moved())


def _turns(old: Holder, new: Holder, currency: str) -> list[Turn]:
    """The dimensions in which two holders differ."""
    names = sorted({*old.dimensions, *new.dimensions})
    pairs = ((name, old.dimensions.get(name, UNTAGGED), new.dimensions.get(name, UNTAGGED)) for name in names)
    return [
        Turn(name, was, now, _by(new.provenance.get(name) or old.provenance.get(name, "")), currency)
        for name, was, now in pairs
        if was != now
    ]


def _by(provenance: str) -> str:
    """What spoke, without the name of the single pod or object."""
    for rung in _RULES:
        if provenance.startswith(rung):
            return provenance.removeprefix(rung).removeprefix(_POLICY)
    return provenance.partition(" ")[0].replace("_", " ")


def _reason(turns: Iterable[Turn]) -> str:
    """`retag finops/recs`: what gives the new values, the first few of them."""
    names = sorted({turn.by for turn in turns})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{REASON} {', '.join(names[:_NAMED])}{more}".strip()
