"""What engines count, by the names of their counters: tables, not code. A new engine is a new block.

Several counters may tell the same in different releases. Of those with the same `count`, the ones of the lowest `rank`
that a pod shows are read and the others are not: they are other views of the same tokens.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum


class Count(StrEnum):
    """What is counted."""

    INPUT = "input-tokens"
    """Tokens of prompts, those that a cache held among them."""
    CACHED = "cached-tokens"
    """Those that a cache held."""
    COMPUTED = "computed-tokens"
    """Those that were computed."""
    OUTPUT = "output-tokens"
    """Tokens that were generated, also for those who had gone meanwhile."""
    FINISHED = "finished-output-tokens"
    """Generated tokens of requests that came to their end."""
    REQUESTS = "requests"
    """Requests that ended, by how they ended."""
    VECTORS = "vectors"
    """Embeddings that were made."""
    PREFILL_BUSY = "prefill-busy-milliseconds"
    """Time in which the engine ran prompts: of the engine, however many requests shared it."""
    DECODE_BUSY = "decode-busy-milliseconds"
    PREFILL_TIME = "prefill-request-milliseconds"
    """Time that requests spent in the phase. Requests that share a step are counted one by one."""
    DECODE_TIME = "decode-request-milliseconds"
    LATENCY = "latency-milliseconds"
    """Time from a request to its last token."""
    TIMED = "timed-requests"
    """Requests whose latency was counted."""
    BUSY = "busy-milliseconds"
    """Time in which the engine ran a model, whatever the phase."""
    STEP_TOKENS = "step-tokens"
    """Tokens of all steps of the engine: over `STEPS` the size of a batch, in tokens."""
    STEPS = "steps"
    BATCHED = "batched-requests"
    """Requests of all batches: over `BATCHES` the size of a batch, in requests."""
    BATCHES = "batches"
    RUNNING = "running-request-milliseconds"
    """Requests in the engine times how long they were: over `WATCHED` how many there were at a time."""
    WATCHED = "watched-milliseconds"
    """Time for which `RUNNING` was looked at."""
    PREEMPTED = "preempted-requests"
    """Times that a request lost its place and was computed again."""
    RECOMPUTED = "recomputed-tokens"
    """Tokens that were computed once more because of it."""
    PREFILLED = "prefilled-tokens"
    """Tokens of prompts that the engine ran, those that it ran again among them."""
    EFFECTIVE = "effective-prefilled-tokens"
    """The same, each token once."""
    REASONING = "reasoning-tokens"
    """Generated tokens that nobody reads: a part of the output."""
    CALLS = "caller-requests"
    """Requests as callers sent them to a gateway."""
    CALLS_CACHED = "cache-answers"
    """Those of them that the gateway's own cache answered."""
    CALLS_AGAIN = "client-retries"
    """Those of them that a client's library sent once more."""
    AGAIN_INPUT = "client-retry-input-tokens"
    AGAIN_OUTPUT = "client-retry-output-tokens"
    ATTEMPTS = "attempts"
    """Requests as a gateway sent them on."""
    FAILED_ATTEMPTS = "failed-attempts"
    FALLBACKS = "fallbacks"
    """Attempts at another model, after the one that was asked for failed."""
    AGENT_RUNS = "agent-runs"
    CHAINED = "chained-calls"
    """Calls of models that agents made."""
    TOOL_CALLS = "tool-calls"
    GUARDRAILS = "guardrail-rounds"
    """Checks of what goes in and what comes out."""
    GUARDRAIL_INPUT = "guardrail-input-tokens"
    GUARDRAIL_OUTPUT = "guardrail-output-tokens"
    EVALUATIONS = "evaluation-rounds"
    """Calls that judge what other calls made."""
    EVALUATION_INPUT = "evaluation-input-tokens"
    EVALUATION_OUTPUT = "evaluation-output-tokens"
    WITHIN_1S = "within-1s"
    """Requests whose latency was at most so long; `TIMED` has all of them."""
    WITHIN_2S = "within-2s"
    WITHIN_10S = "within-10s"
    WITHIN_20S = "within-20s"
    WITHIN_40S = "within-40s"
    WITHIN_60S = "within-60s"
    PROMPTS = "prompts"
    """Requests whose prompt was measured."""
    PROMPTS_TO_100 = "prompts-to-100"
    """Those whose prompt had at most so many tokens, cached ones among them."""
    PROMPTS_TO_200 = "prompts-to-200"
    PROMPTS_TO_500 = "prompts-to-500"
    PROMPTS_TO_1000 = "prompts-to-1000"
    PROMPTS_TO_2000 = "prompts-to-2000"
    PROMPTS_TO_5000 = "prompts-to-5000"
    PROMPTS_TO_10000 = "prompts-to-10000"
    PROMPTS_TO_20000 = "prompts-to-20000"
    PROMPTS_TO_50000 = "prompts-to-50000"
    PROMPTS_TO_100000 = "prompts-to-100000"
    POOL_PREFILL = "pool-prefill-tokens"
    """Tokens of prompts of an engine that says that it runs nothing else."""
    POOL_DECODE = "pool-decode-tokens"
    FIT_MINUTES = "fit-minutes"
    """Sums over single minutes, of which `aicost.domain.serving.calibration` makes weights of tokens."""
    FIT_BUSY = "fit-busy"
    FIT_BUSY_BUSY = "fit-busy-busy"
    FIT_PROMPT_PROMPT = "fit-prompt-prompt"
    FIT_PROMPT_OUTPUT = "fit-prompt-output"
    FIT_OUTPUT_OUTPUT = "fit-output-output"
    FIT_PROMPT_BUSY = "fit-prompt-busy"
    FIT_OUTPUT_BUSY = "fit-output-busy"
    FIT_MIX_0 = "fit-mix-0"
    """Minutes in which answers were less than a tenth of the work, by the usual weights; and so on to nine tenths."""
    FIT_MIX_1 = "fit-mix-1"
    FIT_MIX_2 = "fit-mix-2"
    FIT_MIX_3 = "fit-mix-3"
    FIT_MIX_4 = "fit-mix-4"
    FIT_MIX_5 = "fit-mix-5"
    FIT_MIX_6 = "fit-mix-6"
    FIT_MIX_7 = "fit-mix-7"
    FIT_MIX_8 = "fit-mix-8"
    FIT_MIX_9 = "fit-mix-9"


