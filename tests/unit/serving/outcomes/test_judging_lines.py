"""Whose requests they were: names and models brought to workloads, sources chosen line by line, nothing lost."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.serving.counted import WindowCounts, answers_of, judged_of, rows_of, units_of
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.outcomes.assigning import Subject, spread, together
from aicost.domain.serving.outcomes.judged import FinishReason, JudgedBy, Verdict
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.domain.serving.outcomes.statuses import MOST_STATUSES, by_gateway, status_counts
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.tallies import Grown, Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs
from aicost.ports.measured.outcomes import OutcomeSum
from aicost.usecases.economics.cost_units import UnitLine, UnitReport
from aicost.usecases.economics.outcomes.judge_lines import Heard, judge_lines, verdicts_of, with_successes

DOLLAR, SPAN = 10**9, Window(0, 3_600_000)


def line(name="chat", requests=100, cost=DOLLAR, model="Qwen3", workload="", namespace="search", **counts):
    did = Tally(
        counts={Count.OUTPUT: 1_000, **{Count[key.upper()]: n for key, n in counts.items()}},
        outcomes={} if requests is None else {Outcome.SUCCESS: requests},
    )
    costs = unit_costs(Spent(cost, None, "USD"), did, phases_of(did))
    members = frozenset({(namespace, workload, f"Deployment/{name}")})
    return UnitLine((namespace, name), (model,), 1, 1, costs, members=members)


def report(*lines):
    return UnitReport(SPAN, SPAN, lines)


def said(**subjects):
    return {Subject("search", workload=name): verdicts for name, verdicts in subjects.items()}


def reasons(judged):
    return {one.verdict.reason: one.cost_nanos for one in judged.outcomes.lines}


GOOD, BAD = Verdict("", True, 60), Verdict("bad", False, 20)


@pytest.mark.parametrize(
    ("subject", "meant"),
    [
        (Subject("search", "chat"), True),
        (Subject("search", "Deployment/chat"), True),
        (Subject("search", "StatefulSet/chat"), False),
        (Subject("search", "other"), False),
        (Subject("shop", "chat"), False),
        (Subject("search", model="qwen3"), True),
        (Subject("shop", model="qwen3"), False),
        (Subject("", model="QWEN3"), True),
        (Subject("search", model="llama"), False),
    ],
)
def test_a_name_means_a_controller_and_a_model_what_serves_it(subject, meant):
    assert subject.means(line().members, line().models) is meant


def test_an_aiworkload_goes_before_a_controller_of_its_name():
    claimed = line(name="engine", workload="chat")
    assert Subject("search", "chat").means(claimed.members, ())
    assert Subject("search", "Deployment/engine").means(claimed.members, ())
    assert not Subject("search", "engine").means(claimed.members, ())


def test_posted_outcomes_judge_the_lines_that_they_name_and_the_engine_the_others():
    found = judge_lines(report(line(), line("other")), Heard(posted=said(chat=[GOOD, BAD])))
    assert [one.source for one in found.lines] == [JudgedBy.OUTCOMES, JudgedBy.ENGINE]
    assert reasons(found.lines[0]) == {"": 600_000_000, "bad": 200_000_000}
    assert found.lines[0].outcomes.unjudged_nanos == 200_000_000
    assert with_successes(report(), found).lines[0].costs.waste == Fraction(1, 4)


def test_what_names_nothing_that_cost_anything_is_told():
    found = judge_lines(report(line()), Heard(posted=said(ghost=[GOOD, BAD])))
    assert found.strays == {Subject("search", "ghost"): 80}
    assert found.lines[0].source is JudgedBy.ENGINE


def test_one_name_for_two_lines_is_divided_by_their_requests_and_no_request_is_lost():
    lines = (line(requests=300, model="m"), line("other", requests=100, model="m"))
    found = judge_lines(report(*lines), Heard(posted={Subject("search", model="m"): [Verdict("bad", False, 7)]}))
    assert [one.outcomes.lines[0].verdict.requests for one in found.lines] == [5, 2]


def test_one_name_for_two_lines_whose_requests_nobody_counts_is_told_and_divides_nothing():
    lines = (line(requests=None, model="m"), line("other", model="m"))
    found = judge_lines(report(*lines), Heard(posted={Subject("search", model="m"): [BAD]}))
    assert found.undivided == (Subject("search", model="m"),)


def test_a_source_that_says_nothing_gives_no_figure_in_place_of_another_one():
    found = judge_lines(report(line()), Heard(), default=SuccessRule(JudgedBy.OUTCOMES))
    assert found.lines[0].outcomes is None
    costs = with_successes(report(), found).lines[0].costs
    assert (costs.per_success, costs.useful, costs.waste) == (None, None, None)


def test_an_aiworkload_chooses_its_source_and_two_that_differ_leave_it_to_the_engine():
    rules = {"a": SuccessRule(JudgedBy.OUTCOMES), "b": SuccessRule(JudgedBy.ENGINE, frozenset({FinishReason.LENGTH}))}
    one = line(workload="a")
    both = UnitLine(("search",), (), 2, 2, one.costs, members=one.members | {("search", "b", "")})
    found = judge_lines(report(one, both), Heard(), lambda _, name: rules.get(name))
    assert [(judged.source, judged.mixed) for judged in found.lines] == [
        (JudgedBy.OUTCOMES, False),
        (JudgedBy.ENGINE, True),
    ]


def grown(name, by, **labels):
    return Grown(name, {"model": "Qwen3", **labels}, Growth(by, True))


def test_statuses_are_read_by_model_and_what_was_turned_away_costs_nothing():
    calls = "litellm_proxy_total_requests_metric_total"
    counts = status_counts(
        [
            grown(calls, 60, status_code="200"),
            grown(calls, 20, status_code="500"),
            grown(calls, 900, status_code="429"),
            grown(calls, 5, status_code="200", model=""),
            grown("something_else", 5),
        ]
    )
    assert by_gateway(counts)["litellm"] == {"qwen3": {"200": 60, "500": 20, "429": 900}}
    found = judge_lines(report(line()), Heard(gateway=by_gateway(counts)), default=SuccessRule(JudgedBy.GATEWAY))
    assert reasons(found.lines[0]) == {"200": 600_000_000, "500": 200_000_000, "429": 0}


def test_errors_that_are_counted_apart_leave_the_rest_as_answered():
    counts = status_counts(
        [
            Grown("llm_d_epp_request_total", {"model_name": "m"}, Growth(100, True)),
            Grown("llm_d_epp_request_error_total", {"model_name": "m", "error_code": "Internal"}, Growth(10, True)),
            Grown("gen_ai_server_request_duration_seconds_count", {"gen_ai_request_model": "n"}, Growth(7, True)),
            Grown(
                "gen_ai_server_request_duration_seconds_count",
                {"gen_ai_request_model": "n", "error_type": "_OTHER"},
                Growth(3, True),
            ),
        ]
    )
    found = by_gateway(counts)
    assert found["llm-d-epp"] == {"m": {"ok": 90, "Internal": 10}}
    assert found["envoy-ai-gateway"] == {"n": {"ok": 7, "_OTHER": 3}}


def test_of_two_gateways_that_count_a_model_the_first_is_read():
    heard = Heard(gateway=by_gateway({("llm-d-epp", "qwen3", "ok"): 50, ("litellm", "qwen3", "200"): 70}))
    found = judge_lines(report(line()), heard, default=SuccessRule(JudgedBy.GATEWAY))
    assert [one.verdict.requests for one in found.lines[0].outcomes.lines] == [70]


def test_a_gateway_that_fronts_the_line_is_read_alone_and_by_the_alias_too():
    answers = {
        ("llm-d-epp", "smart", "ok"): 50, ("litellm", "qwen3", "200"): 70, ("litellm", "other", "200"): 9,
    }  # fmt: skip
    fronted = replace(line(), called=("qwen3", "smart"), gateway="llm-d-epp")
    beside = line("other", model="other")
    found = judge_lines(
        report(fronted, beside), Heard(gateway=by_gateway(answers)), default=SuccessRule(JudgedBy.GATEWAY)
    )
    assert [[one.verdict.requests for one in judged.outcomes.lines] for judged in found.lines] == [[50], [9]]


def test_a_line_that_another_gateway_fronts_takes_nothing_of_what_this_one_answered():
    answers = {("litellm", "qwen3", "200"): 70, ("llm-d-epp", "qwen3", "ok"): 30}
    lines = (replace(line(), gateway="llm-d-epp"), line("other"))
    found = judge_lines(report(*lines), Heard(gateway=by_gateway(answers)), default=SuccessRule(JudgedBy.GATEWAY))
    assert sum(one.verdict.requests for one in found.lines[1].outcomes.lines) == 70
    assert sum(one.verdict.requests for one in found.lines[0].outcomes.lines) == 15


def test_a_name_that_a_gateway_had_before_is_another_view_of_it():
    counts = {("inference-extension", "m", "ok"): 5, ("llm-d-epp", "m", "ok"): 5, ("inference-extension", "n", "ok"): 2}
    assert by_gateway(counts)["llm-d-epp"] == {"m": {"ok": 5}, "n": {"ok": 2}}


def test_statuses_have_a_bound():
    counts = {("litellm", "m", f"s{n}"): n + 1 for n in range(1_000)}
    (found,) = by_gateway(counts)["litellm"].values()
    assert len(found) == MOST_STATUSES + 1
    assert sum(found.values()) == sum(counts.values())


@pytest.mark.parametrize(
    ("statuses", "status", "success", "ran"),
    [
        (("2xx",), "200", True, True),
        (("2xx",), "ok", True, True),
        (("2xx",), "499", False, True),
        (("2xx",), "408", False, True),
        (("2xx",), "404", False, False),
        (("2xx",), "BadRequest", False, False),
        (("2xx",), "Internal", False, True),
        (("200", "499"), "499", True, True),
        (("200",), "201", False, True),
        (("2xx",), "2xx", True, True),
        (("2xx",), "²00", False, True),
    ],
)
def test_a_status_is_a_success_as_the_rule_says(statuses, status, success, ran):
    (found,) = SuccessRule(JudgedBy.GATEWAY, statuses=statuses).verdicts({status: 1})
    assert (found.success, found.ran) == (success, ran)


def test_answers_and_verdicts_are_kept_with_the_counts_of_a_window_and_read_back():
    answers = {("litellm", "m", "200"): 5, ("litellm", "m", "500"): 1}
    judged = {("search", "chat"): (Verdict("", True, 9), Verdict("a:b", False, 2))}
    rows = rows_of(WindowCounts(SPAN, answers=answers, judged=judged))
    assert answers_of([*rows, *rows]) == {key: 2 * number for key, number in answers.items()}
    assert {name: set(one) for name, one in judged_of(rows).items()} == {
        ("search", "chat"): set(judged["search", "chat"])
    }
    assert units_of(rows) == {}


def test_sums_become_verdicts_and_tokens_are_known_where_all_are():
    sums = [
        OutcomeSum("search", "chat", "", True, "", 2, 2, 30),
        OutcomeSum("search", "chat", "", False, "bad", 2, 1, 30),
    ]
    assert verdicts_of(sums) == {Subject("search", "chat"): [Verdict("", True, 2, 30), Verdict("bad", False, 2)]}


sizes = st.lists(st.integers(0, 10**6), min_size=1, max_size=6)
some = st.lists(st.builds(Verdict, st.sampled_from("abc"), st.booleans(), st.integers(0, 10**9)), max_size=6)


@given(verdicts=some, sizes=sizes)
def test_dividing_and_putting_together_loses_no_request(verdicts, sizes):
    parts = spread(verdicts, sizes)
    if parts is not None:
        assert len(parts) == len(sizes)
        whole = together(one for part in parts for one in part)
        assert sum(one.requests for one in whole) == sum(one.requests for one in verdicts)
