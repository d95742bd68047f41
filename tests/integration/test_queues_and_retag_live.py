"""On the real API server: queues are read in the version that is served, and cost is tagged by the policies there."""

import json
from pathlib import Path

import pytest

from aicost.__main__ import main
from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.queues import read_queues
from aicost.domain.inventory.cluster import QueueFacts
from support.crd_samples import resource
from support.definitions import _established as established
from support.definitions import applied_definitions
from support.ledger_folder import PRICE, fill

pytestmark = pytest.mark.cluster

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POLICIES = "/apis/aicost.dev/v1alpha1/costlabelpolicies"
SCHEMA = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
VERSIONS = [
    {"name": name, "served": True, "storage": name == "v1beta2", "schema": SCHEMA} for name in ("v1beta1", "v1beta2")
]
LOCAL_QUEUES = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "localqueues.kueue.x-k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/kueue"},
    },
    "spec": {
        "group": "kueue.x-k8s.io",
        "scope": "Namespaced",
        "names": {
            "plural": "localqueues",
            "kind": "LocalQueue",
            "singular": "localqueue",
            "listKind": "LocalQueueList",
        },
        "versions": VERSIONS,
    },
}
RULE = {"name": "chat", "match": {"namespaces": ["team-a"]}, "dimensions": {"team": "assistants"}, "override": True}


@pytest.fixture
def queues(cluster, namespace):
    """The definition of Kueue's queues, and one queue in a namespace, which is given."""
    path = f"{DEFINITIONS}/{LOCAL_QUEUES['metadata']['name']}"
    cluster.api.create(DEFINITIONS, LOCAL_QUEUES)
    cluster.until(path, established)
    queue = {"metadata": {"name": "gpu", "labels": {"aicost.dev/team": "vision"}}}
    body = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue", **queue}
    cluster.until("/apis/kueue.x-k8s.io/v1beta2/localqueues", lambda found: "items" in found)
    cluster.api.create(f"/apis/kueue.x-k8s.io/v1beta2/namespaces/{namespace}/localqueues", body)
    yield namespace
    cluster.api.delete(path)
    cluster.until_gone(path)


async def test_the_queues_that_are_there_are_read_with_their_labels(cluster, queues):
    config = load({}, now_ms, kubeconfig=cluster.kubeconfig)
    async with KubeClient(config) as client:
        assert QueueFacts("LocalQueue", queues, "gpu", {"aicost.dev/team": "vision"}) in await read_queues(client)


def test_posted_cost_is_tagged_again_by_the_policies_of_the_cluster(cluster, tmp_path: Path, capsys):
    fill(tmp_path, hours=1)
    since = ("--since", "2026-03-02/2026-03-02T01:00:00Z", "-o", "json")
    command = ["retag", "--ledger", str(tmp_path), "--kubeconfig", str(cluster.kubeconfig), *since]
    with applied_definitions(cluster):
        cluster.until(POLICIES, lambda found: "items" in found)
        spec = {"mode": "Audit", "attributionRules": [RULE]}
        cluster.api.create(POLICIES, resource("CostLabelPolicy", "finops", spec))
        try:
            assert main([*command, "--post"]) == 0
        finally:
            cluster.api.delete(f"{POLICIES}/finops")
    told = json.loads(capsys.readouterr().out)
    assert told["policies"] == ["finops"]
    moved = {move["from"]: (move["to"], move["by"]) for move in told["moves"] if move["dimension"] == "team"}
    assert moved["vision"] == ("assistants", "finops/chat")
    assert sum(move["cost_nanos"] for move in told["moves"] if move["from"] == "vision") == 2 * PRICE
