"""A bundle of a feature along its pipeline and of an endpoint that several customers share, for an hour.

Feature `chat` has three GPUs at $3.60 an hour: one for an engine of embeddings, one for a store of vectors, one for an
engine of answers. A fourth GPU serves a model without a feature: a gateway says who asks it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

WINDOW = "2026-03-02T09:00:00Z..2026-03-02T10:00:00Z"
_FROM = 1_772_442_000
_HEAD = "formatVersion: 1\ncluster: c\nwindow: 2026-03-02T09:00:00Z/2026-03-02T10:00:00Z\nscrapeInterval: 1m\n"
_GPU = {"nvidia.com/gpu": "1"}
_PODS = {
    "tei-0": {"aicost.dev/feature": "chat", "aicost.dev/step": "embed"},
    "qdrant-0": {"aicost.dev/feature": "chat", "aicost.dev/step": "retrieve"},
    "llm-0": {"aicost.dev/feature": "chat", "aicost.dev/step": "infer", "aicost.dev/customer": "acme"},
    "shared-0": {},
}
_SEARCH = 'method="POST",endpoint="/collections/{name}/points/search",status="200"'


def featured_bundle(folder: Path) -> Path:
    """Write it.

    A second brings 10 embeddings, 6 searches and 2 answers of the feature. The shared engine makes 1,000 tokens a
    second: 500 of them are of customer acme for the feature chat, and 300 of globex for none.
    """
    (folder / "samples").mkdir(parents=True)
    (folder / "bundle.yaml").write_text(_HEAD)
    events = [{"at": "2026-03-02T08:00:00Z", "type": "ADDED", "object": one} for one in _objects()]
    (folder / "objects.jsonl").write_text("\n".join(json.dumps(one) for one in events))
    (folder / "samples" / "all.om").write_text("\n".join([*_lines(), "# EOF", ""]))
    return folder


def _objects() -> Iterator[dict[str, object]]:
    entry = {"name": "l4", "match": {"gpuModel": "l4"}, "perGpuHour": "3.60"}
    yield {"kind": "PriceBook", "metadata": {"name": "own"}, "spec": {"currency": "USD", "entries": [entry]}}
    for place, (pod, labels) in enumerate(_PODS.items()):
        told = {"name": f"n{place}", "labels": {"nvidia.com/gpu.product": "NVIDIA-L4"}}
        yield {"kind": "Node", "metadata": told, "status": {"capacity": _GPU, "allocatable": _GPU}}
        spec = {"nodeName": f"n{place}", "containers": [{"name": "m", "image": "x", "resources": {"limits": _GPU}}]}
        metadata = {"name": pod, "namespace": "search", "labels": labels}
        yield {"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running"}}


def _lines() -> Iterator[str]:
    for at in range(_FROM - 120, _FROM + 3_720, 60):
        grown = at - _FROM + 1_000
        for place, pod in enumerate(_PODS):
            whose = f'UUID="GPU-{place}",Hostname="n{place}",namespace="search",pod="{pod}"'
            yield f"DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{whose}}} 0.5 {at}"
        for name, labels, value in _counters(grown):
            yield f"{name}{{{labels}}} {value} {at}"


def _counters(grown: int) -> Iterator[tuple[str, str, int]]:
    yield "te_embed_success", _of("tei-0"), 10 * grown
    yield "rest_responses_total", f"{_of('qdrant-0')},{_SEARCH}", 6 * grown
    yield "collection_vectors", f'{_of("qdrant-0")},collection="docs"', 4_000_000
    for pod, model, a_second in (("llm-0", "qwen3", 2), ("shared-0", "llama", 1)):
        engine = f'{_of(pod)},model_name="{model}"'
        yield "vllm:generation_tokens_total", engine, 1_000 * grown
        yield "vllm:request_success_total", f'{engine},finished_reason="stop"', a_second * grown
    for customer, feature, tokens in (("acme", "chat", 500), ("globex", "None", 300)):
        who = f'model="llama",end_user="{customer}",metadata_feature="{feature}"'
        yield "litellm_output_tokens_metric_total", f'namespace="gw",pod="litellm-0",{who}', tokens * grown


def _of(pod: str) -> str:
    return f'namespace="search",pod="{pod}"'
