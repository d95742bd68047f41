"""The list of prices that is installed: base prices alone, of the day, of exactly the model that is meant."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import genai_prices.data_snapshot as snapshots
import pytest
from genai_prices.types import (
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from aicost.adapters.pricing.tokens.bundled import CHANGES, TIERED, BundledPrices
from aicost.domain.exact.windows import HOUR_MS, Window, to_millis

AT = to_millis(datetime(2026, 3, 2, 9, tzinfo=UTC))
HOUR = Window(AT, AT + HOUR_MS)


@pytest.fixture
def listed():
    """Lists these models of one provider."""

    def show(*models):
        known = [ModelInfo(name, ClauseStartsWith(name.lower()), prices=prices) for name, prices in models]
        provider = Provider("acme", "Acme", "https://acme", models=known)
        snapshots.set_custom_snapshot(snapshots.DataSnapshot([provider], from_auto_update=False))
        return BundledPrices()

    yield show
    snapshots.set_custom_snapshot(None)


def costs(**keys):
    return ModelPrice(**{f"{key}_mtok": Decimal(amount) for key, amount in keys.items()})


def test_higher_tiers_are_for_one_long_request_and_never_for_a_sum(listed):
    tiered = ModelPrice(input_mtok=TieredPrices(Decimal(3), [Tier(200_000, Decimal(6))]), output_mtok=Decimal(15))
    (one,) = listed(("m", tiered)).find("m", "", HOUR)
    assert (one.input_nanos, one.cached_nanos, one.output_nanos) == (3_000_000_000, None, 15_000_000_000)
    assert one.notes == (TIERED,)


def test_the_price_is_that_of_the_day_and_a_change_is_said(listed):
    dated = [
        ConditionalPrice(prices=costs(input=10, output=40)),
        ConditionalPrice(StartDateConstraint(date(2026, 3, 3)), prices=costs(input=2, output=8)),
    ]
    prices = listed(("m", dated))
    (before,) = prices.find("m", "", HOUR)
    (over,) = prices.find("m", "", Window(AT, AT + 24 * HOUR_MS))
    (after,) = prices.find("m", "", Window(AT + 24 * HOUR_MS, AT + 25 * HOUR_MS))
    assert (before.input_nanos, before.notes) == (10_000_000_000, ())
    assert (over.input_nanos, over.notes) == (10_000_000_000, (CHANGES,))
    assert (after.input_nanos, after.notes) == (2_000_000_000, ())


def test_off_peak_prices_are_those_of_the_hour(listed):
    peak = TimeOfDateConstraint(time(9, tzinfo=UTC), time(17, tzinfo=UTC))
    prices = listed(("m", [ConditionalPrice(prices=costs(input=1)), ConditionalPrice(peak, prices=costs(input=3))]))
    assert [one.input_nanos for one in prices.find("m", "", HOUR)] == [3_000_000_000]


def test_a_model_that_only_begins_alike_is_another_model(listed):
    prices = listed(("maker/Big-70B", costs(input=1)), ("maker/big-70b-free", costs(input=0)))
    assert [one.model for one in prices.find("big-70b", "", HOUR)] == ["maker/Big-70B"]
    assert [one.model for one in prices.find("MAKER/big-70b", "Acme", HOUR)] == ["maker/Big-70B"]
    assert prices.find("other/big-70b", "", HOUR) == []
    assert prices.find("big-70b-instruct", "", HOUR) == []
    assert prices.find("big-70b", "nobody", HOUR) == []


def test_a_provider_that_is_named_may_know_the_model_by_another_name(listed):
    prices = listed(("big-70b", costs(input=1)))
    assert [one.model for one in prices.find("big-70b-2026-01-01", "acme", HOUR)] == ["big-70b"]


def test_a_price_of_nothing_is_a_trial_and_not_listed(listed):
    assert listed(("m", costs(input=0, output=0))).find("m", "", HOUR) == []
    assert listed(("m", costs(input=1, output=0))).find("m", "", HOUR) == []
    assert listed(("m", costs(output=1))).find("m", "", HOUR) == []


def test_the_list_that_is_installed_has_open_models_and_is_offline():
    found = BundledPrices().find("gpt-oss-120b", "", HOUR)
    assert len(found) > 5
    assert all(0 < one.input_nanos < 10 * 10**9 and one.currency == "USD" for one in found)
    assert not snapshots.get_snapshot().from_auto_update
