"""What somebody brings against what they cost.

    margin = value - cost          in one currency; currencies are never mixed
    share  = margin / value        absent where the value is not above zero

Cost is what carries the name as a label, and what was asked of shared endpoints under it. What belongs to nobody stays
a line of its own: costs of all lines sum to the ledger.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.apportion import prorate
from aicost.domain.exact.windows import Window

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Value:
    """What one name brings in a period.

    Attributes:
        name: in normal form.
        nanos: how much, negative for what was given back.
        period: when; None for the time that is asked about, whatever that is.
    """

    name: str
    nanos: int
    currency: str
    period: Window | None = None


@dataclass(frozen=True, slots=True)
class Margin:
    """One name in one currency.

    Attributes:
        name: empty for what belongs to nobody, `other` for those beyond the first.
        labelled_nanos, shared_nanos: what it costs by its label, and by what it asked of shared endpoints.
        value_nanos: what it brings; None where nobody says.
        names: how many it sums.
    """

    name: str
    currency: str
    labelled_nanos: int = 0
    shared_nanos: int = 0
    value_nanos: int | None = None
    names: int = 1

    @property
    def cost_nanos(self) -> int:
        """All that it costs."""
        return self.labelled_nanos + self.shared_nanos

    @property
    def margin_nanos(self) -> int | None:
        """What is left; None where nobody says what it brings."""
        return None if self.value_nanos is None else self.value_nanos - self.cost_nanos

    @property
    def share(self) -> Fraction | None:
        """What is left of each unit of value."""
        if self.margin_nanos is None or self.value_nanos is None or self.value_nanos <= 0:
            return None
        return Fraction(self.margin_nanos, self.value_nanos)


def value_in(values: Iterable[Value], windows: Sequence[Window]) -> Mapping[tuple[str, str], int]:
    """What each name brings in some windows, by name and currency: of each period the part that lies in them.

    Args:
        values: what is brought.
        windows: half-open spans that share no time.
    """
    found: dict[tuple[str, str], int] = defaultdict(int)
    for one in values:
        found[one.name, one.currency] += _within(one, windows)
    return dict(found)


def _within(value: Value, windows: Sequence[Window]) -> int:
    if value.period is None:
        return value.nanos
    period, parts = value.period, (value.period.overlap(one) for one in windows)
    return sum(
        prorate(value.nanos, part.end_ms - period.start_ms, period.length_ms)
        - prorate(value.nanos, part.start_ms - period.start_ms, period.length_ms)
        for part in parts
        if part is not None
    )


def in_order(margins: Iterable[Margin]) -> tuple[Margin, ...]:
    """Those who cost more than they bring first, the worst of them at the top.

    Then those of whom nobody says what they bring, the dearest first; then the others; last what belongs to nobody.
    """
    return tuple(sorted(margins, key=_place))


def _place(one: Margin) -> tuple[object, ...]:
    if not one.name:
        return (one.currency, 3, 0, "")
    if one.margin_nanos is None:
        return (one.currency, 1, -one.cost_nanos, one.name)
    return (one.currency, 0 if one.margin_nanos < 0 else 2, one.margin_nanos, one.name)


def first(margins: Sequence[Margin], most: int) -> tuple[Margin, ...]:
    """The first of each currency by name, the others as `other`: those with a value and those without apart."""
    kept: list[Margin] = []
    rest: dict[tuple[str, bool], Margin] = {}
    shown: dict[str, int] = defaultdict(int)
    for one in margins:
        if not one.name or shown[one.currency] < most:
            kept.append(one)
            shown[one.currency] += bool(one.name)
            continue
        key = one.currency, one.value_nanos is not None
        rest[key] = _both(rest.get(key, Margin(OTHER, one.currency, value_nanos=0 if key[1] else None, names=0)), one)
    nobody = [one for one in kept if not one.name]
    return (*(one for one in kept if one.name), *rest.values(), *nobody)


def _both(one: Margin, other: Margin) -> Margin:
    value = None if other.value_nanos is None else (one.value_nanos or 0) + other.value_nanos
    labelled, shared = one.labelled_nanos + other.labelled_nanos, one.shared_nanos + other.shared_nanos
    return Margin(one.name, one.currency, labelled, shared, value, one.names + other.names)
