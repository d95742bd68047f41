"""`spec.success` of an AIWorkload: what is read, and what is refused in words that name the fix."""

import pytest

from aicost.crd.convert.success import workload_success
from aicost.domain.serving.outcomes.judged import FinishReason, JudgedBy
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.ports.measured.successes import SuccessQuery


def body(success):
    spec = {"selector": {"matchLabels": {"app": "chat"}}, **({"success": success} if success else {})}
    metadata = {"namespace": "ml", "name": "chat", "uid": "u", "creationTimestamp": "2026-03-02T09:00:00Z"}
    return {"kind": "AIWorkload", "metadata": metadata, "spec": spec}


def test_a_workload_that_says_nothing_of_success_has_no_rule():
    read = workload_success(body(None))
    assert (read.value, read.problems) == (None, ())


@pytest.mark.parametrize(
    ("success", "rule"),
    [
        ({"from": "engine"}, SuccessRule(JudgedBy.ENGINE)),
        (
            {"from": "engine", "finishReasons": ["stop", "length"]},
            SuccessRule(JudgedBy.ENGINE, frozenset({FinishReason.STOP, FinishReason.LENGTH})),
        ),
        ({"from": "gateway", "statuses": ["200", "3xx"]}, SuccessRule(JudgedBy.GATEWAY, statuses=("200", "3xx"))),
        ({"from": "outcomes"}, SuccessRule(JudgedBy.OUTCOMES)),
    ],
)
def test_each_source_is_read_with_its_words(success, rule):
    read = workload_success(body(success))
    assert read.value is not None
    assert (read.value.workload, read.value.rule, read.value.query) == (("ml", "chat"), rule, None)


def test_queries_are_read_with_the_namespace_that_they_are_held_to():
    query = {"successes": "a_total", "failures": 'b_total{x="y"}'}
    read = workload_success(body({"from": "query", "query": query}))
    assert read.value is not None
    assert read.value.query == SuccessQuery("ml", "chat", "a_total", 'b_total{x="y"}')


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ({}, None),
        ({"from": "vibes"}, "'engine', 'gateway', 'query' or 'outcomes'"),
        ({"from": "gateway", "finishReasons": ["stop"]}, "take them out, or write from: engine"),
        ({"from": "engine", "statuses": ["200"]}, "take them out, or write from: gateway"),
        ({"from": "gateway", "statuses": ["600"]}, "write a status such as 200, or a class such as 2xx"),
        ({"from": "query"}, "give both or neither"),
        ({"from": "outcomes", "query": {"successes": "a"}}, "give both or neither"),
        (
            {"from": "query", "query": {"successes": "info(a)"}},
            "spec.success.query.successes: 'info(a)': info(): it is no",
        ),
        ({"from": "query", "query": {"successes": "a", "failures": "{x='y'}"}}, "spec.success.query.failures"),
    ],
)
def test_what_makes_no_sense_is_named_with_the_fix(success, said):
    read = workload_success(body(success))
    assert read.value is None
    if said:
        assert said in str(read.problems[0])
