"""What engines and gateways show of the requests that they counted: names and labels as in their releases."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from fleet.serving.script import Request

Row = tuple[str, Mapping[str, str], float]
"""Name, labels beside those of the target, and value."""
Face = Callable[[str, Sequence[Request]], Iterator[Row]]


def _vllm(model: str, done: Sequence[Request]) -> Iterator[Row]:
    labels = {"model_name": model, "engine": "0"}
    prompt, cached = sum(one.prompt for one in done), sum(one.cached for one in done)
    yield "vllm:prompt_tokens_total", labels, prompt
    yield "vllm:prompt_tokens_created", labels, 1_774_011_461.25
    yield "vllm:prompt_tokens_by_source_total", labels | {"source": "local_compute"}, prompt - cached
    yield "vllm:prompt_tokens_by_source_total", labels | {"source": "local_cache_hit"}, cached
    yield "vllm:prompt_tokens_cached_total", labels, cached
    yield "vllm:prefix_cache_queries_total", labels, prompt
    yield "vllm:prefix_cache_hits_total", labels, cached
    yield "vllm:generation_tokens_total", labels, sum(one.output for one in done)
    yield "vllm:request_generation_tokens_sum", labels, sum(one.output for one in done if one.ended != "abort")
    for reason in ("stop", "length", "abort", "error"):
        number = sum(one.ended == reason for one in done)
        yield "vllm:request_success_total", labels | {"finished_reason": reason}, number
    yield "vllm:request_prefill_time_seconds_sum", labels, sum(one.prefill_ms for one in done) / 1_000
    yield "vllm:request_decode_time_seconds_sum", labels, sum(one.decode_ms for one in done) / 1_000


def _sglang(model: str, done: Sequence[Request]) -> Iterator[Row]:
    labels = {"model_name": model, "engine_type": "unified"}
    yield "sglang:prompt_tokens_total", labels, sum(one.prompt for one in done)
    yield "sglang:cached_tokens_total", labels | {"cache_source": "device"}, sum(one.cached for one in done)
    yield "sglang:generation_tokens_total", labels, sum(one.output for one in done)
    yield "sglang:num_requests_total", labels, len(done)
    yield "sglang:num_aborted_requests_total", labels, sum(one.ended == "abort" for one in done)
    yield "sglang:e2e_request_latency_seconds_count", labels, sum(one.ended != "abort" for one in done)


def _tgi(_model: str, done: Sequence[Request]) -> Iterator[Row]:
    yield "tgi_request_input_length_sum", {}, sum(one.prompt for one in done)
    yield "tgi_request_generated_tokens_sum", {}, sum(one.output for one in done)
    yield "tgi_request_count", {}, len(done)
    yield "tgi_request_success", {}, sum(one.ended != "error" for one in done)
    yield "tgi_request_failure", {"err": "generation"}, sum(one.ended == "error" for one in done)


def _llama_cpp(_model: str, done: Sequence[Request]) -> Iterator[Row]:
    yield "llamacpp:prompt_tokens_total", {}, sum(one.prompt - one.cached for one in done)
    yield "llamacpp:prompt_seconds_total", {}, sum(one.prefill_ms for one in done) / 1_000
    yield "llamacpp:tokens_predicted_total", {}, sum(one.output for one in done)
    yield "llamacpp:tokens_predicted_seconds_total", {}, sum(one.decode_ms for one in done) / 1_000


def _nim(model: str, done: Sequence[Request]) -> Iterator[Row]:
    labels = {"model_name": model}
    yield "prompt_tokens_total", labels, sum(one.prompt for one in done)
    yield "generation_tokens_total", labels, sum(one.output for one in done)
    yield "e2e_request_latency_seconds_sum", labels, sum(one.prefill_ms + one.decode_ms for one in done) / 1_000
    yield "request_success_total", labels, len(done)
    for reason in ("stop", "length", "abort", "error"):
        yield "request_finish_total", labels | {"finished_reason": reason}, sum(one.ended == reason for one in done)


ENGINES: Mapping[str, Face] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "tgi": _tgi,
    "llama-cpp": _llama_cpp,
    "nim": _nim,
}


def _litellm(labels: Mapping[str, str], done: Sequence[Request]) -> Iterator[Row]:
    named = {"model": labels["model"].lower(), "requested_model": labels["model"], "team_alias": labels["tenant"]}
    named |= {"team": f"id-of-{labels['tenant']}", "end_user": "None"}
    prompt, output = sum(one.prompt for one in done), sum(one.output for one in done)
    yield "litellm_input_tokens_metric_total", named, prompt
    yield "litellm_input_cached_tokens_metric_total", named, sum(one.cached for one in done)
    yield "litellm_output_tokens_metric_total", named, output
    yield "litellm_total_tokens_metric_total", named, prompt + output
    yield "litellm_input_tokens_metric_created", named, 1_774_011_461.25
    yield "litellm_proxy_total_requests_metric_total", named | {"route": "/v1/chat/completions"}, len(done)
    yield "litellm_deployment_total_requests_total", named, sum(one.attempts for one in done)


def _envoy(labels: Mapping[str, str], done: Sequence[Request]) -> Iterator[Row]:
    named = {"gen_ai_request_model": labels["model"], "gen_ai_response_model": labels["model"]}
    named |= {"gen_ai_operation_name": "chat", "team": labels["tenant"]}
    for kind, number in (
        ("input", sum(one.prompt for one in done)),
        ("cached_input", sum(one.cached for one in done)),
        ("output", sum(one.output for one in done)),
        ("total", sum(one.prompt + one.output for one in done)),
    ):
        yield "gen_ai_client_token_usage_token_sum", named | {"gen_ai_token_type": kind}, number
    yield "gen_ai_server_request_duration_seconds_count", named, len(done)


def _epp(labels: Mapping[str, str], done: Sequence[Request]) -> Iterator[Row]:
    named = {"model_name": labels["model"], "target_model_name": labels["model"], "fairness_id": labels["tenant"]}
    for prefix in ("llm_d_epp_request", "inference_objective"):
        yield f"{prefix}_input_tokens_sum", named, sum(one.prompt for one in done)
        yield f"{prefix}_output_tokens_sum", named, sum(one.output for one in done)
    yield "llm_d_epp_request_cached_tokens_sum", named, sum(one.cached for one in done)
    yield "llm_d_epp_request_total", named, len(done)
    yield "inference_objective_request_total", named, len(done)


def _kong(labels: Mapping[str, str], done: Sequence[Request]) -> Iterator[Row]:
    named = {"ai_provider": "llm", "ai_model": labels["model"], "workspace": labels["tenant"]}
    prompt, output = sum(one.prompt for one in done), sum(one.output for one in done)
    for kind, number in (("prompt_tokens", prompt), ("completion_tokens", output), ("total_tokens", prompt + output)):
        yield "kong_ai_llm_tokens_total", named | {"token_type": kind}, number
    yield "kong_ai_llm_requests_total", named, len(done)


GATEWAYS: Mapping[str, Callable[[Mapping[str, str], Sequence[Request]], Iterator[Row]]] = {
    "litellm": _litellm,
    "envoy-ai-gateway": _envoy,
    "llm-d-epp": _epp,
    "kong": _kong,
}
