"""What real engines and gateways printed: each counter that our tables read is found and read as by hand.

The captures are no part of the project; where they are absent, these tests are skipped.
"""

from pathlib import Path

import numpy as np
import pytest

from aicost.adapters.dcgm.exposition import parse
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.meters import METERS, Count, Outcome
from aicost.domain.serving.phases import PhaseMethod, phases_of
from aicost.domain.serving.rounds.counting import round_counts
from aicost.domain.serving.tallies import Grown, Tally, tally
from aicost.domain.serving.tenants import asking, tenant_counts
from aicost.domain.serving.wanted import WANTED
from aicost.usecases.economics.counting import grown_in, tallies

DATA = Path(__file__).parents[3] / "shared" / "data"
FIXTURES = DATA / "datadog-integrations-core"
VLLM = FIXTURES / "vllm/tests/fixtures/vllm_metrics.txt"
RAY = FIXTURES / "vllm/tests/fixtures/ray_vllm_metrics.txt"
NIM = FIXTURES / "nvidia_nim/tests/fixtures/nim_metrics.txt"
TRITON = FIXTURES / "nvidia_triton/tests/fixtures/nvidia_triton_openmetrics.txt"
LITELLM = FIXTURES / "litellm/tests/fixtures/metrics.txt"
NEW_VLLM = DATA / "cncf-k8s-ai-conformance/extracted/kops-vllm-1.prom"
pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no captures of engines at {DATA}")

SPAN = Window(10 * HOUR_MS, 11 * HOUR_MS)
POD = ("serve", "engine-0")


class Printed:
    """A capture as the second of two scrapes: at the first one nothing had been counted (port `EngineSource`)."""

    def __init__(self, *files, target=None, only=WANTED):
        labels = target or {"namespace": POD[0], "pod": POD[1]}
        times = np.array([SPAN.start_ms - MINUTE_MS, SPAN.start_ms + MINUTE_MS])
        self.names, self._series = set(), []
        for file in files:
            for one in parse(file.read_bytes() + b"\n", only).readings:
                self.names.add(one.name)
                values = np.array([0.0, one.value])
                self._series.append(RawSeries(one.name, {**one.labels, **labels}, times, values))

    def series(self, _span):
        return self._series

    def before(self, _pods, _span):
        return ()


def read(*files, **more):
    return tallies(grown_in(Printed(*files, **more), SPAN)).get(POD, {})


READ = {
    VLLM: (
        "vllm", "facebook/opt-125m",
        {Count.INPUT: 5, Count.OUTPUT: 7, Count.FINISHED: 7, Count.TIMED: 1, Count.LATENCY: 503, Count.WITHIN_1S: 1},
        {Outcome.TRUNCATED: 1},
    ),
    NIM: (
        "nim", "meta/llama-3.1-8b-instruct",
        {Count.INPUT: 109, Count.OUTPUT: 174, Count.FINISHED: 174, Count.TIMED: 5, Count.LATENCY: 2_468},
        {Outcome.TRUNCATED: 5, Outcome.FAILED: 0},
    ),
    TRITON: (
        "triton", "densenet_onnx",
        {Count.BATCHED: 3, Count.BATCHES: 3, Count.TIMED: 3, Count.LATENCY: 1_327},
        {Outcome.SUCCESS: 3, Outcome.FAILED: 0},
    ),
    RAY: (
        "ray-serve", "neuralmagic/Meta-Llama-3.1-70B-Instruct-FP8",
        {Count.INPUT: 58, Count.OUTPUT: 300, Count.FINISHED: 300, Count.LATENCY: 16_449, Count.WITHIN_10S: 0,
         Count.WITHIN_20S: 1, Count.PROMPTS: 1, Count.PROMPTS_TO_100: 1, Count.RUNNING: 0},
        {Outcome.TRUNCATED: 1},
    ),
    NEW_VLLM: (
        "vllm", "Qwen/Qwen2.5-0.5B-Instruct",
        {Count.INPUT: 0, Count.CACHED: 0, Count.COMPUTED: 0, Count.OUTPUT: 0, Count.PREFILL_TIME: 0, Count.STEPS: 0},
        dict.fromkeys((Outcome.SUCCESS, Outcome.TRUNCATED, Outcome.ABORTED, Outcome.FAILED), 0),
    ),
}  # fmt: skip
"""Capture -> its engine, a model of it, some of what it counted, and how requests ended: read by eye."""


