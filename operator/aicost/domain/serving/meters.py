"""What engines count, by the names of their counters: tables, not code. A new engine is a new block.

Several counters may tell the same in different releases. Of those with the same `count`, the ones of the lowest `rank`
that a pod shows are read and the others are not: they are other views of the same tokens.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from aicost.domain.serving.measures.counts import Count, Outcome

__all__ = [
    "BOUNDS",
    "BUCKETS",
    "GAUGES",
    "GENERIC_NAMES",
    "METERS",
    "NAMES",
    "OUTCOMES",
    "PROMPT_BOUNDS",
    "RANK_LABELS",
    "RELAY_LABELS",
    "STORES",
    "WITHIN_MS",
    "Count",
    "EngineMeters",
    "Meter",
    "Outcome",
    "known_engines",
    "outcome_of",
]


@dataclass(frozen=True, slots=True)
class Meter:
    """One counter.

    Attributes:
        name: its name as it is exposed.
        count: what it counts.
        where: labels that its series must have.
        reason: label that says how requests ended.
        outcome: how they ended, where the name says it; with a `reason` where the label is missing or empty.
        rank: which of several for one count is read: the lowest that is there.
        seconds: how many seconds one unit is, of counters of time.
        gauge: it says how many there are now; what counts is the time that they were.
        only: whether a series with these labels is meant, where equal labels do not say it.
    """

    name: str
    count: Count
    where: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    outcome: Outcome | None = None
    rank: int = 0
    seconds: float = 1.0
    gauge: bool = False
    only: Callable[[Mapping[str, str]], bool] | None = None

    def reads(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a series is of this counter."""
        same = name == self.name and all(labels.get(key) == value for key, value in self.where.items())
        return same and (self.only is None or self.only(labels))


@dataclass(frozen=True, slots=True)
class EngineMeters:
    """The counters of one engine.

    Attributes:
        engine: its name, as in `aicost.domain.identity.engines`.
        meters: its counters.
        model_labels: labels that name the model, best first.
        generic: names that stand together in pods of this engine alone; each of its names could be anybody's. Empty
            where the names say whose they are.
        declared: it does much else too: it counts where an AIWorkload says that its pods run it, and nowhere else.
        around: it is a server around engines. Of a model that an engine shows itself its view is passed over.
    """

    engine: str
    meters: tuple[Meter, ...]
    model_labels: tuple[str, ...] = ("model_name",)
    generic: frozenset[str] = frozenset()
    around: bool = False
    declared: bool = False

    @property
    def is_anybodys(self) -> bool:
        """Whether its names alone do not say that a pod runs it."""
        return self.declared or bool(self.generic)


RELAY_LABELS = ("server",)
"""Routers show the counters of the engines behind them once more, with a label that says whose: never counted."""
RANK_LABELS = ("tp_rank", "pp_rank", "moe_ep_rank")
"""Processes that compute one thing together may each count it: of them the first is read."""

OUTCOMES: Mapping[str, Outcome] = {
    "stop": Outcome.SUCCESS,
    "eos_token": Outcome.SUCCESS,
    "stop_sequence": Outcome.SUCCESS,
    "tool_calls": Outcome.SUCCESS,
    "length": Outcome.TRUNCATED,
    "max_tokens": Outcome.TRUNCATED,
    "abort": Outcome.ABORTED,
    "dropped": Outcome.ABORTED,
    "canceled": Outcome.ABORTED,
    "cancelled": Outcome.ABORTED,
    "overloaded": Outcome.REJECTED,
    "rejected": Outcome.REJECTED,
    "validation": Outcome.REJECTED,
    "max_num_queued_reqs": Outcome.REJECTED,
    "max_num_queued_tokens": Outcome.REJECTED,
}
"""Reason, in small letters -> outcome. Whatever else an engine names is a failure."""


_SECONDS: Mapping[Count, int] = {
    Count.WITHIN_1S: 1,
    Count.WITHIN_2S: 2,
    Count.WITHIN_10S: 10,
    Count.WITHIN_20S: 20,
    Count.WITHIN_40S: 40,
    Count.WITHIN_60S: 60,
}
"""Bounds that the histograms of several engines share."""
WITHIN_MS: Mapping[Count, int] = {count: 1_000 * seconds for count, seconds in _SECONDS.items()}
PROMPT_BOUNDS: Mapping[Count, int] = {
    count: int(count.value.removeprefix("prompts-to-")) for count in Count if count.value.startswith("prompts-to-")
}
_ALL = float("inf")
_NUMBERS = sorted({*_SECONDS.values(), *PROMPT_BOUNDS.values()})
BOUNDS: tuple[str, ...] = (*(text for bound in _NUMBERS for text in (str(bound), f"{bound}.0")), "+Inf")
"""Bounds of buckets that are read, as engines and servers write them; of the others nothing is asked."""


