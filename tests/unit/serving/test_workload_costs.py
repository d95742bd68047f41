"""Pools, several models, fitted weights and what is behind requests: by counters now and by what was kept, the same."""

from dataclasses import replace

import numpy as np
import pytest

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Bucket
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.counted import MOST_CALLED, OTHER, WindowCounts, rounds_of, rows_of
from aicost.domain.serving.meters import Count
from aicost.domain.serving.phases import PhaseMethod
from aicost.domain.serving.pods.models import Division
from aicost.domain.serving.rounds.amplification import Part
from aicost.domain.serving.rounds.counting import RoundCount
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted, cost_units
from aicost.usecases.economics.keep_counts import KeepCounts
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

DOLLAR = 10**9
STEP = 30_000
ROLE = "llm-d.ai/role"
SPAN = Window(hour(0).start_ms, hour(2).end_ms)
QUESTION = UnitQuestion(("namespace",), rounds=True)


class Town:
    """Counters that grow by so much a second, and gauges that stand."""

    def __init__(self):
        self.made = []

    def counts(self, name, a_second, pod="chat-0", **labels):
        labels = {"namespace": "team-a", "pod": pod, **labels}
        self.made.append((name, labels, lambda at: (at - hour(-1).start_ms) / 1_000 * a_second))
        return self

    def stands(self, name, value, pod="chat-0", **labels):
        self.made.append((name, {"namespace": "team-a", "pod": pod, **labels}, lambda at: at * 0 + value(at)))
        return self

    def series(self, span):
        times = np.arange(span.start_ms, span.end_ms, STEP)
        return [
            RawSeries(name, labels, times, np.asarray(value(times), np.float64)) for name, labels, value in self.made
        ]

    def before(self, _pods, _span):
        return []


def ledger(*pods, hours=1, workload=""):
    """Name, role, used and idle nanos of each pod in each hour."""
    made = MemoryLedger()
    for window in map(hour, range(hours)):
        rows = []
        for name, role, used, idle in pods:
            holder = replace(make_holder("team-a", name, labels={ROLE: role} if role else {}), workload=workload)
            for cost, bucket in ((used, Bucket.USED), (idle, Bucket.ALLOCATED_IDLE)):
                rows.append(make_row(cost, bucket=bucket, holder=holder, window=window))
        made.post(make_posting(*rows, window=window))
    return made


def both_ways(tmp_path, money, town, question=QUESTION):
    """The one line, by counters that are read now; what was kept must say the same."""
    now = cost_units(money.snapshot(), town, SPAN, question, cluster=CLUSTER)
    store = DeltaCounts(LedgerPlace(str(tmp_path)))
    assert list(KeepCounts(CLUSTER, store, money.snapshot(), town)())
    kept = cost_counted(money.snapshot(), store, SPAN, question, cluster=CLUSTER)
    assert kept == now
    return now


def vllm(town, pod, prompts, answers, cached=0, reason="stop", model="m"):
    town.counts("vllm:prompt_tokens_total", prompts, pod, model_name=model)
    town.counts("vllm:prompt_tokens_cached_total", cached, pod, model_name=model)
    town.counts("vllm:generation_tokens_total", answers, pod, model_name=model)
    return town.counts("vllm:request_success_total", 1, pod, model_name=model, finished_reason=reason)


def test_pods_that_say_which_phase_they_run_are_pools_and_each_request_counts_once(tmp_path):
    town = vllm(Town(), "prefill-0", 100, 1, reason="length")
    vllm(town, "decode-0", 100, 50, cached=100)
    money = ledger(("prefill-0", "prefill", 5 * DOLLAR, DOLLAR), ("decode-0", "decode", 3 * DOLLAR, DOLLAR))
    (line,) = both_ways(tmp_path, money, town).lines
    costs = line.costs
    assert (costs.phases.method, costs.phases.confidence) == (PhaseMethod.POOLS, "exact")
    assert (costs.did.get(Count.INPUT), costs.did.output, costs.did.requests) == (360_000, 180_000, 3_600)
    assert (costs.input.cost_nanos, costs.output.cost_nanos) == (6 * DOLLAR, 4 * DOLLAR)
    assert costs.output.active * 180_000 == 3 * DOLLAR * 10**6


