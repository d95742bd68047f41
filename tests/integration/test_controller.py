"""The whole controller on a real API server, as the chart's own ServiceAccount: from pods to what people read.

The tests of this file share one cluster and follow each other: nothing there, then a fleet, then prices, then trouble.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from aicost.adapters.clock import now_ms
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.ledger.rows import Component
from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from fleet.annotations import ACTIVITY, EXPORTER
from support.chart import Release, forget_definitions
from support.cluster import LiveCluster
from support.crd_samples import resource

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
OURS = "/apis/aicost.dev/v1alpha1"
SPEECH = '{"window_ms": 1000}'
TEAMS = {"vision": "team-vision", "search": "team-search"}
VIEWS = ("namespace", "team", "model")
H100, LAB = "NVIDIA-H100-80GB-HBM3", "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition"
ENTRY = {"name": "h100", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "2.5"}
QUARTER_MS = 15 * MINUTE_MS
SETTINGS = (
    "window.length=15m", "window.settleSeconds=1", "window.refreshSeconds=2", "telemetry.scrape.intervalSeconds=1",
    "queryApi.enabled=false", "prices.starter=false", "persistence.size=1Gi",
)  # fmt: skip


class Stage:
    """One release on a cluster of its own making, and the two namespaces that cost something."""

    def __init__(self, cluster: LiveCluster) -> None:
        self.cluster, self.release = cluster, Release(cluster)
        suffix = secrets.token_hex(2)
        self.namespaces = {name: f"{name}-{suffix}" for name in (*TEAMS, "exporters")}
        self.nodes = {name: f"{name}-{suffix}" for name in ("gpu", "lab")}

    def log(self) -> list[dict[str, Any]]:
        """All lines of the controller."""
        assert self.cluster.local
        files = (self.cluster.local.state / "pods").glob(f"{self.release.namespace}_*/controller/*.log")
        text = "".join(path.read_text(errors="replace") for path in sorted(files))
        return [json.loads(line) for line in text.splitlines()]

    def until(self, path: str, holds: Any, seconds: float = 60) -> dict[str, Any]:
        """One of our objects, once something holds; else what the controller said."""
        try:
            return self.cluster.until(f"{OURS}/{path}", holds, seconds)
        except pytest.fail.Exception as problem:
            pytest.fail(f"{problem}\n" + "\n".join(json.dumps(line) for line in self.log()[-20:]))

    def own(self, name: str, kind: str, what: str) -> str:
        """The path of an object in one of the namespaces."""
        return f"namespaces/{self.namespaces[name]}/{kind}/{what}"

    def node(self, name: str, product: str, kind: str, gpus: int) -> None:
        node = FakeNode(self.nodes[name], gpus, product, instance_type=kind, annotations={EXPORTER: SPEECH})
        self.cluster.nodes.create(node)

    def pod(self, namespace: str, name: str, on: str, gpus: int = 0, activity: str = "0.5", **more: Any) -> None:
        limits = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
        container = {"name": "main", "image": "trainer:1", "resources": limits, **more}
        labels = {"app": name.rpartition("-")[0] or name}
        if namespace == "exporters":
            labels = {"app": "nvidia-dcgm-exporter"}
        metadata = {"name": name, "namespace": self.namespaces[namespace], "labels": labels}
        metadata["annotations"] = {ACTIVITY: activity}
        selector = {"kubernetes.io/hostname": self.nodes[on]}
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": metadata,
                "spec": {"nodeSelector": selector, "containers": [container], "terminationGracePeriodSeconds": 0},
            }
        )

    def events(self, namespace: str) -> set[tuple[str, str]]:
        """Name and reason of each Event of this release's controller."""
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        found = self.cluster.api.get(path)["items"]
        return {
            (one["regarding"]["name"], one["reason"])
            for one in found
            if (one.get("reportingInstance") or "").startswith(self.release.name)
        }


