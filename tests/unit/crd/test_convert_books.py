"""A PriceBook as the domain knows it."""

import pytest
import yaml

from aicost.crd.convert.books import price_book
from aicost.crd.convert.parsing import SpecProblem
from aicost.domain.exact.windows import Window, from_rfc3339
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.books import ALWAYS, Amortisation, Commitment, NodeMatch, NodeSplit, Power, Stacking
from aicost.domain.pricing.suggestion import PLACEHOLDER, suggest_entry
from support.builders import make_node
from support.crd_samples import FULL, resource


def _read(**spec):
    return price_book(resource("PriceBook", "mine", {"currency": "USD", "entries": [], **spec}))


def _entry(**change):
    return {"name": "h100", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "2.49", **change}


def test_prices_are_read_to_the_last_nano():
    entry = _read(entries=[_entry(perNodeHour="22.123456789")]).value.entries[0]
    assert (entry.per_gpu_hour_nanos, entry.per_node_hour_nanos) == (2_490_000_000, 22_123_456_789)


def test_the_fullest_book_is_read_whole():
    read = price_book(resource("PriceBook", "mine", FULL["PriceBook"]))
    assert read.problems == ()
    book = read.value
    assert (book.name, book.currency) == ("mine", "USD")
    first, second, third, own, promised = book.entries
    assert first.effective == Window(from_rfc3339("2026-01-01T00:00:00Z"), from_rfc3339("2026-06-30T22:00:00Z"))
    assert first.match == NodeMatch(gpu_model="h100-80gb", capacity_type=CapacityType.ON_DEMAND)
    assert (first.priority, first.list_price) == (5, True)
    assert first.source == "public price pages (as of 2026-10-01)"
    assert (second.split, second.gpu_share_ppm, second.gpu_count) == (NodeSplit.GPU_SHARE, 930_000, 8)
    assert (second.list_price, second.source) == (False, "contract (as of 2026-10-01T10:00:00Z)")
    assert (third.split, third.effective, third.match.node_labels) == (NodeSplit.RATIO, ALWAYS, {"pool": "lab"})
    assert book.reference.gpu_nanos == 2_000_000_000
    assert book.reference.cpu_core_nanos == 31_611_000
    assert book.reference.storage_gib_nanos == 109_589  # 0.08 / 730 h, rounded half up
    assert own.amortisation == Amortisation(
        purchase_nanos=300_000 * 10**9,
        residual_nanos=30_000 * 10**9,
        in_service_ms=from_rfc3339("2025-01-01T00:00:00Z"),
        lifetime_months=60,
        fixed_hour_nanos=850_000_000,
        power=Power(10_200, 600_000, 1_350_000, 210_000_000, 2_500),
    )
    assert promised.commitment == Commitment(250_000 * 10**9, 10)


def test_discounts_and_exchange_rates_are_read_exactly():
    book = price_book(resource("PriceBook", "mine", FULL["PriceBook"])).value
    edp, volume = book.discounts
    assert (edp.off_ppb, edp.books, edp.match, edp.stacking) == (
        75_000_000, ("list-prices",), NodeMatch(), Stacking.BEST,
    )  # fmt: skip
    assert edp.effective == ALWAYS
    assert (volume.off_ppb, volume.stacking) == (20_000_010, Stacking.COMPOUND)
    assert volume.match == NodeMatch(gpu_model="h100-80gb", provider="aws")
    first, second = book.exchange_rates
    assert (first.base, first.target, first.rate_nanos) == ("EUR", "USD", 1_084_500_000)
    assert first.source == "central bank"
    assert first.effective == Window(from_rfc3339("2026-10-01T00:00:00Z"), ALWAYS.end_ms)
    assert second.effective.end_ms == from_rfc3339("2026-10-03T00:00:00Z")


def test_a_discount_or_a_rate_that_is_wrong_is_left_out_and_told_and_the_others_hold():
    read = _read(
        entries=[_entry()],
        discounts=[{"name": "a", "percent": "5"}, {"name": "b", "percent": "120"}, "c"],
        exchangeRates=[{"base": "EUR", "target": "USD", "rate": "NaN", "from": "2026-01-01"}],
    )
    assert [one.name for one in read.value.discounts] == ["a"]
    assert read.value.exchange_rates == ()
    assert [problem.field for problem in read.problems] == [
        "spec.discounts[1].percent", "spec.discounts[2]", "spec.exchangeRates[0].rate",
    ]  # fmt: skip


def test_lists_that_are_none_are_told_and_nothing_is_lost():
    read = _read(entries=[_entry()], discounts={"name": "a"})
    assert [entry.name for entry in read.value.entries] == ["h100"]
    assert str(read.problems[0]) == "spec.discounts: {'name': 'a'}: write a list"


def test_an_entry_that_is_wrong_is_left_out_and_told_and_the_others_hold():
    read = _read(entries=[_entry(), _entry(name="h200", perGpuHour="-1"), _entry(name="a100", match={})])
    assert [entry.name for entry in read.value.entries] == ["h100"]
    price, match = read.problems
    assert (price.field, price.value) == ("spec.entries[1].perGpuHour", "'-1'")
    assert "write a decimal string" in price.fix
    assert match.field == "spec.entries[2].match"
    assert "an empty match prices every node" in str(match)


def test_a_book_without_a_usable_currency_is_not_read():
    read = _read(currency="dollars")
    assert read.value is None
    assert [problem.field for problem in read.problems] == ["spec.currency"]


@pytest.mark.parametrize(
    "price", [2.49, None, "NaN", "inf", "-0", "0", "1e3", "1_000", " 2", "٣", "9999999999", "2.", "\n2"]
)
def test_no_odd_price_passes(price):
    read = _read(entries=[_entry(perGpuHour=price, perNodeHour=None)])
    assert read.value.entries == ()
    assert read.problems


@pytest.mark.parametrize(
    "spec", [None, {}, {"currency": "USD"}, {"currency": "USD", "entries": None}, {"entries": "x"}]
)
def test_a_spec_that_is_no_book_is_told_or_empty(spec):
    read = price_book({"metadata": {"name": "odd"}, "spec": spec})
    assert read.value is None or read.value.entries == ()


def test_a_long_value_is_cut_in_the_message():
    (problem,) = _read(entries=[_entry(source="x" * 5000)]).problems
    assert isinstance(problem, SpecProblem)
    assert len(problem.value) < 100


def test_the_entry_that_is_suggested_for_a_node_fits_once_it_has_a_price():
    nodes = [make_node("n-1").facts(), make_node("n-2").gpus(8, "NVIDIA-H100-80GB-HBM3").facts()]
    for facts in nodes:
        (written,) = yaml.safe_load(suggest_entry(facts).replace(PLACEHOLDER, "2.5"))
        read = _read(entries=[written])
        assert read.problems == ()
        (unread,) = yaml.safe_load(suggest_entry(facts))
        assert _read(entries=[unread]).value.entries == ()