def test_a_router_beside_pools_is_borne_by_both_in_proportion(tmp_path):
    town = vllm(vllm(Town(), "prefill-0", 100, 1), "decode-0", 100, 50)
    pods = ("prefill-0", "prefill", 6 * DOLLAR, 0), ("decode-0", "decode", 4 * DOLLAR, 0), ("router-0", "", DOLLAR, 0)
    (line,) = both_ways(tmp_path, ledger(*pods, workload="chat"), town).lines
    assert (line.pods, line.counted, line.costs.phases.method) == (3, 2, PhaseMethod.POOLS)
    assert (line.costs.input.cost_nanos, line.costs.output.cost_nanos) == (6_600_000_000, 4_400_000_000)


def test_a_pod_of_both_phases_among_them_makes_no_pools(tmp_path):
    town = vllm(vllm(Town(), "prefill-0", 100, 1), "decode-0", 100, 50)
    money = ledger(("prefill-0", "prefill", 5, 1), ("decode-0", "decode", 3, 1), ("chat-0", "", 3, 1))
    (line,) = both_ways(tmp_path, money, vllm(town, "chat-0", 1, 1)).lines
    assert line.costs.phases.method is PhaseMethod.PRIORS


def test_engines_that_say_which_phase_they_run_are_pools_as_well(tmp_path):
    town = Town()
    for pod, kind in (("a-0", "prefill"), ("b-0", "decode")):
        town.counts("sglang:prompt_tokens_total", 100, pod, model_name="m", engine_type=kind)
        town.counts("sglang:generation_tokens_total", 50, pod, model_name="m", engine_type=kind)
    (line,) = both_ways(tmp_path, ledger(("a-0", "", 5, 1), ("b-0", "", 3, 1)), town).lines
    assert line.costs.phases.method is PhaseMethod.POOLS
    assert (line.costs.did.get(Count.INPUT), line.costs.output.cost_nanos) == (360_000, 4)


def test_several_models_of_a_pod_are_told_apart(tmp_path):
    town = Town()
    for model, seconds in (("a", 3), ("b", 1)):
        town.counts("nv_inference_request_success", 10, model=model)
        town.counts("nv_inference_compute_infer_duration_us", seconds * 100_000, model=model)
    (line,) = both_ways(tmp_path, ledger(("chat-0", "", 5 * DOLLAR, 3 * DOLLAR), ("chat-1", "", DOLLAR, 0)), town).lines
    told = [(one.model, one.costs.spent.cost_nanos, one.costs.spent.idle_nanos) for one in line.by_model]
    assert told == [("a", 6 * DOLLAR, 2_250_000_000), ("b", 2 * DOLLAR, 750_000_000), ("", DOLLAR, 0)]
    assert line.by_model[0].divisions == (Division.BUSY_TIME,)
    assert sum(cost for _, cost, _ in told) == line.costs.spent.cost_nanos


def test_a_single_model_is_not_told_twice(tmp_path):
    (line,) = both_ways(tmp_path, ledger(("chat-0", "", 5, 1)), vllm(Town(), "chat-0", 1, 1)).lines
    assert line.by_model == ()


def test_weights_are_fitted_to_what_the_gpu_did_minute_by_minute(tmp_path):
    town = Town()
    town.made.append(("vllm:prompt_tokens_total", LABELS, lambda at: steps(at, prompts)))
    town.made.append(("vllm:generation_tokens_total", LABELS, lambda at: steps(at, answers)))
    gpu = {"exported_namespace": "team-a", "exported_pod": "chat-0", "UUID": "GPU-1"}
    town.stands("DCGM_FI_PROF_GR_ENGINE_ACTIVE", busy, "dcgm-x", **gpu)
    (line,) = both_ways(tmp_path, ledger(("chat-0", "", 5 * DOLLAR, DOLLAR), hours=2), town).lines
    costs = line.costs
    assert (costs.phases.method, costs.did.get(Count.FIT_MINUTES)) == (PhaseMethod.CALIBRATED, 112)
    assert float(costs.output.full / costs.input.full) == pytest.approx(4, rel=0.02)


LABELS = {"namespace": "team-a", "pod": "chat-0", "model_name": "m"}


