"""The chart with two controllers and a ledger on an object store, run by the local kubelet."""

import secrets
import time

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.upkeep.record import DeltaRecord
from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from support.chart import Release, forget_definitions
from support.object_store import options, place

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


class Pair:
    """A release of two controllers."""

    def __init__(self, release: Release, store, port: int) -> None:
        self.release, self.store, self.port = release, store, port

    def values(self) -> tuple[str, ...]:
        named = tuple(
            f"ledger.storageOptions.{name}={text}"
            for name, text in {**options(self.store), "AWS_ALLOW_HTTP": "yes"}.items()
        )
        return (
            "image.repository=aicost", "prices.starter=false", "queryApi.enabled=false", "replicas=2",
            "persistence.enabled=false", "journal.size=1Gi", f"ledger.url={place(self.store)}",
            "ledger.storageOptions.AWS_REGION=us-east-1", *named, "ledger.secretName=store",
            "ledger.secretOptions.AWS_ACCESS_KEY_ID=id", "ledger.secretOptions.AWS_SECRET_ACCESS_KEY=key",
            "window.refreshSeconds=1", f"metrics.port={self.port}",
        )  # fmt: skip

    def pods(self) -> dict[str, dict]:
        label = f"app.kubernetes.io/instance={self.release.name}"
        found = self.release.cluster.api.get(f"{self.release.core}/pods?labelSelector={label}")["items"]
        return {one["metadata"]["name"]: one for one in found}

    def ready(self) -> list[str]:
        return sorted(
            name
            for name, pod in self.pods().items()
            if [one["ready"] for one in pod["status"].get("containerStatuses", [])] == [True]
        )

    def term(self) -> int:
        ledger = DeltaLedger(place(self.store), options(self.store))
        return DeltaRecord(ledger.place).logs()[0].term if ledger.version() is not None else 0

    def until(self, holds, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                state = self.release.cluster.local.state / "pods"
                logs = [path.read_text()[-3000:] for path in state.glob(f"{self.release.namespace}_*/*/*.log")]
                pytest.fail(f"not so after {seconds} s: {list(self.pods())}\n" + "\n".join(logs))
            time.sleep(0.2)


@pytest.fixture
def pair(cluster, store):
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    release, node = Release(cluster), f"system-{secrets.token_hex(3)}"
    cluster.nodes.create(FakeNode(node))
    (port,) = free_ports(1)
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": release.namespace}})
    keys = {"id": store.environment["AWS_ACCESS_KEY_ID"], "key": store.environment["AWS_SECRET_ACCESS_KEY"]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store", "namespace": release.namespace}}
    cluster.apply({**secret, "stringData": keys})
    made = Pair(release, store, port)
    try:
        release.install(*made.values())
        yield made
    finally:
        release.forget()
        cluster.nodes.delete(node)


def test_each_of_two_has_a_journal_of_its_own_and_the_ledger_is_reached_with_the_keys_of_the_secret(pair):
    """The local kubelet's pods share one network, so that only one of two finds its port free: that one leads."""
    names = [f"{pair.release.name}-0", f"{pair.release.name}-1"]
    pair.until(lambda: len(pair.ready()) == 1 and pair.term() == 1)
    assert sorted(pair.pods()) == names
    api, core = pair.release.cluster.api, pair.release.core
    claims = {
        one["metadata"]["name"]: one["status"].get("phase")
        for one in api.get(f"{core}/persistentvolumeclaims")["items"]
    }
    assert claims == {f"journal-{name}": "Bound" for name in names}
    (budget,) = api.get(f"/apis/policy/v1/namespaces/{pair.release.namespace}/poddisruptionbudgets")["items"]
    assert budget["status"]["expectedPods"] == 2
