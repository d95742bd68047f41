"""What is left of the budgets that an object would count against."""

from typing import Any

import pytest

from aicost.crd.convert.budget.left import SeenBudget, budgets_of, read_budget
from aicost.domain.inventory.cluster import NamespaceFacts
from aicost.domain.workloads.reading import read_workload
from support.admission.manifests import deployment

NANOS = 1_000_000_000


def _budget(name: str, namespace: str = "", left: int = 100, **spec: Any) -> SeenBudget:
    status = {
        "limitNanos": 500 * NANOS,
        "spent": {"totalNanos": (500 - left) * NANOS},
        "period": {"start": "2026-11-01T00:00:00Z"},
    }
    body = {"metadata": {"name": name, "namespace": namespace}, "spec": {"limit": "500", "currency": "USD", **spec}}
    found = read_budget({**body, "status": status}).value
    assert found is not None
    return found


def _left(budgets: list[SeenBudget], labels: dict[str, str] | None = None, namespace: str = "plain") -> list[str]:
    workload = read_workload(deployment(labels, namespace=namespace))
    assert workload is not None
    return [one.name for one in budgets_of(budgets, workload, NamespaceFacts(namespace, {"tier": "lab"}))]


def test_the_tightest_budget_comes_first() -> None:
    assert _left([_budget("much", "plain", left=200), _budget("little", "plain", left=-5)]) == ["little", "much"]


@pytest.mark.parametrize(
    ("budget", "labels", "counts"),
    [
        (_budget("b", "plain"), None, True),
        (_budget("b", "other"), None, False),
        (_budget("b", "plain", scope={"dimensions": {"team": ["vision"]}}), {"aicost.dev/team": "vision"}, True),
        (_budget("b", "plain", scope={"dimensions": {"team": ["vision"]}}), {"aicost.dev/team": "search"}, False),
        (_budget("b", "plain", scope={"dimensions": {"team": ["vision"]}}), None, False),
        (_budget("b", "plain", scope={"dimensions": {"label:tier": ["gold"]}}), {"tier": "gold"}, True),
        (_budget("b"), None, True),
        (_budget("b", scope={"namespaces": ["plain"]}), None, True),
        (_budget("b", scope={"namespaces": ["other"]}), None, False),
        (_budget("b", scope={"namespaceSelector": {"matchLabels": {"tier": "lab"}}}), None, True),
        (_budget("b", scope={"namespaceSelector": {"matchLabels": {"tier": "prod"}}}), None, False),
    ],
    ids=range(11),
)
def test_an_object_counts_against_budgets_in_whose_scope_it_is(
    budget: SeenBudget, labels: dict[str, str] | None, counts: bool
) -> None:
    assert bool(_left([budget], labels)) == counts


@pytest.mark.parametrize("status", [{}, {"limitNanos": 5}, {"limitNanos": "5", "spent": {"totalNanos": 1}}, None])
def test_a_budget_that_was_never_computed_says_nothing(status: Any) -> None:
    body = {"metadata": {"name": "b", "namespace": "plain"}, "spec": {"limit": "500", "currency": "USD"}}
    assert read_budget({**body, "status": status}).value is None
