"""Values: normal forms, what is allowed, and which one was meant."""

import pytest

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.policy.policies import AllowedValues, Case, ConfigMapKey
from aicost.domain.policy.values import canonical, did_you_mean, form_of, in_label, is_allowed, listed_values
from aicost.domain.policy.wildcards import matches_any
from support.admission.policies import TEAM, dimension_key, own_key

LIST = ConfigMapKey("finance", "teams", "values")


@pytest.mark.parametrize(
    ("dimension", "case", "raw", "form"),
    [
        (Dimension.TEAM, Case.LOWER, "Recommendation_Engine", "recommendation-engine"),
        (Dimension.TEAM, Case.LOWER, "untagged", None),
        (Dimension.MODEL, Case.LOWER, "Qwen--Qwen2.5-7B", "qwen/qwen2.5-7b"),
        (None, Case.LOWER, " Dana_X ", "dana_x"),
        (None, Case.KEEP, " Dana_X ", "Dana_X"),
        (None, Case.KEEP, "  ", None),
    ],
)
def test_a_value_has_one_form(dimension, case, raw, form):
    assert form_of(dimension, case, raw) == form


def test_a_list_is_read_line_by_line_without_comments_and_each_value_once():
    assert listed_values("Vision\n# teams of 2026\n\nresearch # until May\nVISION\r\n", TEAM) == ("vision", "research")


@pytest.mark.parametrize("held", [{}, {LIST: ()}])
def test_a_list_that_is_not_there_or_empty_refuses_nobody(held):
    key = dimension_key(Dimension.TEAM, allowed=AllowedValues(config_map=LIST))
    assert is_allowed(key, "anything", held)


def test_a_list_that_is_there_is_held_to():
    key = dimension_key(Dimension.TEAM, allowed=AllowedValues(config_map=LIST))
    assert is_allowed(key, "vision", {LIST: ("vision",)})
    assert not is_allowed(key, "anything", {LIST: ("vision",)})


def test_a_pattern_that_no_engine_can_run_limits_nothing():
    assert is_allowed(dimension_key(Dimension.TEAM, allowed=AllowedValues(pattern="a(?=b)")), "zzz", {})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("visoin", "vision"),
        ("visions", "vision"),
        ("recomendation-engine", "recommendation-engine"),
        ("payments", ""),
        ("v", ""),
        ("recss", "recommendation-engine"),
    ],
)
def test_the_nearest_value_or_alias_is_what_was_meant(written, meant):
    assert did_you_mean(TEAM, written, {}) == meant


def test_an_alias_of_a_value_that_is_not_allowed_is_not_proposed():
    key = dimension_key(Dimension.TEAM, value_aliases={"reccs": "gone"}, allowed=AllowedValues(values=("vision",)))
    assert did_you_mean(key, "recccs", {}) == ""


def test_a_key_keeps_the_case_of_its_aliases():
    key = own_key("acme.example/tier", case=Case.KEEP, value_aliases={"Au": "Gold"})
    assert (canonical(key, "Au"), canonical(key, "au")) == ("Gold", "au")


def test_only_a_value_that_a_label_can_hold_is_written():
    model = dimension_key(Dimension.MODEL)
    assert in_label(model, "qwen/qwen2.5-7b") == "qwen--qwen2.5-7b"
    assert in_label(model, "qwen2.5:7b") is None
    assert in_label(TEAM, "a/b") is None
    assert in_label(TEAM, "x" * 64) is None


@pytest.mark.parametrize(
    ("pattern", "text", "covers"),
    [
        ("*", "", True),
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("a*a", "a", False),
        ("a*b*c", "a-c-b", False),
        ("**x**", "axb", True),
        ("meta-llama/*", "meta-llama/llama-3.1-8b", True),
        ("l4", "l40s", False),
        ("[l4]", "l", False),
        ("?", "x", False),
    ],
)
def test_a_star_stands_for_anything_and_nothing_else_does(pattern, text, covers):
    assert matches_any((pattern,), text) is covers
