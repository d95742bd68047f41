"""A bundle of two hours of training on one node of two GPUs at $3.60 a GPU-hour.

`llama` is a PyTorchJob on one GPU, six cents a minute: it holds the GPU from 09:00, does ten steps a minute from 09:10,
crashes at 09:30 at step 200, comes back as another pod at 09:35 with step 150, goes on at 09:40, and stands at 940 one
minute before 11:00, of the 2,000 that it is to do. `tune` is a TrainJob on the other GPU from 10:00 on, and reports.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aicost.domain.exact.windows import MINUTE_MS, from_rfc3339, to_rfc3339

FROM = from_rfc3339("2026-03-02T09:00:00Z")
WINDOW = "2026-03-02T09:00:00Z..2026-03-02T11:00:00Z"
_HEAD = "formatVersion: 1\ncluster: c\nwindow: 2026-03-02T09:00:00Z/2026-03-02T11:00:00Z\nscrapeInterval: 1m\n"
Body = dict[str, Any]


def trained_bundle(folder: Path, *, training: Body | None = None) -> Path:
    """Write it.

    Args:
        folder: where.
        training: `spec.training` of the AIWorkload `llama`.
    """
    (folder / "samples").mkdir(parents=True)
    (folder / "bundle.yaml").write_text(_HEAD)
    given = training or {"steps": {"metric": "train_global_step", "whole": 2000}, "tokens": {"metric": "tokens_total"}}
    events = [_event(minute, change, body) for minute, change, body in _events(given)]
    (folder / "objects.jsonl").write_text("\n".join(json.dumps(one) for one in events))
    (folder / "samples" / "all.om").write_text("\n".join([*_lines(), "# EOF", ""]))
    return folder


def _event(minute: float, change: str, body: Body) -> Body:
    return {"at": _at(minute), "type": change, "object": body}


def _at(minute: float) -> str:
    return to_rfc3339(FROM + round(minute * MINUTE_MS))


def _events(training: Body) -> Iterator[tuple[float, str, Body]]:
    entry = {"name": "l4", "match": {"gpuModel": "l4"}, "perGpuHour": "3.60"}
    yield -60, "ADDED", {"kind": "PriceBook", "metadata": {"name": "own"}, "spec": _book(entry)}
    two = {"nvidia.com/gpu": "2"}
    node = {"metadata": {"name": "n1", "labels": {"nvidia.com/gpu.product": "NVIDIA-L4"}}}
    yield -60, "ADDED", {"kind": "Node", **node, "status": {"capacity": two, "allocatable": two}}
    claim = {"selector": {"matchLabels": {"job": "llama"}}, "workloadType": "training", "training": training}
    yield -60, "ADDED", {"kind": "AIWorkload", "metadata": _named("llama"), "spec": claim}
    yield 0, "ADDED", _owner("PyTorchJob", "llama")
    yield 0, "ADDED", _pod("llama-0", "PyTorchJob/llama", "Running")
    yield 30, "MODIFIED", _pod("llama-0", "PyTorchJob/llama", "Failed", ended=30)
    yield 35, "ADDED", _pod("llama-1", "PyTorchJob/llama", "Running")
    yield 60, "ADDED", _train_job(60, 0)
    yield 60, "ADDED", _pod("tune-0", "TrainJob/tune", "Running")
    yield 90, "MODIFIED", _train_job(90, 25)
    yield 110, "MODIFIED", _train_job(110, 40)


def _book(entry: Body) -> Body:
    return {"currency": "USD", "entries": [entry]}


def _named(name: str, **more: Any) -> Body:
    return {"name": name, "namespace": "vision", **more}


def _owner(kind: str, name: str) -> Body:
    return {"apiVersion": "kubeflow.org/v1", "kind": kind, "metadata": _named(name)}


def _train_job(minute: float, percent: int) -> Body:
    metrics = [{"name": "eval_accuracy", "value": str(0.5 + percent / 100)}, {"name": "currentEpoch", "value": "1"}]
    status = {"progressPercentage": percent, "metrics": metrics, "lastUpdatedTime": _at(minute)}
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": _named("tune"),
        "status": {"trainerStatus": status},
    }


def _pod(name: str, owner: str, phase: str, ended: float | None = None) -> Body:
    kind, _, of = owner.partition("/")
    version = "kubeflow.org/v1" if kind == "PyTorchJob" else "trainer.kubeflow.org/v1alpha1"
    reference = {"apiVersion": version, "kind": kind, "name": of, "controller": True}
    container = {"name": "m", "image": "torch", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    done = {"terminated": {"exitCode": 1, "finishedAt": _at(ended)}} if ended is not None else {"running": {}}
    status = {"phase": phase, "containerStatuses": [{"name": "m", "state": done}]}
    metadata = _named(name, labels={"job": of}, ownerReferences=[reference])
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": "n1", "containers": [container]},
        "status": status,
    }


def _lines() -> Iterator[str]:
    for minute in range(121):
        second = FROM // 1000 + 60 * minute
        for gpu in (1, 2):
            yield f'DCGM_FI_PROF_GR_ENGINE_ACTIVE{{UUID="GPU-{gpu}",Hostname="n1"{_holder(gpu, minute)}}} 0.9 {second}'
        if 5 <= minute <= 30:
            yield from _counts("llama-0", max(0, 10 * (minute - 10)), max(0, minute - 10), second)
        if minute >= 36:
            yield from _counts("llama-1", max(150, 150 + 10 * (minute - 40)), max(0, minute - 40), second)


def _holder(gpu: int, minute: int) -> str:
    pod = "tune-0" if gpu == 2 and minute >= 60 else "llama-0" if gpu == 1 and minute <= 30 else ""
    pod = "llama-1" if gpu == 1 and minute >= 35 else pod
    return f',namespace="vision",pod="{pod}"' if pod else ""


def _counts(pod: str, steps: int, worked: int, second: int) -> Iterator[str]:
    where = f'namespace="vision",pod="{pod}"'
    yield f"train_global_step{{{where}}} {steps} {second}"
    yield f"tokens_total{{{where}}} {worked * 1_000_000} {second}"
