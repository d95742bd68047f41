"""What one request becomes: no view of it twice, a cost only where tokens are known."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.serving.gateways import GATEWAYS
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.rounds.amplification import Part, amplify, growth, of_agents
from aicost.domain.serving.rounds.counting import ROUNDS, RoundCount, round_counts, together
from aicost.domain.serving.tallies import Grown, Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs

DOLLAR = 10**9


def grew(name, by, **labels):
    return Grown(name, labels, Growth(float(by), is_whole=True))


def engine(outcomes=None, cost=10 * DOLLAR, **counts):
    did = Tally(counts={Count[name.upper()]: number for name, number in counts.items()}, outcomes=outcomes or {})
    return unit_costs(Spent(cost, None, "USD"), did, phases_of(did))


def litellm(**counts):
    return RoundCount("litellm", "m", {Count[name.upper()]: number for name, number in counts.items()})


def parts(found):
    return {one.part: one for one in found.parts}


def test_attempts_beyond_the_requests_are_fallbacks_and_retries():
    found = amplify(engine(output=1), ["M"], [litellm(calls=1_000, calls_cached=100, attempts=1_050, fallbacks=40)])
    assert (found.calls, found.attempts, found.counted_by) == (1_000, 1_050, "litellm")
    assert found.factor == Fraction(1_050, 900)
    told = parts(found)
    assert (told[Part.RETRIES].number, told[Part.FALLBACKS].number) == (110, 40)
    assert told[Part.RETRIES].per_call == Fraction(110, 900)
    assert (told[Part.RETRIES].cost_nanos, told[Part.FALLBACKS].cost_nanos) == (None, None)


def test_where_no_gateway_counts_attempts_what_came_to_the_engine_is_taken():
    calls = RoundCount("kong", "m", {Count.CALLS: 100})
    found = amplify(engine({Outcome.SUCCESS: 110, Outcome.REJECTED: 10}, output=5), ["m"], [calls])
    assert (found.attempts, found.counted_by, found.factor) == (120, "engine", Fraction(6, 5))
    assert Part.RETRIES not in parts(found)


def test_two_gateways_that_count_the_same_requests_are_not_added():
    epp = RoundCount("llm-d-epp", "m", {Count.CALLS: 1_050})
    otel = RoundCount("otel-genai", "m", {Count.CALLS: 900, Count.REASONING: 7})
    found = amplify(engine(output=100), ["m"], [epp, litellm(calls=1_000, attempts=1_050), otel])
    assert (found.calls, found.attempts) == (1_000, 1_050)
    assert parts(found)[Part.REASONING].counted_by == "otel-genai"


def test_reasoning_bears_its_part_of_the_answers():
    costs = engine(input=100, output=100, prefill_busy=1, decode_busy=4)
    found = parts(amplify(costs, ["m"], [litellm(reasoning=25)]))[Part.REASONING]
    assert (found.number, found.cost_nanos) == (25, 2 * DOLLAR)
    assert found.per_call is None


def test_rounds_bear_their_prompts_and_their_answers():
    costs = engine(input=100, cached=50, output=100, prefill_busy=1, decode_busy=4)
    counted = litellm(calls=10, evaluations=2, evaluation_input=50, evaluation_output=10)
    found = parts(amplify(costs, ["m"], [counted]))[Part.EVALUATIONS]
    assert (found.number, found.per_call, found.cost_nanos) == (2, Fraction(1, 5), DOLLAR + 800_000_000)


def test_no_part_bears_more_than_the_whole():
    costs = engine(output=100)
    found = parts(amplify(costs, ["m"], [litellm(reasoning=900)]))[Part.REASONING]
    assert found.cost_nanos == 10 * DOLLAR


def test_the_engine_tells_what_was_computed_again_and_for_nobody():
    ended = {Outcome.SUCCESS: 8, Outcome.TRUNCATED: 2, Outcome.REJECTED: 1}
    costs = engine(ended, input=90, output=100, finished=80, recomputed=10, prefill_busy=1, decode_busy=1)
    told = {part: (one.number, one.cost_nanos) for part, one in parts(amplify(costs, ["m"], [])).items()}
    assert told == {
        Part.RECOMPUTED: (10, DOLLAR // 2),
        Part.ABANDONED: (20, DOLLAR),
        Part.TRUNCATED: (2, None),
        Part.SHED: (1, None),
    }


def test_what_nobody_counts_is_absent():
    found = amplify(engine(output=5), ["m"], [RoundCount("litellm", "other", {Count.CALLS: 5})])
    assert (found.calls, found.attempts, found.factor, found.parts, found.tokens_per_request) == (
        None, None, None, (), None,
    )  # fmt: skip
    assert amplify(engine(output=5), ["m"], [litellm(calls=5, calls_cached=5, attempts=0)]).factor is None


def test_agents_call_models_more_than_once():
    counted = RoundCount("otel-genai", "", {Count.AGENT_RUNS: 10, Count.CHAINED: 35, Count.TOOL_CALLS: 20})
    told = {one.part: (one.number, one.per_call) for one in of_agents([counted])}
    assert told == {Part.CHAINED: (25, Fraction(5, 2)), Part.TOOL_CALLS: (20, Fraction(2))}


def test_tokens_per_request_and_by_how_much_they_grew():
    found = amplify(engine({Outcome.SUCCESS: 4}, input=100, output=100), ["m"], [])
    assert found.tokens_per_request == 50
    assert growth(Fraction(50), Fraction(40)) == Fraction(1, 4)
    assert (growth(None, Fraction(1)), growth(Fraction(1), None), growth(Fraction(1), Fraction(0))) == (None,) * 3


def of(series, count):
    return {(one.gateway, one.model): one.counts[count] for one in round_counts(series) if count in one.counts}


def test_litellm_counts_calls_of_models_and_not_questions_about_keys():
    name = "litellm_proxy_total_requests_metric_total"
    routes = [grew(name, 5, requested_model="M", route=route) for route in ("/chat/completions", "/v1/messages", "")]
    assert of([*routes, grew(name, 9, requested_model="M", route="/key/generate")], Count.CALLS) == {
        ("litellm", "m"): 15
    }


def test_requests_that_a_library_sent_again_are_told_by_their_header():
    name = "gen_ai_server_request_duration_seconds_count"
    told = [
        grew(name, by, gen_ai_original_model="m", x_stainless_retry_count=again)
        for by, again in ((90, "0"), (7, "1"), (3, "2"), (5, "many"), (4, ""))
    ]
    assert of(told, Count.CALLS_AGAIN) == {("envoy-ai-gateway", "m"): 10}
    assert of(told, Count.CALLS) == {("envoy-ai-gateway", "m"): 109}


@pytest.mark.parametrize(("purpose", "count"), [("Guardrail", Count.GUARDRAILS), ("evaluation", Count.EVALUATIONS)])
def test_what_calls_are_for_is_told_by_labels(purpose, count):
    name = "litellm_proxy_total_requests_metric_total"
    told = [grew(name, 5, requested_model="m", metadata_step=purpose), grew(name, 9, requested_model="m")]
    assert of(told, count) == {("litellm", "m"): 5}


def test_old_names_are_read_only_where_the_new_ones_are_not():
    new, old = grew("llm_d_epp_request_total", 5, model_name="m"), grew("inference_objective_request_total", 5,
                                                                        model_name="m")  # fmt: skip
    assert of([new, old], Count.CALLS) == of([old], Count.CALLS) == {("llm-d-epp", "m"): 5}


def test_an_operation_of_an_agent_is_no_call_of_a_model():
    name = "gen_ai_client_operation_duration_seconds_count"
    told = [grew(name, 5, gen_ai_operation_name="chat", gen_ai_request_model="m"),
            grew(name, 2, gen_ai_operation_name="invoke_agent")]  # fmt: skip
    assert of(told, Count.CALLS) == {("otel-genai", "m"): 5}
    assert of(told, Count.AGENT_RUNS) == {("otel-genai", ""): 2}


rounds = st.builds(
    RoundCount,
    st.sampled_from([one.name for one in GATEWAYS]),
    st.sampled_from(["m", ""]),
    st.dictionaries(st.sampled_from(sorted(ROUNDS)), st.integers(0, 10**12)),
)
counts = st.dictionaries(st.sampled_from(list(Count)), st.integers(0, 10**12))


@given(st.lists(rounds, max_size=6), st.builds(Tally, counts=counts), st.integers(0, 10**15))
def test_no_part_bears_more_than_the_workload_and_none_is_negative(given_rounds, did, cost):
    found = amplify(unit_costs(Spent(cost, None, "USD"), did, phases_of(did)), ["m"], given_rounds)
    for one in (*found.parts, *of_agents(given_rounds)):
        assert one.number >= 0
        assert one.per_call is None or one.per_call >= 0
        assert one.cost_nanos is None or 0 <= one.cost_nanos <= cost + 1


@given(st.lists(rounds, max_size=6))
def test_windows_add_up_in_any_order(given_rounds):
    assert together(given_rounds) == together(reversed(given_rounds))
    assert together(together(given_rounds)) == together(given_rounds)
