"""Dated exchange rates, for display: sums never mix currencies, and a converted amount says by which rate."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.amounts import Money, format_decimal
from aicost.domain.exact.apportion import rescale
from aicost.domain.exact.windows import Window, to_rfc3339

_UNIT = 10**9
_EARLIEST_MS = -62_135_596_800_000
"""The year 1: where a rate without a date begins."""


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """What one unit of a currency is worth in another, for a while.

    Attributes:
        base: the currency that is converted: one unit of it.
        target: the currency that it becomes.
        rate_nanos: units of `target` for one unit of `base`, in parts per billion; above zero.
        effective: when it holds. Of several the one holds that began last.
        source: where it was read, for people.
    """

    base: str
    target: str
    rate_nanos: int
    effective: Window
    source: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The factor between two currencies at one moment.

    Attributes:
        factor: units of `target` for one unit of `base`, exact.
        explanation: which rate, since when, from where, for people.
    """

    base: str
    target: str
    factor: Fraction
    explanation: str

    def convert(self, amounts: Sequence[int]) -> list[int]:
        """Convert parts so that they sum to their converted sum, which is rounded once."""
        return rescale(amounts, self.factor.numerator, self.factor.denominator)

    def convert_one(self, nanos: int) -> int:
        """Convert one amount, rounded half up to a nano-unit."""
        return self.convert([nanos])[0]


@dataclass(frozen=True, slots=True)
class NoRate:
    """Why an amount cannot be converted, and what to add."""

    reason: str


@dataclass(frozen=True, slots=True)
class Converted:
    """An amount in the currency that a reader asked for.

    Attributes:
        original: the amount as the ledger has it: this one counts.
        shown: the converted amount, for display only.
        conversion: the rate that it rests on.
    """

    original: Money
    shown: Money
    conversion: Conversion


def convert_for_display(amount: Money, currency: str, rates: Iterable[ExchangeRate], at_ms: int) -> Converted | NoRate:
    """Convert a sum for a reader; the ledger and all sums stay in their own currency.

    The rate is that of the pair; else that of the opposite pair, turned round; else two rates by way of a third
    currency. An amount in the asked currency is left as it is. Parts of the sum are converted by `Conversion.convert`,
    so that they sum to the converted sum.

    Args:
        amount: the sum, in the currency of the ledger's rows.
        currency: ISO 4217 code to show it in.
        rates: the table: `spec.exchangeRates` of price books.
        at_ms: the moment whose rate holds: the last one of the span that the sum is about.
    """
    found = conversion(amount.currency, currency, rates, at_ms)
    if isinstance(found, NoRate):
        return found
    return Converted(amount, Money(found.convert_one(amount.nanos), currency), found)


def conversion(base: str, target: str, rates: Iterable[ExchangeRate], at_ms: int) -> Conversion | NoRate:
    """The factor between two currencies at a moment; see `convert_for_display`."""
    if base == target:
        return Conversion(base, target, Fraction(1), f"{base} as in the ledger")
    held = _in_force(rates, at_ms)
    direct = _step(held, base, target)
    if direct is not None:
        return Conversion(base, target, direct[0], direct[1])
    crossed = next(_crossings(held, base, target), None)
    return crossed or NoRate(
        f"no exchange rate from {base} to {target} holds at {to_rfc3339(at_ms)}: add one to spec.exchangeRates of a "
        f'PriceBook: {{base: {base}, target: {target}, rate: "RATE", from: {to_rfc3339(at_ms)[:10]}}}'
    )


_Pair = tuple[str, str]
_Held = dict[_Pair, ExchangeRate]


def _in_force(rates: Iterable[ExchangeRate], at_ms: int) -> _Held:
    """The rate of each pair that holds at a moment: the one that began last. The order of the table does not matter."""
    usable = [rate for rate in rates if at_ms in rate.effective and rate.rate_nanos > 0]
    in_order = sorted(usable, key=lambda rate: (rate.effective, rate.source, rate.rate_nanos))
    return {(rate.base, rate.target): rate for rate in in_order}


def _step(held: _Held, base: str, target: str) -> tuple[Fraction, str] | None:
    """The factor of a pair with its words, from its own rate or from the opposite one."""
    own, opposite = held.get((base, target)), held.get((target, base))
    if own is not None:
        return Fraction(own.rate_nanos, _UNIT), _words(own)
    if opposite is not None:
        return Fraction(_UNIT, opposite.rate_nanos), f"{_words(opposite)}, turned round"
    return None


def _crossings(held: _Held, base: str, target: str) -> Iterator[Conversion]:
    """Conversions by way of a third currency, in the order of the alphabet."""
    for between in sorted({currency for pair in held for currency in pair} - {base, target}):
        first, second = _step(held, base, between), _step(held, between, target)
        if first is not None and second is not None:
            yield Conversion(base, target, first[0] * second[0], f"by way of {between}: {first[1]}; {second[1]}")


def _words(rate: ExchangeRate) -> str:
    since = f", since {to_rfc3339(rate.effective.start_ms)[:10]}" if rate.effective.start_ms > _EARLIEST_MS else ""
    source = f", {rate.source}" if rate.source else ""
    return f"1 {rate.base} = {format_decimal(rate.rate_nanos)} {rate.target}{since}{source}"