def _up_to(bound: float) -> Callable[[Mapping[str, str]], bool]:
    def sees(labels: Mapping[str, str]) -> bool:
        try:
            return float(labels.get("le", "nan")) == bound
        except ValueError:
            return False

    return sees


def _buckets(name: str, bounds: Mapping[Count, int]) -> Iterator[Meter]:
    """The buckets of a histogram: each holds what those before it hold."""
    return (Meter(f"{name}_bucket", count, only=_up_to(bound)) for count, bound in bounds.items())


def _prompts(name: str) -> Iterator[Meter]:
    yield from _buckets(name, PROMPT_BOUNDS)
    yield Meter(f"{name}_bucket", Count.PROMPTS, only=_up_to(_ALL))


def _vllm(prefix: str) -> tuple[Meter, ...]:
    source = f"{prefix}prompt_tokens_by_source_total"
    return (
        Meter(f"{prefix}prompt_tokens_total", Count.INPUT),
        Meter(source, Count.COMPUTED, where={"source": "local_compute"}),
        Meter(source, Count.CACHED, where={"source": "local_cache_hit"}),
        Meter(source, Count.CACHED, where={"source": "external_kv_transfer"}),
        Meter(f"{prefix}prompt_tokens_cached_total", Count.CACHED, rank=1),
        Meter(f"{prefix}prefix_cache_hits_total", Count.CACHED, rank=2),
        Meter(f"{prefix}generation_tokens_total", Count.OUTPUT),
        Meter(f"{prefix}request_generation_tokens_sum", Count.FINISHED),
        Meter(f"{prefix}request_success_total", Count.REQUESTS, reason="finished_reason"),
        Meter(f"{prefix}admission_rejections_total", Count.REQUESTS, outcome=Outcome.REJECTED),
        Meter(f"{prefix}request_prefill_time_seconds_sum", Count.PREFILL_TIME),
        Meter(f"{prefix}request_decode_time_seconds_sum", Count.DECODE_TIME),
        Meter(f"{prefix}num_preemptions_total", Count.PREEMPTED),
        Meter(f"{prefix}iteration_tokens_total_sum", Count.STEP_TOKENS),
        Meter(f"{prefix}iteration_tokens_total_count", Count.STEPS),
        Meter(f"{prefix}num_requests_running", Count.RUNNING, gauge=True),
        *_prompts(f"{prefix}request_prompt_tokens"),
        *_latency(f"{prefix}e2e_request_latency_seconds"),
    )


def _latency(name: str) -> tuple[Meter, ...]:
    whole = Meter(f"{name}_sum", Count.LATENCY), Meter(f"{name}_count", Count.TIMED)
    return *whole, *_buckets(name, _SECONDS)


def _busy(name: str, label: str, prefill: tuple[str, ...], decode: tuple[str, ...]) -> Iterator[Meter]:
    """A counter of the engine's own time, by phase."""
    for count, values in ((Count.PREFILL_BUSY, prefill), (Count.DECODE_BUSY, decode)):
        for value in values:
            yield Meter(name, count, where={label: value})


_SEARCH_ENDPOINT = re.compile(r"/collections/[^/]+/points/(search|query|recommend|discover)(/batch|/groups)?")
_SEARCH_CALL = re.compile(r"/qdrant\.Points/(Search|Query|Recommend|Discover)(Batch|Groups)?")


def _is_search(*, well: bool) -> Callable[[Mapping[str, str]], bool]:
    """Whether a series of Qdrant is of searches that were answered, or of those that were not."""

    def is_search(labels: Mapping[str, str]) -> bool:
        endpoint, status = labels.get("endpoint", ""), labels.get("status", "")
        if not (_SEARCH_ENDPOINT.fullmatch(endpoint) or _SEARCH_CALL.fullmatch(endpoint)):
            return False
        return well == (status in {"", "0", "OK"} or status.startswith("2"))

    return is_search


def _qdrant(name: str) -> Iterator[Meter]:
    yield Meter(name, Count.SEARCHES, only=_is_search(well=True))
    yield Meter(name, Count.REQUESTS, outcome=Outcome.SUCCESS, only=_is_search(well=True))
    yield Meter(name, Count.REQUESTS, outcome=Outcome.FAILED, only=_is_search(well=False))


def _milvus(function: str) -> Iterator[Meter]:
    name = "milvus_proxy_req_count"
    yield Meter(name, Count.SEARCHES, where={"function_name": function, "status": "success"})
    yield Meter(name, Count.REQUESTS, outcome=Outcome.SUCCESS, where={"function_name": function, "status": "success"})
    yield Meter(name, Count.REQUESTS, outcome=Outcome.FAILED, where={"function_name": function, "status": "fail"})