def condition(one: dict[str, Any], kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition; empty where it is not there yet."""
    conditions = one.get("status", {}).get("conditions") or ()
    found = next((each for each in conditions if each["type"] == kind), None)
    return (found["status"], found["reason"], found["message"]) if found else ("", "", "")


def says(kind: str, status: str, reason: str) -> Any:
    return lambda one: condition(one, kind)[:2] == (status, reason)


@pytest.fixture(scope="module")
def stage(cluster: LiveCluster) -> Iterator[Stage]:
    """The release, run by the local kubelet; nothing else is there yet but a node for its pod."""
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    one = Stage(cluster)
    host = f"system-{secrets.token_hex(2)}"
    cluster.nodes.create(FakeNode(host))
    try:
        one.release.install(
            *SETTINGS, f"metrics.port={free_ports(1)[0]}", f"nodeSelector.kubernetes\\.io/hostname={host}"
        )
        yield one
    finally:
        one.release.forget()
        for name in (*one.nodes.values(), host):
            if cluster.api.get(f"/api/v1/nodes?fieldSelector=metadata.name%3D{name}")["items"]:
                cluster.nodes.delete(name)
        for name in one.namespaces.values():
            if cluster.api.get(f"/api/v1/namespaces?fieldSelector=metadata.name%3D{name}")["items"]:
                cluster.api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="module")
def fleet(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two nodes with exporters, one of a type that nobody has a price for, and pods of two teams."""
    command = [sys.executable, "-m", "fleet", "live", "--kubeconfig", str(stage.cluster.kubeconfig)]
    log = tmp_path_factory.mktemp("fleet") / "log"
    with log.open("wb") as output:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "hack")}
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        stage.node("gpu", H100, "p5.48xlarge", 4)
        stage.node("lab", LAB, "lab-rig", 1)
        for name, full in stage.namespaces.items():
            labels = {"aicost.dev/team": TEAMS[name]} if name in TEAMS else {}
            stage.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": full, "labels": labels}})
        stage.pod("exporters", "exporter-0", "gpu")
        stage.pod("exporters", "exporter-1", "lab")
        stage.pod("vision", "train-0", "gpu", 2, "0.9")
        stage.pod("vision", "eval-0", "lab", 1, "0.2")
        stage.pod("search", "chat-0", "gpu", 1, args=["serve", "--model=qwen/qwen3-32b"], command=["vllm"])
        stage.pod("search", "gateway-0", "gpu")
        yield stage
        process.terminate()
        process.wait(10)


def test_without_any_telemetry_a_condition_says_what_was_looked_for_and_how_to_point_there(stage: Stage) -> None:
    report = stage.until("clusteraicostreports/month-to-date-by-team", says("TelemetryAvailable", "False", "NoSource"))
    told = condition(report, "TelemetryAvailable")[2]
    for words in ("Services in all namespaces", "dcgm-exporter", "telemetry.prometheus.url", "--set"):
        assert words in told
    assert condition(report, "DataFresh")[:2] == ("Unknown", "NoWindowYet")
    assert condition(report, "Priced")[0] == "True", "nothing is there that has no price"
    assert ("month-to-date-by-team", "NothingPriced") not in stage.events("default")


def test_each_namespace_with_cost_has_a_report_that_gives_the_entry_to_add_for_what_has_no_price(fleet: Stage) -> None:
    for name in TEAMS:
        report = fleet.until(
            fleet.own(name, "aicostreports", "month-to-date"), says("Priced", "False", "NothingPriced")
        )
        told = condition(report, "Priced")[2]
        assert "spec.entries" in told
        assert "p5.48xlarge" in told or "h100-80gb" in told
        assert report["status"]["summary"]["cost"] == "unpriced"
    names = {one["metadata"]["namespace"] for one in fleet.cluster.api.get(f"{OURS}/aicostreports")["items"]}
    assert names >= {fleet.namespaces[name] for name in TEAMS}
    assert fleet.namespaces["exporters"] not in names, "exporters cost nothing"


def bad_objects(fleet: Stage) -> list[dict[str, Any]]:
    vision, search = fleet.namespaces["vision"], fleet.namespaces["search"]

    def select(name: str, expressions: dict[str, Any], namespace: str) -> dict[str, Any]:
        return resource("AIWorkload", name, {"selector": expressions}, namespace)

    overlap = [{**ENTRY, "match": {"gpuModel": "l4"}}, {**ENTRY, "name": "again", "match": {"gpuModel": "l4"}}]
    return [
        resource("AICostReport", "mars", {"timeZone": "Mars/Olympus"}, vision),
        resource("AICostReport", "future", {"range": {"from": "2090-01-01", "to": "2090-01-02"}}, vision),
        resource("AICostReport", "past", {"range": {"from": "2001-01-01", "to": "2001-01-02"}}, vision),
        resource("Budget", "mars", {"limit": "5", "currency": "USD", "period": {"timeZone": "Mars/Olympus"}}, vision),
        resource("Budget", "euro", {"limit": "5", "currency": "EUR"}, vision),
        resource("PriceBook", "overlapping", {"currency": "USD", "entries": overlap}),
        select("nothing", {"matchLabels": {"app": "nowhere"}}, vision),
        select("all", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, search),
        select("train", {"matchLabels": {"app": "train"}}, vision),
        select("mine-too", {"matchLabels": {"app": "train"}}, vision),
    ]


