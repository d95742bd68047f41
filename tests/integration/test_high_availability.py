"""Two real controllers on a real API server and a real object store: one leads, the other takes over; nothing is lost.

The clock of the controllers is hurried, so that a window of a quarter of an hour ends every few seconds. Leases go by
the real time.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3
import yaml

from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.upkeep.record import DeltaRecord
from aicost.domain.exact.windows import MINUTE_MS, Grid, Window
from aicost.usecases.upkeep.verify_ledger import VerifyLedger
from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from devcluster.prometheus_server import Prometheus
from support.definitions import applied_definitions
from support.hurried import BEGAN, SPEED
from support.object_store import options, place

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
GRID = Grid(15 * MINUTE_MS)
FAST = 90
"""A window ends every ten seconds."""
EVER = Window(0, 1 << 42)
NANOS_PER_WINDOW = 1_000_000_000
"""$4 an hour for a GPU, for a quarter of an hour."""
GPUS = 2


class Replica:
    """One controller process, with a journal of its own."""

    def __init__(self, name: str, folder: Path, settings: dict, environment: dict[str, str], kubeconfig: Path) -> None:
        self.name, self.folder = name, folder
        folder.mkdir(exist_ok=True)
        (self.port,) = free_ports(1)
        settings = {
            **settings,
            "journal": {"path": str(folder / "journal.sqlite")},
            "server": {"host": "127.0.0.1", "metricsPort": self.port, "certificateDir": ""},
        }
        (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
        words = ["-m", "support.hurried", "--config", str(folder / "settings.yaml"), "--kubeconfig", str(kubeconfig)]
        self.log_file = folder / "log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], env={**environment, "POD_NAME": name}, stdout=log, stderr=log
            )

    def log(self) -> list[dict]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines() if line.startswith("{")]

    def page(self, path: str) -> str:
        with urllib3.PoolManager(retries=False, timeout=5) as http:
            return http.request("GET", f"http://127.0.0.1:{self.port}{path}").data.decode()

    def leads(self) -> bool:
        try:
            return "aicost_leader 1.0" in self.page("/metrics")
        except urllib3.exceptions.HTTPError:
            return False

    def ready(self) -> bool:
        try:
            return self.page("/readyz") == "ok\n"
        except urllib3.exceptions.HTTPError:
            return False

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> None:
        """As Kubernetes ends it."""
        for number in (signal.SIGCONT, signal.SIGTERM):
            if self.process.poll() is None:
                self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Town:
    """A node with pods, a price, a Prometheus without samples, and a store; controllers come and go."""

    def __init__(self, cluster, namespace: str, store, prometheus: str, folder: Path) -> None:
        self.cluster, self.namespace, self.store, self.folder = cluster, namespace, store, folder
        self.replicas: list[Replica] = []
        self.since_ns = time.time_ns()
        self.epoch_ms = GRID.containing(self.since_ns // 1_000_000).start_ms - GRID.length_ms
        self.uri = place(store)
        self.settings = {
            "ledger": {"url": self.uri, "storageOptions": options(store)},
            "window": {"length": "15m", "refreshSeconds": 1, "settleSeconds": 30, "revisit": 0},
            "telemetry": {"source": "prometheus", "prometheus": {"url": prometheus}},
            "cluster": {"id": "c1"},
            "reports": {"automatic": False},
            "admission": {"enabled": False},
            "leader": {"namespace": namespace, "name": "aicost-controller"},
        }

    def start(self, name: str, *, fresh: bool = False, **sections) -> Replica:
        """One more replica; a fresh one has no journal yet."""
        paths = os.pathsep.join(str(ROOT / part) for part in ("operator", "tests", "hack"))
        environment = {**os.environ, "PYTHONPATH": paths, BEGAN: str(self.since_ns), SPEED: str(FAST)}
        environment |= {"POD_NAMESPACE": self.namespace}
        folder = self.folder / name
        if not folder.exists():
            folder.mkdir()
            if not fresh:
                InventoryJournal(folder / "journal.sqlite", self.epoch_ms).close()
        made = Replica(name, folder, {**self.settings, **sections}, environment, self.cluster.kubeconfig)
        self.replicas.append(made)
        return made

    @property
    def ledger(self) -> DeltaLedger:
        return DeltaLedger(self.uri, options(self.store))

    def windows(self) -> int:
        """How many windows are posted."""
        log = self.logs()
        return len(log.windows) if log else 0

    def logs(self):
        if self.ledger.version() is None:
            return None
        return next(iter(DeltaRecord(self.ledger.place).logs()), None)

    def until(self, holds, seconds: float = 60) -> float:
        """Wait; the seconds that it took."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds:
                logs = "\n".join(f"{one.name}: {one.log_file.read_text()[-2500:]}" for one in self.replicas)
                pytest.fail(f"not so after {seconds} s\n{logs}")
            time.sleep(0.1)
        return time.monotonic() - began


