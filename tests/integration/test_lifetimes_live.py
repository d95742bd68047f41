"""Lifetimes on a real API server: informer, decoding and journal together, with clocks that are off and breaks."""

import asyncio
import secrets
from contextlib import asynccontextmanager, closing
from datetime import datetime

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.informer import Gone, Informer, Scope, Seen
from aicost.adapters.kube.seen.decode import decode_node, decode_pod
from aicost.adapters.kube.seen.values import BadObject, SeenPod
from aicost.adapters.kube.wire.resources import NODES, PODS
from aicost.domain.exact.windows import HOUR_MS, Window
from devcluster.nodes import FakeNode
from support.cluster import LiveCluster

pytestmark = pytest.mark.cluster
_SCRIPT = "devcluster.aicost.dev/"


@pytest.fixture
def node(local_cluster: LiveCluster):
    name = f"gpu-{secrets.token_hex(3)}"
    local_cluster.nodes.create(FakeNode(name, gpu_count=8))
    yield name
    local_cluster.nodes.delete(name)


@pytest.fixture
def journal(tmp_path):
    with closing(InventoryJournal(tmp_path / "inventory.db", now_ms())) as opened:
        yield opened


@asynccontextmanager
async def watching(cluster: LiveCluster, namespace: str, journal: InventoryJournal):
    """An informer that keeps the journal up to date while the block runs."""
    config = load({}, now_ms, kubeconfig=cluster.kubeconfig)
    known = {
        uid: Seen(SeenPod(record.facts, None, ""), max(record.seen_ms, journal.heard_ms))
        for uid, record in journal.known_pods().items()
    }

    def take(notice):
        assert not isinstance(notice.object, BadObject), str(notice.object)
        if isinstance(notice, Gone):
            last = notice.object.facts if notice.gap is None else None
            journal.pod_gone(notice.uid, notice.at_ms, notice.gap, last)
        else:
            journal.pod_seen(notice.object.facts, notice.at_ms, live=not notice.initial)

    async with KubeClient(config) as client:
        informer = Informer(client, Scope(PODS, namespace), decode_pod, now_ms=now_ms, known=known)
        task = asyncio.create_task(informer.run(take))
        async with asyncio.timeout(20):
            await informer.synced.wait()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def pod(namespace: str, name: str, node: str, gpus: int = 2, **script: str) -> dict:
    annotations = {_SCRIPT + key.replace("_", "-"): value for key, value in script.items()}
    container = {"name": "main", "image": "trainer:1", "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    spec = {"containers": [container], "restartPolicy": "Never", "nodeSelector": {"kubernetes.io/hostname": node}}
    meta = {"name": name, "namespace": namespace, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


async def record_of(journal, name, holds, seconds=30):
    """The record of the latest pod of a name, once something holds of it."""
    for _ in range(seconds * 20):
        records = [each for each in journal.facts(Window(0, now_ms() + HOUR_MS)).pods if each.facts.name == name]
        if records and holds(max(records, key=lambda each: (each.facts.created_ms, each.seen_ms))):
            return max(records, key=lambda each: (each.facts.created_ms, each.seen_ms))
        await asyncio.sleep(0.05)
    pytest.fail(f"pod {name} is not as expected after {seconds} s; records are {records}")


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


async def test_a_pod_of_two_seconds_holds_from_its_binding_to_its_end(local_cluster, namespace, node, journal):
    async with watching(local_cluster, namespace, journal):
        await asyncio.to_thread(local_cluster.apply, pod(namespace, "short", node, run_seconds="2"))
        record = await record_of(journal, "short", lambda it: it.held_until_ms is not None)
    seen = local_cluster.api.get(f"/api/v1/namespaces/{namespace}/pods/short")
    scheduled = next(each for each in seen["status"]["conditions"] if each["type"] == "PodScheduled")
    finished = seen["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
    assert record.facts.devices == {"nvidia.com/gpu": 2}
    assert record.facts.bound_ms == moment(scheduled["lastTransitionTime"])
    assert record.held_until_ms == moment(finished)
    assert record.gap is None


@pytest.mark.parametrize("skew", ["-3600", "3600"])
async def test_a_node_clock_an_hour_off_costs_nobody_an_hour(local_cluster, namespace, node, journal, skew):
    local_cluster.nodes.annotate(node, {_SCRIPT + "clock-skew-seconds": skew})
    async with watching(local_cluster, namespace, journal):
        begun_ms = now_ms()
        await asyncio.to_thread(local_cluster.apply, pod(namespace, "skewed", node, run_seconds="2"))
        record = await record_of(journal, "skewed", lambda it: it.held_until_ms is not None)
        ended_ms = now_ms()
    assert begun_ms - 1_000 <= record.facts.bound_ms
    assert 1_000 <= record.held_until_ms - record.facts.bound_ms <= ended_ms - begun_ms + 1_000
    assert record.held_until_ms <= ended_ms


async def test_a_pod_deleted_while_running_holds_until_its_deletion(local_cluster, namespace, node, journal):
    path = f"/api/v1/namespaces/{namespace}/pods/chat"
    async with watching(local_cluster, namespace, journal):
        await asyncio.to_thread(local_cluster.apply, pod(namespace, "chat", node))
        first = await record_of(journal, "chat", lambda it: it.facts.phase == "Running")
        before_ms = now_ms()
        local_cluster.api.delete(path)
        await asyncio.to_thread(local_cluster.until_gone, path)
        gone = await record_of(journal, "chat", lambda it: it.gone)
        assert before_ms - 1_000 <= gone.held_until_ms <= now_ms()
        await asyncio.to_thread(local_cluster.apply, pod(namespace, "chat", node))
        again = await record_of(journal, "chat", lambda it: it.facts.uid != first.facts.uid)
    assert again.held_until_ms is None


async def test_a_pod_that_vanished_while_we_were_away_holds_to_the_end_of_the_gap(
    local_cluster, namespace, node, journal, tmp_path
):
    path = f"/api/v1/namespaces/{namespace}/pods/lost"
    async with watching(local_cluster, namespace, journal):
        await asyncio.to_thread(local_cluster.apply, pod(namespace, "lost", node))
        await record_of(journal, "lost", lambda it: it.facts.phase == "Running")
        journal.heard(now_ms())
    journal.close()
    away_ms = now_ms()
    local_cluster.api.delete(path)
    await asyncio.to_thread(local_cluster.until_gone, path)
    with closing(InventoryJournal(tmp_path / "inventory.db", now_ms())) as again:
        async with watching(local_cluster, namespace, again):
            record = await record_of(again, "lost", lambda it: it.gone)
    assert record.gap is not None
    assert record.gap.start_ms <= away_ms + 1_000
    assert away_ms <= record.held_until_ms == record.gap.end_ms <= now_ms()


async def test_nodes_of_a_real_api_server_are_read(local_cluster, node):
    config = load({}, now_ms, kubeconfig=local_cluster.kubeconfig)
    async with KubeClient(config) as client:
        seen = decode_node(await client.get(NODES, node))
    assert not isinstance(seen, BadObject), str(seen)
    assert (seen.facts.name, seen.facts.gpus, seen.facts.ready) == (node, 8, True)
    assert seen.facts.gpu_model
