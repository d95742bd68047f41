"""Statements about requests: what is read, and what is refused in words that name the item, the field and the fix."""

import pytest

from aicost.domain.exact.windows import DAY_MS, from_rfc3339, to_rfc3339
from aicost.domain.serving.outcomes.posted import MOST_REASONS, OLDEST_DAYS, BadStatement, Statement, read_statements

NOW = from_rfc3339("2026-03-02T12:00:00Z")
GOOD = {"id": "req-1", "at": "2026-03-02T09:30:00Z", "workload": "chat", "outcome": "success"}


def read(*items, namespace="search"):
    return read_statements([(f"items[{n}]", one) for n, one in enumerate(items)], now_ms=NOW, namespace=namespace)


def test_a_statement_is_read_with_what_it_says_and_nothing_more():
    (one,) = read(GOOD)
    assert one == Statement("search", "req-1", from_rfc3339(GOOD["at"]), success=True, workload="chat")


def test_spellings_of_reasons_and_names_come_to_one_form():
    (one,) = read({**GOOD, "outcome": "failure", "reason": " Thumbs_Down ", "team": "Search Team", "tokens": 0})
    assert (one.reason, one.team, one.tokens) == ("thumbs-down", "search-team", 0)


def test_a_moment_in_another_zone_is_the_same_moment():
    (one,) = read({**GOOD, "at": "2026-03-02T10:30:00+01:00"})
    assert one.at_ms == from_rfc3339(GOOD["at"])


def test_a_model_may_be_named_in_place_of_a_workload():
    (one,) = read({key: value for key, value in GOOD.items() if key != "workload"} | {"model": "meta/llama-3.1"})
    assert (one.workload, one.model) == ("", "meta/llama-3.1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": ""}, "items[0].id: '': write the id of the request or trace"),
        ({"id": None}, "items[0].id: nothing: write the id"),
        ({"id": "two words"}, "items[0].id: 'two words': write the id"),
        ({"id": "x" * 129}, "items[0].id: "),
        ({"id": 7}, "items[0].id: 7: write the id"),
        ({"id": "a\x1b[31m"}, "items[0].id: 'a?[31m': write the id"),
        ({"at": "yesterday"}, "items[0].at: 'yesterday': write when the request was made, such as 2026-"),
        ({"at": "2026-03-02T09:30:00"}, "items[0].at: '2026-03-02T09:30:00': write when"),
        ({"at": 1772443800}, "items[0].at: 1772443800: write when"),
        ({"at": "2026-03-02T12:06:00Z"}, "items[0].at: '2026-03-02T12:06:00Z': it is 2026-03-02T12:00:00Z now"),
        ({"at": "2026-01-01T00:00:00Z"}, "more than 35 days ago: that is too late"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "items[0].at: "),
        ({"outcome": "good"}, "items[0].outcome: 'good': write success or failure"),
        ({"outcome": True}, "items[0].outcome: True: write success or failure"),
        ({"outcome": ["success"]}, "items[0].outcome: a list: write success or failure"),
        ({"outcome": "failure"}, "items[0].reason: it is missing: a failure has a reason"),
        ({"reason": "<script>"}, "items[0].reason: '<script>': write letters, digits, dashes and dots"),
        ({"reason": "x" * 64}, "items[0].reason: "),
        ({"tokens": -1}, "items[0].tokens: -1: write the generated tokens"),
        ({"tokens": True}, "items[0].tokens: True: write"),
        ({"tokens": 1.5}, "items[0].tokens: 1.5: write"),
        ({"tokens": float("nan")}, "items[0].tokens: nan: write"),
        ({"tokens": 10**5000}, "items[0].tokens: a number of too many digits: write"),
        ({"tokens": "12"}, "items[0].tokens: '12': write"),
        ({"namespace": "other"}, "items[0].namespace: 'other': it is sent to namespace search"),
        ({"namespace": "../other"}, "items[0].namespace: '../other': write the name of a namespace"),
        ({"workload": "../../etc"}, "items[0].workload: '../../etc': write NAME or KIND/NAME"),
        ({"workload": None}, "items[0].workload: nothing: name either the workload or the model"),
        ({"model": "qwen3"}, "items[0].workload: 'chat': name either the workload or the model"),
        ({"customer": "a\u202eb"}, "items[0].customer: 'a?b': write a name that can be read"),
        ({"customer": {"name": "acme"}}, "items[0].customer: an object: write a name"),
        ({"outcom": "success"}, "items[0].outcom: no such field: did you mean 'outcome'?"),
        ({"\x1b]0;x": 1}, "items[0].?]0;x: no such field"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_item_its_field_and_the_fix(changes, said):
    with pytest.raises(BadStatement) as refused:
        read({**GOOD, **changes})
    assert said in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("item", [None, 3, "x", [], [GOOD], True])
def test_what_is_no_object_is_no_statement(item):
    with pytest.raises(BadStatement, match=r"items\[1\]: .* is no object"):
        read(GOOD, item)


def test_where_no_namespace_is_given_each_statement_names_its_own():
    (one,) = read({**GOOD, "namespace": "chat"}, namespace=None)
    assert one.namespace == "chat"
    with pytest.raises(BadStatement, match=r"items\[0\].namespace: it is missing: say where"):
        read(GOOD, namespace=None)


def test_the_bounds_of_time_are_moments_of_their_own():
    oldest = to_rfc3339(NOW - OLDEST_DAYS * DAY_MS)
    assert len(read({**GOOD, "at": oldest}, {**GOOD, "at": "2026-03-02T12:05:00Z"})) == 2


def test_reasons_are_kinds_and_not_single_failures():
    kinds = [{**GOOD, "outcome": "failure", "reason": f"kind-{n}"} for n in range(MOST_REASONS)]
    assert len(read(*kinds, *kinds)) == 2 * MOST_REASONS
    with pytest.raises(BadStatement, match=r"items\[100\].reason: 'one-more' is one more than 100 reasons"):
        read(*kinds, {**GOOD, "outcome": "failure", "reason": "one-more"})
