"""What gateways count, and for whom: tables, not code. They know who asked, and not what it cost.

Token types overlap: the input already has the cached tokens in it, a total has both. Only what is named here is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.meters import Count, Meter


@dataclass(frozen=True, slots=True)
class Gateway:
    """The counters of one gateway.

    Attributes:
        name: what it is called.
        meters: its counters of tokens; the input has the cached ones in it.
        model_labels: labels that name the model that answered, best first.
        tenants: dimension -> labels that name a tenant, best first.
        rounds: counters of what is behind one request: attempts, fallbacks, calls of agents, tokens that nobody reads.
        asked_labels: labels that name the model that was asked for, best first; empty takes `model_labels`.
        provider_labels: labels that name who sells the model, best first; empty where it does not say.
    """

    name: str
    meters: tuple[Meter, ...]
    model_labels: tuple[str, ...]
    tenants: Mapping[Dimension, tuple[str, ...]]
    rounds: tuple[Meter, ...] = ()
    asked_labels: tuple[str, ...] = ()
    provider_labels: tuple[str, ...] = ()


RETRY_LABELS = ("x_stainless_retry_count", "stainless_retry_count", "sdk_retry_count", "retry_count")
"""Labels that hold the header with which libraries of model providers say that they ask once more. A gateway makes a
label of it where it is told to."""
PURPOSE_LABELS = ("purpose", "step", "metadata_purpose", "metadata_step", "tag_purpose", "tag_step")
"""Labels that say what a call is for."""
_GUARDRAIL = ("guardrail", "moderation")
_EVALUATION = ("eval", "judge")
_ROUTES = ("completions", "messages", "responses", "embeddings", "rerank", "generatecontent")
TELLING_WORDS = (*(word.lower() for word in _ROUTES), *_GUARDRAIL, *_EVALUATION)
"""Words that tell what a call is, in routes and purposes: nobody is named by them."""
OPERATIONS = ("", "chat", "text_completion", "generate_content", "embeddings")
"""What is a call of a model, among the operations of OpenTelemetry."""

Sees = Callable[[Mapping[str, str]], bool]


def _of_models(labels: Mapping[str, str]) -> bool:
    """A call of a model, and no question about keys or health."""
    route = labels.get("route", "")
    return not route or any(word in route.lower() for word in _ROUTES)


def _sent_again(labels: Mapping[str, str]) -> bool:
    told = next((labels[label] for label in RETRY_LABELS if labels.get(label)), "0")
    return told.isdecimal() and bool(told.strip("0"))


def _inference(labels: Mapping[str, str]) -> bool:
    return labels.get("gen_ai_operation_name", "") in OPERATIONS


def _for(words: tuple[str, ...], more: Sees | None = None) -> Sees:
    """Calls whose labels say such a purpose."""

    def sees(labels: Mapping[str, str]) -> bool:
        told = next((labels[label] for label in PURPOSE_LABELS if labels.get(label)), "").lower()
        return told.startswith(words) and (more is None or more(labels))

    return sees


def _parts(calls: str, into: Meter, out_of: Meter, seen: Sees | None = None, *, rank: int = 0) -> tuple[Meter, ...]:
    """What gateways say of single calls by labels: asked once more, and what they were for."""

    def both(one: Sees) -> Sees:
        return one if seen is None else lambda labels: one(labels) and seen(labels)

    guards, judges = _for(_GUARDRAIL), _for(_EVALUATION)
    kinds = (
        (_sent_again, Count.CALLS_AGAIN, Count.AGAIN_INPUT, Count.AGAIN_OUTPUT),
        (guards, Count.GUARDRAILS, Count.GUARDRAIL_INPUT, Count.GUARDRAIL_OUTPUT),
        (judges, Count.EVALUATIONS, Count.EVALUATION_INPUT, Count.EVALUATION_OUTPUT),
    )
    return tuple(
        meter
        for sees, number, entered, left in kinds
        for meter in (
            Meter(calls, number, only=both(sees), rank=rank),
            Meter(into.name, entered, where=into.where, only=sees, rank=rank),
            Meter(out_of.name, left, where=out_of.where, only=sees, rank=rank),
        )
    )


_COMMON: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.TEAM: ("team", "team_id"),
    Dimension.FEATURE: ("feature",),
    Dimension.CUSTOMER: ("customer", "customer_id"),
    Dimension.PROJECT: ("project", "project_id"),
    Dimension.PRODUCT: ("product",),
}


def _genai(name: str, rank: int) -> tuple[Meter, ...]:
    kinds = (("input", Count.INPUT), ("cached_input", Count.CACHED), ("output", Count.OUTPUT))
    return tuple(Meter(name, count, where={"gen_ai_token_type": kind}, rank=rank) for kind, count in kinds)


def _usage(prefix: str) -> tuple[Meter, ...]:
    return (
        Meter(f"{prefix}_input_tokens_total", Count.INPUT),
        Meter(f"{prefix}_cache_read_input_tokens_total", Count.CACHED),
        Meter(f"{prefix}_output_tokens_total", Count.OUTPUT),
    )


_GENAI_MODELS = ("gen_ai_response_model", "gen_ai_request_model", "gen_ai_original_model")
_GENAI_PROVIDERS = ("gen_ai_provider_name", "gen_ai_system")
_GENAI_ASKED = ("gen_ai_original_model", "gen_ai_request_model", "gen_ai_response_model")


def _genai_rounds(requests: str, tokens: str, rank: int) -> tuple[Meter, ...]:
    into, _, out_of = _genai(tokens, rank)
    return (
        Meter(requests, Count.CALLS, rank=rank),
        Meter(tokens, Count.REASONING, where={"gen_ai_token_type": "reasoning"}, rank=rank),
        *_parts(requests, into, out_of, rank=rank),
    )


_LITELLM = (
    Meter("litellm_input_tokens_metric_total", Count.INPUT),
    Meter("litellm_input_cached_tokens_metric_total", Count.CACHED),
    Meter("litellm_output_tokens_metric_total", Count.OUTPUT),
)
_LITELLM_CALLS = "litellm_proxy_total_requests_metric_total"
_LITELLM_ROUNDS = (
    Meter(_LITELLM_CALLS, Count.CALLS, only=_of_models),
    Meter("litellm_requests_metric_total", Count.CALLS, rank=1),
    Meter("litellm_cache_hits_metric_total", Count.CALLS_CACHED),
    Meter("litellm_deployment_total_requests_total", Count.ATTEMPTS),
    Meter("litellm_deployment_failure_responses_total", Count.FAILED_ATTEMPTS),
    Meter("litellm_deployment_successful_fallbacks_total", Count.FALLBACKS),
    Meter("litellm_deployment_failed_fallbacks_total", Count.FALLBACKS),
    Meter("litellm_output_reasoning_tokens_metric_total", Count.REASONING),
    Meter("litellm_guardrail_requests_total", Count.GUARDRAILS),
    *_parts(_LITELLM_CALLS, _LITELLM[0], _LITELLM[2], _of_models),
)
_OPERATION = "gen_ai_client_operation_duration_seconds_count"
_AGENTS = (
    Meter(_OPERATION, Count.CALLS, only=_inference),
    Meter("gen_ai_client_inference_usage_reasoning_output_tokens_total", Count.REASONING),
    Meter("gen_ai_invoke_agent_duration_seconds_count", Count.AGENT_RUNS),
    Meter(_OPERATION, Count.AGENT_RUNS, where={"gen_ai_operation_name": "invoke_agent"}, rank=1),
    Meter("gen_ai_invoke_agent_inference_calls_sum", Count.CHAINED),
    Meter("gen_ai_execute_tool_duration_seconds_count", Count.TOOL_CALLS),
    Meter("gen_ai_invoke_agent_tool_calls_sum", Count.TOOL_CALLS, rank=1),
    *_parts(
        _OPERATION, _usage("gen_ai_client_inference_usage")[0], _usage("gen_ai_client_inference_usage")[2], _inference
    ),
)

GATEWAYS: tuple[Gateway, ...] = (
    Gateway(
        "litellm",
        _LITELLM,
        ("model", "requested_model"),
        {
            **_COMMON,
            Dimension.TEAM: ("team_alias", "team"),
            Dimension.FEATURE: ("metadata_feature", "tag_feature"),
            Dimension.CUSTOMER: ("end_user",),
        },
        _LITELLM_ROUNDS,
        ("requested_model", "model_group", "model", "litellm_model_name"),
        ("api_provider",),
    ),
    Gateway(
        "envoy-ai-gateway",
        (*_genai("gen_ai_client_token_usage_token_sum", 0), *_genai("gen_ai_client_token_usage_sum", 1)),
        _GENAI_MODELS,
        _COMMON,
        (
            *_genai_rounds("gen_ai_server_request_duration_seconds_count", "gen_ai_client_token_usage_token_sum", 0),
            *_genai_rounds("gen_ai_server_request_duration_count", "gen_ai_client_token_usage_sum", 1),
        ),
        _GENAI_ASKED,
        _GENAI_PROVIDERS,
    ),
    Gateway(
        "otel-genai",
        _usage("gen_ai_client_inference_usage"),
        _GENAI_MODELS,
        _COMMON,
        _AGENTS,
        _GENAI_ASKED,
        _GENAI_PROVIDERS,
    ),
    Gateway(
        "kong",
        (
            Meter("kong_ai_llm_tokens_total", Count.INPUT, where={"token_type": "prompt_tokens"}),
            Meter("kong_ai_llm_tokens_total", Count.OUTPUT, where={"token_type": "completion_tokens"}),
        ),
        ("ai_model",),
        {Dimension.TEAM: ("workspace",), Dimension.CUSTOMER: ("consumer",)},
        (Meter("kong_ai_llm_requests_total", Count.CALLS),),
        provider_labels=("ai_provider",),
    ),
    Gateway(
        "llm-d-epp",
        (
            Meter("llm_d_epp_request_input_tokens_sum", Count.INPUT),
            Meter("llm_d_epp_request_cached_tokens_sum", Count.CACHED),
            Meter("llm_d_epp_request_output_tokens_sum", Count.OUTPUT),
            Meter("inference_objective_input_tokens_sum", Count.INPUT, rank=1),
            Meter("inference_objective_output_tokens_sum", Count.OUTPUT, rank=1),
        ),
        ("target_model_name", "model_name"),
        {Dimension.TEAM: ("fairness_id",), Dimension.CUSTOMER: ("fairness_id",), Dimension.FEATURE: ("fairness_id",)},
        (
            Meter("llm_d_epp_request_total", Count.CALLS),
            Meter("inference_objective_request_total", Count.CALLS, rank=1),
        ),
        ("model_name", "target_model_name"),
    ),
    Gateway(
        "sglang-labels",
        (
            Meter("sglang:prompt_tokens_total", Count.INPUT),
            Meter("sglang:cached_tokens_total", Count.CACHED),
            Meter("sglang:generation_tokens_total", Count.OUTPUT),
        ),
        ("model_name",),
        _COMMON,
    ),
)
"""In the order of authority: of several that count the same model the first is read, so that no request counts twice.
SGLang tells the tenants of its own requests where it was asked to."""

GATEWAY_NAMES: tuple[str, ...] = tuple(sorted({meter.name for one in GATEWAYS for meter in (*one.meters, *one.rounds)}))
NOBODY = frozenset({"", "none", "null", "unknown", "default"})
"""What gateways write where nobody said who asks."""
