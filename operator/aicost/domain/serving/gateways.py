"""What gateways count, and for whom: tables, not code. They know who asked, and not what it cost.

Token types overlap: the input already has the cached tokens in it, a total has both. Only what is named here is read.
"""

from collections.abc import Mapping
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
    """

    name: str
    meters: tuple[Meter, ...]
    model_labels: tuple[str, ...]
    tenants: Mapping[Dimension, tuple[str, ...]]


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

GATEWAYS: tuple[Gateway, ...] = (
    Gateway(
        "litellm",
        (
            Meter("litellm_input_tokens_metric_total", Count.INPUT),
            Meter("litellm_input_cached_tokens_metric_total", Count.CACHED),
            Meter("litellm_output_tokens_metric_total", Count.OUTPUT),
        ),
        ("model", "requested_model"),
        {
            **_COMMON,
            Dimension.TEAM: ("team_alias", "team"),
            Dimension.FEATURE: ("metadata_feature", "tag_feature"),
            Dimension.CUSTOMER: ("end_user",),
        },
    ),
    Gateway(
        "envoy-ai-gateway",
        (*_genai("gen_ai_client_token_usage_token_sum", 0), *_genai("gen_ai_client_token_usage_sum", 1)),
        _GENAI_MODELS,
        _COMMON,
    ),
    Gateway("otel-genai", _usage("gen_ai_client_inference_usage"), _GENAI_MODELS, _COMMON),
    Gateway(
        "kong",
        (
            Meter("kong_ai_llm_tokens_total", Count.INPUT, where={"token_type": "prompt_tokens"}),
            Meter("kong_ai_llm_tokens_total", Count.OUTPUT, where={"token_type": "completion_tokens"}),
        ),
        ("ai_model",),
        {Dimension.TEAM: ("workspace",), Dimension.CUSTOMER: ("consumer",)},
    ),
    Gateway(
        "llm-d-epp",
        (
            Meter("llm_d_epp_request_input_tokens_sum", Count.INPUT),
            Meter("llm_d_epp_request_cached_tokens_sum", Count.CACHED),
            Meter("llm_d_epp_request_output_tokens_sum", Count.OUTPUT),
        ),
        ("target_model_name", "model_name"),
        {Dimension.TEAM: ("fairness_id",), Dimension.CUSTOMER: ("fairness_id",), Dimension.FEATURE: ("fairness_id",)},
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

GATEWAY_NAMES: tuple[str, ...] = tuple(sorted({meter.name for one in GATEWAYS for meter in one.meters}))
NOBODY = frozenset({"", "none", "null", "unknown", "default"})
"""What gateways write where nobody said who asks."""
