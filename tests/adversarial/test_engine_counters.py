"""Counters of engines and gateways as hostile or broken ones show them: bounded, printable, and never an exception."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.counted import LARGEST, MOST_MODELS, WindowCounts, rounds_of, rows_of, tallies_of
from aicost.domain.serving.rounds.counting import round_counts
from aicost.domain.serving.wanted import WANTED
from aicost.entrypoints.cli.output.units.beside import Beside, beside_screen
from aicost.entrypoints.cli.output.units.screen import units_document, units_screen
from aicost.entrypoints.cli.terminal import Terminal
from aicost.usecases.economics.cost_units import UnitQuestion, cost_units
from aicost.usecases.economics.counting import grown_in, tallies
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

HOUR = hour(0)
TIMES = np.arange(HOUR.start_ms - 300_000, HOUR.end_ms, 60_000)
POD = {"namespace": "team-a", "pod": "chat-0"}
EVIL = "\x1b[2J\x1b]0;owned\x07\u202e\n\tm" + "x" * 500


class Source:
    """Whatever somebody made."""

    def __init__(self, *series):
        self.made = list(series)

    def series(self, _span):
        return self.made

    def before(self, _pods, _span):
        return []


def one(name, labels, values=None):
    return RawSeries(name, labels, TIMES, np.arange(len(TIMES)) * 10.0 if values is None else values)


def report(*series):
    made = MemoryLedger()
    made.post(make_posting(make_row(10**9, holder=make_holder("team-a", "chat-0"))))
    question = UnitQuestion(("namespace",), rounds=True)
    return cost_units(made.snapshot(), Source(*series), HOUR, question, cluster=CLUSTER)


def kept(*series):
    grown = list(grown_in(Source(*series), HOUR))
    return rows_of(WindowCounts(HOUR, tallies(grown), rounds=round_counts(each.grown for each in grown)))


def test_a_pod_that_names_models_without_end_is_bounded_and_loses_none_of_its_tokens():
    series = [one("vllm:generation_tokens_total", {**POD, "model_name": f"m{index}"}) for index in range(2_000)]
    models = tallies_of(kept(*series))["team-a", "chat-0"]
    assert len(models) <= MOST_MODELS + 1
    assert sum(did.output for did in models.values()) == 2_000 * 600


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -5.0, 1e308, 2.0**70])
def test_values_that_are_none_count_nothing_and_no_row_is_beyond_bounds(value):
    values = np.full(len(TIMES), value)
    values[:5] = 1.0
    names = ("vllm:generation_tokens_total", "vllm:num_requests_running", "vllm:e2e_request_latency_seconds_sum")
    rows = kept(*(one(name, {**POD, "model_name": "m"}, values) for name in names))
    assert all(0 <= row.value < LARGEST for row in rows)


def test_counters_that_fall_all_the_time_never_count_below_zero():
    values = np.where(np.arange(len(TIMES)) % 2 == 0, 1e6, 0.0)
    (models,) = tallies_of(kept(one("vllm:generation_tokens_total", {**POD, "model_name": "m"}, values))).values()
    assert models["m"].output >= 0


@pytest.mark.parametrize("bound", ["", "nan", "-inf", "1e9999", "1000.0\n", "\x1b[31m", "\uff11\uff10"])
def test_bounds_of_buckets_that_are_none_are_passed_over(bound):
    report(one("vllm:request_prompt_tokens_bucket", {**POD, "model_name": "m", "le": bound}),
           one("vllm:generation_tokens_total", {**POD, "model_name": "m"}))  # fmt: skip


@pytest.mark.parametrize("text", ["", "-1", "٣", "²", "9" * 5_000, "1e3", "\x00"])
def test_ranks_and_counts_of_retries_that_are_none_break_nothing(text):
    request = {**POD, "gen_ai_original_model": "m", "x_stainless_retry_count": text}
    kept(one("sglang:realtime_tokens_total", {**POD, "mode": "prefill_compute", "tp_rank": text}),
         one("gen_ai_server_request_duration_seconds_count", request))  # fmt: skip


def test_names_that_would_steer_a_terminal_are_shown_and_do_nothing():
    asked = {"namespace": "g", "pod": "l", "requested_model": EVIL}
    found = report(
        one("nv_inference_request_success", {**POD, "model": EVIL}),
        one("nv_inference_request_success", {**POD, "model": "b"}),
        one("litellm_proxy_total_requests_metric_total", asked),
        one("litellm_deployment_total_requests_total", asked),
    )
    terminal = Terminal(width=160)
    shown = "\n".join([units_screen(found, ("namespace",), terminal),
                       *beside_screen(found, None, ("namespace",), list(Beside), terminal)])  # fmt: skip
    assert "Models of workloads" in shown
    assert not {"\x1b", "\x07", "\u202e", "\t"} & set(shown)
    assert all(len(line) <= 160 for line in shown.splitlines())
    json.dumps(units_document(found, ("namespace",)))


labels = st.dictionaries(
    st.sampled_from(["model_name", "model", "le", "mode", "source", "finished_reason", "tp_rank", "engine_type",
                     "route", "gen_ai_token_type", "requested_model", "server", "UUID", "exported_pod",
                     "exported_namespace"]),
    st.sampled_from(["", "m", "chat-0", "team-a", "0", "1000.0", "+Inf", "prefill", "stop", "output", EVIL]),
)  # fmt: skip
values = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), min_size=len(TIMES), max_size=len(TIMES))
anything = st.builds(
    lambda name, told, seen: one(name, {**POD, **told}, np.array(seen)), st.sampled_from(WANTED), labels, values
)


@settings(max_examples=50, deadline=None)
@given(st.lists(anything, max_size=6))
def test_whatever_is_shown_is_answered_and_the_parts_bear_no_more_than_the_whole(series):
    found = report(*series)
    for line in found.lines:
        kinds = [kind.cost_nanos for kind in (line.costs.input, line.costs.cached, line.costs.output) if kind]
        assert not kinds or sum(kinds) == 10**9
        assert not line.by_model or sum(each.costs.spent.cost_nanos for each in line.by_model) == 10**9
    assert all(0 <= row.value < LARGEST for row in kept(*series))
    assert rounds_of(kept(*series)) is not None
    json.dumps(units_document(found, ("namespace",)))
