"""The roles of the chart permit what they say, on a real API server that aggregates them."""

from collections.abc import Iterator
from functools import partial

import pytest

from support.budget_policies import ROLES, home, rendered
from support.budget_policies_town import Town, ask, decide, soon_may
from support.cluster import LiveCluster
from support.people import RBAC, REVIEWS, Person, denied, person

pytest_plugins = ["support.budget_guarded"]
pytestmark = pytest.mark.cluster
SEEN = "aicost.dev/acknowledged"


@pytest.fixture(scope="module")
def roles(budget_keeper: Person, cluster: LiveCluster) -> Iterator[None]:
    documents = rendered(cluster, home(budget_keeper), ROLES)
    for one in documents:
        cluster.api.patch(f"{RBAC}/clusterroles/{one['metadata']['name']}", one, kind="apply")
    for name in ("view", "edit", "admin"):
        cluster.until(f"{RBAC}/clusterroles/{name}", lambda it: "budgetoverrides" in str(it["rules"]))
    yield
    for one in documents:
        cluster.api.delete(f"{RBAC}/clusterroles/{one['metadata']['name']}")


def _in_role(cluster: LiveCluster, namespace: str, *names: str) -> Person:
    """Somebody with ClusterRoles in a namespace, and nothing else."""
    one = person(cluster, "member")
    group = "rbac.authorization.k8s.io"
    for name in names:
        body = {
            "metadata": {"name": f"{one.name}-{name}"},
            "roleRef": {"kind": "ClusterRole", "apiGroup": group, "name": name},
            "subjects": [{"kind": "User", "apiGroup": group, "name": one.name}],
        }
        cluster.api.create(f"{RBAC}/namespaces/{namespace}/rolebindings", body)
    return one


def _can(one: Person, namespace: str, verb: str, what: str) -> bool:
    """As `kubectl auth can-i` asks it."""
    plural, _, group = what.partition(".")
    asked = {"verb": verb, "group": group, "resource": plural, "namespace": namespace}
    answer = one.api.create(REVIEWS, {"spec": {"resourceAttributes": asked}})
    return bool(answer["status"]["allowed"])


MAY = {
    "view": {"get budgetoverrides.aicost.dev", "get budgetactions.aicost.dev", "get budgetgates.aicost.dev"},
    "edit": {"create budgetoverrides.aicost.dev", "delete budgetoverrides.aicost.dev", "patch budgets.aicost.dev"},
    "admin": {"create budgets.aicost.dev", "update budgets.aicost.dev", "delete budgets.aicost.dev"},
    "guarded-approve-minor": {"approve-minor budgets.aicost.dev", "patch budgetoverrides.aicost.dev"},
    "guarded-approve-major": {"approve-major budgets.aicost.dev", "patch budgetoverrides.aicost.dev"},
    "guarded-breakglass": {"breakglass budgets.aicost.dev"},
    "guarded-edit-limit": {"edit-limit budgets.aicost.dev"},
    "guarded-exempt-budgets": {"exempt budgets.aicost.dev"},
}
MORE = {"edit": {"view"}, "admin": {"view", "edit"}}


@pytest.mark.parametrize("role", MAY)
def test_a_role_permits_what_it_says_and_nothing_of_the_others(town: Town, roles: None, role: str) -> None:
    one = _in_role(town.cluster, town.namespace, role)
    mine = MAY[role].union(*(MAY[each] for each in MORE.get(role, ())))
    if role.startswith("guarded-approve"):
        mine |= {"get budgetoverrides.aicost.dev"}
    if role in {"edit", "admin"}:
        mine |= {"patch budgetoverrides.aicost.dev"}
    every = set().union(*MAY.values(), {"create budgetgates.aicost.dev", "patch budgetactions.aicost.dev"})
    wanted = next(iter(MAY[role])).split()
    town.cluster.until(town.path("Pod", ""), lambda _: _can(one, town.namespace, *wanted))
    assert {each for each in every if _can(one, town.namespace, *each.split())} == mine


def test_who_edits_a_namespace_asks_and_acknowledges_and_who_approves_there_decides(
    spending: Town, roles: None
) -> None:
    editor = _in_role(spending.cluster, spending.namespace, "edit")
    approver = _in_role(spending.cluster, spending.namespace, "guarded-approve-minor")
    soon_may(partial(spending.change, editor, "Budget", {"metadata": {"annotations": {SEEN: f"*={editor.name}"}}}))
    denied(partial(spending.change, editor, "Budget", {"spec": {"limit": "2000"}}))
    spending.make("BudgetOverride", ask(editor), editor, "more")
    denied(partial(decide, spending, editor))
    soon_may(partial(decide, spending, approver))
