"""Levers on what a real Kueue manages: its Workload is stopped and resumed, and its webhooks take what we leave."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.hands.hands import Hands
from aicost.adapters.kube.hands.objects import ref_of
from aicost.adapters.kube.wire.errors import Conflict
from aicost.domain.enforcement.fights import hint, writer_of
from aicost.domain.enforcement.levers.lever import Ask, Lever
from aicost.domain.enforcement.levers.table import lever, stopper
from aicost.domain.enforcement.values import Change, Json, LeverName, ObjectRef
from aicost.domain.enforcement.writing.changes import Undoing
from aicost.domain.enforcement.writing.records import ENFORCED, record
from devcluster.nodes import FakeNode
from support.cluster import LiveCluster
from support.kueue import KUEUE, condition, make_queue, queued_job, workload_path

pytestmark = pytest.mark.cluster

GROUP = "kueue.x-k8s.io"


class Train:
    """A Job of a queue whose pod runs, and our hands."""

    def __init__(self, cluster: LiveCluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.path = f"/apis/batch/v1/namespaces/{namespace}/jobs/train"
        self.queue = f"{KUEUE}/namespaces/{namespace}/localqueues/team"
        make_queue(cluster, namespace, cpu="1")
        self.job = cluster.api.create(self.path.removesuffix("/train"), queued_job(namespace, "train"))
        self.workload = workload_path(cluster, self.job)
        self.until_it_runs()

    def until_it_runs(self) -> None:
        self.cluster.until(self.path, lambda it: not it["spec"]["suspend"] and it["status"].get("ready") == 1)

    def ref(self, path: str) -> ObjectRef:
        return ref_of(self.cluster.api.get(path))

    def pull(self, one: Lever, ref: ObjectRef) -> tuple[Change, ...]:
        async def pulled(hands: Hands, obj: Json) -> tuple[Change, ...]:
            changes = one.changes(obj, Ask())
            await hands.write(obj, changes, record("step", "research/month", "Suspend", 0, changes))
            return changes

        return self._with_hands(ref, pulled)

    def undo(self, ref: ObjectRef, changes: tuple[Change, ...]) -> Undoing:
        return self._with_hands(ref, lambda hands, obj: hands.undo(obj, "step", changes))

    def _with_hands(self, ref: ObjectRef, work: Callable[[Hands, Json], Any]) -> Any:
        async def run() -> Any:
            config = load({}, now_ms, kubeconfig=self.cluster.kubeconfig)
            async with KubeClient(config) as client:
                hands = Hands(client, now_ms)
                while True:
                    obj = await hands.read(ref)
                    assert obj is not None
                    with suppress(Conflict):
                        return await work(hands, obj)

        return asyncio.run(run())


@pytest.fixture
def train(kueue: Any, local_cluster: LiveCluster, namespace: str) -> Iterator[Train]:
    node = f"gpu-{secrets.token_hex(3)}"
    local_cluster.nodes.create(FakeNode(node))
    yield Train(local_cluster, namespace)
    local_cluster.nodes.delete(node)


def known(name: LeverName, kind: str) -> Lever:
    found = lever(name, GROUP, kind)
    assert found is not None
    return found


def test_a_job_of_a_queue_is_stopped_by_its_workload_and_runs_again_when_that_is_undone(train):
    stop = stopper(GROUP, "Workload")
    assert stop is not None
    workload = train.ref(train.workload)
    assert workload.api_version == "kueue.x-k8s.io/v1beta2"
    changes = train.pull(stop, workload)
    assert changes == (Change("/spec/active", True, False),)
    train.cluster.until(train.path, lambda it: it["spec"]["suspend"] and not it["status"].get("active"))
    held = train.cluster.api.get(train.workload)
    assert (condition(held, "Evicted"), held["metadata"]["labels"][ENFORCED]) == ("True", "true")
    assert train.undo(workload, changes).left == ()
    train.until_it_runs()
    assert ENFORCED not in train.cluster.api.get(train.workload)["metadata"].get("annotations", {})


def test_the_lever_of_the_job_itself_is_refused_since_kueue_would_take_it_back(train):
    suspend = stopper("batch", "Job")
    assert suspend is not None
    job = train.ref(train.path)
    assert suspend.refuses(train.cluster.api.get(train.path), Ask()).startswith("Kueue manages it")
    generation = train.cluster.api.get(train.path)["metadata"]["generation"]
    changes = train.pull(suspend, job)
    back = train.cluster.until(
        train.path, lambda it: it["metadata"]["generation"] > generation + 1 and not it["spec"]["suspend"]
    )
    writer = writer_of(back, "/spec/suspend")
    assert writer == "kueue"
    assert "spec.active: false" in hint(writer, job, changes)
    assert train.undo(job, changes).left == ()


def test_a_queue_and_a_workload_stand_back_and_come_forward_again(train):
    for name, kind, path in (
        (LeverName.LOWER_WEIGHT, "LocalQueue", train.queue),
        (LeverName.LOWER_PRIORITY, "Workload", train.workload),
    ):
        before, one = train.cluster.api.get(path), known(name, kind)
        changes = train.pull(one, train.ref(path))
        assert len(changes) == 1
        assert train.pull(one, train.ref(path)) == (), "no budget lowers it twice"
        assert train.undo(train.ref(path), changes).left == ()
        after = train.cluster.api.get(path)
        assert after["spec"] == before["spec"]
        assert after["metadata"].get("annotations") == before["metadata"].get("annotations")
        assert after["metadata"].get("labels") == before["metadata"].get("labels")
