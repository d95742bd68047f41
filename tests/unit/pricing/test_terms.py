"""What prices come to: discounts, payments in advance, machines of one's own, annotations of nodes."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, Window, from_rfc3339
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.books import (
    ALWAYS,
    Amortisation,
    Commitment,
    Discount,
    NodeMatch,
    NodeSplit,
    Power,
    PriceBook,
    ReferenceRates,
    Stacking,
)
from aicost.domain.pricing.selection import decide_prices
from aicost.domain.pricing.terms.amortisation import add_months, end_of_life, owned_hours, spread
from aicost.domain.pricing.terms.annotations import CURRENCY, FROM, NODE_BOOK, PER_GPU_HOUR, PER_NODE_HOUR
from aicost.domain.pricing.terms.discounts import Granted, percent, reduce
from support.pricing import HOUR, UNIT, book, entry, minutes, node

PERCENT = 10**7
NO_RATES = ReferenceRates()


def off(name: str, percents: float, stacking=Stacking.BEST, effective=ALWAYS, books=(), **match) -> Discount:
    return Discount(name, round(percents * PERCENT), NodeMatch(**match), effective, stacking, books)


def gpu_hour(quote) -> Fraction:
    return Fraction(quote.gpu_hour_nanos_num, quote.gpu_hour_den)


def only(decisions):
    (decision,) = decisions
    return decision


def discounted(*discounts, node_=None, **prices):
    made = replace(book(entry(**(prices or {"gpu_hour": 2}))), discounts=discounts)
    return only(decide_prices(node_ or node(), [made], HOUR)).chosen


class TestDiscounts:
    def test_a_percentage_is_taken_off_exactly_and_said(self):
        quote = discounted(off("edp", 7.5))
        assert gpu_hour(quote) == Fraction(2 * UNIT) * 925 / 1000
        assert quote.explanation.startswith("$2.0000 per GPU-hour less 7.5 % (book/edp); ")

    def test_a_discount_for_another_kind_of_node_is_not_taken_off(self):
        for match in ({"gpu_model": "a100-40gb"}, {"capacity_type": CapacityType.SPOT}, {"provider": "gcp"}):
            assert gpu_hour(discounted(off("edp", 10, **match))) == 2 * UNIT
        assert gpu_hour(discounted(off("edp", 10, provider="aws", instance_type="p5.48xlarge"))) == 18 * UNIT // 10

    def test_of_discounts_that_hold_alone_the_largest_is_used_and_the_others_are_named(self):
        quote = discounted(off("a", 5), off("b", 10), off("c", 10))
        assert gpu_hour(quote) == Fraction(2 * UNIT * 9, 10)
        assert "less 10 % (book/b); book/a, book/c not used: book/b takes off as much or more" in quote.explanation

    def test_added_percentages_are_summed_and_compound_ones_are_taken_off_what_is_left(self):
        quote = discounted(
            off("alone", 10), off("more", 5, Stacking.ADD), off("year", 2, Stacking.COMPOUND),
            off("late", 1, Stacking.COMPOUND),
        )  # fmt: skip
        assert gpu_hour(quote) == Fraction(2 * UNIT) * Fraction(85, 100) * Fraction(98, 100) * Fraction(99, 100)
        assert "less 10 % (book/alone) and 5 % (book/more); less 1 % of what is left (book/late)" in quote.explanation

    def test_a_discount_that_begins_inside_a_window_cuts_it(self):
        made = replace(book(entry(gpu_hour=2)), discounts=(off("half", 50, effective=minutes(20, 40)),))
        decisions = decide_prices(node(), [made], HOUR)
        assert [decision.span for decision in decisions] == [minutes(0, 20), minutes(20, 40), minutes(40, 60)]
        assert [gpu_hour(decision.chosen) for decision in decisions] == [2 * UNIT, UNIT, 2 * UNIT]
        assert all(decision.rejected == () for decision in decisions)

    def test_a_discount_may_be_for_the_entries_of_another_book_by_name(self):
        listed = book(entry(gpu_hour=2, list_price=True), name="list")
        mine = replace(book(name="mine"), discounts=(off("edp", 10, books=("list",)),))
        quote = only(decide_prices(node(), [listed, mine], HOUR)).chosen
        assert gpu_hour(quote) == Fraction(18 * UNIT, 10)
        assert not quote.list_price, "what was negotiated is no list price any more"
        other = replace(mine, discounts=(off("edp", 10),))
        assert gpu_hour(only(decide_prices(node(), [listed, other], HOUR)).chosen) == 2 * UNIT

    def test_a_price_per_node_is_discounted_before_it_is_split(self):
        rates = ReferenceRates(cpu_core_nanos=10**7, memory_gib_nanos=10**6)
        made = replace(book(entry(node_hour=100), reference=rates), discounts=(off("edp", 10),))
        quote = only(decide_prices(node(), [made], HOUR)).chosen
        rest = 192 * 10**7 + 2048 * 10**6
        assert gpu_hour(quote) == Fraction(90 * UNIT - rest, 8)

    def test_discounts_that_take_off_everything_give_no_price_and_say_which(self):
        made = replace(book(entry(gpu_hour=2)), discounts=(off("a", 60), off("b", 40, Stacking.ADD)))
        decision = only(decide_prices(node(), [made], HOUR))
        assert decision.chosen is None
        assert "its discounts take off everything or more (less 60 % (book/a) and 40 % (book/b))" in decision.reason

    def test_a_discount_that_takes_off_everything_for_a_while_leaves_the_rest_of_the_time_priced(self):
        made = replace(
            book(entry(gpu_hour=2)),
            discounts=(off("a", 60), off("b", 40, Stacking.ADD, effective=minutes(30, 60))),
        )
        first, second = decide_prices(node(), [made], HOUR)
        assert gpu_hour(first.chosen) == Fraction(8 * UNIT, 10)
        assert (second.chosen, second.span) == (None, minutes(30, 60))
        assert "book/e: its discounts take off everything" in second.reason

    @given(
        st.lists(st.tuples(st.integers(1, 10**8), st.sampled_from(Stacking)), max_size=6),
        st.randoms(use_true_random=False),
    )
    def test_the_order_of_discounts_does_not_matter_and_a_price_never_grows(self, drawn, shuffle):
        found = [
            Granted(f"b/{n}", Discount(f"{n}", ppb, NodeMatch(), ALWAYS, how)) for n, (ppb, how) in enumerate(drawn)
        ]
        reduction = reduce(found, 0)
        assert reduce(shuffle.sample(found, len(found)), 0).factor == reduction.factor
        assert reduction.factor <= 1
        alone = [ppb for ppb, how in drawn if how is Stacking.BEST]
        added = [ppb for ppb, how in drawn if how is Stacking.ADD]
        expected = Fraction(10**9 - max(alone, default=0) - sum(added), 10**9)
        for ppb, how in drawn:
            expected *= Fraction(10**9 - ppb, 10**9) if how is Stacking.COMPOUND else 1
        assert reduction.factor == expected

    @pytest.mark.parametrize(("ppb", "text"), [(75_000_000, "7.5"), (10, "0.000001"), (10**8, "10")])
    def test_a_percentage_is_printed_exactly(self, ppb, text):
        assert percent(ppb) == text


OWN = Amortisation(
    purchase_nanos=300_000 * UNIT,
    residual_nanos=30_000 * UNIT,
    in_service_ms=from_rfc3339("2025-01-01T00:00:00Z"),
    lifetime_months=60,
)
POWER = Power(10_200, 600_000, 1_350_000, 210_000_000, host_watts=2_500)


def owning(owned: Amortisation, **changes):
    return replace(book(replace(entry(), amortisation=owned, **changes), reference=NO_RATES))


def at(text: str) -> Window:
    start = from_rfc3339(text)
    return Window(start, start + HOUR_MS)


class TestMachinesOfOnesOwn:
    def test_the_loss_of_value_is_spread_over_the_life(self):
        decision = only(decide_prices(node(), [owning(OWN)], at("2026-05-01T00:00:00Z")))
        hours = (end_of_life(OWN) - OWN.in_service_ms) // HOUR_MS
        assert hours == 1826 * 24  # five years, one of them a leap year
        assert gpu_hour(decision.chosen) == Fraction(270_000 * UNIT, hours * 8)
        assert decision.chosen.explanation.startswith(
            "$300,000.00 less $30,000.00 over 60 months (43,824 h) is $6.1610 per node-hour"
        )

    def test_power_is_by_rating_and_load_where_nothing_is_measured(self):
        owned = replace(OWN, power=POWER, fixed_hour_nanos=850_000_000)
        decision = only(decide_prices(node(), [owning(owned)], at("2026-05-01T00:00:00Z")))
        watts = Fraction(10_200 * 6, 10)
        power = watts * Fraction(135, 100) * 210_000_000 / 1000
        loss = Fraction(270_000 * UNIT, 43_824)
        assert gpu_hour(decision.chosen) == (loss + power + 850_000_000) / 8
        assert "10200 W by rating x load 0.6 x PUE 1.35 x $0.2100 per kWh is $1.7350" in decision.chosen.explanation
        assert "fixed costs of $0.8500 per node-hour" in decision.chosen.explanation

    def test_power_is_as_measured_where_the_rest_of_the_node_is_known(self):
        owned = replace(OWN, power=POWER)
        decision = only(decide_prices(node(), [owning(owned)], at("2026-05-01T00:00:00Z"), Fraction(4000)))
        power = Fraction(6_500) * Fraction(135, 100) * 210_000_000 / 1000
        assert gpu_hour(decision.chosen) == (Fraction(270_000 * UNIT, 43_824) + power) / 8
        assert "4000 W measured at the GPUs and 2500 W beside them" in decision.chosen.explanation
        unknown = replace(OWN, power=replace(POWER, host_watts=None))
        rated = only(decide_prices(node(), [owning(unknown)], at("2026-05-01T00:00:00Z"), Fraction(4000)))
        assert "by rating" in rated.chosen.explanation

    def test_before_it_is_in_service_it_gives_no_price(self):
        decision = only(decide_prices(node(), [owning(OWN)], at("2024-05-01T00:00:00Z")))
        assert decision.chosen is None
        assert "book/e: its price holds from 2025-01-01T00:00:00Z" in decision.reason

    def test_the_hour_in_which_it_enters_service_is_cut(self):
        window = Window(OWN.in_service_ms - HOUR_MS // 2, OWN.in_service_ms + HOUR_MS // 2)
        first, second = decide_prices(node(), [owning(OWN)], window)
        assert first.chosen is None
        assert second.span.start_ms == OWN.in_service_ms

    def test_after_its_life_only_power_and_fixed_costs_are_left(self):
        owned = replace(OWN, fixed_hour_nanos=UNIT)
        decision = only(decide_prices(node(), [owning(owned)], at("2030-05-01T00:00:00Z")))
        assert gpu_hour(decision.chosen) == Fraction(UNIT, 8)
        assert decision.chosen.explanation.startswith("its value is written off since 2030-01-01")

    def test_a_machine_that_is_written_off_and_costs_nothing_more_has_no_price(self):
        decision = only(decide_prices(node(), [owning(OWN)], at("2030-05-01T00:00:00Z")))
        assert decision.chosen is None
        assert "it has no power and no fixedPerHour: give what it costs now" in decision.reason

    def test_the_entrys_own_dates_cut_it_too(self):
        window = at("2026-05-01T00:00:00Z")
        made = owning(OWN, effective=Window(window.start_ms + HOUR_MS // 4, ALWAYS.end_ms))
        assert [one.chosen is None for one in decide_prices(node(), [made], window)] == [True, False]

    @pytest.mark.parametrize(
        ("since", "months", "until"),
        [
            ("2024-01-31T00:00:00Z", 1, "2024-02-29T00:00:00Z"),
            ("2023-01-31T06:30:00Z", 1, "2023-02-28T06:30:00Z"),
            ("2024-02-29T00:00:00Z", 12, "2025-02-28T00:00:00Z"),
            ("2024-12-15T00:00:00Z", 1, "2025-01-15T00:00:00Z"),
            ("2025-01-01T00:00:00Z", 60, "2030-01-01T00:00:00Z"),
        ],
    )
    def test_months_are_those_of_the_calendar(self, since, months, until):
        assert add_months(from_rfc3339(since), months) == from_rfc3339(until)

    def test_a_life_that_would_end_after_the_last_year_ends_with_it(self):
        assert add_months(from_rfc3339("9998-06-01T00:00:00Z"), 360) == ALWAYS.end_ms

    @given(
        st.integers(1, 10**18),
        st.integers(0, 100),
        st.integers(0, 4 * 10**12),
        st.integers(1, 360),
        st.lists(st.integers(0, 10**6), max_size=8),
    )
    def test_over_its_life_a_machine_costs_its_price_less_its_residual_value_exactly(
        self, purchase, residual, since, months, cuts
    ):
        owned = Amortisation(purchase, purchase * residual // 100, since, months)
        life, _ = owned_hours(owned, "USD", None)
        edges = sorted({0, 10**6, *cuts})
        spans = [life.span.length_ms * edge // 10**6 for edge in edges]
        parts = [life.nanos * (later - sooner) / HOUR_MS for sooner, later in pairwise(spans)]
        assert sum(parts) == owned.purchase_nanos - owned.residual_nanos


class TestPaymentsInAdvance:
    YEAR = Window(from_rfc3339("2026-01-01T00:00:00Z"), from_rfc3339("2027-01-01T00:00:00Z"))

    def promised(self, **changes):
        fields = {"node_hour": 12.5, "effective": self.YEAR, "capacity_type": CapacityType.RESERVED, **changes}
        return replace(entry(**fields), commitment=Commitment(250_000 * UNIT, 10))

    def price(self, made, reference=NO_RATES, discounts=()):
        reserved = node(capacity_type=CapacityType.RESERVED)
        return only(
            decide_prices(reserved, [replace(book(made, reference=reference), discounts=discounts)],
                          at("2026-05-01T00:00:00Z"))
        ).chosen  # fmt: skip

    def test_an_upfront_payment_is_spread_over_the_time_of_the_promise(self):
        quote = self.price(self.promised())
        assert gpu_hour(quote) == (Fraction(250_000 * UNIT, 8760) + Fraction(25 * UNIT, 2)) / 8
        assert "$250,000.00 paid in advance over 8,760 h is $28.5388 per node-hour" in quote.explanation

    def test_all_may_be_paid_in_advance(self):
        assert gpu_hour(self.price(self.promised(node_hour=None))) == Fraction(250_000 * UNIT, 8760 * 8)

    def test_a_discount_is_taken_off_what_is_paid_per_hour_and_not_off_what_was_paid(self):
        quote = self.price(self.promised(), discounts=(off("edp", 10),))
        assert gpu_hour(quote) == (Fraction(250_000 * UNIT, 8760) + Fraction(1125 * UNIT, 100)) / 8

    def test_a_node_that_is_not_reserved_is_not_priced_by_it(self):
        decision = only(decide_prices(node(), [book(self.promised())], at("2026-05-01T00:00:00Z")))
        assert decision.chosen is None
        assert "capacityType: the entry says reserved, the node on-demand" in decision.reason

    @given(st.integers(1, 10**18), st.integers(1, 10**12))
    def test_what_is_spread_sums_to_what_was_paid(self, amount, length):
        assert spread(amount, Window(0, length)) * length / HOUR_MS == amount


class TestAnnotationsOfNodes:
    def priced(self, *books: PriceBook, **said: str):
        keys = {"gpu": PER_GPU_HOUR, "node": PER_NODE_HOUR, "currency": CURRENCY, "since": FROM}
        return decide_prices(node(annotations={keys[key]: text for key, text in said.items()}), books, HOUR)

    def test_a_price_on_the_node_goes_before_every_book(self):
        mine = book(entry(gpu_hour=2, priority=1000))
        decision = only(self.priced(mine, gpu="1.75", currency="EUR"))
        assert (gpu_hour(decision.chosen), decision.chosen.currency) == (1_750_000_000, "EUR")
        assert (decision.chosen.book, decision.chosen.entry) == (NODE_BOOK, "gpu-1")
        assert decision.rejected == (
            ("book/e", "node-annotations/gpu-1 stands before it: it stands on the node itself"),
        )
        assert decision.reason == "node-annotations/gpu-1 stands on the node itself, by annotation"

    def test_a_price_per_node_is_split_by_the_reference_rates_of_a_book_in_its_currency(self):
        rates = ReferenceRates(cpu_core_nanos=10**7, memory_gib_nanos=10**6)
        other = replace(book(name="a", reference=ReferenceRates(cpu_core_nanos=1)), currency="EUR")
        decision = only(self.priced(other, book(name="b", reference=rates), node="100", currency="USD"))
        assert gpu_hour(decision.chosen) == Fraction(100 * UNIT - 192 * 10**7 - 2048 * 10**6, 8)
        assert decision.chosen.source == "annotation of the node, split by the reference rates of b"

    def test_a_discount_does_not_touch_it(self):
        mine = replace(book(entry(gpu_hour=2)), discounts=(off("edp", 50), off("all", 50, books=(NODE_BOOK,))))
        assert gpu_hour(only(self.priced(mine, gpu="1.75", currency="USD")).chosen) == 1_750_000_000

    def test_it_holds_from_its_date(self):
        since = "1970-02-11T16:30:00Z"
        first, second = self.priced(book(entry(gpu_hour=2)), gpu="1", currency="USD", since=since)
        assert (first.chosen.book, second.chosen.book) == ("book", NODE_BOOK)
        assert second.span == minutes(30, 60)

    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            ({"gpu": "-1", "currency": "USD"}, "annotation aicost.dev/price-per-gpu-hour: '-1': write a decimal above"),
            ({"gpu": "NaN", "currency": "USD"}, "aicost.dev/price-per-gpu-hour: 'NaN'"),
            ({"gpu": "0", "currency": "USD"}, "aicost.dev/price-per-gpu-hour: '0'"),
            ({"node": "1e9", "currency": "USD"}, "aicost.dev/price-per-node-hour: '1e9'"),
            ({"gpu": "1" * 5000, "currency": "USD"}, "write a decimal above zero"),
            ({"gpu": "1"}, "annotation aicost.dev/price-currency: '': write an ISO 4217 code"),
            ({"gpu": "1", "currency": "dollars"}, "annotation aicost.dev/price-currency: 'dollars'"),
            ({"currency": "USD"}, "and no price: add aicost.dev/price-per-gpu-hour or aicost.dev/price-per-node-hour"),
            ({"gpu": "1", "currency": "USD", "since": "yesterday"}, "annotation aicost.dev/price-from: 'yesterday'"),
            ({"gpu": "1", "currency": "USD", "since": "2026-01-01T00:00:00"}, "aicost.dev/price-from"),
        ],
    )
    def test_one_that_is_wrong_is_told_and_the_books_decide(self, said, problem):
        decision = only(self.priced(book(entry(gpu_hour=2)), **said))
        assert gpu_hour(decision.chosen) == 2 * UNIT
        ((label, reason),) = decision.rejected
        assert label == "node-annotations/gpu-1"
        assert problem in reason

    def test_where_no_book_has_a_price_the_reason_shows_what_is_wrong_with_the_annotation(self):
        decision = only(self.priced(gpu="free", currency="USD"))
        assert decision.chosen is None
        assert "Not used: node-annotations/gpu-1: annotation aicost.dev/price-per-gpu-hour: 'free'" in decision.reason

    def test_other_annotations_are_nothing_to_do_with_prices(self):
        decision = only(decide_prices(node(annotations={"aicost.dev/other": "1"}), [book(entry(gpu_hour=2))], HOUR))
        assert decision.rejected == ()


def test_an_amortised_node_may_be_split_by_share():
    made = owning(OWN, split=NodeSplit.GPU_SHARE, gpu_share_ppm=800_000)
    decision = only(decide_prices(node(), [made], at("2026-05-01T00:00:00Z")))
    assert gpu_hour(decision.chosen) == Fraction(270_000 * UNIT, 43_824) * Fraction(8, 10) / 8