@pytest.mark.parametrize("file", READ, ids=lambda file: file.name)
def test_a_real_engine_is_read_as_by_hand(file):
    engine, model, counts, outcomes = READ[file]
    did = read(file)[model]
    assert did.engines == {engine}
    assert {count: did.get(count) for count in counts} == counts
    assert did.outcomes == outcomes


@pytest.mark.parametrize(("reason", "outcome"), [({}, "failed"), ({"reason": "REJECTED"}, "rejected")])
def test_a_failure_that_gives_no_reason_is_a_failure_all_the_same(reason, outcome):
    failure = Grown("nv_inference_request_failure", {"model": "m"} | reason, Growth(3, is_whole=True))
    assert tally([failure])["m"].outcomes == {outcome: 3}


@pytest.mark.parametrize(
    ("engine", "file", "least"), [("vllm", NEW_VLLM, 16), ("nim", NIM, 8), ("triton", TRITON, 6), ("ray-serve", RAY, 7)]
)
def test_the_names_of_our_tables_are_printed_by_the_engine(engine, file, least):
    (table,) = (one for one in METERS if one.engine == engine)
    assert len({meter.name for meter in table.meters} & Printed(file).names) >= least


def test_every_name_that_is_read_of_a_capture_is_a_counter_and_no_moment_of_creation():
    every = Printed(VLLM, RAY, NIM, TRITON, LITELLM, NEW_VLLM).names
    assert every
    assert not [name for name in every if name.endswith("_created")]
    assert "vllm:prefix_cache_queries_total" not in every, "asking a cache is no hit"


def test_two_engines_that_print_at_once_in_one_pod_stay_apart_and_no_token_is_counted_twice():
    both = read(VLLM, NIM)
    assert {model: did.output for model, did in both.items()} == {
        "facebook/opt-125m": 7, "meta/llama-3.1-8b-instruct": 174
    }  # fmt: skip


def test_names_that_anybody_may_use_count_nothing_where_the_engine_does_not_show_all_of_them():
    assert read(NIM, only={"prompt_tokens_total", "generation_tokens_total"}) == {}


def test_a_router_that_shows_its_engines_once_more_adds_nothing():
    behind = {"namespace": "serve", "pod": "router-0", "server": "http://engine-0:8000"}
    assert tallies(grown_in(Printed(VLLM, target=behind), SPAN)) == {}


def test_a_litellm_that_served_no_model_asks_for_nobody():
    grown = [one.grown for one in grown_in(Printed(LITELLM), SPAN)]
    assert asking(tenant_counts(grown), Dimension.TEAM) == {}
    rounds = round_counts(grown)
    assert {one.gateway for one in rounds} <= {"litellm"}
    assert sum(one.counts.get(Count.CALLS, 0) for one in rounds if one.model) == 0, "asking for metrics is no call"
    (attempts,) = (one.counts for one in rounds if Count.ATTEMPTS in one.counts)
    assert (attempts[Count.ATTEMPTS], attempts[Count.FAILED_ATTEMPTS]) == (7, 7)


def test_g12_phases_weigh_by_the_time_of_their_phases_and_say_how_sure_that_is():
    times = {Count.PREFILL_TIME: 600_000, Count.DECODE_TIME: 37_674_800}
    phases = phases_of(Tally(counts={**times, Count.INPUT: 1_000_000, Count.OUTPUT: 900_000}))
    assert (phases.method, phases.confidence) == (PhaseMethod.REQUEST_TIME, "low")
    assert round(10_000 * phases.computed / sum(phases.weights)) == 157, "1.57 %, not 95.1"


def test_g13_each_replica_grows_by_itself_before_anything_is_summed():
    times = np.array([SPAN.start_ms - MINUTE_MS, SPAN.start_ms, SPAN.start_ms + MINUTE_MS, SPAN.end_ms - MINUTE_MS])

    class Replicas:
        def series(self, _span):
            return [
                RawSeries("vllm:generation_tokens_total", {"namespace": "serve", "pod": pod, "model_name": "m"}, times,
                          np.array(values))
                for pod, values in (("a", (1_000.0, 1_200.0, 1_400.0, 1_500.0)), ("b", (1_000.0, 1_200.0, 0.0, 100.0)))
            ]  # fmt: skip

        before = Printed.before

    found = tallies(grown_in(Replicas(), SPAN))
    assert [found["serve", pod]["m"].output for pod in "ab"] == [500, 300]
