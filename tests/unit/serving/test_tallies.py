"""What engines count, and what counts twice if nobody looks."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.serving.held import Held
from aicost.domain.serving.meters import GAUGES, GENERIC_NAMES, METERS, NAMES, Count, Outcome, outcome_of
from aicost.domain.serving.tallies import Grown, Tally, add_up, tally

MODEL = {"model_name": "m"}


def grew(name, by, whole=True, **labels):
    return Grown(name, MODEL | labels, None if by is None else Growth(float(by), is_whole=whole))


def only(*series, generic=frozenset()):
    (one,) = tally(series, generic=generic).values()
    return one


def test_cached_tokens_are_a_part_of_the_prompts_and_not_beside_them():
    one = only(
        grew("vllm:prompt_tokens_total", 100),
        grew("vllm:prompt_tokens_by_source_total", 60, source="local_compute"),
        grew("vllm:prompt_tokens_by_source_total", 30, source="local_cache_hit"),
        grew("vllm:prompt_tokens_by_source_total", 10, source="external_kv_transfer"),
        grew("vllm:prompt_tokens_cached_total", 40),
        grew("vllm:prefix_cache_hits_total", 40),
        grew("vllm:generation_tokens_total", 50),
    )
    assert (one.computed, one.cached, one.output) == (60, 40, 50)


def test_g14_hits_of_the_prefix_cache_are_tokens_and_not_blocks():
    one = only(grew("vllm:prompt_tokens_total", 1_000), grew("vllm:prefix_cache_hits_total", 160))
    assert (one.cached, one.computed) == (160, 840)


def test_a_cache_that_hit_more_than_there_was_hit_all_of_it():
    one = only(grew("sglang:prompt_tokens_total", 100), grew("sglang:cached_tokens_total", 130, cache_source="device"))
    assert (one.cached, one.computed) == (100, 0)


def test_what_routers_show_once_more_is_not_counted_twice():
    series = grew("vllm:generation_tokens_total", 50)
    assert only(series, grew("vllm:generation_tokens_total", 50, server="http://engine-0")).output == 50


def test_names_that_anybody_may_use_count_of_pods_that_are_known_to_run_the_engine():
    series = grew("generation_tokens_total", 50)
    assert tally([series]) == {}
    assert only(series, generic=frozenset({"nim"})).output == 50


def test_an_engine_calls_a_cut_answer_a_success_and_we_do_not():
    ended = {"stop": 70, "length": 20, "abort": 5, "error": 5}
    series = [grew("vllm:request_success_total", by, finished_reason=reason) for reason, by in ended.items()]
    one = only(*series)
    assert one.outcomes == {Outcome.SUCCESS: 70, Outcome.TRUNCATED: 20, Outcome.ABORTED: 5, Outcome.FAILED: 5}
    assert one.requests == 100


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("STOP", Outcome.SUCCESS), ("REJECTED", Outcome.REJECTED), ("BACKEND", Outcome.FAILED), ("", Outcome.UNKNOWN)],
)
def test_reasons_are_read_in_any_case_and_unknown_ones_are_failures(reason, outcome):
    assert outcome_of(reason) is outcome


def test_useful_tokens_leave_out_what_callers_left_and_what_failed():
    one = Tally(
        counts={Count.OUTPUT: 1_000, Count.FINISHED: 800},
        outcomes={Outcome.SUCCESS: 3, Outcome.FAILED: 1, Outcome.ABORTED: 9, Outcome.REJECTED: 9},
    )
    assert one.useful_output == Fraction(600)


def test_what_nobody_counts_is_absent():
    one = only(grew("llamacpp:tokens_predicted_total", 5))
    assert (one.computed, one.cached, one.output, one.requests, one.useful_output) == (None, None, 5, None, None)


def test_a_series_of_which_nothing_is_known_makes_no_zero():
    assert only(grew("vllm:generation_tokens_total", None)).output is None


def test_growth_from_an_unknown_value_says_at_least():
    assert only(grew("vllm:generation_tokens_total", 5, whole=False)).at_least
    assert not only(grew("vllm:generation_tokens_total", 5)).at_least


def test_models_of_one_pod_are_told_apart():
    found = tally(
        [
            Grown("nv_inference_request_success", {"model": "a", "version": "1"}, Growth(3, is_whole=True)),
            Grown("nv_inference_request_success", {"model": "b", "version": "1"}, Growth(4, is_whole=True)),
        ]
    )
    assert {model: one.requests for model, one in found.items()} == {"a": 3, "b": 4}


def test_ray_spells_the_names_in_two_ways():
    assert only(grew("ray_vllm:generation_tokens_total", 5)).output == 5
    assert only(grew("ray_vllm_generation_tokens_total", 5)).output == 5


def test_moments_of_creation_are_no_counts():
    assert tally([grew("vllm:generation_tokens_created", 1_774_011_461)]) == {}
    assert not [name for name in (*NAMES, *GENERIC_NAMES) if name.endswith(("_created", "_bucket"))]


def test_ranks_that_compute_one_thing_together_count_it_once():
    ranks = [grew("sglang:realtime_tokens_total", 70, mode="prefill_compute", tp_rank=str(rank)) for rank in (10, 2, 3)]
    assert only(*ranks).get(Count.PREFILLED) == 70


def test_replicas_that_share_the_data_are_added_each_with_its_first_rank():
    ranks = [
        grew("sglang:num_retracted_output_tokens_total", by, dp_rank=replica, tp_rank=rank)
        for by, replica, rank in ((5, "0", "0"), (5, "0", "1"), (7, "1", "2"), (7, "1", "3"))
    ]
    assert only(*ranks).recomputed == 12


def test_what_was_computed_again_is_what_ran_without_what_ran_first():
    ran = grew("sglang:realtime_tokens_total", 110, mode="prefill_compute")
    once = grew("sglang:prefill_effective_tokens_total", 100, mode="input")
    hits = grew("sglang:prefill_effective_tokens_total", 60, mode="device_hit")
    assert only(ran, once, hits).recomputed == 10
    assert only(ran, hits).recomputed is None


def test_a_batch_is_a_ratio_of_sums():
    one = only(grew("vllm:iteration_tokens_total_sum", 900), grew("vllm:iteration_tokens_total_count", 3))
    assert one.mean(Count.STEP_TOKENS, Count.STEPS) == 300
    assert one.mean(Count.BATCHED, Count.BATCHES) is None
    assert only(grew("vllm:iteration_tokens_total_sum", 0), grew("vllm:iteration_tokens_total_count", 0)).mean(
        Count.STEP_TOKENS, Count.STEPS
    ) is None  # fmt: skip


def test_a_gauge_counts_the_time_that_it_stood():
    running = Grown("vllm:num_requests_running", MODEL, Growth(99.0, is_whole=False), Held(7_200.0, 3_600.0))
    one = only(running)
    assert one.mean(Count.RUNNING, Count.WATCHED) == 2
    assert not one.at_least
    assert "vllm:num_requests_running" in GAUGES


def test_of_a_model_that_an_engine_shows_the_server_around_it_is_passed_over():
    engine = Grown("vllm:request_success_total", {"model": "a", "finished_reason": "stop"}, Growth(3, is_whole=True))
    server = [Grown("nv_inference_request_success", {"model": name}, Growth(4, is_whole=True)) for name in "ab"]
    found = tally([*server, engine])
    assert {model: (one.requests, set(one.engines)) for model, one in found.items()} == {
        "a": (3, {"vllm"}),
        "b": (4, {"triton"}),
    }


def test_requests_of_which_nobody_says_how_they_ended_make_no_waste():
    one = only(grew("sglang:e2e_request_latency_seconds_count", 90), grew("sglang:num_aborted_requests_total", 10),
               grew("sglang:generation_tokens_total", 500))  # fmt: skip
    assert (one.requests, one.useful_output) == (100, None)


def test_each_name_belongs_to_one_engine():
    owners = [(meter.name, one.engine) for one in METERS for meter in one.meters]
    assert len({name for name, _ in set(owners)}) == len(set(owners))


counts = st.dictionaries(st.sampled_from(list(Count)), st.integers(0, 10**12))
ended = st.dictionaries(st.sampled_from(list(Outcome)), st.integers(0, 10**9))


@given(st.lists(st.builds(Tally, counts=counts, outcomes=ended), max_size=5))
def test_a_sum_of_pods_is_the_sum_of_what_they_did(tallies):
    whole = add_up(tallies)
    for count in Count:
        known = [one.counts[count] for one in tallies if count in one.counts]
        assert whole.get(count) == (sum(known) if known else None)
    assert whole.requests is None or whole.requests == sum(one.requests or 0 for one in tallies)


@given(st.builds(Tally, counts=counts, outcomes=ended))
def test_parts_are_never_more_than_their_whole(one):
    if one.get(Count.INPUT) is not None:
        assert 0 <= (one.cached or 0) <= one.get(Count.INPUT)
        assert one.computed + (one.cached or 0) == one.get(Count.INPUT)
    if one.useful_output is not None:
        assert 0 <= one.useful_output <= one.output
