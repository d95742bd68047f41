"""Queues are read where their scheduler is installed, in the version that is served."""

from contextlib import asynccontextmanager

import msgspec
import pytest

from aicost.adapters.kube.auth.credentials import Credential, FixedCredentials
from aicost.adapters.kube.auth.settings import ClusterConfig
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.queues import read_queues
from aicost.domain.inventory.cluster import QueueFacts
from aicost.ports.errors import ClusterUnavailable, NotPermitted
from support.http_server import serving


def groups(*versions):
    return {
        "groups": [
            {"name": one.partition("/")[0], "versions": [{"groupVersion": one, "version": one.partition("/")[2]}]}
            for one in versions
        ]
    }


def resources(*found):
    return {"resources": [{"name": name, "kind": kind, "namespaced": where} for name, kind, where in found]}


def listed(*metadata):
    return {"metadata": {"resourceVersion": "1"}, "items": [{"metadata": one, "spec": {}} for one in metadata] or None}


KUEUE = {
    "/apis": groups("apps/v1", "kueue.x-k8s.io/v1beta1", "kueue.x-k8s.io/v1beta2"),
    "/apis/kueue.x-k8s.io/v1beta2": resources(
        ("clusterqueues", "ClusterQueue", False),
        ("localqueues", "LocalQueue", True),
        ("localqueues/status", "LocalQueue", True),
    ),
    "/apis/kueue.x-k8s.io/v1beta2/localqueues": listed(
        {"name": "gpu", "namespace": "team-a", "labels": {"aicost.dev/team": "vision"}},
        {"name": "bare", "namespace": "b"},
    ),
}
BOTH = {
    "/apis": groups("scheduling.volcano.sh/v1beta1", "scheduling.run.ai/v2"),
    "/apis/scheduling.volcano.sh/v1beta1": resources(("queues", "Queue", False), ("podgroups", "PodGroup", True)),
    "/apis/scheduling.volcano.sh/v1beta1/queues": listed({"name": "default"}),
    "/apis/scheduling.run.ai/v2": resources(("queues", "Queue", False)),
    "/apis/scheduling.run.ai/v2/queues": listed({"name": "research", "labels": {"x": "y"}}),
}


@asynccontextmanager
async def client_of(answers, refusals=()):
    def respond(request):
        path = request.path.partition("?")[0]
        code = dict(refusals).get(path) or (200 if path in answers else 404)
        request.answer(msgspec.json.encode(answers.get(path, {"code": code})), code, Content_Type="application/json")

    with serving(respond) as server:
        config = ClusterConfig(server=server.url, credentials=FixedCredentials(Credential(None)), origin="a test")
        async with KubeClient(config) as client:
            yield client


async def test_the_queues_of_kueue_are_read_in_its_newest_version():
    async with client_of(KUEUE) as client:
        assert await read_queues(client) == (
            QueueFacts("LocalQueue", "team-a", "gpu", {"aicost.dev/team": "vision"}),
            QueueFacts("LocalQueue", "b", "bare"),
        )


async def test_queues_of_the_whole_cluster_have_no_namespace():
    async with client_of(BOTH) as client:
        assert await read_queues(client) == (
            QueueFacts("Queue", "", "default"),
            QueueFacts("Queue", "", "research", {"x": "y"}),
        )


async def test_a_cluster_without_a_scheduler_of_queues_has_none():
    async with client_of({"/apis": groups("apps/v1")}) as client:
        assert await read_queues(client) == ()


@pytest.mark.parametrize(("code", "error"), [(403, NotPermitted), (500, ClusterUnavailable)])
async def test_queues_that_cannot_be_read_are_not_none(code, error):
    async with client_of(KUEUE, {"/apis/kueue.x-k8s.io/v1beta2/localqueues": code}.items()) as client:
        with pytest.raises(error):
            await read_queues(client)
