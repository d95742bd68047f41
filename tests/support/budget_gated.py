"""Fixtures for tests of the money gate. A plugin, for the modules that name it."""

import secrets
from collections.abc import Iterator

import pytest

from aicost.domain.workloads.kinds import kind_of
from support.budget_manifests import ASKING, GROWTH, UNKNOWN, WAKING
from support.budget_policies import GATE, Gate, Gated, controller, defined, home, policies, ray_definition, rendered
from support.chart import DEFINITIONS, is_established
from support.cluster import LiveCluster
from support.definitions import applied_definitions
from support.guarded import in_place
from support.people import Person, person

_BODIES = (
    *ASKING.values(),
    *UNKNOWN.values(),
    *(body for body, _, _ in GROWTH.values()),
    *(body for body, _ in WAKING.values()),
)
OTHERS = {
    ("keda.sh/v1alpha1", "ScaledObject", "scaledobjects"),
    ("kueue.x-k8s.io/v1beta2", "Workload", "workloads"),
    *(
        (one["apiVersion"], one["kind"], kind.plural)
        for one in _BODIES
        if (kind := kind_of(one["apiVersion"], one["kind"])) and "." in kind.group and kind.group != "ray.io"
    ),
}
"""Kinds of others that the tests speak of."""


@pytest.fixture(scope="module")
def keeper(cluster: LiveCluster) -> Iterator[Person]:
    """The controller, with the chart's policies in place and all kinds that they are about."""
    with applied_definitions(cluster), controller(cluster) as one, defined(cluster, *sorted(OTHERS)):
        cluster.api.patch(f"{DEFINITIONS}/rayclusters.ray.io", ray_definition(), kind="apply")
        cluster.until(f"{DEFINITIONS}/rayclusters.ray.io", is_established)
        with in_place(cluster, policies(rendered(cluster, home(one), GATE))):
            yield one
        cluster.api.delete(f"{DEFINITIONS}/rayclusters.ray.io")


def _gated(cluster: LiveCluster, keeper: Person, namespace: str) -> Gated:
    worker = person(cluster, "worker")
    worker.works_in(namespace)
    gate = Gate(keeper, namespace)
    gate.make()
    return Gated(cluster, worker, gate)


@pytest.fixture
def gated(cluster: LiveCluster, keeper: Person, namespace: str) -> Gated:
    """A namespace of this test alone, with a gate that refuses nothing yet."""
    return _gated(cluster, keeper, namespace)


@pytest.fixture(scope="module")
def closed(cluster: LiveCluster, keeper: Person) -> Iterator[Gated]:
    """A namespace with a gate that is closed for what asks for GPUs, for tests that keep nothing."""
    name = f"closed-{secrets.token_hex(3)}"
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    one = _gated(cluster, keeper, name)
    one.close(message="[gone] the month is spent")
    yield one
    cluster.api.delete(f"/api/v1/namespaces/{name}")
