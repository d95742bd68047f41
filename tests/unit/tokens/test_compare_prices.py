"""Workloads beside lists of prices: the first list that knows a model of a provider has the word."""

from dataclasses import replace

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.serving.api_prices import ApiPrice
from aicost.domain.serving.meters import Count
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs
from aicost.usecases.economics.compare_prices import Sought, compare_prices
from aicost.usecases.economics.cost_units import UnitLine, UnitReport

SPAN = Window(0, 2 * HOUR_MS)


class Listed:
    """These prices, by the exact name."""

    def __init__(self, *names, amount=10**9):
        self.prices = [
            ApiPrice(name.partition("/")[2], name.partition("/")[0], amount, 0, amount, "USD", "l") for name in names
        ]

    def find(self, model, provider, span):
        assert span == SPAN
        return [one for one in self.prices if model in one.model and provider in one.provider]


def report(*served):
    did = Tally(counts={Count.INPUT: 500_000, Count.OUTPUT: 500_000})
    costs = unit_costs(Spent(4 * 10**9, None, "USD"), did, phases_of(did))
    lines = [UnitLine((f"w{number}",), models, 1, 1, costs) for number, models in enumerate(served)]
    return UnitReport(SPAN, SPAN, tuple(lines), covered_ms=HOUR_MS)


def test_the_first_list_has_the_word_also_where_it_names_no_maker():
    own, other = (
        Listed("acme/qwen3", amount=3 * 10**9),
        Listed("acme/qwen/qwen3", "ACME/qwen3", "b/x/qwen3", "b/y/qwen3"),
    )
    (line,) = compare_prices(report(("qwen3",)), [own, other], None).lines
    assert [(one.price.name, one.there_nanos) for one in line.found] == [
        ("b/x/qwen3", 10**9),
        ("b/y/qwen3", 10**9),
        ("acme/qwen3", 3 * 10**9),
    ]


def test_only_the_hours_that_count_make_the_cost_of_an_hour():
    (line,) = compare_prices(report(("qwen3",)), [Listed("acme/qwen3")], None).lines
    assert line.found[0].load == 1_000_000
    assert line.found[0].break_even == 4_000_000


def test_what_is_not_sought_is_not_compared_and_what_cannot_be_is_named():
    asked = [Sought("Qwen3"), Sought("qwen3", "acme", "other"), Sought("none"), Sought("gone")]
    found = compare_prices(report(("qwen3",), ("llama",), ("qwen3", "llama"), ("none",)), [Listed("b/other")], asked)
    assert found.lines == ()
    assert (found.unpriced, found.unserved) == (("none", "qwen3"), ("gone",))
    assert [line.keys for line in found.mixed] == [("w2",)]


def test_a_model_is_looked_for_by_the_name_that_it_has_there():
    (line,) = compare_prices(report(("qwen3",)), [Listed("acme/other")], [Sought("qwen3", "acme", "other")]).lines
    assert [one.price.name for one in line.found] == ["acme/other"]


def test_without_windows_nothing_is_compared():
    empty = replace(report(), rests_on=None, covered_ms=0)
    assert compare_prices(empty, [], None).lines == ()