class Outcome(StrEnum):
    """How a request ended."""

    SUCCESS = "success"
    TRUNCATED = "truncated"
    """It reached a limit of length. Engines call that a success."""
    ABORTED = "aborted"
    """The caller went away."""
    FAILED = "failed"
    REJECTED = "rejected"
    """It was not let in."""
    UNKNOWN = "unknown"
    """It ended, and the engine does not say how."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One counter.

    Attributes:
        name: its name as it is exposed.
        count: what it counts.
        where: labels that its series must have.
        reason: label that says how requests ended.
        outcome: how they ended, where the name says it.
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
        around: it is a server around engines. Of a model that an engine shows itself its view is passed over.
    """

    engine: str
    meters: tuple[Meter, ...]
    model_labels: tuple[str, ...] = ("model_name",)
    generic: frozenset[str] = frozenset()
    around: bool = False


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


METERS: tuple[EngineMeters, ...] = (
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
            Meter("tgi_request_failure", Count.REQUESTS, reason="err"),
            *_busy("tgi_batch_forward_duration_sum", "method", ("prefill",), ("decode",)),
            Meter("tgi_batch_current_size", Count.RUNNING, gauge=True),
            *_latency("tgi_request_duration"),
        ),
    ),
    EngineMeters(
        "triton",
        (
            Meter("nv_inference_request_success", Count.REQUESTS, outcome=Outcome.SUCCESS),
            Meter("nv_inference_request_failure", Count.REQUESTS, reason="reason"),
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
            Meter("te_request_failure", Count.REQUESTS, reason="err"),
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

_EVERY = tuple((bool(one.generic), meter.name) for one in METERS for meter in one.meters)
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