STORES: tuple[EngineMeters, ...] = (
    EngineMeters(
        "qdrant",
        (
            *_qdrant("rest_responses_total"),
            *_qdrant("grpc_responses_total"),
            Meter("collection_vectors", Count.STORED, gauge=True),
            Meter("collections_vector_total", Count.STORED, gauge=True, rank=1),
        ),
        (),
    ),
    EngineMeters(
        "milvus",
        (
            *_milvus("Search"),
            *_milvus("HybridSearch"),
            Meter("milvus_proxy_search_vectors_count", Count.SEARCHES, rank=1),
            Meter("milvus_proxy_insert_vectors_count", Count.INSERTED),
            Meter("milvus_proxy_upsert_vectors_count", Count.INSERTED),
            Meter("milvus_datacoord_stored_rows_num", Count.STORED, gauge=True),
        ),
        (),
    ),
    EngineMeters(
        "weaviate",
        (
            Meter("queries_durations_ms_count", Count.SEARCHES),
            Meter("batch_objects_processed_total", Count.INSERTED),
            Meter("object_count", Count.STORED, gauge=True),
            Meter("vector_index_size", Count.STORED, gauge=True, rank=1),
        ),
        (),
        generic=frozenset({"object_count", "vector_index_size"}),
    ),
    EngineMeters(
        "postgres",
        (
            Meter("pg_stat_statements_calls_total", Count.SEARCHES),
            Meter("pg_stat_statements_calls", Count.SEARCHES, rank=1),
        ),
        (),
        declared=True,
    ),
)
"""Stores of vectors. Of Postgres each statement counts: its counters do not say which ones ask for vectors. So it must
be declared. A store has no model: no gateway counts who asks it."""