@pytest.fixture
def town(cluster, namespace, store, prometheus_program, tmp_path):
    node = f"gpu-{secrets.token_hex(3)}"
    with applied_definitions(cluster), Prometheus(prometheus_program, tmp_path / "prometheus", {}) as prometheus:
        cluster.nodes.create(FakeNode(node, gpu_count=GPUS, instance_type="sim.ha"))
        entry = {"name": "sim", "match": {"instanceType": "sim.ha"}, "perGpuHour": "4.00"}
        spec = {"currency": "USD", "source": "a test", "asOf": "2026-01-01", "entries": [entry]}
        book = {
            "apiVersion": "aicost.dev/v1alpha1",
            "kind": "PriceBook",
            "metadata": {"name": "ha"},
            "spec": spec,
        }
        cluster.apply(book, *(pod(namespace, f"train-{index}", node) for index in range(GPUS)))
        made = Town(cluster, namespace, store, prometheus.url, tmp_path)
        try:
            yield made
        finally:
            for one in made.replicas:
                one.stop()
            cluster.api.delete("/apis/aicost.dev/v1alpha1/pricebooks/ha")
            cluster._run("kubectl", ("delete", "pods", "--all", "-n", namespace, "--force"), None)
            cluster.nodes.delete(node)


def pod(namespace, name, node):
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": node},
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "registry.example/train:1", "resources": limits}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def said(row):
    what = (row.bucket, row.component, row.cost_nanos, row.gpu_milliseconds, row.reason)
    return repr((row.window, row.revision, row.place, row.holder, *what))


def rows_by_window(ledger, windows):
    rows = ledger.rows(EVER, cluster="c1")
    return {window: sorted(said(row) for row in rows if row.window == window) for window in windows}


def test_a_leader_that_is_paused_is_followed_within_twenty_seconds_and_posts_nothing_afterwards(town, record_property):
    first = town.start("controller-0")
    town.until(first.leads)
    second = town.start("controller-1")
    town.until(second.ready)
    assert not second.leads()
    town.until(lambda: town.windows() >= 2)
    assert town.logs().term == 1

    first.signal(signal.SIGSTOP)
    before = town.ledger.version()
    took = town.until(lambda: town.logs().term == 2)
    record_property("takeover_seconds", took)
    sys.stderr.write(f"\ntakeover after {took:.1f} s\n")
    assert second.leads()
    windows = town.windows()
    town.until(lambda: town.windows() >= windows + 2)

    first.signal(signal.SIGCONT)
    assert first.process.wait(30) == 1
    assert first.log()[-1]["message"] == "leadership lost, leaving"
    history = list(DeltaRecord(town.ledger.place)._table.history())
    terms = [one["term"] for one in history if "term" in one and one["version"] > before]
    assert terms == [2]

    # One more comes, which has seen nothing yet, and leads when the other is killed.
    third = town.start("controller-2", fresh=True)
    town.until(third.ready)
    second.signal(signal.SIGKILL)
    took = town.until(lambda: town.logs().term == 3)
    sys.stderr.write(f"takeover after {took:.1f} s\n")
    windows = town.windows()
    town.until(lambda: town.windows() >= windows + 2)
    third.stop()
    assert third.process.returncode == 0

    outcome = VerifyLedger(DeltaRecord(town.ledger.place))()
    assert outcome.findings == ()
    assert outcome.postings == outcome.windows  # no window had to be put right

    posted = [one.window for one in town.logs().windows]
    whole = [window for window in posted if window.start_ms >= town.since_ns // 1_000_000 + MINUTE_MS]
    assert len(whole) >= 4
    for window in whole:
        rows = town.ledger.rows(window, cluster="c1")
        assert sum(row.cost_nanos for row in rows if row.component == "gpu") == GPUS * NANOS_PER_WINDOW

    # A run without any fault, over the same time.
    shutil.copytree(town.folder / "controller-1", town.folder / "alone")
    calm = {"url": str(town.folder / "calm"), "storageOptions": {}}
    alone = town.start("alone", ledger=calm, leader={"enabled": False})
    ledger = DeltaLedger(calm["url"])
    town.until(lambda: (last := ledger.last_window("c1")) is not None and last.end_ms >= posted[-1].end_ms)
    alone.stop()
    assert rows_by_window(town.ledger, posted) == rows_by_window(ledger, posted)
