"""A namespace whose GPUs cost a dollar a second, budgets over it, and the chart's own controller that keeps them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.chart import forget_definitions
from support.cluster import LiveCluster
from support.stage import Controller, Stage

OURS = "/apis/aicost.dev/v1alpha1"
PER_GPU_HOUR = "3600"
"""A dollar a second: a budget is spent while a test waits."""
QUICK = {
    "notice": "2s",
    "cooldown": "1s",
    "minHold": "1s",
    "victims": {"minRuntime": "1s", "maxGpuSharePercent": 100},
    "checkpoint": {"timeout": "1s"},
    "restore": {"maxGpusPerMinute": 100},
}
"""Carefulness for tests, which have no half hours."""


class Town:
    """A stage with a team that has a label, and a price at which things happen soon."""

    def __init__(self, stage: Stage, controller: Controller) -> None:
        self.stage, self.controller, self.cluster = stage, controller, stage.cluster
        self.namespace = stage.team

    def make_namespace(self, prefix: str) -> str:
        """Another namespace of the same team, gone with the cluster."""
        name = f"{prefix}-{secrets.token_hex(3)}"
        self.cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": TEAM}})
        self.cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
        return name

    def budget(self, name: str = "month", namespace: str = "", **spec: Any) -> str:
        """Apply a Budget as a person would; its path."""
        where = namespace or self.namespace
        body = {
            "apiVersion": "aicost.dev/v1alpha1",
            "kind": "Budget",
            "metadata": {"name": name, "namespace": where},
            "spec": {"currency": "USD", "nudges": [], **spec},
        }
        self.cluster.apply(body)
        return f"{OURS}/namespaces/{where}/budgets/{name}"

    def workload(self, kind: str, name: str, namespace: str = "", gpus: int = 1, stage: str = "", **more: Any) -> str:
        """Apply a Deployment or Job on the GPUs of the stage; its path."""
        where = namespace or self.namespace
        body = MADE[kind](name, where, self.stage.nodes[0], gpus)
        if stage:
            body["spec"]["template"]["metadata"]["labels"]["aicost.dev/stage"] = stage
        body["spec"].update(more)
        self.cluster.apply(body)
        return f"/apis/{body['apiVersion']}/namespaces/{where}/{kind.lower()}s/{name}"

    def until(self, path: str, holds: Any, seconds: float = 60) -> dict[str, Any]:
        """An object, once something holds; else what the controller said."""
        try:
            return self.cluster.until(path, holds, seconds)
        except BaseException as problem:
            if "not as expected" not in str(problem):
                raise
            raise AssertionError(f"{problem}\n{self.controller.log()[-6000:]}") from problem

    def actions(self, namespace: str = "") -> list[dict[str, Any]]:
        """The records of steps."""
        return list(self.cluster.api.get(f"{OURS}/namespaces/{namespace or self.namespace}/budgetactions")["items"])

    def gate(self, budget: str = "month", namespace: str = "") -> str:
        """Path of the gate of a budget."""
        return f"{OURS}/namespaces/{namespace or self.namespace}/budgetgates/budget-{budget}"

    def clear(self, namespace: str = "") -> None:
        """Take away budgets and workloads; what was held is let go first."""
        where = namespace or self.namespace
        self.cluster.kubectl("delete", "budgets", "--all", "-n", where, "--wait=false")
        self.cluster.kubectl("delete", "deployments,jobs,pods", "--all", "-n", where, "--wait=false")


TEAM = {"aicost.dev/team": "vision"}


def _template(name: str, node: str, gpus: int, policy: str) -> dict[str, Any]:
    limits = {"limits": {"nvidia.com/gpu": str(gpus)}}
    return {
        "metadata": {"labels": {"app": name, **TEAM}},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": node},
            "restartPolicy": policy,
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "registry.example/train:1", "resources": limits}],
        },
    }


def _deployment(name: str, namespace: str, node: str, gpus: int) -> dict[str, Any]:
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": _template(name, node, gpus, "Always"),
    }
    return _object("apps/v1", "Deployment", name, namespace, spec)


def _job(name: str, namespace: str, node: str, gpus: int) -> dict[str, Any]:
    return _object("batch/v1", "Job", name, namespace, {"template": _template(name, node, gpus, "Never")})


def _object(version: str, kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": TEAM}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


MADE = {"Deployment": _deployment, "Job": _job}


@contextmanager
def open_town(cluster: LiveCluster, folder: Path, *settings: str) -> Iterator[Town]:
    """Fleet, exporters, price and controller; all of it is gone at the end."""
    stage = Stage(cluster, folder)
    forget_definitions(cluster)  # Helm takes over nothing that others put there
    with stage.open(["4.8.3", "4.8.3"]):
        cluster.kubectl("label", "namespace", stage.team, *(f"{key}={value}" for key, value in TEAM.items()))
        stage.price = PER_GPU_HOUR
        with Controller(stage).installed(*settings) as controller:
            yield Town(stage, controller)