METERS: tuple[EngineMeters, ...] = (
    *STORES,
    EngineMeters("vllm", _vllm("vllm:"), ("model_name", "model")),
    EngineMeters("ray-serve", (*_vllm("ray_vllm:"), *_vllm("ray_vllm_")), ("model_name", "model")),
    EngineMeters(
        "sglang",
        (
            Meter("sglang:prompt_tokens_total", Count.INPUT),
            Meter("sglang:cached_tokens_total", Count.CACHED),
            Meter("sglang:generation_tokens_total", Count.OUTPUT),
            Meter("sglang:prompt_tokens_total", Count.POOL_PREFILL, where={"engine_type": "prefill"}),
            Meter("sglang:generation_tokens_total", Count.POOL_DECODE, where={"engine_type": "decode"}),
            Meter("sglang:num_aborted_requests_total", Count.REQUESTS, outcome=Outcome.ABORTED),
            Meter("sglang:e2e_request_latency_seconds_count", Count.REQUESTS, outcome=Outcome.UNKNOWN),
            Meter("sglang:realtime_tokens_total", Count.PREFILLED, where={"mode": "prefill_compute"}),
            Meter("sglang:prefill_effective_tokens_total", Count.EFFECTIVE, where={"mode": "input"}),
            Meter("sglang:num_retracted_requests_total", Count.PREEMPTED),
            Meter("sglang:num_retracted_input_tokens_total", Count.RECOMPUTED),
            Meter("sglang:num_retracted_output_tokens_total", Count.RECOMPUTED),
            Meter("sglang:num_running_reqs", Count.RUNNING, gauge=True),
            *_prompts("sglang:prompt_tokens_histogram"),
            *_busy(
                "sglang:forward_execution_seconds_total", "category", ("extend", "prefill"), ("decode", "target_verify")
            ),
            *_latency("sglang:e2e_request_latency_seconds"),
        ),
    ),
    EngineMeters(
        "tgi",
        (
            Meter("tgi_request_input_length_sum", Count.INPUT),
            Meter("tgi_request_generated_tokens_sum", Count.FINISHED),
            Meter("tgi_request_success", Count.REQUESTS, outcome=Outcome.SUCCESS),
            Meter("tgi_request_failure", Count.REQUESTS, reason="err", outcome=Outcome.FAILED),
            *_busy("tgi_batch_forward_duration_sum", "method", ("prefill",), ("decode",)),
            Meter("tgi_batch_current_size", Count.RUNNING, gauge=True),
            *_latency("tgi_request_duration"),
        ),
    ),
    EngineMeters(
        "triton",
        (
            Meter("nv_inference_request_success", Count.REQUESTS, outcome=Outcome.SUCCESS),
            Meter("nv_inference_request_failure", Count.REQUESTS, reason="reason", outcome=Outcome.FAILED),
            Meter("nv_inference_request_duration_us", Count.LATENCY, seconds=1e-6),
            Meter("nv_inference_request_success", Count.TIMED),
            Meter("nv_inference_compute_infer_duration_us", Count.BUSY, seconds=1e-6),
            Meter("nv_inference_count", Count.BATCHED),
            Meter("nv_inference_exec_count", Count.BATCHES),
        ),
        ("model",),
        around=True,
    ),
    EngineMeters(
        "tensorrt-llm",
        (
            Meter("trtllm_prompt_tokens_total", Count.INPUT),
            Meter("trtllm_generation_tokens_total", Count.OUTPUT),
            Meter("trtllm_request_success_total", Count.REQUESTS, reason="finished_reason"),
            Meter("trtllm_request_prefill_time_seconds_sum", Count.PREFILL_TIME),
            Meter("trtllm_request_decode_time_seconds_sum", Count.DECODE_TIME),
            *_latency("trtllm_e2e_request_latency_seconds"),
        ),
    ),
    EngineMeters(
        "llama-cpp",
        (
            Meter("llamacpp:prompt_tokens_total", Count.COMPUTED),
            Meter("llamacpp:tokens_predicted_total", Count.OUTPUT),
            Meter("llamacpp:prompt_seconds_total", Count.PREFILL_BUSY),
            Meter("llamacpp:tokens_predicted_seconds_total", Count.DECODE_BUSY),
            Meter("llamacpp:requests_processing", Count.RUNNING, gauge=True),
        ),
    ),
    EngineMeters(
        "tei",
        (
            Meter("te_request_input_length_sum", Count.INPUT),
            Meter("te_embed_success", Count.VECTORS),
            Meter("te_embed_success", Count.REQUESTS, outcome=Outcome.SUCCESS),
            Meter("te_request_failure", Count.REQUESTS, reason="err", outcome=Outcome.FAILED),
            Meter("te_batch_next_tokens_sum", Count.STEP_TOKENS),
            Meter("te_batch_next_tokens_count", Count.STEPS),
        ),
    ),
    EngineMeters(
        "nim",
        (
            Meter("prompt_tokens_total", Count.INPUT),
            Meter("generation_tokens_total", Count.OUTPUT),
            Meter("request_generation_tokens_sum", Count.FINISHED),
            Meter("request_finish_total", Count.REQUESTS, reason="finished_reason"),
            Meter("request_failure_total", Count.REQUESTS, outcome=Outcome.FAILED),
            Meter("request_success_total", Count.REQUESTS, outcome=Outcome.SUCCESS, rank=1),
            Meter("num_requests_running", Count.RUNNING, gauge=True),
            *_latency("e2e_request_latency_seconds"),
        ),
        generic=frozenset({"prompt_tokens_total", "generation_tokens_total", "e2e_request_latency_seconds_sum"}),
    ),
    EngineMeters(
        "kserve-huggingface",
        (
            Meter("request_predict_seconds_count", Count.REQUESTS, outcome=Outcome.UNKNOWN),
            *_latency("request_predict_seconds"),
        ),
        generic=frozenset({"request_predict_seconds_count", "request_predict_seconds_sum"}),
        around=True,
    ),
)
"""SGLang's `num_requests_total` counts those that came, not those that ended, so it is not read. Those whose latency it
counts have ended; whether well is not said."""

_EVERY = tuple((one.is_anybodys, meter.name) for one in METERS for meter in one.meters)
BUCKETS: tuple[str, ...] = tuple(sorted({name for _, name in _EVERY if name.endswith("_bucket")}))
"""Names of buckets, of which only `BOUNDS` are read: an engine shows a hundred of them."""
NAMES: tuple[str, ...] = tuple(sorted({name for generic, name in _EVERY if not generic} - {*BUCKETS}))
"""Names that only one engine can have meant."""

GENERIC_NAMES: tuple[str, ...] = tuple(sorted({name for generic, name in _EVERY if generic} - {*BUCKETS}))
"""Names that anybody may use."""

GAUGES: frozenset[str] = frozenset(meter.name for one in METERS for meter in one.meters if meter.gauge)
"""Names of what says how many there are now."""


def outcome_of(reason: str) -> Outcome:
    """How a request ended that an engine gives this reason for."""
    return OUTCOMES.get(reason.strip().lower(), Outcome.FAILED) if reason.strip() else Outcome.UNKNOWN


def known_engines(names: AbstractSet[str]) -> frozenset[str]:
    """Engines of generic names that a pod runs, by all the names that it shows."""
    return frozenset(one.engine for one in METERS if one.generic and one.generic <= names)
