"""The line that coverage should reach: how far it is, and the shortest way there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.spend import Spend
from aicost.domain.coverage.subjects import Subject
from aicost.domain.coverage.weights import Weight
from aicost.domain.exact.apportion import divide


@dataclass(frozen=True, slots=True)
class Line:
    """How far coverage is from the line.

    Attributes:
        target: share of the cost that must be covered.
        missing_nanos: cost that must still be covered; 0 where the line is reached.
        objects: the fewest objects to label for that, the costliest first; 0 where the line is reached.
    """

    target: Fraction
    missing_nanos: int
    objects: int


@dataclass(frozen=True, slots=True)
class Lever:
    """The namespace whose labels would cover the most cost, since what runs there inherits them.

    Attributes:
        labels: label keys that the namespace needs.
        gain_nanos: cost that would be covered by them alone.
        after: coverage by all required keys then.
    """

    namespace: str
    labels: tuple[str, ...]
    gain_nanos: int
    before: Fraction
    after: Fraction

    @property
    def advice(self) -> str:
        """What to do, in a sentence."""
        change = f"from {percent(self.before)} to {percent(self.after)}"
        return f"Label namespace {self.namespace} with {', '.join(self.labels)}: coverage goes {change}."


def percent(share: Fraction) -> str:
    """A share in percent with one decimal, rounded half up."""
    tenths = divide(share.numerator * 1000, share.denominator)
    return f"{tenths // 10}.{tenths % 10}%"


def line(weight: Weight, subjects: Sequence[Subject], target: Fraction) -> Line | None:
    """The way to the line; None where there is no cost to cover."""
    if weight.whole_nanos <= 0:
        return None
    missing = max(0, ceil(target * weight.whole_nanos) - weight.covered_nanos)
    gained = objects = 0
    for uncovered in sorted((one.uncovered_nanos for one in subjects), reverse=True):
        if gained >= missing:
            break
        gained, objects = gained + uncovered, objects + 1
    return Line(target, missing, objects)


def lever(weight: Weight, spends: Sequence[Spend], keys: Sequence[WantedKey]) -> Lever | None:
    """The namespace to label first; None where nothing is left to cover."""
    gains: defaultdict[str, int] = defaultdict(int)
    needs: defaultdict[str, dict[str, None]] = defaultdict(dict)
    labels = {key.key: key.label for key in keys}
    for spend in spends:
        missing = spend.missing(keys)
        if missing and spend.of[0]:
            gains[spend.of[0]] += spend.cost_nanos
            needs[spend.of[0]] |= dict.fromkeys(labels[key] for key in missing)
    best = _largest(gains)
    if best is None or weight.whole_nanos <= 0:
        return None
    before, after = (
        Fraction(nanos, weight.whole_nanos) for nanos in (weight.covered_nanos, weight.covered_nanos + gains[best])
    )
    return Lever(best, tuple(needs[best]), gains[best], before, after)


def _largest(gains: Mapping[str, int]) -> str | None:
    found = min(gains, key=lambda name: (-gains[name], name), default=None)
    return found if found is not None and gains[found] > 0 else None
