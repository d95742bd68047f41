"""Label coverage by cost and by count."""

from fractions import Fraction

import pytest

from aicost.domain.coverage.keys import TEAM as NO_POLICY_KEY
from aicost.domain.coverage.keys import WantedKey, wanted_keys
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.policies import LabelKey, LabelPolicy, Mode, NamespaceScope, Need
from support.coverage import CENTER, TEAM, USD, audit, report, seen, spend

LABELLED = {"team": "vision", "cost_center": "cc-1"}


def test_coverage_by_cost_weighs_what_coverage_by_count_only_counts():
    found = report(
        spend("big", 90, **LABELLED), spend("small", 10), audit=audit(seen("big"), seen("small", lacks=("team",)))
    )
    assert (found.total.by_cost, found.total.by_count) == (Fraction(9, 10), Fraction(1, 2))


def test_a_cost_that_lacks_one_of_two_required_keys_is_not_covered():
    found = report(spend("x", 10, team="vision"), spend("y", 30, **LABELLED))
    by_key = {key.key: key.weight.by_cost for key in found.keys}
    assert by_key == {"team": 1, "cost-center": Fraction(3, 4)}
    assert found.total.by_cost == Fraction(3, 4)


def test_a_policy_default_is_shown_and_covers_nothing():
    found = report(spend("x", 10, by="policy_default", team="unowned"), spend("y", 10, team="vision"), keys=(TEAM,))
    (key,) = found.keys
    assert key.weight.by_cost == Fraction(1, 2)
    assert key.by_source == {"policy_default": 10 * USD, "pod_label": 10 * USD}


def test_an_inherited_value_covers_like_a_label():
    assert report(spend("x", 10, by="namespace_label", team="vision"), keys=(TEAM,)).total.by_cost == 1


def test_without_any_cost_coverage_by_cost_is_not_known_and_coverage_by_count_is():
    found = report(audit=audit(seen("x")))
    assert (found.total.by_cost, found.total.by_count) == (None, 1)
    assert found.line is None
    assert found.maturity.level is None


def test_a_key_that_is_required_in_a_stage_is_measured_there_alone():
    staged = WantedKey("cost-center", CENTER.label, CENTER.groups, stages=("production",))
    spends = (
        spend("trial", 50, stage="experiment", team="vision"),
        spend("live", 10, stage="production", team="vision"),
        spend("who-knows", 40, team="vision"),
    )
    found = report(*spends, keys=(TEAM, staged))
    assert found.keys[1].weight.whole_nanos == 50 * USD, "production, and what names no stage"
    assert found.total.by_cost == Fraction(50, 100)


def test_cost_in_a_namespace_that_policies_leave_alone_is_no_part_of_the_whole():
    here = WantedKey("team", TEAM.label, TEAM.groups, namespaces=("a",))
    found = report(spend("x", 10, "a", team="vision"), spend("y", 90, "elsewhere"), keys=(here,))
    assert found.total.by_cost == 1
    assert found.offenders == ()


def test_an_optional_key_is_measured_and_judges_nothing():
    optional = WantedKey("product", "aicost.dev/product", ("product",), required=False)
    found = report(spend("x", 10, team="vision"), keys=(TEAM, optional))
    assert found.keys[1].weight.by_cost == 0
    assert found.total.by_cost == 1
    assert found.required == ("team",)


def test_namespaces_come_with_the_largest_uncovered_cost_first():
    found = report(spend("x", 100, "owned", **LABELLED), spend("y", 10, "b"), spend("z", 20, "c", team="x"))
    assert [one.namespace for one in found.namespaces] == ["c", "b", "owned"]
    assert found.namespaces[0].keys["team"].by_cost == 1
    assert found.namespaces[0].keys["cost-center"].by_cost == 0


def test_the_top_of_the_spend_is_the_fewest_objects_that_make_up_eighty_percent():
    found = report(spend("a", 60), spend("b", 25, **LABELLED), spend("c", 10), spend("d", 5), spend("free", 0))
    assert (found.top.objects, found.top.of) == (2, 4)
    assert found.top.weight.by_cost == Fraction(25, 85)


def test_with_an_audit_finished_objects_count_by_cost_and_not_by_count():
    found = report(spend("gone", 50), spend("here", 50, **LABELLED), audit=audit(seen("here")))
    assert found.total.by_cost == Fraction(1, 2)
    assert (found.total.covered, found.total.objects) == (1, 1)


def test_without_an_audit_the_objects_are_those_that_had_a_cost():
    found = report(spend("x", 50), spend("y", 50, **LABELLED))
    assert (found.total.covered, found.total.objects) == (1, 2)
    assert found.denied is None
    assert any("would be denied" in reason for reason in found.not_assessed)


def _policy(name, *keys, namespaces=None):
    return LabelPolicy(name, name, 1, Mode.AUDIT, keys, namespaces=namespaces)


def _key(need=Need.ALWAYS, **more):
    return LabelKey("team", "aicost.dev/team", Dimension.TEAM, need=need, **more)


def test_several_policies_require_a_key_wherever_one_of_them_does():
    stages = [_policy("a", _key(stages=(Stage.PILOT,))), _policy("b", _key(stages=(Stage.PRODUCTION,)))]
    assert wanted_keys(stages, {}, {})[0].stages == ("pilot", "production")
    assert wanted_keys([*stages, _policy("c", _key())], {}, {})[0].stages == ()
    scope = NamespaceScope(frozenset({"x"}))
    some = [_policy("a", _key(), namespaces=scope), _policy("b", _key(Need.NEVER))]
    (key,) = wanted_keys(some, {}, {"a": frozenset({"x"}), "b": None})
    assert (key.required, key.namespaces) == (True, ("x",))


def test_a_key_of_ones_own_is_read_from_its_label_and_its_aliases():
    own = LabelKey("acme.com/owner", "acme.com/owner", None, aliases=("owner",), need=Need.ALWAYS)
    (key,) = wanted_keys([_policy("a", own)], {}, {})
    assert key.groups == ("label:acme.com/owner", "label:owner")
    assert key.source_group == ""


@pytest.mark.parametrize("policies", [(), (_policy("rules-alone"),)])
def test_where_no_policy_names_a_key_the_question_is_whose_it_is(policies):
    assert wanted_keys(policies, {}, {}) == (NO_POLICY_KEY,)
