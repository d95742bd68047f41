"""A bundle of one engine on one GPU for an hour: $3.60, a quarter of it busy."""

import json
from collections.abc import Iterator
from pathlib import Path

WINDOW = "2026-03-02T09:00:00Z..2026-03-02T10:00:00Z"
_FROM = 1_772_442_000
_HEAD = "formatVersion: 1\ncluster: c\nwindow: 2026-03-02T09:00:00Z/2026-03-02T10:00:00Z\nscrapeInterval: 1m\n"
_GPU = {"nvidia.com/gpu": "1"}


def served_bundle(folder: Path, *, model: str, currency: str = "USD") -> Path:
    """Write it: 100 tokens of prompts and 1,000 of answers each second, a success and a failure."""
    (folder / "samples").mkdir(parents=True)
    (folder / "bundle.yaml").write_text(_HEAD)
    events = [{"at": "2026-03-02T08:00:00Z", "type": "ADDED", "object": one} for one in _objects(currency)]
    (folder / "objects.jsonl").write_text("\n".join(json.dumps(one) for one in events))
    (folder / "samples" / "all.om").write_text("\n".join([*_lines(model), "# EOF", ""]))
    return folder


def _objects(currency: str) -> Iterator[dict[str, object]]:
    entry = {"name": "l4", "match": {"gpuModel": "l4"}, "perGpuHour": "3.60"}
    yield {"kind": "PriceBook", "metadata": {"name": "own"}, "spec": {"currency": currency, "entries": [entry]}}
    labels = {"nvidia.com/gpu.product": "NVIDIA-L4"}
    node = {"metadata": {"name": "n1", "labels": labels}, "status": {"capacity": _GPU, "allocatable": _GPU}}
    yield {"kind": "Node", **node}
    container = {"name": "m", "image": "vllm", "resources": {"limits": _GPU}}
    spec = {"nodeName": "n1", "containers": [container]}
    metadata = {"name": "chat-0", "namespace": "search"}
    yield {"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running"}}


def _lines(model: str) -> Iterator[str]:
    pod = 'namespace="search",pod="chat-0"'
    engine = f'{pod},model_name="{model}"'
    for at in range(_FROM - 120, _FROM + 3_720, 60):
        grown = at - _FROM + 1_000
        yield f'DCGM_FI_PROF_GR_ENGINE_ACTIVE{{UUID="GPU-1",Hostname="n1",{pod}}} 0.25 {at}'
        yield f"vllm:prompt_tokens_total{{{engine}}} {100 * grown} {at}"
        yield f"vllm:generation_tokens_total{{{engine}}} {1_000 * grown} {at}"
        yield f'vllm:request_success_total{{{engine},finished_reason="stop"}} {grown} {at}'
        yield f'vllm:request_success_total{{{engine},finished_reason="error"}} {grown} {at}'
