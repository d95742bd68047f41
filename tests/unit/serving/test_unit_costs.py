"""Money over what was done: the parts sum to the whole, and what is not known is absent."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.phases import PhaseMethod, phases_of
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs

DOLLAR = 10**9


def did(outcomes=None, **counts):
    return Tally(counts={Count[name.upper()]: number for name, number in counts.items()}, outcomes=outcomes or {})


def costs(one, cost=10 * DOLLAR, idle=None):
    return unit_costs(Spent(cost, idle, "USD"), one, phases_of(one))


def test_g12_prompts_bear_what_their_phase_took_and_the_method_is_named():
    one = did(input=1_000, output=5_000, prefill_time=600_000, decode_time=37_674_800)
    found = costs(one, cost=10**12)
    assert found.phases.method is PhaseMethod.REQUEST_TIME
    assert found.phases.confidence == "low"
    assert found.input.cost_nanos / 10**12 == pytest.approx(0.0157, abs=0.00005)


def test_the_engines_own_time_stands_before_that_of_requests():
    one = did(input=1, output=1, prefill_time=9, decode_time=1, prefill_busy=1, decode_busy=3)
    found = costs(one)
    assert (found.phases.method, found.phases.confidence) == (PhaseMethod.ENGINE_TIME, "high")
    assert found.output.cost_nanos == 7_500_000_000


def fitted(points):
    """Counts of minutes of so many prompts, answers and busy milliseconds."""
    products = {"prompt_prompt": (0, 0), "prompt_output": (0, 1), "output_output": (1, 1), "prompt_busy": (0, 2),
                "output_busy": (1, 2), "busy_busy": (2, 2)}  # fmt: skip
    sums = {f"fit_{name}": sum(one[a] * one[b] for one in points) for name, (a, b) in products.items()}
    mixes = {"fit_mix_2": 1, "fit_mix_5": 1, "fit_mix_9": 1}
    return {"fit_minutes": len(points), "fit_busy": sum(one[2] for one in points), **sums, **mixes}


MIXED = [(100, 10, 700), (50, 40, 950), (10, 60, 1_230)] * 20
"""5 ms for a token of a prompt and 20 for one of an answer; 10 and 3 ms off in two of three."""


def test_golden_weights_that_were_fitted_stand_before_the_time_of_requests():
    """600 computed and 1,000 cached tokens are 700 of prompts; at 5 ms they are 3.5 s, 100 answers at 20 ms are 2 s."""
    exact = [(p, o, 5 * p + 20 * o) for p, o, _ in MIXED]
    one = did(input=1_600, cached=1_000, output=100, prefill_time=1, decode_time=9, **fitted(exact))
    found = costs(one, cost=55 * DOLLAR)
    assert (found.phases.method, found.phases.confidence) == (PhaseMethod.CALIBRATED, "medium")
    assert [kind.cost_nanos for kind in (found.input, found.cached, found.output)] == [
        30 * DOLLAR, 5 * DOLLAR, 20 * DOLLAR,
    ]  # fmt: skip
    assert costs(did(output=5, prefill_busy=0, decode_busy=1, **fitted(exact))).phases.method is PhaseMethod.ENGINE_TIME


def test_a_fit_that_is_not_accepted_divides_nothing():
    few = did(input=10, output=10, prefill_time=1, decode_time=9, **fitted(MIXED[:30]))
    assert costs(few).phases.method is PhaseMethod.REQUEST_TIME


def test_without_times_stated_weights_divide_and_it_is_said():
    found = costs(did(input=2_000, cached=1_000, output=1_000), cost=51)
    assert (found.phases.method, found.phases.confidence) == (PhaseMethod.PRIORS, "assumed")
    assert [one.cost_nanos for one in (found.input, found.cached, found.output)] == [10, 1, 40]


def test_times_of_a_phase_without_tokens_divide_nothing():
    assert phases_of(did(output=5, prefill_busy=10, decode_busy=1)).method is PhaseMethod.PRIORS


def test_full_active_and_useful():
    one = did({Outcome.SUCCESS: 3, Outcome.FAILED: 1}, input=0, output=2_000_000, finished=1_000_000)
    found = costs(one, cost=10 * DOLLAR, idle=6 * DOLLAR)
    assert found.output.full == 5 * DOLLAR
    assert found.output.active == 2 * DOLLAR
    assert found.useful == Fraction(10 * DOLLAR * 10**6, 750_000)
    assert found.waste == Fraction(5, 8)
    assert found.per_request == Fraction(10 * DOLLAR, 4)
    assert found.per_success == Fraction(10 * DOLLAR, 3)


def test_a_million_tokens_at_two_dollars_an_hour():
    found = costs(did(output=2_500 * 3_600), cost=2 * DOLLAR)
    assert round(found.output.full / DOLLAR, 3) == Fraction(222, 1000)


def test_what_is_not_known_is_absent_and_not_zero():
    found = costs(Tally())
    assert (found.phases, found.input, found.output, found.useful, found.per_request) == (None,) * 5
    assert costs(did(output=5), idle=None).output.active is None
    assert costs(did({Outcome.FAILED: 3}, output=5)).per_success is None
    assert costs(did({Outcome.FAILED: 3}, output=5)).useful is None


amounts = st.integers(0, 10**15)
counts = st.dictionaries(st.sampled_from(list(Count)), st.integers(0, 10**12))
ended = st.dictionaries(st.sampled_from(list(Outcome)), st.integers(0, 10**9))


@given(amounts, amounts, st.builds(Tally, counts=counts, outcomes=ended))
def test_the_kinds_of_tokens_bear_the_whole_to_the_nano(cost, idle, one):
    found = unit_costs(Spent(max(cost, idle), min(cost, idle), "USD"), one, phases_of(one))
    kinds = [kind for kind in (found.input, found.cached, found.output) if kind]
    assert not kinds or sum(kind.cost_nanos for kind in kinds) == max(cost, idle)
    assert all(kind.active is None or kind.active <= kind.full + 10**6 for kind in kinds)
    assert all(kind.tokens or kind.full is None for kind in kinds)
