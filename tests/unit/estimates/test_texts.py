"""The sentence that people read before they start something."""

import pytest

from aicost.domain.estimates.estimate import estimate
from aicost.domain.estimates.market import offline_market
from aicost.domain.estimates.texts import estimate_text
from aicost.domain.estimates.values import BudgetLeft
from aicost.domain.workloads.shapes import Scaling
from support.estimating import template, workload
from support.pricing import UNIT, book, entry

MARKET = offline_market(
    [
        book(
            entry("h", gpu_hour=6.875),
            entry("l-spot", gpu_hour=0.25, gpu_model="l4", region="a"),
            entry("l", gpu_hour=0.75, gpu_model="l4", region="b"),
        )
    ],
    0,
)
RESEARCH = BudgetLeft("research", 280 * UNIT, 1000 * UNIT, "USD", None)


def text(*templates, budgets=(), **more):
    return estimate_text(estimate(workload(*templates, **more), MARKET), budgets)


def test_a_run_of_known_length_has_a_price_and_what_is_left():
    said = text(template(8, "h100-80gb"), hours=13, scaling=Scaling.TO_COMPLETION, budgets=[RESEARCH])
    assert said == "8 x H100-80GB for 13 h is about $715; only $280 of the budget research are left"
    short = text(template(1, "h100-80gb"), hours=2, budgets=[RESEARCH])
    assert short == "1 x H100-80GB for 2 h is about $13.75; $280 of the budget research are left"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((template(0),), ""),
        ((template(1, "h100-80gb"),), "1 x H100-80GB is about $6.88 an hour, $5,019 a month"),
        ((template(1, "l4"),), "1 x L4 is about $0.25 to $0.75 an hour, $183 to $548 a month"),
        ((template(0.5, "l4", demand={}),), "0.5 x L4 is about $0.13 to $0.38 an hour, $91.25 to $274 a month"),
        (
            (template(1, "l4", role="a"), template(2, "l4", role="b"), template(1, "h100-80gb")),
            "3 x L4 + 1 x H100-80GB is about $7.63 to $9.13 an hour, $5,566 to $6,661 a month",
        ),
        (
            (template(4),),
            "4 x GPU: the cost is not known: no GPU model is named: add a nodeSelector such as nvidia.com/gpu.product",
        ),
        (
            (template(2, "b200"),),
            "2 x B200: the cost is not known: no price for b200, 2 GPUs in one node: add an entry to a PriceBook",
        ),
        (
            (template(None, "l4"),),
            (
                "L4 of unknown size: the cost is not known: what it asks for is described elsewhere (a runtime, a "
                "device class): put that into the same file"
            ),
        ),
    ],
)
def test_what_goes_on_is_told_by_the_hour_and_what_is_missing_is_said(given, said):
    assert text(*given) == said


def test_what_scales_by_itself_is_told_with_the_most_that_it_may_cost():
    said = text(template(1, "h100-80gb", pods=1, at_most=4), scaling=Scaling.AUTOSCALED)
    assert said == "1 x H100-80GB is about $6.88 an hour, $5,019 a month, at most $27.50 an hour"


def test_a_run_of_unknown_length_says_how_to_tell_it():
    said = text(template(8, "h100-80gb"), scaling=Scaling.TO_COMPLETION)
    assert said == (
        "8 x H100-80GB is about $55.00 an hour; annotate aicost.dev/expected-duration (such as 13h) to see the whole"
    )
    assert text(template(8, "h100-80gb"), scaling=Scaling.SCHEDULED, hours=0.5).endswith("is about $27.50 for each run")


def test_the_budgets_with_the_least_left_come_first_and_an_empty_one_is_said():
    budgets = [RESEARCH, BudgetLeft("empty", -5, UNIT, "USD", None), BudgetLeft("big", 10**15, 10**15, "USD", None)]
    said = text(template(1, "h100-80gb"), hours=1, budgets=budgets)
    assert said.endswith("; nothing of the budget empty is left; $280 of the budget research are left")


def test_the_text_is_one_line_of_at_most_250_characters_whatever_names_people_choose():
    said = text(template(1, "x" * 300 + "\nWarning: forged"), budgets=[RESEARCH])
    assert len(said) <= 250
    assert "\n" not in said
    assert said.endswith("; $280 of the budget research are left")