def prompts(at):
    return 500.0 * (1 + at // 60_000 % 3)


def answers(at):
    return 300.0 * (1 + at // 180_000 % 4)


def busy(at):
    """What an exporter shows: the mean of the time before."""
    return (prompts(at - STEP) + 4 * answers(at - STEP)) / 10_000


def steps(at, rate):
    """What a counter stands at that grows by a rate which changes each minute."""
    times = np.arange(hour(-1).start_ms, at[-1] + STEP, STEP)
    whole = np.concatenate(([0.0], np.cumsum(rate(times[:-1]) * STEP / 1_000)))
    return np.interp(at, times, whole)


def test_what_is_behind_requests_is_joined_by_the_name_of_the_model(tmp_path):
    town = vllm(Town(), "chat-0", 10, 10)
    asked = {"requested_model": "M"}
    town.counts("litellm_proxy_total_requests_metric_total", 1, "litellm-0", route="/chat/completions", **asked)
    town.counts("litellm_deployment_total_requests_total", 1.25, "litellm-0", **asked)
    town.counts("litellm_output_reasoning_tokens_metric_total", 4, "litellm-0", **asked)
    town.counts("gen_ai_invoke_agent_duration_seconds_count", 1, "agent-0", gen_ai_agent_name="a")
    town.counts("gen_ai_invoke_agent_inference_calls_sum", 3, "agent-0", gen_ai_agent_name="a")
    report = both_ways(tmp_path, ledger(("chat-0", "", 5 * DOLLAR, DOLLAR)), town)
    behind = report.lines[0].behind
    assert (behind.calls, behind.attempts, behind.factor) == (3_600, 4_500, 1.25)
    told = {one.part: (one.number, one.cost_nanos) for one in behind.parts}
    assert told[Part.RETRIES] == (900, None)
    assert told[Part.REASONING] == (14_400, report.lines[0].costs.output.cost_nanos * 4 // 10)
    assert [(one.part, one.number, one.per_call) for one in report.agents] == [(Part.CHAINED, 7_200, 2)]


def test_workloads_that_serve_one_model_share_what_a_gateway_counts_of_it(tmp_path):
    town = vllm(vllm(Town(), "chat-0", 10, 30), "spare-0", 10, 10)
    town.counts("litellm_proxy_total_requests_metric_total", 1, "litellm-0", requested_model="m")
    town.counts("litellm_output_reasoning_tokens_metric_total", 4, "litellm-0", requested_model="m")
    question = UnitQuestion(("controller",), rounds=True)
    report = both_ways(tmp_path, ledger(("chat-0", "", 3, 0), ("spare-0", "", 1, 0)), town, question)
    assert [line.behind.calls for line in report.lines] == [2_700, 900]
    assert [one.number for line in report.lines for one in line.behind.parts] == [10_800, 3_600]


def test_without_the_question_nobody_looks_behind_requests(tmp_path):
    town = vllm(Town(), "chat-0", 10, 10)
    report = both_ways(tmp_path, ledger(("chat-0", "", 5, 1)), town, UnitQuestion(("namespace",)))
    assert (report.lines[0].behind, report.agents) == (None, ())


def test_a_gauge_of_requests_says_how_many_ran_at_a_time(tmp_path):
    town = vllm(Town(), "chat-0", 10, 10).stands("vllm:num_requests_running", lambda at: at * 0 + 7.0, model_name="m")
    (line,) = both_ways(tmp_path, ledger(("chat-0", "", 5, 1)), town).lines
    assert line.costs.did.mean(Count.RUNNING, Count.WATCHED) == 7


def test_models_that_gateways_name_without_end_are_bounded_and_none_is_lost():
    many = tuple(RoundCount("litellm", f"m{index}", {Count.CALLS: index}) for index in range(MOST_CALLED + 500))
    agents = RoundCount("otel-genai", "", {Count.AGENT_RUNS: 1})
    kept = rounds_of(rows_of(WindowCounts(hour(0), rounds=(*many, agents))))
    assert len(kept) == MOST_CALLED + 1
    assert agents in kept
    assert sum(one.counts.get(Count.CALLS, 0) for one in kept) == sum(range(MOST_CALLED + 500))
    assert {one.model for one in kept} >= {OTHER, f"m{MOST_CALLED + 499}"}
