"""What is wrong with policies although each of their fields is in order."""

from dataclasses import replace

import pytest

from aicost.domain.identity.claims import LabelSelector
from aicost.domain.policy.policies import (
    AllowedValues,
    Case,
    ConfigMapKey,
    Exemption,
    LabelKey,
    LabelPolicy,
    Mode,
    NamespaceScope,
)
from aicost.domain.policy.review.defects import find_defects
from aicost.domain.policy.review.findings import PolicyDefectKind

TEAMS = AllowedValues(values=("search", "vision"))
OTHERS = AllowedValues(values=("billing",))
ANYWHERE = NamespaceScope(selector=LabelSelector({"a": "b"}))


def make_key(key="team", **more):
    return LabelKey(key, f"aicost.dev/{key}", None, **more)


def make_policy(name="one", *keys, **more):
    return LabelPolicy(name, f"u-{name}", 1, Mode.WARN, tuple(keys), **more)


def said(*policies, kinds=()):
    return [(one.policy, one.kind, one.message) for one in find_defects(policies, kinds)]


def places(*names):
    return NamespaceScope(frozenset(names))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"default": "none"}, "default is none"),
        ({"value_aliases": {"vis": "vison"}}, "valueAliases.vis is vison"),
        ({"groups": {"g": "ops"}}, "groups.g is ops"),
        ({"allowed": replace(TEAMS, bound={"ops": places("a")})}, "allowed.bound is ops"),
    ],
)
def test_a_value_that_the_policy_gives_and_does_not_allow_is_told(more, field):
    ((_, kind, message),) = said(make_policy("one", make_key(**{"allowed": TEAMS, **more})))
    assert kind is PolicyDefectKind.NOT_ALLOWED
    assert field in message


@pytest.mark.parametrize(
    "allowed",
    [AllowedValues(), replace(TEAMS, pattern="[a-z]+"), replace(TEAMS, config_map=ConfigMapKey("a", "b", "c"))],
)
def test_a_list_that_is_open_allows_what_the_policy_gives(allowed):
    assert said(make_policy("one", make_key(allowed=allowed, default="none"))) == []


def test_a_label_that_stands_for_two_keys_is_told():
    policy = make_policy("one", make_key("team", aliases=("squad",)), make_key("project", aliases=("squad", "team")))
    messages = [message for _, kind, message in said(policy) if kind is PolicyDefectKind.AMBIGUOUS_ALIAS]
    assert [message.split(":")[0] for message in messages] == [
        "the label squad stands for team and project",
        "the label team stands for team and project",
    ]


def test_an_exemption_of_a_key_that_is_not_there_is_told():
    policy = make_policy("one", make_key(), exemptions=(Exemption("late", 0, "jane", keys=("team", "taem")),))
    ((_, kind, message),) = said(policy)
    assert kind is PolicyDefectKind.UNKNOWN_KEY
    assert "no key taem" in message


def test_a_kind_that_nobody_knows_is_told_where_kinds_are_known():
    policy = make_policy("one", make_key(), kinds=("Deployment", "Deploiment"))
    ((_, kind, message),) = said(policy, kinds={"Deployment"})
    assert kind is PolicyDefectKind.UNKNOWN_KIND
    assert "Deploiment" in message
    assert said(policy) == []


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({"allowed": TEAMS}, {"allowed": OTHERS}, "allow no value in common"),
        ({"case": Case.LOWER}, {"case": Case.KEEP}, "treat letter case differently"),
        ({"default": "a"}, {"default": "b"}, "give different defaults (a and b)"),
        ({"value_aliases": {"x": "a"}}, {"value_aliases": {"x": "b"}}, "read x differently (a and b)"),
    ],
)
def test_a_contradiction_between_two_policies_is_told_to_both(one, other, words):
    found = said(make_policy("one", make_key(**one)), make_policy("two", make_key(**other)))
    assert [(policy, kind) for policy, kind, _ in found] == [
        ("one", PolicyDefectKind.CONFLICT),
        ("two", PolicyDefectKind.CONFLICT),
    ]
    assert all(words in message and "one and two" in message for _, _, message in found)


def test_lists_with_a_value_in_common_and_open_ones_do_not_contradict():
    narrow = make_policy("one", make_key(allowed=AllowedValues(values=("vision",))))
    assert said(narrow, make_policy("two", make_key(allowed=TEAMS))) == []
    assert said(narrow, make_policy("two", make_key(allowed=replace(OTHERS, pattern=".*")))) == []
    assert said(narrow, make_policy("two", make_key("product", allowed=OTHERS))) == []


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ({"namespaces": places("a")}, {"namespaces": places("b")}, False),
        ({"namespaces": places("a")}, {"namespaces": places("a", "b")}, True),
        ({"namespaces": places("a")}, {"namespaces": ANYWHERE}, True),
        ({"namespaces": places("a")}, {}, True),
        ({"kinds": ("Job",)}, {"kinds": ("Deployment",)}, False),
        ({"kinds": ("Job",)}, {}, True),
    ],
)
def test_policies_contradict_only_where_they_may_speak_of_one_object(one, other, meet):
    found = said(
        make_policy("one", make_key(allowed=TEAMS), **one), make_policy("two", make_key(allowed=OTHERS), **other)
    )
    assert bool(found) is meet


def test_the_order_of_policies_does_not_matter():
    policies = [make_policy(name, make_key(default=name)) for name in ("c", "a", "b")]
    assert {(one, kind) for one, kind, _ in said(*policies)} == {(one, kind) for one, kind, _ in said(*policies[::-1])}
    assert len(said(*policies)) == 6