def test_a_reversed_range_is_refused_by_the_api_server(fleet: Stage) -> None:
    body = resource(
        "AICostReport", "x", {"range": {"from": "2026-02-01", "to": "2026-01-01"}}, fleet.namespaces["vision"]
    )
    assert "from must be before to: swap them" in fleet.cluster.kubectl_fails("apply", "-f", "-", text=json.dumps(body))


def test_a_price_book_prices_what_it_names_and_all_views_have_the_same_total(fleet: Stage) -> None:
    fleet.cluster.apply(resource("PriceBook", "contract", {"currency": "USD", "entries": [ENTRY]}), *bad_objects(fleet))
    book = fleet.until("pricebooks/contract", says("Priced", "False", "PartlyPriced"))
    assert "lab-rig" in condition(book, "Priced")[2]
    assert condition(book, "Accepted")[0] == "True"
    search = fleet.until(fleet.own("search", "aicostreports", "month-to-date"), says("Priced", "True", "AllPriced"))
    assert search["status"]["totals"][0]["costNanos"] > 0
    vision = fleet.until(fleet.own("vision", "aicostreports", "month-to-date"), says("Priced", "False", "PartlyPriced"))
    assert "lab-rig" in condition(vision, "Priced")[2]

    totals = same_moment(fleet)
    assert len({total["costNanos"] for total in totals.values()}) == 1
    assert len({total["gpuMilliseconds"] for total in totals.values()}) == 1
    rows = {view: keys_of(fleet, view) for view in VIEWS}
    assert rows["namespace"] >= {fleet.namespaces[name] for name in TEAMS}
    assert rows["team"] >= set(TEAMS.values())
    assert "qwen3-32b" in " ".join(rows["model"]), "read from the engine's arguments"


def keys_of(fleet: Stage, view: str) -> set[str]:
    report = fleet.cluster.api.get(f"{OURS}/clusteraicostreports/month-to-date-by-{view}")
    return {key for row in report["status"]["rows"] for key in row["keys"].values()}


