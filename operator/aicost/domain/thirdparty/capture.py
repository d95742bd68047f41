"""How much of what providers bill went through a gateway, and how much nobody saw.

capture rate   sum of what gateways saw at list prices / sum of what was billed
shadow spend   what was billed and no gateway saw: keys and workspaces that go past it

Only days count that have a bill and that some gateway answers for. Both sides are summed before they are divided, a
rate without a bill is absent, and no two currencies are compared.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Component, Method, Row
from aicost.domain.reporting.keys import value_of
from aicost.domain.thirdparty.settling import seen

Through = Mapping[str, frozenset[str]]
"""Tag of a bill -> values of it that the gateways use: the keys or workspaces that are theirs."""


@dataclass(frozen=True, slots=True)
class CaptureLine:
    """A provider, or a part of what it bills.

    Attributes:
        keys: values of the keys that were asked for, behind the provider.
        day: the day; None for all of them together.
        billed_nanos: what was billed.
        seen_nanos: what gateways saw of it, at list prices.
        past_nanos: what was billed to keys that are not the gateways'; None where it is not known which these are.
    """

    provider: str
    keys: tuple[str, ...]
    day: Window | None
    currency: str
    billed_nanos: int
    seen_nanos: int
    past_nanos: int | None = None

    @property
    def rate(self) -> Fraction | None:
        """Seen over billed; above 1 where discounts make the bill smaller. None where nothing was billed."""
        return Fraction(self.seen_nanos, self.billed_nanos) if self.billed_nanos > 0 else None

    @property
    def shadow_nanos(self) -> int:
        """What nobody saw: by the keys that are not the gateways', else what is billed beyond what was seen."""
        return max(0, self.billed_nanos - self.seen_nanos) if self.past_nanos is None else self.past_nanos


@dataclass(frozen=True, slots=True)
class Captured:
    """A span.

    Attributes:
        lines: the dearest first.
        totals: by currency, over all providers.
        unbilled: days that a gateway saw and that have no bill yet, by provider.
        blind: days that have a bill and that no gateway answers for.
    """

    lines: tuple[CaptureLine, ...]
    totals: tuple[CaptureLine, ...]
    unbilled: Mapping[str, int]
    blind: int

    def of(self, providers: Collection[str]) -> "Captured":
        """The part of some providers; days that no gateway answers for are those of all."""
        lines = tuple(line for line in self.lines if line.provider in providers)
        totals = tuple(_together(currency, lines) for currency in sorted({line.currency for line in lines}))
        unbilled = {who: days for who, days in self.unbilled.items() if who in providers}
        return Captured(lines, totals, unbilled, self.blind)


_Group = tuple[str, tuple[str, ...], Window | None, str]
"""Provider, keys, day and currency."""


@dataclass(slots=True)
class _Both:
    billed: int = 0
    seen: int = 0
    past: int = 0


def capture(
    rows: Iterable[Row], keys: Sequence[str] = (), through: Through | None = None, *, daily: bool = False
) -> Captured:
    """Compare bills with what gateways saw.

    Args:
        rows: of all accounts.
        keys: group keys beside the provider, such as `team` or `label:workspace_id`.
        through: which keys are the gateways'; None where nobody said.
        daily: tell days apart.
    """
    every = [row for row in rows if row.component is Component.API]
    bills, views = [row for row in every if row.method is Method.BILLED], seen(every)
    watched, billed = {row.window for row in views}, {(row.place.provider, row.window) for row in bills}
    groups, totals = defaultdict[_Group, _Both](_Both), defaultdict[str, _Both](_Both)

    def both(row: Row) -> tuple[_Both, _Both]:
        named = tuple(value_of(row, key) for key in keys)
        group = row.place.provider, named, row.window if daily else None, row.currency
        return groups[group], totals[row.currency]

    for row in bills:
        if row.window in watched:
            for sums in both(row):
                sums.billed += row.cost_nanos or 0
                sums.past += 0 if through is None or _goes_through(row, through) else row.cost_nanos or 0
    for row in views:
        if (row.place.provider, row.window) in billed:
            for sums in both(row):
                sums.seen += row.cost_nanos or 0
    lines = [_line(*group, sums, through) for group, sums in groups.items()]
    waiting = {(row.place.provider, row.window) for row in views} - billed
    return Captured(
        tuple(sorted(lines, key=_order)),
        tuple(_line("", (), None, currency, sums, through) for currency, sums in sorted(totals.items())),
        {who: sum(one == who for one, _ in waiting) for who in sorted({one for one, _ in waiting})},
        len({row.window for row in bills} - watched),
    )


def _goes_through(row: Row, through: Through) -> bool:
    return any(row.holder.labels.get(tag) in values for tag, values in through.items())


def _line(
    provider: str, keys: tuple[str, ...], day: Window | None, currency: str, sums: _Both, through: Through | None
) -> CaptureLine:
    past = None if through is None else sums.past
    return CaptureLine(provider, keys, day, currency, sums.billed, sums.seen, past)


def _together(currency: str, lines: Iterable[CaptureLine]) -> CaptureLine:
    mine = [line for line in lines if line.currency == currency]
    past = [line.past_nanos for line in mine if line.past_nanos is not None]
    billed, seen_nanos = sum(line.billed_nanos for line in mine), sum(line.seen_nanos for line in mine)
    return CaptureLine("", (), None, currency, billed, seen_nanos, sum(past) if past else None)


def _order(line: CaptureLine) -> tuple[object, ...]:
    day = line.day.start_ms if line.day else 0
    return -day, line.provider if line.day else "", -line.billed_nanos, line.provider, line.keys, line.currency
