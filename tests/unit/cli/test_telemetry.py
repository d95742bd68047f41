"""`aicost telemetry`: a bundle judged minute by minute, and what the API server is asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from aicost.domain.exact.windows import MINUTE_MS
from support.builders import T0, make_node, make_pod
from support.bundles import event, head, write
from support.expositions import OLD, Row, device_rows, pod_row, steady, text_of

DEVICE = "GPU-8b22"
END = T0 + 40 * MINUTE_MS
STEP = 15_000


def _exporter(*, host_pid: bool) -> dict[str, Any]:
    pod = make_pod("gpu", "exporter-1").runs("nvcr.io/nvidia/k8s/dcgm-exporter:4").on("n1").running().manifest()
    return {**pod, "spec": {**pod["spec"], "hostPID": host_pid}}


def _bundle(folder: Path, rows: list[Row], *, host_pid: bool = False) -> Path:
    node = make_node("n1").gpus(1).created(T0 - 60 * MINUTE_MS).label("nvidia.com/gpu.replicas", "2")
    node = node.label("nvidia.com/gpu.sharing-strategy", "time-slicing")
    lines = ["# TYPE DCGM_FI_DEV_GPU_UTIL gauge"]
    for number in range((END - T0) // STEP):
        stamp = (T0 + number * STEP) / 1000
        printed = text_of(OLD, rows, number).splitlines()
        lines += [f"{line} {stamp}" for line in printed if not line.startswith("#")]
    events = [event(T0, node.manifest()), event(T0, _exporter(host_pid=host_pid))]
    return write(folder / "bundle", head(T0, END, STEP), events, "\n".join([*lines, "# EOF", ""]))


def _zeros() -> list[Row]:
    return [pod_row(OLD, DEVICE, f"p{slot}", steady(0), slot=slot) for slot in range(2)]


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty minutes of a time-sliced GPU whose exporter cannot tell pods apart."""
    return _bundle(tmp_path_factory.mktemp("blind"), [*device_rows(OLD, DEVICE, steady(0.9)), *_zeros()])


def test_a_bundle_tells_what_is_wrong_and_what_to_do(run, blind):
    found = run("telemetry", "--bundle", str(blind))
    assert found.code == 0
    row = next(line for line in found.out.splitlines() if line.startswith("n1"))
    assert row.split()[:4] == ["n1", "False", "NoHostPID", "1/1"]
    assert "a/p0, a/p1; GPU-8b22: values per pod contradict the device" in row
    assert "Set hostPID: true on the DaemonSet" in found.out
    assert "docs/runbooks/telemetry-not-trusted.md#attributionblind" in found.out
    assert "0 of 1 nodes" in found.out


def test_json_has_conditions_reasons_and_episodes(run, blind):
    document = json.loads(run("telemetry", "--bundle", str(blind), "-o", "json").out)
    (node,) = document["nodes"]
    (condition,) = node["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("TelemetryTrusted", "False", "NoHostPID")
    assert [one["reason"] for one in node["reasons"]] == ["NoHostPID", "AttributionBlind"]
    began = {one["reason"]: one["from"] for one in document["episodes"]}
    assert began["AttributionBlind"] == "2026-11-25T10:11:00Z", "ten minutes of contradiction, and the next look"


def test_strict_is_for_pipelines(run, blind, tmp_path):
    assert run("telemetry", "--bundle", str(blind), "--strict").code == 1
    pods = [pod_row(OLD, DEVICE, f"p{slot}", steady(45), slot=slot) for slot in range(2)]
    good = _bundle(tmp_path, [*device_rows(OLD, DEVICE, steady(0.9)), *pods], host_pid=True)
    found = run("telemetry", "--bundle", str(good), "--strict")
    assert (found.code, "1 of 1 nodes" in found.out) == (0, True)


def test_a_reason_that_is_over_is_told_as_past(run, tmp_path):
    def load(number: int) -> float:
        return 0.9 if number < 60 else 0.0

    def mapped(number: int) -> float:
        return 0 if number < 60 else 1

    pods = [pod_row(OLD, DEVICE, f"p{slot}", mapped, slot=slot) for slot in range(2)]
    found = run(
        "telemetry", "--bundle", str(_bundle(tmp_path, [*device_rows(OLD, DEVICE, load), *pods], host_pid=True))
    )
    assert "1 of 1 nodes" in found.out
    before = found.out.partition("Before")[2]
    assert "AttributionBlind" in before


def test_one_node_and_one_that_is_not_there(run, blind):
    assert run("telemetry", "--bundle", str(blind), "--node", "n1").code == 0
    wrong = run("telemetry", "--bundle", str(blind), "--node", "n2")
    assert (wrong.code, "there are: n1" in wrong.err) == (2, True)


def test_a_bundle_asks_no_cluster(run, blind):
    wrong = run("telemetry", "--bundle", str(blind), "--context", "x")
    assert (wrong.code, "leave out --kubeconfig and --context" in wrong.err) == (2, True)
