"""AMD GPUs and TPUs from a bundle to a bill: counted, priced, and as busy as their exporters say."""

import json
from pathlib import Path

import pytest
import yaml

from aicost.entrypoints.cli.main import main

FROM, TO = 1_772_442_000, 1_772_445_600
"""2026-03-02, 09:00 to 10:00 UTC."""
WINDOW = "2026-03-02T09:00:00Z..2026-03-02T10:00:00Z"
AMD_LABELS = {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"}
TPU_LABELS = {"cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice"}


def node(name, resource, labels):
    amounts = {resource: "2"}
    status = {"capacity": amounts, "allocatable": amounts}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "status": status}


def pod(name, host, resource):
    container = {"name": "main", "image": "train", "resources": {"limits": {resource: "1"}}}
    spec = {"nodeName": host, "containers": [container]}
    metadata = {"name": name, "namespace": "vision"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running"}}


def book(model):
    entry = {"name": model, "match": {"gpuModel": model}, "perGpuHour": "2.00"}
    spec = {"currency": "USD", "entries": [entry]}
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": model}, "spec": spec}


def amd_line(device, value, at, holder=""):
    return f'gpu_gfx_activity{{gpu_uuid="{device}",gpu_id="0",gpu_partition_id="0",hostname="m1"{holder}}} {value} {at}'


def tpu_line(device, value, at, holder=""):
    name = "duty_cycle" if holder else "duty_cycle_node"
    return f'{name}{{accelerator_id="{device}",make="cloud-tpu",node="m1",model="tpu-v6e-slice"{holder}}} {value} {at}'


CASES = [
    pytest.param("amd.com/gpu", AMD_LABELS, "mi300x", amd_line, id="amd"),
    pytest.param("google.com/tpu", TPU_LABELS, "tpu-v6e", tpu_line, id="tpu"),
]


def write_bundle(folder: Path, objects, lines):
    (folder / "samples").mkdir(parents=True)
    head = {
        "formatVersion": 1,
        "cluster": "others",
        "window": {"from": "2026-03-02T09:00:00Z", "to": "2026-03-02T10:00:00Z"},
        "scrapeInterval": "1m",
    }
    (folder / "bundle.yaml").write_text(yaml.safe_dump(head))
    events = ({"at": "2026-03-02T08:00:00Z", "type": "ADDED", "object": one} for one in objects)
    (folder / "objects.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    (folder / "samples" / "all.om").write_text("\n".join([*lines, "# EOF", ""]))


@pytest.mark.parametrize(("resource", "labels", "model", "line"), CASES)
def test_the_busy_half_is_used_and_the_other_idle(tmp_path, capsys, resource, labels, model, line):
    holder = ',namespace="vision",pod="train-0"'
    times = range(FROM - 120, TO + 120, 60)
    lines = [text for at in times for text in (line("d-1", 50, at, holder), line("d-2", 0, at))]
    write_bundle(tmp_path / "b", [book(model), node("m1", resource, labels), pod("train-0", "m1", resource)], lines)
    ledger = str(tmp_path / "l")
    assert main(["replay", str(tmp_path / "b"), "--ledger", ledger]) == 0
    capsys.readouterr()
    assert main(["report", "--ledger", ledger, "--window", WINDOW, "--by", "pod", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (report,) = told["reports"]
    assert {name: bucket["cost_nanos"] for name, bucket in report["total"]["buckets"].items()} == {
        "used": 1_000_000_000,
        "allocated-idle": 1_000_000_000,
        "unallocated": 2_000_000_000,
    }
    assert report["total"]["telemetry_coverage"] == "100.0%"
