from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.amounts import Money
from aicost.domain.exact.apportion import divide, rescale
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.pricing.books import ALWAYS
from aicost.domain.pricing.currencies import Converted, ExchangeRate, NoRate, conversion, convert_for_display

UNIT = 10**9
DAY = 20_000 * DAY_MS  # 2024-10-04


def rate(base, target, value, start=ALWAYS.start_ms, end=ALWAYS.end_ms, source="") -> ExchangeRate:
    return ExchangeRate(base, target, round(value * UNIT), Window(start, end), source)


def shown(amount, currency, rates, at=DAY):
    found = convert_for_display(amount, currency, rates, at)
    assert isinstance(found, Converted), found
    return found


def test_an_amount_is_converted_by_the_rate_that_holds_and_says_so():
    table = [rate("USD", "EUR", 0.90, DAY - DAY_MS, source="ECB"), rate("USD", "EUR", 0.95, DAY + DAY_MS)]
    found = shown(Money(10 * UNIT, "USD"), "EUR", table)
    assert found.shown == Money(9 * UNIT, "EUR")
    assert found.original == Money(10 * UNIT, "USD")
    assert found.conversion.explanation == "1 USD = 0.9 EUR, since 2024-10-03, ECB"
    assert shown(Money(10 * UNIT, "USD"), "EUR", table, DAY + DAY_MS).shown == Money(9_500_000_000, "EUR")


def test_of_two_rates_that_hold_the_one_that_began_last_is_used_in_whatever_order_they_stand():
    table = [rate("USD", "EUR", 0.91, DAY - 2), rate("USD", "EUR", 0.90, DAY - 1)]
    for order in (table, table[::-1]):
        assert shown(Money(UNIT, "USD"), "EUR", order).shown.nanos == 900_000_000


def test_the_opposite_rate_is_turned_round_exactly():
    found = shown(Money(3 * UNIT, "USD"), "EUR", [rate("EUR", "USD", 1.08)])
    assert found.conversion.factor == Fraction(100, 108)
    assert found.shown.nanos == divide(3 * UNIT * 100, 108)
    assert found.conversion.explanation == "1 EUR = 1.08 USD, turned round"


def test_two_rates_lead_by_way_of_a_third_currency():
    found = shown(Money(UNIT, "CNY"), "USD", [rate("EUR", "USD", 1.1), rate("EUR", "CNY", 8)])
    assert found.conversion.factor == Fraction(11, 80)
    assert "by way of EUR" in found.conversion.explanation


def test_an_amount_in_the_asked_currency_needs_no_rate():
    assert shown(Money(-5, "EUR"), "EUR", []).shown == Money(-5, "EUR")


def test_without_a_rate_nothing_is_guessed_and_the_entry_to_add_is_named():
    for table in ([], [rate("USD", "EUR", 0.9, end=DAY)], [ExchangeRate("USD", "EUR", 0, ALWAYS)]):
        found = convert_for_display(Money(UNIT, "USD"), "EUR", table, DAY)
        assert isinstance(found, NoRate)
        assert 'spec.exchangeRates of a PriceBook: {base: USD, target: EUR, rate: "RATE", from: 2024-10-04}' in (
            found.reason
        )


@given(
    st.lists(st.integers(-(10**20), 10**20), max_size=30),
    st.integers(1, 10**18),
    st.integers(1, 10**18),
)
def test_converted_parts_sum_to_the_converted_sum_and_each_is_less_than_a_nano_away(amounts, numerator, denominator):
    parts = rescale(amounts, numerator, denominator)
    assert sum(parts) == divide(sum(amounts) * numerator, denominator)
    for amount, part in zip(amounts, parts, strict=True):
        assert abs(Fraction(amount * numerator, denominator) - part) < 1


@given(st.integers(1, 10**15), st.integers(1, 10**15))
def test_there_and_back_is_the_identity_of_factors(one, other):
    table = [ExchangeRate("AAA", "BBB", one, ALWAYS), ExchangeRate("BBB", "CCC", other, ALWAYS)]
    there, back = conversion("AAA", "CCC", table, DAY), conversion("CCC", "AAA", table, DAY)
    assert there.factor * back.factor == 1
