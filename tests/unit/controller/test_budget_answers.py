"""What budgets and requests say of a ledger: figures, conditions, and refusals that name the fix."""

import pytest

from aicost.crd.reasons import CONDITIONS
from aicost.domain.exact.windows import MINUTE_MS
from aicost.entrypoints.controller.budgets.evaluating import Evaluator
from aicost.entrypoints.controller.publish.answering import Unanswered
from aicost.ports.errors import LedgerUnavailable
from support.controller import NOW, BudgetWorld, made, said
from support.ledger_rows import HOUR_0, hour, make_posting, make_row
from unit.controller.test_answers import CHAT, DOLLAR, usual_rows


@pytest.fixture
def ledger(world):
    return world.post(*usual_rows())


def budget(world, spec=None, now_ms=NOW, kind="Budget"):
    return BudgetWorld(world).answer(made(kind, "b", {"limit": "10", "currency": "USD", **(spec or {})}), now_ms)


def test_a_budget_shows_what_its_namespace_spent_of_its_limit(ledger):
    answer = budget(ledger)
    assert answer.status["spent"]["totalNanos"] == 3 * DOLLAR
    assert answer.status["limitNanos"] == 10 * DOLLAR
    assert answer.status["percentUsed"] == "30.0%"
    assert said(answer, "WithinBudget")[0] == "True"
    assert said(answer, "Enforcing")[:2] == ("False", "ObserveOnly")


@pytest.mark.parametrize(
    ("spec", "begin", "end"),
    [
        ({"period": {"type": "Calendar", "unit": "Month"}}, "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        ({"period": {"type": "Calendar", "unit": "Day"}}, "2026-11-25T00:00:00", "2026-11-26T00:00:00"),
        ({"period": {"timeZone": "Asia/Tokyo", "unit": "Day"}}, "2026-11-24T15:00:00", "2026-11-25T15:00:00"),
        ({"period": {"type": "Total", "start": "2026-11-25", "end": "2026-11-27"}}, "2026-11-25", "2026-11-27"),
        ({"period": {"type": "Total", "start": "2027-01-01"}}, "2027-01-01", None),
        ({"period": {"type": "Rolling", "length": "2d"}}, "2026-11-23T11:00:00", None),
    ],
)
def test_a_budget_shows_the_period_that_is_running(ledger, spec, begin, end):
    period = budget(ledger, spec).status["period"]
    assert period["start"].startswith(begin)
    assert period.get("end", "").startswith(end) if end else "end" not in period


def test_a_budget_forecasts_by_the_pace_of_the_time_that_was_watched(ledger):
    period = {"period": {"type": "Total", "start": "2026-11-25T10:00:00Z", "end": "2026-11-25T14:00:00Z"}}
    assert "forecast" not in budget(ledger, period, HOUR_0.start_ms + 30 * MINUTE_MS).status, "half an hour is no pace"
    answer = budget(ledger, period, HOUR_0.end_ms)
    assert answer.status["forecast"]["totalNanos"] == 12 * DOLLAR
    assert said(answer, "WithinBudget")[:2] == ("True", "ForecastOver")


def test_a_budget_that_is_spent_is_over_its_limit(ledger):
    answer = budget(ledger, {"limit": "3"})
    assert said(answer, "WithinBudget")[:2] == ("False", "OverLimit")
    assert answer.status["timeToExhaustion"] == "0m"


def test_cost_of_another_currency_is_not_in_the_spend_and_is_told(ledger):
    euro = make_row(9 * DOLLAR, currency="EUR", window=hour(1), holder=CHAT)
    ledger.ledger.post(make_posting(euro, window=hour(1)))
    answer = budget(ledger, now_ms=hour(1).end_ms + MINUTE_MS)
    assert answer.status["spent"]["totalNanos"] == 3 * DOLLAR
    assert said(answer, "Ready")[:2] == ("False", "CurrencyMismatch")


@pytest.mark.parametrize("kind", ["Budget", "ClusterBudget"])
def test_a_budget_in_an_unknown_time_zone_says_so_and_what_to_write(ledger, kind):
    answer = budget(ledger, {"period": {"timeZone": "Mars/Olympus"}}, kind=kind)
    status, reason, message = said(answer, "Ready")
    assert (status, reason) == ("False", "InvalidSpec")
    assert message.startswith("spec.period.timeZone: 'Mars/Olympus'")
    assert "Europe/Berlin" in message


def test_a_cluster_budget_counts_all_namespaces_or_those_that_it_names(ledger):
    assert budget(ledger, kind="ClusterBudget").status["spent"]["totalNanos"] == 6 * DOLLAR
    named = budget(ledger, {"scope": {"namespaces": ["team-b"]}}, kind="ClusterBudget")
    assert named.status["spent"]["totalNanos"] == 2 * DOLLAR


def test_a_cluster_budget_that_selects_no_namespace_has_no_spend(ledger):
    scope = {"scope": {"namespaceSelector": {"matchLabels": {"unit": "nobody"}}}}
    assert budget(ledger, scope, kind="ClusterBudget").status["spent"]["totalNanos"] == 0


def test_conditions_of_a_budget_are_those_of_the_reference(ledger):
    answer = budget(ledger)
    assert {one.type for one in answer.statements} == set(CONDITIONS["Budget"])
    for one in answer.statements:
        causes = {(c.status, str(c.reason)) for c in CONDITIONS["Budget"][one.type]}
        assert (one.status, str(one.reason)) in causes


def test_a_ledger_that_cannot_be_read_is_told_by_budgets_and_nothing_moves(ledger):
    ledger.registry.put(made("Budget", "b", {"limit": "10", "currency": "USD"}))
    budgets = BudgetWorld(ledger)
    done = Evaluator().blind(budgets.reader(ledger.registry), LedgerUnavailable("the volume is gone"), NOW)
    answer = budgets.answers(done)["Budget", "b"]
    assert isinstance(answer, Unanswered)
    assert said(answer, "Ready")[:2] == ("False", "LedgerUnavailable")
    assert [reign.evaluation for reign in done.reigns.values()] == [None]


def test_enforcement_that_is_switched_off_is_told_and_the_budget_advises(ledger):
    body = made("Budget", "b", {"limit": "3", "currency": "USD", "mode": "Enforce"})
    answer = BudgetWorld(ledger, Evaluator(may_act=False)).answer(body)
    assert said(answer, "Enforcing")[:2] == ("False", "SwitchedOff")


def test_a_request_for_a_budget_that_is_not_there_says_so(ledger):
    spec = {
        "budgetRef": {"kind": "Budget", "name": "nobody"},
        "purpose": "RaiseLimit",
        "amount": "5",
        "requestedBy": "ada",
        "reason": "a longer run",
    }
    answer = BudgetWorld(ledger).answer(made("BudgetOverride", "more", spec))
    assert said(answer, "Effective")[:2] == ("False", "BudgetNotFound")
