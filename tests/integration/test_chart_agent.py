"""The node agent of the chart before a real API server, which runs none of it: no node here has a GPU."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from support.chart import CHART
from support.cluster import LiveCluster

pytestmark = pytest.mark.cluster
DRY = ("--dry-run=server", "--validate=strict", "-o", "json", "-f", "-")


@pytest.fixture
def rendered(cluster: LiveCluster, namespace: str) -> Callable[..., list[dict[str, Any]]]:
    """Objects of the agent, as the chart makes them with these values."""

    def render(*settings: str) -> list[dict[str, Any]]:
        words = [word for one in ("agent.enabled=true", *settings) for word in ("--set", one)]
        only = ("--show-only", "templates/agent/daemonset.yaml")
        text = cluster.helm("template", "aicost", str(CHART), "-n", namespace, *words, *only)
        return [document for document in yaml.safe_load_all(text) if document]

    return render


def _level(cluster: LiveCluster, namespace: str, level: str) -> None:
    cluster.kubectl("label", "namespace", namespace, "--overwrite", f"pod-security.kubernetes.io/enforce={level}")


def _pod(documents: list[dict[str, Any]], namespace: str) -> str:
    """The pod that the DaemonSet would make."""
    (daemon_set,) = [one for one in documents if one["kind"] == "DaemonSet"]
    template = daemon_set["spec"]["template"]
    metadata = {"name": "agent-x", "namespace": namespace, "labels": template["metadata"]["labels"]}
    spec = {**template["spec"], "serviceAccountName": "default"}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("agent.mig=true", "networkPolicy.enabled=true"),
        ("agent.privileged=true", "agent.driverFolder=/home/kubernetes/bin/nvidia", "agent.runtimeClassName="),
    ],
    ids=["as it comes", "mig", "gke"],
)
def test_the_api_server_takes_all_of_it_to_the_letter(cluster, rendered, settings) -> None:
    text = "\n---\n".join(json.dumps(one) for one in rendered(*settings))
    taken = json.loads(cluster.kubectl("apply", *DRY, text=text))
    assert "DaemonSet" in {one["kind"] for one in taken["items"]}


def test_a_namespace_has_to_admit_what_it_sees_of_the_node(cluster, rendered, namespace) -> None:
    pod = _pod(rendered("agent.runtimeClassName="), namespace)
    _level(cluster, namespace, "baseline")
    refused = cluster.kubectl_fails("create", *DRY, text=pod)
    assert "hostPID=true" in refused
    assert "hostPath volumes" in refused
    _level(cluster, namespace, "privileged")
    assert json.loads(cluster.kubectl("create", *DRY, text=pod))["spec"]["hostPID"] is True


def test_without_the_runtime_class_its_pods_are_refused_by_name(cluster, rendered, namespace) -> None:
    _level(cluster, namespace, "privileged")
    refused = cluster.kubectl_fails("create", *DRY, text=_pod(rendered(), namespace))
    assert 'RuntimeClass "nvidia" not found' in refused
