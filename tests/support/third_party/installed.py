"""The CRDs of others on the cluster of the session, for the tests of one module. A plugin, as ``support.cluster``."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.chart import suppress_missing
from support.cluster import LiveCluster
from support.third_party.bench import Bench
from support.third_party.definitions import ALL

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def third_party(cluster: LiveCluster) -> Iterator[LiveCluster]:
    """A cluster that knows the kinds of others. Where somebody else made it, it is left as it is."""
    if cluster.local is None:
        pytest.skip("installs CRDs of others; this is a cluster that somebody else made")
    _make_room(cluster)
    for one in ALL:
        cluster.api.create(_CRDS, one.crd())
    for one in ALL:
        cluster.until(f"{_CRDS}/{one.name}", _is_served)
    yield cluster
    for one in ALL:
        cluster.api.delete(f"{_CRDS}/{one.name}")
    for one in ALL:
        cluster.until_gone(f"{_CRDS}/{one.name}")


def _make_room(cluster: LiveCluster) -> None:
    """Other tests may have left kinds of these names, or they are still going."""
    there = {each["metadata"]["name"] for each in cluster.api.get(_CRDS)["items"]} & {one.name for one in ALL}
    for name in there:
        with suppress_missing():
            cluster.api.delete(f"{_CRDS}/{name}")
    for name in there:
        cluster.until_gone(f"{_CRDS}/{name}")


def _is_served(crd: dict[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)


@pytest.fixture(scope="module")
def bench(third_party: LiveCluster) -> Iterator[Bench]:
    name = "levers"
    third_party.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    third_party.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    yield Bench(third_party, name)
    third_party.api.delete(f"/api/v1/namespaces/{name}")
    third_party.until_gone(f"/api/v1/namespaces/{name}")
