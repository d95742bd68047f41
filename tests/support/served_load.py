"""A bundle of two hours of a busy engine behind a gateway, and of a server of two models: $3.60 an hour for each GPU.

Prompts and answers change from minute to minute. The GPU is busy for 0.1 ms a token of a prompt and 0.4 ms a token of
an answer. The second hour has longer prompts.
"""

import json
from collections.abc import Iterator
from pathlib import Path

FIRST, SECOND = "2026-03-02T09:00:00Z..2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z..2026-03-02T11:00:00Z"
BOTH = "2026-03-02T09:00:00Z..2026-03-02T11:00:00Z"
_FROM = 1_772_442_000
_STEP = 30
_HEAD = "formatVersion: 1\ncluster: c\nwindow: 2026-03-02T09:00:00Z/2026-03-02T11:00:00Z\nscrapeInterval: 30s\n"
_GPU = {"nvidia.com/gpu": "1"}
_CHAT = 'namespace="search",pod="chat-0"'
_MODELS = 'namespace="search",pod="models-0"'
_GATEWAY = 'namespace="gateways",pod="litellm-0",requested_model="qwen3",team_alias="growth"'


def load_bundle(folder: Path) -> Path:
    """Write it."""
    (folder / "samples").mkdir(parents=True)
    (folder / "bundle.yaml").write_text(_HEAD)
    events = [{"at": "2026-03-02T08:00:00Z", "type": "ADDED", "object": one} for one in _objects()]
    (folder / "objects.jsonl").write_text("\n".join(json.dumps(one) for one in events))
    (folder / "samples" / "all.om").write_text("\n".join([*_lines(), "# EOF", ""]))
    return folder


def _objects() -> Iterator[dict[str, object]]:
    entry = {"name": "l4", "match": {"gpuModel": "l4"}, "perGpuHour": "3.60"}
    yield {"kind": "PriceBook", "metadata": {"name": "own"}, "spec": {"currency": "USD", "entries": [entry]}}
    for node, pod in (("n1", "chat-0"), ("n2", "models-0")):
        labels = {"nvidia.com/gpu.product": "NVIDIA-L4"}
        metadata = {"name": node, "labels": labels}
        yield {"kind": "Node", "metadata": metadata, "status": {"capacity": _GPU, "allocatable": _GPU}}
        spec = {"nodeName": node, "containers": [{"name": "m", "image": "own", "resources": {"limits": _GPU}}]}
        yield {"kind": "Pod", "metadata": {"name": pod, "namespace": "search"}, "spec": spec,
               "status": {"phase": "Running"}}  # fmt: skip


def _prompts(at: int) -> int:
    """Tokens of prompts a second."""
    return 500 * (1 + at // 60 % 3) + (600 if at >= _FROM + 3_600 else 0)


def _answers(at: int) -> int:
    return 300 * (1 + at // 180 % 4)


def _lines() -> Iterator[str]:
    prompts, answers = 10_000, 10_000
    for at in range(_FROM - 600, _FROM + 7_500, _STEP):
        busy = (_prompts(at - _STEP) + 4 * _answers(at - _STEP)) / 10_000
        prompts, answers = prompts + _STEP * _prompts(at - _STEP), answers + _STEP * _answers(at - _STEP)
        n = (at - _FROM + 1_000) * 2
        yield f'DCGM_FI_PROF_GR_ENGINE_ACTIVE{{UUID="GPU-1",Hostname="n1",{_CHAT}}} {busy:.4f} {at}'
        yield f'DCGM_FI_PROF_GR_ENGINE_ACTIVE{{UUID="GPU-2",Hostname="n2",{_MODELS}}} 0.5 {at}'
        yield from (f"{text} {at}" for text in (*_engine(prompts, answers, n), *_triton(n), *_litellm(n)))


def _engine(prompts: int, answers: int, n: int) -> Iterator[str]:
    """vLLM: n requests, a tenth of them long, two seconds each, and a twentieth of the answers for nobody."""
    engine = f'{_CHAT},model_name="qwen3"'
    yield f"vllm:prompt_tokens_total{{{engine}}} {prompts}"
    yield f"vllm:prompt_tokens_cached_total{{{engine}}} {prompts // 4}"
    yield f"vllm:generation_tokens_total{{{engine}}} {answers}"
    yield f"vllm:request_generation_tokens_sum{{{engine}}} {answers * 19 // 20}"
    yield f'vllm:request_success_total{{{engine},finished_reason="stop"}} {n}'
    yield f"vllm:e2e_request_latency_seconds_sum{{{engine}}} {2 * n}"
    yield f"vllm:e2e_request_latency_seconds_count{{{engine}}} {n}"
    for bound, part in (("1.0", 0.4), ("2.0", 0.8), ("10.0", 1), ("+Inf", 1)):
        yield f'vllm:e2e_request_latency_seconds_bucket{{{engine},le="{bound}"}} {part * n}'
    for bound, part in (
        ("500.0", 0.5),
        ("1000.0", 0.8),
        ("2000.0", 0.9),
        ("10000.0", 0.9),
        ("20000.0", 1),
        ("+Inf", 1),
    ):
        yield f'vllm:request_prompt_tokens_bucket{{{engine},le="{bound}"}} {part * n}'
    yield f"vllm:iteration_tokens_total_sum{{{engine}}} {prompts + answers}"
    yield f"vllm:iteration_tokens_total_count{{{engine}}} {n * 10}"
    yield f"vllm:num_requests_running{{{engine}}} 4"
    yield f"vllm:num_preemptions_total{{{engine}}} {n // 100}"
    yield f'vllm:admission_rejections_total{{{engine},reason="max_num_queued_reqs"}} {n // 50}'


def _triton(n: int) -> Iterator[str]:
    """A server of two models, one of which takes three times as long."""
    for model, seconds in (("ranker", 3), ("tagger", 1)):
        mine = f'{_MODELS},model="{model}",version="1"'
        yield f"nv_inference_request_success{{{mine}}} {n}"
        yield f"nv_inference_compute_infer_duration_us{{{mine}}} {n * seconds * 50_000}"
        yield f"nv_inference_count{{{mine}}} {n}"
        yield f"nv_inference_exec_count{{{mine}}} {n // 4}"


def _litellm(n: int) -> Iterator[str]:
    """A gateway: one attempt in ten is a repetition, one in twenty a fallback, a fifth of the answers is reasoning."""
    yield f'litellm_proxy_total_requests_metric_total{{{_GATEWAY},route="/chat/completions",status_code="200"}} {n}'
    yield f'litellm_proxy_total_requests_metric_total{{{_GATEWAY},route="/key/info",status_code="200"}} {9 * n}'
    yield f"litellm_deployment_total_requests_total{{{_GATEWAY}}} {n * 23 // 20}"
    yield f'litellm_deployment_successful_fallbacks_total{{{_GATEWAY},fallback_model="other"}} {n // 20}'
    yield f"litellm_output_reasoning_tokens_metric_total{{{_GATEWAY}}} {n * 75}"
    agents = 'namespace="agents",pod="planner-0",gen_ai_agent_name="planner"'
    yield f"gen_ai_invoke_agent_duration_seconds_count{{{agents}}} {n // 10}"
    yield f"gen_ai_invoke_agent_inference_calls_sum{{{agents}}} {n // 10 * 4}"
    yield f"gen_ai_execute_tool_duration_seconds_count{{{agents}}} {n // 10 * 2}"
