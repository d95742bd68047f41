"""A simulated fleet on the local cluster, a real Prometheus that scrapes it, and the chart's own controller."""

import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.ledger.rows import Row
from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from devcluster.prometheus_server import Prometheus
from fleet.annotations import ACTIVITY, EXPORTER
from fleet.live.record import load
from fleet.script import Fleet, gpu_hour
from support.chart import Release
from support.cluster import LiveCluster

HACK = Path(__file__).parents[2] / "hack"
NANOS_PER_GPU_HOUR = 4_000_000_000
OURS = "/apis/aicost.dev/v1alpha1"
READY_SECONDS = 60
SETTLE_SECONDS = 60
"""Longer than the samples of a pod need to settle: no window is closed in the middle of a beginning."""
EVER = Window(DAY_MS, 1 << 42)


class Stage:
    """Two GPU nodes with an exporter each, in a namespace of their own, and a namespace for pods.

    Args:
        cluster: a cluster with the local kubelet.
        folder: where the fleet keeps its record.
    """

    def __init__(self, cluster: LiveCluster, folder: Path) -> None:
        self.cluster, self.record = cluster, folder / "truth.jsonl"
        mark = secrets.token_hex(3)
        self.instance_type = f"sim-{mark}.8x"
        self.nodes = (f"gpu-{mark}-a", f"gpu-{mark}-b")
        self.team, self.operators = f"team-{mark}", f"operators-{mark}"
        self.price = "4.00"

    @contextmanager
    def open(self, dialects: Sequence[str]) -> Iterator["Stage"]:
        """Register the nodes, start the fleet and its exporters; all of it is gone at the end."""
        api = self.cluster.api
        try:
            for name in (self.team, self.operators):
                api.create("/api/v1/namespaces", {"metadata": {"name": name}})
                self.cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
            for name, dialect in zip(self.nodes, dialects, strict=True):
                speech = {EXPORTER: json.dumps({"dialect": dialect, "window_ms": 1000})}
                node = FakeNode(name, gpu_count=2, instance_type=self.instance_type, annotations=speech)
                self.cluster.nodes.create(node)
            with self._fleet():
                for name in self.nodes:
                    self.cluster.apply(self._exporter(name))
                yield self
        finally:
            self._remove()

    @contextmanager
    def _fleet(self) -> Iterator[None]:
        words = ["--kubeconfig", str(self.cluster.kubeconfig), "--record", str(self.record)]
        environment = {**os.environ, "PYTHONPATH": str(HACK)}
        log = self.record.with_suffix(".log")
        with log.open("wb") as output:
            command = [sys.executable, "-m", "fleet", "live", *words]
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0, log.read_text()

    def _remove(self) -> None:
        """Pods first, while their node is there; namespaces take their time and need not be waited for."""
        spaces = (self.team, self.operators)
        for words in (*(("pods", "--all", "-n", name) for name in spaces), ("nodes", *self.nodes)):
            self.cluster._run("kubectl", ("delete", *words, "--ignore-not-found"), None)
        self.cluster._run("kubectl", ("delete", "namespaces", *spaces, "--ignore-not-found", "--wait=false"), None)

    def _exporter(self, node: str) -> dict[str, Any]:
        labels = {"app": "nvidia-dcgm-exporter"}
        container = {"name": "exporter", "image": "registry.example/dcgm-exporter:4"}
        return _pod(self.operators, f"exporter-{node}", node, container, labels=labels)

    def exporter_address(self, node: str) -> str:
        """Where the exporter of a node listens, as soon as it does."""
        path = f"/api/v1/namespaces/{self.operators}/pods/exporter-{node}"
        pod = self.cluster.until(path, lambda it: it["status"].get("podIP") and it["status"]["phase"] == "Running")
        return f"{pod['status']['podIP']}:9400"

    def scrape_job(self, node: str, *, honor_labels: bool) -> dict[str, Any]:
        """A job of one static target, with the labels that discovery would give it."""
        labels = {"namespace": self.operators, "pod": f"exporter-{node}", "container": "exporter"}
        target = {"targets": [self.exporter_address(node)], "labels": labels}
        return {"job_name": f"dcgm-{node}", "honor_labels": honor_labels, "static_configs": [target]}

    def run_pod(self, name: str, node: str, activity: str, gpus: int = 1, **annotations: str) -> str:
        """Create a pod; the path of it."""
        limits = {"limits": {"nvidia.com/gpu": str(gpus)}}
        container = {"name": "main", "image": "registry.example/train:1", "resources": limits}
        plays = {ACTIVITY: activity, **{f"devcluster.aicost.dev/{key}": text for key, text in annotations.items()}}
        self.cluster.apply(_pod(self.team, name, node, container, annotations=plays) | {"kind": "Pod"})
        return f"/api/v1/namespaces/{self.team}/pods/{name}"

    def price_book(self) -> dict[str, Any]:
        """A price for the nodes of this stage."""
        entry = {"name": "sim", "match": {"instanceType": self.instance_type}, "perGpuHour": self.price}
        spec = {"currency": "USD", "source": "a test", "asOf": "2026-01-01", "entries": [entry]}
        return {
            "apiVersion": "aicost.dev/v1alpha1",
            "kind": "PriceBook",
            "metadata": {"name": self.instance_type},
            "spec": spec,
        }

    def truth(self) -> Fleet:
        """What the fleet played so far, with prices."""
        return load(self.record, {self.instance_type: gpu_hour(NANOS_PER_GPU_HOUR)})


def _pod(namespace: str, name: str, node: str, container: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": node},
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": spec,
    }


