"""The chart's own Deployment, run by the local kubelet: it becomes ready and lives with the rights that it is given."""

import base64
import json
import re
import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aicost.telemetry.metrics import METRICS
from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from devcluster.pki import Authority
from support.chart import API_SERVICE, Release, forget_definitions
from support.cluster import LiveCluster
from support.crd_samples import resource

pytestmark = pytest.mark.cluster

READY_SECONDS = 90
REFUSED = re.compile(r"forbidden|not permitted|\b403\b", re.IGNORECASE)
OURS = "/apis/aicost.dev/v1alpha1"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "train"}
ENTRY = {"name": "h100", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "2.49"}


class Running:
    """A release whose pod runs."""

    def __init__(self, release: Release, metrics_port: int, query_port: int) -> None:
        self.release, self.metrics_port = release, metrics_port
        self.settings = (
            f"metrics.port={metrics_port}",
            f"queryApi.port={query_port}",
            "queryApi.externalName=localhost",
            "window.refreshSeconds=2",
            "persistence.size=1Gi",
        )

    @property
    def pods(self) -> list[dict[str, Any]]:
        """The pods that are there: one, but for the moment of an upgrade."""
        label = f"app.kubernetes.io/instance={self.release.name}"
        return self.release.cluster.api.get(f"{self.release.core}/pods?labelSelector={label}")["items"]

    @property
    def pod(self) -> dict[str, Any]:
        """The one pod."""
        (found,) = self.pods
        return found

    @property
    def is_ready(self) -> bool:
        """Whether there is one pod with all its containers ready."""
        statuses = [one.get("status", {}).get("containerStatuses", []) for one in self.pods]
        return len(statuses) == 1 and [one["ready"] for one in statuses[0]] == [True, True]

    def log(self, container: str) -> str:
        """What a container has written, over all its runs."""
        assert self.release.cluster.local
        folder = self.release.cluster.local.state / "pods"
        name = f"{self.release.namespace}_{self.pod['metadata']['name']}_*/{container}/*.log"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob(name)))

    def page(self, path: str) -> str:
        """A page of the controller."""
        address = self.pod["status"]["podIP"]
        with urllib.request.urlopen(f"http://{address}:{self.metrics_port}{path}", timeout=5) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def running(cluster: LiveCluster) -> Iterator[Running]:
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    node = f"system-{secrets.token_hex(3)}"
    cluster.nodes.create(FakeNode(node))
    release = Release(cluster)
    try:
        one = Running(release, *free_ports(2))
        release.install(*one.settings)
        try:
            cluster.until(release.deployment, lambda d: d["status"].get("readyReplicas") == 1, READY_SECONDS)
        except pytest.fail.Exception as problem:
            pytest.fail(f"{problem}\n{one.log('controller')}\n{one.log('query')}")
        yield one
    finally:
        release.forget()
        cluster.nodes.delete(node)


def test_it_becomes_ready_without_a_restart_and_says_so(running: Running) -> None:
    assert [one["restartCount"] for one in running.pod["status"]["containerStatuses"]] == [0, 0]
    assert running.page("/healthz")
    assert running.page("/readyz")


@pytest.fixture(scope="module")
def busy(running: Running) -> Iterator[Running]:
    """With something of each kind to look at: a GPU pod with an owner chain, and an object of each of our kinds."""
    cluster, namespace = running.release.cluster, running.release.namespace
    node = f"gpu-{secrets.token_hex(3)}"
    cluster.nodes.create(FakeNode(node, gpu_count=8))
    cluster.apply(_training(namespace, node), *_objects(namespace))
    yield running
    cluster.nodes.delete(node)


