"""The chart's own webhook, run by the local kubelet, with the API server asking it."""

import json
import secrets
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from aicost.adapters.kube.probe import PROBE, REFUSAL
from devcluster.api import ApiError
from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from support.chart import DEFINITIONS, Release, forget_definitions, is_established
from support.cluster import LiveCluster

READY_SECONDS = 90
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"
POLICIES = "/apis/aicost.dev/v1alpha1/costlabelpolicies"


class RunningWebhook:
    """A release without a controller, whose webhook runs and is asked.

    Attributes:
        folder: namespace and more of the release.
        port: where the webhook listens, on the loopback address that the Service stands for.
    """

    def __init__(self, cluster: LiveCluster) -> None:
        self.cluster, self.release = cluster, Release(cluster, admission=True)
        self.port, self.metrics_port = free_ports(2)
        name, core = f"{self.release.name}-admission", self.release.core
        self.deployment = f"/apis/apps/v1/namespaces/{self.release.namespace}/deployments/{name}"
        self.secret = f"{core}/secrets/{name}-tls"
        self.host = f"{name}.{self.release.namespace}.svc"
        kinds = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
        self.configurations = [f"{CONFIGURATIONS}/{kind}/{self.release.name}" for kind in kinds]

    @property
    def settings(self) -> tuple[str, ...]:
        return (
            "replicas=0", "queryApi.enabled=false", "prices.starter=false", "persistence.enabled=false",
            "admission.engine=webhook", "admission.replicas=1", "admission.externalName=localhost",
            f"admission.port={self.port}", f"admission.metricsPort={self.metrics_port}",
        )  # fmt: skip

    def start(self) -> None:
        """Install the chart and wait until it is asked."""
        self.release.install(*self.settings)
        for plural in ("costlabelpolicies", "aiworkloads"):
            self.cluster.until(f"{DEFINITIONS}/{plural}.aicost.dev", is_established)
        try:
            self.cluster.until(self.deployment, lambda d: d["status"].get("readyReplicas") == 1, READY_SECONDS)
        except pytest.fail.Exception as problem:
            pytest.fail(f"{problem}\n{self.log()}")
        for path in self.configurations:
            self.cluster.until(
                path, lambda found: all(one["clientConfig"].get("caBundle") for one in found["webhooks"])
            )

    @property
    def pod(self) -> dict[str, Any]:
        """The one pod."""
        label = f"app.kubernetes.io/instance={self.release.name},app.kubernetes.io/component=admission"
        (found,) = self.cluster.api.get(f"{self.release.core}/pods?labelSelector={label}")["items"]
        return found

    def log(self) -> str:
        """What it has written."""
        assert self.cluster.local
        folder = self.cluster.local.state / "pods"
        name = f"{self.release.namespace}_*-admission-*/admission/*.log"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob(name)))

    def page(self, path: str) -> str:
        """A page of the port for metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def policy(self, name: str, **spec: Any) -> None:
        """Apply a policy and wait until the webhook judges by it."""
        before = self.revision()
        body = {"apiVersion": "aicost.dev/v1alpha1", "kind": "CostLabelPolicy", "metadata": {"name": name}}
        self.cluster.apply({**body, "spec": spec})
        self.until_revised(before)

    def forget_policies(self) -> None:
        """Remove all policies and wait until the webhook knows."""
        names = [one["metadata"]["name"] for one in self.cluster.api.get(POLICIES)["items"]]
        before = self.revision()
        for name in names:
            self.cluster.api.delete(f"{POLICIES}/{name}")
        if names:
            self.until_revised(before)

    def refuses(self) -> bool:
        """Whether the API server asks it: the object that exists to be refused is refused."""
        body = {"apiVersion": "aicost.dev/v1alpha1", "kind": "AIWorkload", "metadata": {"name": PROBE}}
        path = f"/apis/aicost.dev/v1alpha1/namespaces/{self.release.namespace}/aiworkloads?dryRun=All"
        try:
            self.cluster.api.create(path, {**body, "spec": {"selector": {"matchLabels": {"a": "b"}}}})
        except ApiError as problem:
            return REFUSAL.partition(",")[0] in str(problem)
        return False

    def revision(self) -> str:
        """Revision of the policies that it judges by."""
        lines = [line for line in self.log().splitlines() if "policies taken up" in line]
        return max(lines, key=lambda line: str(json.loads(line)["at"]), default="")

    def until_revised(self, before: str, seconds: float = 30) -> None:
        """Wait until it judges by other policies than before."""
        deadline = time.monotonic() + seconds
        while self.revision() == before:
            assert time.monotonic() < deadline, f"the policies were not taken up\n{self.log()}"
            time.sleep(0.05)


@contextmanager
def running_webhook(cluster: LiveCluster) -> Iterator[RunningWebhook]:
    """The webhook on a cluster with nothing else of ours; nothing of it is left at the end."""
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    node = f"system-{secrets.token_hex(3)}"
    cluster.nodes.create(FakeNode(node))
    one = RunningWebhook(cluster)
    try:
        one.start()
        yield one
    finally:
        one.release.forget()
        cluster.nodes.delete(node)
