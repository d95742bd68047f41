"""Others take back what a step wrote, on the real control plane: they are named, and what would help is said."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import yaml

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.hands.hands import FIELD_MANAGER, Hands
from aicost.adapters.kube.hands.objects import ref_of
from aicost.adapters.kube.wire.errors import Conflict
from aicost.domain.enforcement.fights import hint, writer_of
from aicost.domain.enforcement.levers.lever import Ask, Lever
from aicost.domain.enforcement.levers.serving import ANY_SCALE
from aicost.domain.enforcement.levers.table import lever, stopper
from aicost.domain.enforcement.values import Change, Json, LeverName, ObjectRef
from aicost.domain.enforcement.writing.records import record
from support.cluster import LiveCluster
from support.third_party.controllers import GitOps, Keda, wait_for
from support.third_party.definitions import ENGINE, SCALED_OBJECT

pytest_plugins = ("support.third_party.installed",)
pytestmark = pytest.mark.cluster

REPLICAS, SCALE = "/spec/replicas", "/scale/spec/replicas"
SCALER = ("autoscaling", "HorizontalPodAutoscaler")


class Ring:
    """Where a fight takes place: one namespace, and our hands in it."""

    def __init__(self, cluster: LiveCluster, namespace: str) -> None:
        self.cluster, self.api, self.namespace = cluster, cluster.api, namespace
        self.deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        self.scalers = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
        self.config = load({}, now_ms, kubeconfig=cluster.kubeconfig)

    def deploy(self, replicas: int) -> ObjectRef:
        return ref_of(self.api.create(self.deployments, deployment(replicas)))

    def read(self, ref: ObjectRef) -> Json:
        found = self._with_hands(lambda hands: hands.read(ref))
        assert found is not None
        return found

    def pull(self, one: Lever, ref: ObjectRef, floor: int = 0) -> tuple[Change, ...]:
        """Pull a lever, as often as it takes against those who write at the same time."""

        async def pulled(hands: Hands) -> tuple[Change, ...]:
            while True:
                obj = await hands.read(ref)
                assert obj is not None
                changes = one.changes(obj, Ask(floor=floor))
                with suppress(Conflict):
                    await hands.write(obj, changes, record("step", "research/month", "Suspend", 0, changes))
                    return changes

        return self._with_hands(pulled)

    def until(self, ref: ObjectRef, holds: Callable[[Json], Any]) -> Json:
        """Read an object again and again until something holds."""
        seen: list[Json] = []
        assert wait_for(lambda: seen.append(self.read(ref)) or holds(seen[-1]), 60), seen[-1:]
        return seen[-1]

    def _with_hands(self, work: Callable[[Hands], Any]) -> Any:
        async def run() -> Any:
            async with KubeClient(self.config) as client:
                return await work(Hands(client, now_ms))

        return asyncio.run(run())


@pytest.fixture
def ring(third_party: LiveCluster, namespace: str) -> Iterator[Ring]:
    return Ring(third_party, namespace)


def deployment(replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "chat"}}, "spec": {"containers": [{"name": "main", "image": "x"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "chat"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "chat"}, "spec": spec}


def autoscaler(target: dict[str, str], least: int) -> dict[str, Any]:
    spec = {"scaleTargetRef": {"name": "chat", **target}, "minReplicas": least, "maxReplicas": 9}
    return {"apiVersion": "autoscaling/v2", "kind": SCALER[1], "metadata": {"name": "chat"}, "spec": spec}


def scaling() -> Lever:
    found = stopper("apps", "Deployment")
    assert found is not None
    return found


def test_what_we_wrote_is_ours(ring):
    chat = ring.deploy(3)
    ring.pull(scaling(), chat)
    assert writer_of(ring.read(chat), REPLICAS) == FIELD_MANAGER
    assert writer_of(ring.read(chat), "/metadata/annotations/aicost.dev~1enforced") == FIELD_MANAGER


def test_an_autoscaler_that_scales_back_is_named_and_what_is_at_0_it_leaves_alone(ring):
    chat = ring.deploy(3)
    hpa = ref_of(ring.api.create(ring.scalers, autoscaler({"apiVersion": "apps/v1", "kind": "Deployment"}, least=3)))
    changes = ring.pull(scaling(), chat, floor=1)
    assert changes == (Change(REPLICAS, 3, 1),)
    back = ring.until(chat, lambda it: it["spec"]["replicas"] == 3)
    writer = writer_of(back, REPLICAS)
    assert writer == "kube-controller-manager"
    assert "lower minReplicas" in hint(writer, chat, changes)
    ring.pull(scaling(), chat)
    ring.until(hpa, lambda it: "ScalingDisabled" in str(it["status"].get("conditions")))
    assert ring.read(chat)["spec"]["replicas"] == 0


def test_an_autoscaler_of_a_kind_that_nobody_knows_is_named_by_what_it_wrote_through_scale(ring):
    body = {"apiVersion": ENGINE.api_version, "kind": "Engine", "metadata": {"name": "chat"}, "spec": {"size": 3}}
    engine = ref_of(ring.api.create(ENGINE.collection(ring.namespace), body))
    changes = ring.pull(ANY_SCALE, engine, floor=1)
    assert writer_of(ring.read(engine), SCALE) == FIELD_MANAGER
    ring.api.patch(f"{ENGINE.collection(ring.namespace)}/chat/status", {"status": {"replicas": 1, "selector": "a=b"}})
    ring.api.create(ring.scalers, autoscaler({"apiVersion": ENGINE.api_version, "kind": "Engine"}, least=3))
    back = ring.until(engine, lambda it: it["scale"]["spec"]["replicas"] == it["spec"]["size"] == 3)
    assert writer_of(back, SCALE) == "kube-controller-manager"
    assert "lower minReplicas" in hint(writer_of(back, SCALE), engine, changes)


def test_what_deploys_from_git_is_named_and_gets_its_snippet(ring):
    chat = ring.deploy(2)
    with GitOps(ring.api, f"{ring.deployments}/chat", deployment(2)) as git:
        assert wait_for(lambda: git.rounds > 0)
        changes = ring.pull(scaling(), chat)
        back = ring.until(chat, lambda it: it["spec"]["replicas"] == 2)
    writer = writer_of(back, REPLICAS)
    assert writer == "argocd-controller"
    told = yaml.safe_load(hint(writer, chat, changes).partition("\n")[2])
    assert told["spec"]["ignoreDifferences"] == [
        {
            "group": "apps",
            "kind": "Deployment",
            "namespace": ring.namespace,
            "name": "chat",
            "jsonPointers": ["/spec/replicas"],
        }
    ]
    assert back["metadata"]["labels"]["aicost.dev/enforced"] == "true", "what is not in Git stays"


def test_what_deploys_from_git_leaves_what_does_not_stand_there(ring):
    """An annotation is the better lever where there is one: there is nothing to fight over."""
    stop = stopper("serving.kserve.io", "InferenceGraph")
    assert stop is not None
    body = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "chat"},
        "spec": {},
    }
    path = f"/apis/serving.kserve.io/v1alpha1/namespaces/{ring.namespace}/inferencegraphs"
    graph = ref_of(ring.api.create(path, body))
    with GitOps(ring.api, f"{path}/chat", body) as git:
        (change,) = ring.pull(stop, graph)
        rounds = git.rounds
        assert wait_for(lambda: git.rounds > rounds + 2)
        assert ring.read(graph)["metadata"]["annotations"]["serving.kserve.io/stop"] == "true"
    assert writer_of(ring.read(graph), change.pointer) == FIELD_MANAGER


def test_keda_is_named_and_a_pause_of_it_ends_the_fight(ring):
    chat = ring.deploy(2)
    spec = {"scaleTargetRef": {"name": "chat"}, "minReplicaCount": 2, "triggers": [{"type": "cron"}]}
    body = {"apiVersion": SCALED_OBJECT.api_version, "kind": "ScaledObject", "metadata": {"name": "chat"}, "spec": spec}
    scaled = ref_of(ring.api.create(SCALED_OBJECT.collection(ring.namespace), body))
    with Keda(ring.api, ring.namespace) as keda:
        hpa = ref_of(ring.cluster.until(f"{ring.scalers}/keda-hpa-chat", lambda it: it))
        for name in (LeverName.CAP_AUTOSCALER, LeverName.LOWER_AUTOSCALER):
            refused = lever(name, *SCALER).refuses(ring.read(hpa), Ask(live=2))
            assert refused == "ScaledObject chat keeps it and would write it back"
        changes = ring.pull(scaling(), chat)
        back = ring.until(chat, lambda it: it["spec"]["replicas"] == 2)
        writer = writer_of(back, REPLICAS)
        assert writer == "keda"
        assert 'autoscaling.keda.sh/paused: "true"' in hint(writer, chat, changes)

        ring.pull(lever(LeverName.PAUSE_AUTOSCALER, "keda.sh", "ScaledObject"), scaled)
        ring.cluster.until_gone(f"{ring.scalers}/keda-hpa-chat")
        ring.pull(scaling(), chat)
        rounds = keda.rounds
        assert wait_for(lambda: keda.rounds > rounds + 3)
        assert ring.read(chat)["spec"]["replicas"] == 0
        assert writer_of(ring.read(chat), REPLICAS) == FIELD_MANAGER


def test_a_pause_of_scaling_out_reaches_the_autoscaler_that_keda_keeps(ring):
    ring.deploy(1)
    spec = {"scaleTargetRef": {"name": "chat"}, "minReplicaCount": 1, "triggers": [{"type": "cron"}]}
    body = {"apiVersion": SCALED_OBJECT.api_version, "kind": "ScaledObject", "metadata": {"name": "chat"}, "spec": spec}
    scaled = ref_of(ring.api.create(SCALED_OBJECT.collection(ring.namespace), body))
    with Keda(ring.api, ring.namespace):
        policy = f"{ring.scalers}/keda-hpa-chat"
        ring.cluster.until(policy, lambda it: it["spec"]["behavior"]["scaleUp"]["selectPolicy"] == "Max")
        ring.pull(lever(LeverName.PAUSE_SCALE_OUT, "keda.sh", "ScaledObject"), scaled)
        ring.cluster.until(policy, lambda it: it["spec"]["behavior"]["scaleUp"]["selectPolicy"] == "Disabled")