def same_moment(fleet: Stage, seconds: float = 60) -> dict[str, dict[str, Any]]:
    """The totals of the three views, once they were written in the same round; each is the sum of its parts."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reports = {v: fleet.cluster.api.get(f"{OURS}/clusteraicostreports/month-to-date-by-{v}") for v in VIEWS}
        statuses = [report["status"] for report in reports.values()]
        priced = all(status["totals"] and status["totals"][0].get("costNanos") for status in statuses)
        if priced and len({status["covered"]["to"] for status in statuses}) == 1:
            for status in statuses:
                parts = [row.get("costNanos", 0) for row in status["rows"]]
                parts += [idle.get("costNanos", 0) for idle in status["idle"]]
                assert sum(parts) == status["totals"][0]["costNanos"]
            return {view: report["status"]["totals"][0] for view, report in reports.items()}
        time.sleep(0.1)
    raise AssertionError("the three views were never written in the same round")


def test_telemetry_that_came_later_is_found_and_shows_who_was_busy(fleet: Stage) -> None:
    path = fleet.own("vision", "aicostreports", "month-to-date")
    report = fleet.until(path, lambda one: one["status"]["summary"].get("utilisation"))
    assert condition(report, "TelemetryAvailable")[1] != "NoSource"
    shown = float(report["status"]["summary"]["utilisation"].rstrip("%"))
    assert 40 < shown < 95, "two GPUs at 0.9 and one at 0.2"


@pytest.mark.parametrize(
    ("where", "kind", "status", "reason", "words"),
    [
        ("vision/aicostreports/mars", "WindowValid", "False", "UnknownTimeZone", "Europe/Berlin"),
        ("vision/aicostreports/mars", "Ready", "False", "InvalidSpec", "spec.timeZone"),
        ("vision/aicostreports/future", "WindowValid", "False", "InvalidWindow", "lies in the future"),
        ("vision/aicostreports/past", "WindowValid", "False", "BeforeLedger", "the ledger begins at"),
        ("vision/budgets/mars", "Ready", "False", "InvalidSpec", "spec.period.timeZone"),
        ("vision/budgets/euro", "Ready", "False", "CurrencyMismatch", "in USD"),
        ("/pricebooks/overlapping", "Overlapping", "True", "OverlappingDates", "again"),
        ("vision/aiworkloads/nothing", "PodsClaimed", "False", "SelectsNothing", "nowhere"),
        ("search/aiworkloads/all", "PodsClaimed", "False", "SelectsEverything", "every pod of namespace"),
        ("vision/aiworkloads/train", "PodsClaimed", "False", "Conflict", "AIWorkload/mine-too"),
        ("vision/aiworkloads/mine-too", "PodsClaimed", "False", "Conflict", "AIWorkload/train"),
    ],
)
def test_trouble_is_told_in_a_condition(fleet: Stage, where, kind, status, reason, words) -> None:
    namespace, plural, name = where.split("/")
    path = fleet.own(namespace, plural, name) if namespace else f"{plural}/{name}"
    one = fleet.until(path, says(kind, status, reason), 30)
    assert words in condition(one, kind)[2]


def test_trouble_is_told_by_events_once(fleet: Stage) -> None:
    told = fleet.events(fleet.namespaces["vision"]) | fleet.events(fleet.namespaces["search"])
    assert {
        ("mars", "InvalidSpec"), ("future", "InvalidWindow"), ("past", "BeforeLedger"), ("euro", "CurrencyMismatch"),
        ("nothing", "SelectsNothing"), ("all", "SelectsEverything"), ("train", "Conflict"),
    } <= told  # fmt: skip
    found = fleet.cluster.api.get(f"/apis/events.k8s.io/v1/namespaces/{fleet.namespaces['vision']}/events")["items"]
    nothing = [one for one in found if (one["regarding"]["name"], one["reason"]) == ("nothing", "SelectsNothing")]
    assert len(nothing) == 1


def test_what_people_made_is_touched_in_its_status_alone(fleet: Stage) -> None:
    namespace = fleet.namespaces["vision"]
    own = {"metadata": {"annotations": {"owner": "gitops"}, "labels": {"a": "b"}}}
    body = resource("AICostReport", "gitops", {"groupBy": ["team"]}, namespace)
    fleet.cluster.apply({**body, "metadata": {**body["metadata"], **own["metadata"]}})
    report = fleet.until(fleet.own("vision", "aicostreports", "gitops"), says("Ready", "True", "Reported"))
    metadata = report["metadata"]
    assert metadata["generation"] == 1
    assert set(metadata["annotations"]) == {"owner", "kubectl.kubernetes.io/last-applied-configuration"}
    assert metadata["labels"] == {"a": "b"}
    assert "finalizers" not in metadata
    managers = {(one["manager"], one.get("subresource", "")) for one in metadata["managedFields"]}
    assert managers == {("kubectl-client-side-apply", ""), ("aicost-controller", "status")}


def test_an_automatic_report_stays_as_it_was_edited_and_comes_back_when_it_is_deleted(fleet: Stage) -> None:
    path = fleet.own("search", "aicostreports", "month-to-date")
    before = fleet.cluster.api.patch(f"{OURS}/{path}", {"spec": {"groupBy": ["team"]}})
    edited = fleet.until(path, lambda one: one["status"].get("observedGeneration") == 2)
    assert edited["spec"]["groupBy"] == ["team"]
    fleet.cluster.api.delete(f"{OURS}/{path}")
    again = fleet.until(path, lambda one: one["metadata"]["uid"] != before["metadata"]["uid"])
    assert again["spec"]["groupBy"] == ["controller"]


def test_nothing_was_refused_nothing_failed_and_the_parts_sum_to_the_whole(fleet: Stage) -> None:
    lines = fleet.log()
    assert [one for one in lines if re.search(r"forbidden|not permitted|\b403\b", json.dumps(one), re.IGNORECASE)] == []
    assert [one for one in lines if one["level"] in {"error", "critical"}] == []
    assert {one["unbalanced_nanos"] for one in lines if one["message"] == "window closed"} <= {0}


def test_it_ends_when_it_is_asked_to_and_gives_the_lease_back(fleet: Stage) -> None:
    release = fleet.release
    fleet.cluster.api.patch(release.deployment, {"spec": {"replicas": 0}})
    fleet.cluster.until(f"{release.core}/pods", lambda found: not found["items"], 20)
    assert fleet.log()[-1]["message"] == "stopped"
    lease = fleet.cluster.api.get(
        f"/apis/coordination.k8s.io/v1/namespaces/{release.namespace}/leases/{release.name}-controller"
    )
    assert not lease["spec"].get("holderIdentity")


PATCHED = """
import sys, aicost.adapters.clock as clock
real, ahead = clock.now_ms, int(sys.argv[1])
clock.now_ms = lambda: real() + ahead
from aicost.entrypoints.controller.main import main
sys.exit(main(["--config", sys.argv[2], "--kubeconfig", sys.argv[3]]))
"""
"""The controller as it is, with a clock that runs ahead."""


class Process:
    """A controller as a process of the test, as the chart's ServiceAccount, on a volume and a clock of its own."""

    def __init__(self, fleet: Stage, folder: Path) -> None:
        self._fleet, self._folder = fleet, folder
        release = fleet.release
        self._kubeconfig = fleet.cluster.service_account_kubeconfig(release.namespace, release.name)
        settings = yaml.safe_load(
            fleet.cluster.api.get(f"{release.core}/configmaps/{release.name}")["data"]["settings.yaml"]
        )
        settings["ledger"]["url"], settings["journal"]["path"] = str(folder / "ledger"), str(folder / "journal.sqlite")
        settings["server"] |= {"host": "127.0.0.1", "metricsPort": free_ports(1)[0]}
        self._settings = folder / "settings.yaml"
        self._settings.write_text(yaml.safe_dump(settings))

    @contextmanager
    def at(self, ahead_ms: int) -> Iterator[subprocess.Popen[bytes]]:
        """Run it; killed at the end if it still runs."""
        self.log = self._folder / f"{ahead_ms}.log"
        words = [sys.executable, "-c", PATCHED, str(ahead_ms), str(self._settings), str(self._kubeconfig)]
        environment = {**os.environ, "POD_NAME": "controller-0"}  # a container that is started again keeps its name
        with self.log.open("wb") as output:
            process = subprocess.Popen(words, env=environment, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def until(self, message: str, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """Lines of the log with a message, once there are so many."""
        deadline = time.monotonic() + seconds
        while True:
            text = self.log.read_text(errors="replace")
            lines = [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
            found = [one for one in lines if one["message"] == message]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"no {message!r} in the log:\n{text}"
            time.sleep(0.05)

    @property
    def ledger(self) -> DeltaLedger:
        return DeltaLedger(str(self._folder / "ledger"))


def test_a_restart_resumes_at_the_last_closed_window_with_nothing_lost_or_twice(fleet: Stage, tmp_path: Path) -> None:
    one = Process(fleet, tmp_path)
    (cluster,) = {node["metadata"]["uid"] for node in [fleet.cluster.api.get("/api/v1/namespaces/kube-system")]}
    boundary_ms = now_ms() // QUARTER_MS * QUARTER_MS + QUARTER_MS

    # 1. A window ends eight seconds after the start; it is closed, and the process is killed at once.
    ahead_ms = boundary_ms - now_ms() - 8_000
    with one.at(ahead_ms) as process:
        one.until("window closed")
        process.send_signal(signal.SIGKILL)
        process.wait()
    first = one.ledger.last_window(cluster)
    assert first is not None
    assert first.end_ms == boundary_ms
    posted = rows_of(one, cluster, first)

    # 2. It comes back after the next window has ended too, closes that one, and ends when asked, twice.
    ahead_ms += QUARTER_MS
    with one.at(ahead_ms) as process:
        (closed,) = one.until("window closed")
        one.until("started")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        one.until("stopped")
    second = one.ledger.last_window(cluster)
    assert second == Window(boundary_ms, boundary_ms + QUARTER_MS)
    assert str(second) == closed["window"]

    # 3. Once more, before anything new is due: nothing is closed, nothing changes.
    before = rows_of(one, cluster, Window(first.start_ms, second.end_ms))
    with one.at(ahead_ms) as process:
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert "window closed" not in one.log.read_text()
    assert rows_of(one, cluster, Window(first.start_ms, second.end_ms)) == before
    assert [row for row in before if row.window == first and row.revision == 0] == posted
    for window in (first, second):
        times = device_times([row for row in before if row.window == window])
        assert times == dict.fromkeys(times, window.length_ms), "each device's time is billed once, all of it"
        assert len(times) == 5


def rows_of(one: Process, cluster: str, span: Window) -> list[Any]:
    return sorted(one.ledger.rows(span, cluster=cluster), key=repr)


def device_times(rows: list[Any]) -> dict[str, int]:
    """GPU -> its time over all rows and revisions; what has no device yet is spread over those of its node."""
    times: dict[str, int] = {}
    for row in (each for each in rows if each.component is Component.GPU):
        key = f"{row.place.node}/{row.place.device}"
        times[key] = times.get(key, 0) + row.gpu_milliseconds
    return times
