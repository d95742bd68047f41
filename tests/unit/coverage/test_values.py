"""Values that deserve a look."""

import pytest

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.values import Oddity, alike, odd_values
from support.coverage import TEAM, USD, seen, spend

CLOSED = WantedKey("team", TEAM.label, TEAM.groups, allowed=("research", "vision"))


def odd(*spends, key=TEAM, audited=(), recent=()):
    found = odd_values(key, spends, audited, (*spends, *recent) if recent is not None else None)
    return [(one.oddity, one.value, one.nearest) for one in found]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("visoin", "vision"),
        ("vision", "visions"),
        ("data-platform", "dataplatform"),
        ("data-platfrom", "data-platform"),
    ],
)
def test_slips_are_alike(one, other):
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("team-a", "team-b"),
        ("cc-100", "cc-200"),
        ("search", "research"),
        ("vision", "speech"),
        ("llama-3-8b", "llama-3-70b"),
        ("a", "b"),
    ],
)
def test_values_that_differ_on_purpose_are_not_alike(one, other):
    assert not alike(one, other)


def test_the_value_with_less_cost_is_the_slip():
    spends = (spend("a", 90, team="vision"), spend("b", 5, team="visoin"), spend("c", 5, team="vision"))
    assert odd(*spends) == [(Oddity.NEAR, "visoin", "vision")]


def test_what_a_policy_allows_is_never_a_slip_whatever_it_costs():
    spends = (spend("a", 1, team="vision"), spend("b", 99, team="visoin"))
    assert (Oddity.NEAR, "visoin", "vision") in odd(*spends, key=CLOSED)
    assert not [one for one in odd(*spends, key=CLOSED) if one[1] == "vision" and one[0] is Oddity.NEAR]


def test_a_value_of_one_object_alone_is_told_with_the_object():
    lonely = [spend("x", 7, team="lonely")]
    (found,) = odd_values(TEAM, lonely, (), lonely)
    assert (found.oddity, found.cost_nanos, found.where) == (Oddity.ONCE, 7 * USD, ("a", "Deployment", "x"))


def test_a_value_that_policies_list_may_be_used_by_one_object_alone():
    assert odd(spend("x", 7, team="vision"), spend("y", 7, team="research"), key=CLOSED) == []


def test_a_value_on_two_objects_is_in_order_also_where_one_of_them_only_exists():
    assert odd(spend("x", 7, team="vision"), audited=[seen("y", values={"team": "vision"})]) == []


def test_an_allowed_value_that_nothing_carried_lately_is_unused():
    spends = (spend("x", 5, team="vision"), spend("y", 5, team="vision"))
    assert odd(*spends, key=CLOSED) == [(Oddity.UNUSED, "research", "")]


def test_one_namespace_need_not_use_what_others_may():
    spends = [spend("x", 5, team="vision"), spend("y", 5, team="vision")]
    assert odd_values(CLOSED, spends, (), spends, everywhere=False) == ()
    (left,) = odd_values(CLOSED, spends, (), (), everywhere=False)
    assert (left.oddity, left.value) == (Oddity.UNUSED, "vision")


def test_an_object_that_is_there_uses_its_value_without_any_cost():
    spends = (spend("x", 5, team="vision"), spend("y", 5, team="vision"))
    there = [seen("idle", values={"team": "research"}), seen("idle-2", values={"team": "research"})]
    assert odd(*spends, key=CLOSED, audited=there) == []


def test_where_the_ledger_is_too_young_nothing_is_said_to_be_unused():
    assert odd(spend("x", 5, team="vision"), spend("y", 5, team="vision"), key=CLOSED, recent=None) == []


def test_a_default_of_a_policy_is_no_value_that_somebody_uses():
    assert odd(spend("x", 5, by="policy_default", team="unowned")) == []
