"""The steps of the demo, in their order."""

import json
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from demo.screen import Step
from demo.stage import Stage, items
from devcluster.controlplane import free_ports
from devcluster.host.paths import REPOSITORY
from devcluster.host.progress import Failure
from fleet import demo as script
from fleet import kubernetes
from fleet.clocks import real_clock

NAMESPACE = "aicost-system"
TEAMS = ("research", "search", "vision")
VIEWS = ("namespace", "team", "model")
EXAMPLES = REPOSITORY / "examples" / "demo"
CHART = REPOSITORY / "charts" / "aicost"
VALUES = Path(__file__).with_name("values.yaml")

_FLEET = ("00-namespaces.yaml", "10-exporters.yaml")
_GROUP = "/apis/aicost.dev/v1alpha1"
_FLEET_SECONDS, _CONTROLLER_SECONDS, _REPORT_SECONDS = 60.0, 120.0, 180.0
_TRIES_TO_START = 3
_WATCH_SECONDS, _QUICK_SECONDS = 75.0, 15.0
_SETTLE_MS = 2_000


class Play:
    """The steps on one stage.

    Args:
        stage: where to play.
        quick: show the first figures, and do not wait until the short jobs have ended.
    """

    def __init__(self, stage: Stage, *, quick: bool) -> None:
        self._stage, self._quick = stage, quick
        self.metrics_port, self._query_port = free_ports(2)
        telemetry = yaml.safe_load(VALUES.read_text())["telemetry"]
        self.scrape_ms: int = 1000 * telemetry["scrape"]["intervalSeconds"]
        self.collection_ms: int = 1000 * telemetry["collectionSeconds"]

    def make_fleet(self, step: Step) -> None:
        """Register the nodes, and start their exporters."""
        now_ms = real_clock()
        nodes = [kubernetes.node_object(node, now_ms) for node in script.nodes(now_ms)]
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes})
        self._stage.kubectl("create", "-f", "-", text=listed)
        self._apply(_FLEET)
        self._stage.wait(step, self._exporters, _FLEET_SECONDS, self._why_no_fleet)

    def _exporters(self) -> tuple[bool, str]:
        """A probe: does each node have its exporter."""
        nodes = items(self._stage.api, "/api/v1/nodes")
        gpus = sum(int(node["status"]["capacity"].get(kubernetes.GPU, 0)) for node in nodes)
        pods = items(self._stage.api, "/api/v1/pods?labelSelector=app%3Dnvidia-dcgm-exporter")
        answering = sum(_answers(pod) for pod in pods)
        return answering == len(nodes), f"{len(nodes)} nodes, {gpus} GPUs, {answering} exporters"

    def _why_no_fleet(self) -> str:
        hint = "Each exporter listens on port 9400 of a loopback address of its own; does something hold all of them?"
        return f"{hint}\n{self._stage.log_tail('fleet')}"

    def install(self, step: Step) -> None:
        """Install the chart, and wait until its own Deployment is available."""
        ports = (f"metrics.port={self.metrics_port}", f"queryApi.port={self._query_port}")
        settings = [word for pair in ports for word in ("--set", pair)]
        self._stage.helm(
            "install", "aicost", str(CHART), "-n", NAMESPACE, "--create-namespace", "-f", str(VALUES), *settings
        )
        self._stage.wait(step, self._controller, _CONTROLLER_SECONDS, self._why_no_controller)

    def _controller(self) -> tuple[bool, str]:
        """A probe: are all containers of the controller's pod ready."""
        pods = items(self._stage.api, f"/api/v1/namespaces/{NAMESPACE}/pods")
        states = [state for pod in pods for state in pod["status"].get("containerStatuses") or ()]
        ready = [state["name"] for state in states if state["ready"]]
        failing = [s["name"] for s in states if s["restartCount"] >= _TRIES_TO_START and not s["ready"]]
        if failing:
            tail = self._stage.pod_log_tail(NAMESPACE, failing[0])
            raise Failure(f"the container {failing[0]} ends again and again. {tail}")
        return bool(states) and len(ready) == len(states), f"ready: {' and '.join(ready) or 'nothing yet'}"

    def _why_no_controller(self) -> str:
        return self._stage.pod_log_tail(NAMESPACE, "controller")

    def apply_workloads(self, step: Step) -> None:
        """Apply everything else that lies in the examples."""
        rest = sorted(path.name for path in EXAMPLES.glob("*.yaml") if path.name not in _FLEET)
        answer = self._apply(rest)
        step.note(f"{len(answer.splitlines())} objects from {EXAMPLES.relative_to(REPOSITORY)}")

    def _apply(self, names: Sequence[str]) -> str:
        return self._stage.kubectl("apply", *(word for name in names for word in ("-f", str(EXAMPLES / name))))

    def watch(self, step: Step) -> None:
        """Wait until the reports show what the fleet costs and nothing is about to change."""
        self._stage.wait(step, lambda: self._reported(step.seconds), _REPORT_SECONDS, self._why_no_report)

    def _reported(self, seconds: float) -> tuple[bool, str]:
        """A probe: has the fleet been watched for long enough, and do reports of each team and view show its cost."""
        reports = self.reports()
        missing = [name for name in (*TEAMS, *VIEWS) if name not in reports]
        if missing:
            return False, f"waiting for the report of {missing[0]}"
        summary = reports["namespace"]["status"]["summary"]
        enough = seconds >= _QUICK_SECONDS if self._quick else seconds >= _WATCH_SECONDS and self._settled(reports)
        return enough, f"{summary.get('cost', '?')}, {summary.get('telemetryCoverage', '?')} of the time sampled"

    def _settled(self, reports: dict[str, Any]) -> bool:
        """Whether the short jobs have ended, and the reports were computed well after that."""
        ends = [_ended_ms(job) for job in items(self._stage.api, "/apis/batch/v1/jobs") if _is_short(job)]
        known = [end for end in ends if end is not None]
        return known == ends and all(covered_ms(report)[1] > max(known) + _SETTLE_MS for report in reports.values())

    def _why_no_report(self) -> str:
        return self._stage.pod_log_tail(NAMESPACE, "controller")

    def reports(self) -> dict[str, Any]:
        """The reports that the controller keeps and that have figures: by namespace, and the cluster's by view."""
        cluster = items(self._stage.api, f"{_GROUP}/clusteraicostreports")
        named = {item["spec"]["groupBy"][0]: item for item in cluster}
        own = {item["metadata"]["namespace"]: item for item in items(self._stage.api, f"{_GROUP}/aicostreports")}
        return {name: item for name, item in (named | own).items() if (item.get("status") or {}).get("covered")}

    def controller_ready_ms(self) -> int:
        """When the controller's pod became ready."""
        pods = items(self._stage.api, f"/api/v1/namespaces/{NAMESPACE}/pods")
        ready = [c for pod in pods for c in pod["status"]["conditions"] if c["type"] == "Ready"]
        return max(_milliseconds(condition["lastTransitionTime"]) for condition in ready)

    def metrics(self) -> str:
        """What the controller shows on /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text


def _answers(exporter: dict[str, Any]) -> bool:
    """Whether an exporter shows the GPUs of its own node."""
    address = exporter["status"].get("podIP")
    if exporter["status"].get("phase") != "Running" or not address:
        return False
    with urllib.request.urlopen(f"http://{address}:9400/metrics", timeout=5) as answer:
        return f'"{exporter["spec"]["nodeName"]}"' in answer.read().decode()


def covered_ms(report: dict[str, Any]) -> tuple[int, int]:
    """The span that a report's figures are about."""
    span = report["status"]["covered"]
    return _milliseconds(span["from"]), _milliseconds(span["to"])


def _milliseconds(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


def _is_short(job: dict[str, Any]) -> bool:
    """Whether a job ends during the demo."""
    return "run-seconds" in json.dumps(job["spec"]["template"]["metadata"])


def _ended_ms(job: dict[str, Any]) -> int | None:
    ends = [c for c in job["status"].get("conditions") or () if c["type"] in {"Complete", "Failed"}]
    return max((_milliseconds(c["lastTransitionTime"]) for c in ends if c["status"] == "True"), default=None)
