"""Fixtures for tests of the guards of budgets. A plugin, for the modules that name it."""

import secrets
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from support.budget_manifests import pod
from support.budget_policies import GUARDS, LATER, OURS, controller, defined, home, policies, rendered
from support.budget_policies_town import OTHERS, Town, budget, state_limit
from support.budget_samples import BASE
from support.cluster import LiveCluster
from support.definitions import applied_definitions
from support.guarded import in_place
from support.people import Person, person

ENFORCED, EXEMPT, RESTORE = (f"aicost.dev/{name}" for name in ("enforced", "budget-exempt-until", "restore"))


def _lies(one: Person) -> Iterator[Callable[[], object]]:
    """A request for each guard that it refuses by itself and that changes nothing."""
    ask = {**BASE["BudgetOverride"], "requestedBy": "somebody"}
    bodies = (
        {"apiVersion": OURS, "kind": "BudgetGate", "metadata": {"name": "g"}, "spec": BASE["BudgetGate"]},
        pod(annotations={ENFORCED: "[]"}),
        pod(annotations={EXEMPT: LATER}),
        {
            "apiVersion": OURS,
            "kind": "Budget",
            "metadata": {"name": "b", "annotations": {RESTORE: LATER}},
            "spec": budget(),
        },
        {"apiVersion": OURS, "kind": "BudgetOverride", "metadata": {"name": "o"}, "spec": ask},
    )
    for body in bodies:
        yield partial(one.create, body, "default", dry_run=True)


@pytest.fixture(scope="module")
def budget_keeper(cluster: LiveCluster) -> Iterator[Person]:
    """The controller, with the chart's guards in place."""
    with applied_definitions(cluster), controller(cluster) as one, defined(cluster, *OTHERS):
        probe = person(cluster, "probe")
        probe.works_in("default")
        documents = policies(rendered(cluster, home(one), GUARDS))
        with in_place(cluster, documents, *_lies(probe)):
            yield one


@pytest.fixture
def town(cluster: LiveCluster, budget_keeper: Person, namespace: str) -> Town:
    worker, lead = person(cluster, "worker"), person(cluster, "lead")
    for one in (worker, lead):
        one.works_in(namespace)
    return Town(cluster, budget_keeper, namespace, worker, lead)


@pytest.fixture
def company(town: Town) -> Iterator[str]:
    """A ClusterBudget, which both may write but for the guards."""
    name = f"company-{secrets.token_hex(3)}"
    for one in (town.worker, town.lead):
        one.may(("get", "update", "patch", "delete"), {"aicost.dev": ["clusterbudgets", "clusterbudgets/status"]})
    town.make("ClusterBudget", budget(), town.keeper, name)
    yield name
    town.keeper.api.request(
        "PUT", f"{town.path('ClusterBudget', name)}/status", town.keeper.api.get(town.path("ClusterBudget", name))
    )
    town.keeper.api.delete(town.path("ClusterBudget", name))


@pytest.fixture
def spending(town: Town) -> Town:
    """With a budget whose limit is known, and with a third person who may decide everything."""
    town.make("Budget", budget())
    state_limit(town)
    return town