def _training(namespace: str, node: str) -> dict[str, Any]:
    container = {"name": "main", "image": "example/train", "resources": {"limits": {"nvidia.com/gpu": "2"}}}
    template = {
        "metadata": {"labels": {"app": "train"}},
        "spec": {"nodeName": node, "containers": [container]},
    }
    spec = {"selector": {"matchLabels": {"app": "train"}}, "template": template}
    meta = {"name": "train", "namespace": namespace, "labels": {"aicost.dev/team": "vision"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def _objects(namespace: str) -> list[dict[str, Any]]:
    return [
        resource("AIWorkload", "train", {"targetRef": TARGET}, namespace),
        resource("AIWorkload", "nothing", {"selector": {"matchLabels": {"app": "nothing"}}}, namespace),
        resource("AICostReport", "by-team", {"groupBy": ["team"]}, namespace),
        resource("ClusterAICostReport", "by-team", {"groupBy": ["team"]}),
        resource("Budget", "ours", {"limit": "5000", "currency": "USD"}, namespace),
        resource("ClusterBudget", "all", {"limit": "5000", "currency": "USD"}),
        resource("PriceBook", "contract", {"currency": "USD", "entries": [ENTRY]}),
    ]


def _has_conditions(one: dict[str, Any]) -> bool:
    return bool(one.get("status", {}).get("conditions"))


def test_each_object_of_ours_gets_its_status_by_the_rights_of_the_chart(busy: Running) -> None:
    cluster, own = busy.release.cluster, f"{OURS}/namespaces/{busy.release.namespace}"
    paths = [f"{own}/aiworkloads/train", f"{own}/aiworkloads/nothing", f"{own}/aicostreports/by-team"]
    paths += [f"{own}/budgets/ours", f"{OURS}/clusterbudgets/all", f"{OURS}/clusteraicostreports/by-team"]
    paths += [f"{OURS}/pricebooks/contract", f"{OURS}/pricebooks/list-prices"]
    paths += [f"{OURS}/clusteraicostreports/month-to-date-by-{key}" for key in ("namespace", "team", "model")]
    for path in (*paths, f"{own}/aicostreports/month-to-date"):
        cluster.until(path, _has_conditions, 60)


def test_the_owner_chain_is_read_and_the_team_of_the_deployment_is_charged(busy: Running) -> None:
    path = f"{OURS}/namespaces/{busy.release.namespace}/aicostreports/by-team"
    busy.release.cluster.until(path, lambda one: "vision" in json.dumps(one.get("status", {}).get("rows", [])), 60)


def test_a_claim_that_matches_nothing_is_told_by_an_event(busy: Running) -> None:
    events = f"/apis/events.k8s.io/v1/namespaces/{busy.release.namespace}/events"

    def told(found: dict[str, Any]) -> bool:
        return any(one["regarding"].get("name") == "nothing" for one in found["items"])

    busy.release.cluster.until(events, told, 60)


def test_nothing_was_refused_and_nothing_failed(busy: Running) -> None:
    path = f"{OURS}/namespaces/{busy.release.namespace}/aicostreports/month-to-date"
    busy.release.cluster.until(path, _has_conditions, 60)
    for container in ("controller", "query"):
        lines = [json.loads(line) for line in busy.log(container).splitlines()]
        assert lines
        bad = [one for one in lines if one["level"] in {"error", "critical"} and "will retry" not in one["message"]]
        refused = [one for one in lines if REFUSED.search(json.dumps(one))]
        assert (bad, refused) == ([], [])


def test_the_account_may_not_do_more(running: Running) -> None:
    user = f"system:serviceaccount:{running.release.namespace}:{running.release.name}"
    for verb, group, what in (
        ("list", "", "secrets"), ("get", "", "configmaps"), ("delete", "", "pods"), ("create", "", "pods"),
        ("patch", "", "nodes"), ("update", "aicost.dev", "aiworkloads"), ("delete", "aicost.dev", "aicostreports"),
        ("patch", "aicost.dev", "budgets"), ("create", "apps", "deployments"), ("delete", "apps", "deployments"),
        ("create", "", "serviceaccounts/token"),
        ("impersonate", "", "users"), ("bind", "rbac.authorization.k8s.io", "clusterroles"),
    ):  # fmt: skip
        plural, _, part = what.partition("/")
        attributes = {"verb": verb, "group": group, "resource": plural, "subresource": part, "namespace": "default"}
        review = {"spec": {"user": user, "resourceAttributes": attributes}}
        answer = running.release.cluster.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        assert not answer["status"]["allowed"], f"{verb} {group}/{what}"


def test_its_metrics_are_those_of_the_reference(busy: Running) -> None:
    shown = set(re.findall(r"^(\w+)(?:\{.*\})? ", busy.page("/metrics"), re.MULTILINE))
    assert {"aicost_leader", "aicost_unbalanced_cost_nanos"} <= shown
    assert shown <= {spec.name for spec in METRICS}


def test_the_aggregated_api_is_available_through_the_api_server(running: Running) -> None:
    def available(one: dict[str, Any]) -> bool:
        conditions = one.get("status", {}).get("conditions") or ()
        return any(each["type"] == "Available" and each["status"] == "True" for each in conditions)

    running.release.cluster.until(API_SERVICE, available, 60)
    found = running.release.cluster.api.get("/apis/query.aicost.dev/v1alpha1")
    assert "allocations" in {one["name"] for one in found["resources"]}


def test_an_upgrade_rolls_the_pod_onto_the_same_volume(busy: Running) -> None:
    release = busy.release
    before = busy.pod
    release.upgrade(*busy.settings, "log.level=debug")
    _until_rolled(busy, before)
    volumes = [
        next(one["persistentVolumeClaim"] for one in pod["spec"]["volumes"] if one["name"] == "data")
        for pod in (before, busy.pod)
    ]
    assert volumes[0] == volumes[1]
    assert busy.page("/readyz")


def _until_rolled(running: Running, before: dict[str, Any]) -> None:
    """Wait for one ready pod that is not the one before."""

    def rolled(_: dict[str, Any]) -> bool:
        return running.is_ready and running.pod["metadata"]["uid"] != before["metadata"]["uid"]

    running.release.cluster.until(running.release.deployment, rolled, READY_SECONDS)


def test_a_certificate_of_somebody_elses_is_served_and_trusted(running: Running, tmp_path: Path) -> None:
    release, before = running.release, running.pod
    signer = Authority(tmp_path, "own-ca")
    server = signer.server("query", (f"{release.name}-query.{release.namespace}.svc",))
    files = {"tls.crt": server.certificate, "tls.key": server.key}
    data = {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    secret = {"metadata": {"name": "own"}, "type": "kubernetes.io/tls", "data": data}
    release.cluster.api.create(f"{release.core}/secrets", secret)
    authority = signer.certificate.read_text()
    release.upgrade(*running.settings, "queryApi.certificateSecretName=own", f"queryApi.caBundle={authority}")
    _until_rolled(running, before)
    trusted = release.cluster.api.get(API_SERVICE)["spec"]["caBundle"]
    assert base64.b64decode(trusted).decode() == authority

    answers = "/apis/query.aicost.dev/v1alpha1"
    release.cluster.until(answers, lambda found: "allocations" in {one["name"] for one in found["resources"]}, 60)
