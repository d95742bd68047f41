"""Conditions of budgets: each status with its reason, and words that name the fix."""

import pytest

from aicost.domain.budgets.pace import Spend, Standing
from aicost.entrypoints.controller.publish import budget_conditions as judging


def short(found):
    return found.status.value, str(found.reason)


def standing(spent, forecast=None):
    return Standing(10_000_000_000, Spend(spent, 0, 0, 0, 0), 0, None, None, forecast, None)


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        (standing(9_000_000_000), ("True", "Within"), "are spent."),
        (standing(9_000_000_000, 12_000_000_000), ("True", "ForecastOver"), "at the end of the period"),
        (standing(9_000_000_000, 10_000_000_000), ("True", "Within"), "are spent."),
        (standing(10_000_000_000), ("False", "OverLimit"), "the limit is reached"),
    ],
)
def test_a_budget_is_within_its_limit_over_its_forecast_or_over(found, expected, words):
    told = judging.within(found, "USD")
    assert short(told) == expected
    assert words in told.message


def test_a_budget_in_another_currency_than_the_cost_says_so():
    assert short(judging.ready("EUR", [])) == ("True", "Reported")
    told = judging.ready("EUR", ["USD", "GBP"])
    assert short(told) == ("False", "CurrencyMismatch")
    assert told.message.startswith("The budget is in EUR. A part of the cost is in USD, GBP")
