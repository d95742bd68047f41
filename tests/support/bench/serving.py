"""An hour of engines behind a gateway with many tenants: 25 series an engine, four a tenant, and what each tells."""

from collections.abc import Iterator, Mapping

import numpy as np

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.ledger.rows import Bucket
from aicost.domain.sampling.series import RawSeries
from support.bench.hour import Series
from support.big_cluster import WINDOW
from support.ledger_rows import CLUSTER, make_holder, make_posting, make_row

STEP_MS = 30_000
BEFORE_MS = 6 * MINUTE_MS
STEPS = WINDOW.length_ms // STEP_MS
MODELS = 10
USED_NANOS, IDLE_NANOS = 3_000_000_000, 1_000_000_000
TENANT = {"input": 400, "input_cached": 100, "output": 90}
"""Tokens of one tenant in one step."""
_TOKENS = {"local_compute": 3_000, "local_cache_hit": 1_000, "external_kv_transfer": 0}
_ENDED = {"stop": 8, "length": 1, "abort": 1, "error": 0, "repetition": 0}
_PLAIN = {
    "prompt_tokens_total": 4_000,
    "prompt_tokens_cached_total": 1_000,
    "prefix_cache_hits_total": 1_000,
    "request_generation_tokens_sum": 900,
    "request_prefill_time_seconds_sum": 3,
    "request_decode_time_seconds_sum": 40,
    "num_preemptions_total": 0,
    "iteration_tokens_total_sum": 5_000,
    "iteration_tokens_total_count": 100,
    "e2e_request_latency_seconds_sum": 60,
    "e2e_request_latency_seconds_count": 10,
}
"""Counter of vLLM -> what it grows by in one step."""
_WITHIN = {"1.0": 2, "10.0": 7, "60.0": 10}


def series(engines: int, tenants: int) -> Iterator[Series]:
    """What a Prometheus keeps of all of them."""
    times = np.arange(WINDOW.start_ms - BEFORE_MS, WINDOW.end_ms + MINUTE_MS, STEP_MS, dtype=np.int64)
    steps = np.arange(1.0, len(times) + 1)
    for engine in range(engines):
        for labels, by in _engine(engine):
            yield Series(labels, times, steps * by)
        labels = {"UUID": f"GPU-{engine:06d}", "namespace": _namespace(engine), "pod": pod_of(engine)}
        yield Series({"__name__": "DCGM_FI_PROF_GR_ENGINE_ACTIVE"} | labels, times, 0.5 + 0.25 * (steps % 3))
        yield Series(
            {"__name__": "vllm:num_requests_running", **_base(engine)}, times, np.full(len(times), float(engine % 9))
        )
    for tenant in range(tenants):
        for labels, by in _tenant(tenant):
            yield Series(labels, times, steps * by)


def raw_series(engines: int, tenants: int) -> tuple[RawSeries, ...]:
    """The same as a source gives them."""
    return tuple(
        RawSeries(
            one.labels["__name__"], {n: v for n, v in one.labels.items() if n != "__name__"}, one.at_ms, one.value
        )
        for one in series(engines, tenants)
    )


def output_of(engine: int) -> int:
    """Tokens that an engine generates in one step."""
    return 1_000 + engine % 100


def pod_of(engine: int) -> str:
    """A replica of the Deployment that serves its model."""
    return f"chat-{engine % MODELS}-{engine}"


def fill_ledger(place: str, engines: int) -> None:
    """What the engines cost in the hour."""
    rows = [
        make_row(
            nanos, bucket=bucket, window=WINDOW, device=f"GPU-{engine:06d}",
            holder=make_holder(_namespace(engine), pod_of(engine)),
        )
        for engine in range(engines)
        for bucket, nanos in ((Bucket.USED, USED_NANOS), (Bucket.ALLOCATED_IDLE, IDLE_NANOS))
    ]  # fmt: skip
    DeltaLedger(place).post(make_posting(*rows, window=WINDOW, cluster=CLUSTER))


def _namespace(engine: int) -> str:
    return f"team-{engine % MODELS}"


def _base(engine: int) -> Mapping[str, str]:
    labels = {"namespace": _namespace(engine), "pod": pod_of(engine), "model_name": f"Model-{engine % MODELS}"}
    return labels | {"engine": "0", "job": "vllm", "instance": f"10.0.{engine // 250}.{engine % 250}:8000"}


def _engine(engine: int) -> Iterator[tuple[Mapping[str, str], int]]:
    base = _base(engine)
    yield {"__name__": "vllm:generation_tokens_total", **base}, output_of(engine)
    for name, by in _PLAIN.items():
        yield {"__name__": f"vllm:{name}", **base}, by
    for source, by in _TOKENS.items():
        yield {"__name__": "vllm:prompt_tokens_by_source_total", **base, "source": source}, by
    for reason, by in _ENDED.items():
        yield {"__name__": "vllm:request_success_total", **base, "finished_reason": reason}, by
    for bound, by in _WITHIN.items():
        yield {"__name__": "vllm:e2e_request_latency_seconds_bucket", **base, "le": bound}, by


def _tenant(tenant: int) -> Iterator[tuple[Mapping[str, str], int]]:
    base = {"namespace": "gateway", "pod": f"litellm-{tenant % 3}", "job": "litellm", "instance": "10.1.0.1:4000"}
    base |= {"end_user": f"customer-{tenant}", "team_alias": f"team-{tenant % 100}", "metadata_feature": "chat"}
    base |= {"model": f"model-{tenant % MODELS}", "requested_model": f"model-{tenant % MODELS}"}
    for kind, by in TENANT.items():
        yield {"__name__": f"litellm_{kind}_tokens_metric_total", **base}, by
    yield {"__name__": "litellm_proxy_total_requests_metric_total", **base, "route": "/v1/chat/completions"}, 1
