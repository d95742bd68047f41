"""What successes and failures cost: examples by hand, and parts that always sum to the whole."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.outcomes.costs import Division, outcome_costs
from aicost.domain.serving.outcomes.judged import FinishReason, Judged, JudgedBy, Verdict, judged_by_engine
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs

DOLLAR = 10**9


def did(outcomes=None, **counts):
    return Tally(counts={Count[name.upper()]: number for name, number in counts.items()}, outcomes=outcomes or {})


def costs(one, cost=10 * DOLLAR):
    return unit_costs(Spent(cost, None, "USD"), one, phases_of(one))


def posted(*verdicts, requests=None, tokens=None):
    return Judged(JudgedBy.OUTCOMES, verdicts, requests, tokens, exact=True)


def lines(found):
    return {one.verdict.reason: one.cost_nanos for one in found.lines}


ENDED = {Outcome.SUCCESS: 60, Outcome.TRUNCATED: 20, Outcome.FAILED: 20, Outcome.ABORTED: 50, Outcome.REJECTED: 7}


def test_what_callers_left_costs_the_tokens_that_nobody_waited_for():
    one = did(ENDED, output=1_000, finished=800)
    found = outcome_costs(costs(one), judged_by_engine(one))
    assert lines(found) == {
        "success": 4_800_000_000,  # 60 of 100 finished requests share 800 of 1,000 tokens
        "truncated": 1_600_000_000,
        "failed": 1_600_000_000,
        "aborted": 2_000_000_000,  # the other 200 tokens
        "rejected": 0,  # it never ran
    }
    assert (found.division, found.unjudged_nanos, found.coverage) == (Division.TOKENS, 0, 1)
    assert found.confidence == "low"


def test_the_engines_own_word_gives_the_figures_that_stand_in_the_table_of_unit_costs():
    one = did(ENDED, input=5_000, output=1_000, finished=800)
    whole = costs(one)
    found = outcome_costs(whole, judged_by_engine(one))
    assert (found.per_success, found.useful, found.waste) == (whole.per_success, whole.useful, whole.waste)


def test_who_calls_a_truncated_answer_a_success_wastes_less():
    one = did(ENDED, output=1_000, finished=800)
    found = outcome_costs(costs(one), judged_by_engine(one, {FinishReason.STOP, FinishReason.LENGTH}))
    assert found.waste == Fraction(36, 100)
    assert found.per_success == Fraction(10 * DOLLAR, 80)


def test_an_engine_that_counts_only_what_it_aborted_does_not_judge():
    assert judged_by_engine(did({Outcome.ABORTED: 3}, timed=40)) is None
    assert judged_by_engine(did(timed=40)) is None


def test_posted_outcomes_divide_by_requests_and_what_nobody_judged_stays_visible():
    one = did({Outcome.SUCCESS: 100}, output=1_000)
    found = outcome_costs(
        costs(one),
        posted(
            Verdict("", True, 30), Verdict("hallucination", False, 8), Verdict("thumbs-down", False, 2), requests=100
        ),
    )
    assert lines(found) == {"": 3 * DOLLAR, "hallucination": 800_000_000, "thumbs-down": 200_000_000}
    assert (found.unjudged_nanos, found.unjudged_requests) == (6 * DOLLAR, 60)
    assert (found.division, found.coverage, found.confidence) == (Division.REQUESTS, Fraction(2, 5), "low")
    assert found.per_success == Fraction(4 * DOLLAR, 30)
    assert found.waste == Fraction(1, 4)


def test_tokens_of_each_outcome_divide_better_than_requests():
    one = did({Outcome.SUCCESS: 100}, output=1_000)
    found = outcome_costs(
        costs(one),
        posted(Verdict("", True, 99, 500), Verdict("too-long", False, 1, 500), requests=100, tokens=1_000),
    )
    assert lines(found) == {"": 5 * DOLLAR, "too-long": 5 * DOLLAR}
    assert (found.division, found.confidence) == (Division.TOKENS, "high")


def test_tokens_of_some_outcomes_are_no_tokens_of_all():
    one = did({Outcome.SUCCESS: 2}, output=1_000)
    found = outcome_costs(
        costs(one), posted(Verdict("", True, 1, 900), Verdict("bad", False, 1), requests=2, tokens=1_000)
    )
    assert found.division is Division.REQUESTS
    assert lines(found) == {"": 5 * DOLLAR, "bad": 5 * DOLLAR}


def test_where_nothing_is_counted_nothing_is_divided_and_nothing_is_a_ratio():
    one = did(input=10)
    found = outcome_costs(costs(one), posted(Verdict("", True, 3)))
    assert (found.division, found.coverage, found.confidence) == (None, None, None)
    assert (found.per_success, found.useful, found.waste) == (None, None, None)
    assert found.unjudged_nanos == 10 * DOLLAR


def test_who_was_turned_away_at_the_gateway_costs_nothing():
    one = did(timed=90, output=1_000)
    judged = Judged(
        JudgedBy.GATEWAY,
        (Verdict("", True, 80), Verdict("500", False, 10), Verdict("429", False, 900, ran=False)),
        90,
        None,
    )
    found = outcome_costs(costs(one, 9 * DOLLAR), judged)
    assert lines(found) == {"": 8 * DOLLAR, "500": 1 * DOLLAR, "429": 0}
    assert (found.unjudged_nanos, found.unjudged_requests) == (0, 0)
    fewer = Judged(JudgedBy.GATEWAY, judged.verdicts, 100, None)
    assert outcome_costs(costs(one, 10 * DOLLAR), fewer).unjudged_requests == 10


def test_more_judged_than_the_engine_counted_is_said_by_the_coverage():
    one = did({Outcome.SUCCESS: 10})
    found = outcome_costs(costs(one), posted(Verdict("", True, 15), Verdict("bad", False, 5), requests=10))
    assert (found.coverage, found.unjudged_nanos, found.unjudged_requests) == (2, 0, 0)


numbers = st.integers(0, 10**9)
verdicts = st.lists(
    st.builds(Verdict, st.text(max_size=3), st.booleans(), numbers, st.none() | numbers, st.booleans()), max_size=12
)


@given(
    verdicts=verdicts,
    cost=st.integers(-(10**15), 10**18),
    requests=st.none() | numbers,
    tokens=st.none() | numbers,
    output=st.none() | numbers,
    source=st.sampled_from(list(JudgedBy)),
)
def test_the_parts_always_sum_to_the_workloads_cost(verdicts, cost, requests, tokens, output, source):
    one = did(**({} if output is None else {"output": output}))
    found = outcome_costs(costs(one, cost), Judged(source, tuple(verdicts), requests, tokens))
    assert sum(line.cost_nanos for line in found.lines) + found.unjudged_nanos == cost
    assert len(found.lines) == len(verdicts)
    assert found.waste is None or 0 <= found.waste <= 1


@given(
    outcomes=st.dictionaries(st.sampled_from(list(Outcome)), numbers),
    counts=st.dictionaries(st.sampled_from(["output", "finished", "timed"]), numbers),
    good=st.sets(st.sampled_from(list(FinishReason))),
)
def test_whatever_an_engine_counts_its_parts_sum_too(outcomes, counts, good):
    one = did(outcomes, **counts)
    judged = judged_by_engine(one, good)
    if judged is not None:
        found = outcome_costs(costs(one), judged)
        assert sum(line.cost_nanos for line in found.lines) + found.unjudged_nanos == 10 * DOLLAR


@pytest.mark.parametrize("source", list(JudgedBy))
def test_a_workload_that_cost_nothing_has_no_shares(source):
    found = outcome_costs(costs(did(), 0), Judged(source, (Verdict("", True, 1),), 1, None))
    assert found.lines[0].share is None