class Store:
    """A Prometheus that can be stopped and comes back at its address with its samples."""

    def __init__(self, program: Path, folder: Path, jobs: Sequence[dict[str, Any]]) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        settings = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": list(jobs)}
        self._server = Prometheus(program, folder, settings, f"--web.listen-address=127.0.0.1:{port}")
        self._running = False

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self._running:
            self._server.start()
            self._running = True

    def stop(self) -> None:
        """Stop it; its samples stay."""
        self._server.stop()
        self._running = False


class Controller:
    """The chart's own Deployment, run by the local kubelet with the chart's own ServiceAccount."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.cluster = stage, stage.cluster
        self.release = Release(stage.cluster)
        (self._port,) = free_ports(1)

    @contextmanager
    def installed(self, *settings: str) -> Iterator["Controller"]:
        """Install the chart with these values beside those of the stage; nothing of it is left at the end."""
        try:
            self.release.install(*self._values(), *settings)
            self.until_ready()
            self.cluster.apply(self.stage.price_book())
            yield self
        finally:
            self.release.forget()

    def _values(self) -> tuple[str, ...]:
        return (
            "image.repository=aicost", "prices.starter=false", "persistence.size=1Gi", "queryApi.enabled=false",
            "window.length=15m", f"window.settleSeconds={SETTLE_SECONDS}", "window.refreshSeconds=1",
            f"metrics.port={self._port}",
        )  # fmt: skip

    def until_ready(self) -> None:
        """Wait until its pod is ready."""
        try:
            self.cluster.until(self.release.deployment, lambda d: d["status"].get("readyReplicas") == 1, READY_SECONDS)
        except pytest.fail.Exception as problem:
            pytest.fail(f"{problem}\n{self.log()}")

    def scale(self, replicas: int) -> None:
        """Let it run, or not; returns when it is so."""
        self.cluster.api.patch(self.release.deployment, {"spec": {"replicas": replicas}})
        if replicas:
            self.until_ready()
            return
        name = f"app.kubernetes.io/instance={self.release.name}"
        self.cluster.until(f"{self.release.core}/pods?labelSelector={name}", lambda found: not found["items"])

    def kill(self) -> None:
        """End its process at once, as a node that fails does; the kubelet starts it again."""
        label = f"app.kubernetes.io/instance={self.release.name}"
        (pod,) = self.cluster.api.get(f"{self.release.core}/pods?labelSelector={label}")["items"]
        assert self.cluster.local
        self.cluster.kubectl(
            "delete", "pod", pod["metadata"]["name"], "-n", self.release.namespace, "--grace-period=0", "--force"
        )

    def restarts(self) -> list[int]:
        """How often each container of its pod was started again."""
        label = f"app.kubernetes.io/instance={self.release.name}"
        (pod,) = self.cluster.api.get(f"{self.release.core}/pods?labelSelector={label}")["items"]
        return [one["restartCount"] for one in pod["status"]["containerStatuses"]]

    def log(self) -> str:
        """What the controller has written, over all its runs."""
        assert self.cluster.local
        found = (self.cluster.local.state / "pods").glob(f"{self.release.namespace}_*/controller/*.log")
        return "".join(
            path.read_text(errors="replace") for path in sorted(found, key=lambda path: path.stat().st_mtime)
        )

    def metrics(self) -> str:
        """Its page of metrics."""
        label = f"app.kubernetes.io/instance={self.release.name}"
        (pod,) = self.cluster.api.get(f"{self.release.core}/pods?labelSelector={label}")["items"]
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:{self._port}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def until_condition(self, kind: str, status: str, *words: str, seconds: float = 30) -> dict[str, Any]:
        """Wait until the team's own report says something in a condition; the report."""

        def says(report: dict[str, Any]) -> bool:
            found = [one for one in (report.get("status") or {}).get("conditions") or () if one["type"] == kind]
            return any(one["status"] == status and all(word in one["message"] for word in words) for one in found)

        path = f"{OURS}/namespaces/{self.stage.team}/aicostreports/month-to-date"
        try:
            return self.cluster.until(path, says, seconds)
        except pytest.fail.Exception as problem:
            pytest.fail(f"no {kind} {status} with {words}: {problem}\n{self.log()[-6000:]}")

    def make_namespace(self) -> None:
        """Make its namespace before it is installed."""
        self.cluster.api.create("/api/v1/namespaces", {"metadata": {"name": self.release.namespace}})

    def begin_at(self, epoch_ms: int) -> tuple[str, ...]:
        """Make its volume before it is installed, with a journal that began at a moment; the values that name it."""
        self.make_namespace()
        api, name = self.cluster.api, f"{self.release.name}-data"
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        api.create(f"{self.release.core}/persistentvolumeclaims", {"metadata": {"name": name}, "spec": spec})
        folder = self.volume()
        folder.mkdir(parents=True, exist_ok=True)
        InventoryJournal(folder / "journal.sqlite", epoch_ms).close()
        return (f"persistence.existingClaim={name}",)

    def volume(self) -> Path:
        """The folder of its claim."""
        name = f"{self.release.name}-data"
        claim = self.cluster.until(
            f"{self.release.core}/persistentvolumeclaims/{name}", lambda one: one["status"].get("phase") == "Bound"
        )
        volume = self.cluster.api.get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
        return Path(volume["spec"]["hostPath"]["path"])

    def ledger(self) -> DeltaLedger:
        """Its ledger, to read from."""
        return DeltaLedger(str(self.volume() / "ledger"))

    def rows(self) -> tuple[Row, ...]:
        """All rows of pods of the team, posted and provisional, of one moment."""
        snapshot = self.ledger().snapshot()
        found = [*snapshot.rows(EVER), *snapshot.rows(EVER, provisional=True)]
        return tuple(row for row in found if row.holder.namespace == self.stage.team)
