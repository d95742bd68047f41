"""Whose rule splits a shared device."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.attribution.claims import Ask, Claim, Tenancy
from aicost.domain.attribution.sharing.choosing import (
    NodeRules,
    Rules,
    SharingPolicy,
    SlotRule,
    rule_of_holders,
    rules_of_node,
    with_slots,
)
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.spans import DeviceSpan, Hold
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from support.nodes import HOUR

USAGE, RESERVED, TWO = SplitRule.BY_USAGE, SplitRule.BY_RESERVATION, SplitRule.TWO_PART
NODE = NodeFacts("u", "n", 0, labels={"pool": "dev", "zone": "a"})
POLICY = SharingPolicy(
    Rules(RESERVED),
    (
        NodeRules({"pool": "dev", "zone": "b"}, TWO),
        NodeRules({"pool": "dev"}, None, SlotRule.HOLDERS),
        NodeRules({"zone": "a"}, USAGE, SlotRule.OFFERED),
    ),
)


def test_the_first_selector_that_matches_and_has_a_rule_counts_and_else_the_cluster():
    assert rules_of_node(POLICY, NODE) == Rules(USAGE, SlotRule.HOLDERS)
    assert rules_of_node(POLICY, replace(NODE, labels={})) == Rules(RESERVED, SlotRule.OFFERED)


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_what_stands_on_a_node_comes_first_and_what_is_no_rule_does_not(where):
    own = {"aicost.dev/gpu-split": "two-part", "aicost.dev/gpu-slots": "offered"}
    assert rules_of_node(POLICY, replace(NODE, **{where: NODE.labels | own})) == Rules(TWO, SlotRule.OFFERED)
    wrong = {"aicost.dev/gpu-split": "free", "aicost.dev/gpu-slots": ""}
    assert rules_of_node(POLICY, replace(NODE, labels=NODE.labels | wrong)) == rules_of_node(POLICY, NODE)


@pytest.mark.parametrize(
    ("wishes", "rule"),
    [([USAGE, USAGE], USAGE), ([USAGE, None], TWO), ([USAGE, RESERVED], TWO), ([None, None], TWO), ([], TWO)],
)
def test_holders_have_their_rule_where_all_of_them_want_it(wishes, rule):
    assert rule_of_holders(TWO, wishes) is rule


def span_of(*shares):
    tenancies = [Tenancy(n, ("t", f"p{n}"), f"u{n}", HOUR, (Ask(share),)) for n, share in enumerate(shares)]
    return DeviceSpan(HOUR, tuple(Hold(Claim(one, one.asks[0].share, seen=True), HOUR) for one in tenancies))


@pytest.mark.parametrize(
    ("sharing", "share"), [(SharingMode.TIME_SLICING, Fraction(1, 2)), (SharingMode.OTHER, Fraction(1, 4))]
)
def test_only_replicas_are_counted_by_their_holders(sharing, share):
    found = with_slots(span_of(Fraction(1, 4), Fraction(1, 4)), SlotRule.HOLDERS, sharing)
    assert {hold.claim.share for hold in found.holds} == {share}
