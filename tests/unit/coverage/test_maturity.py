"""Levels, stages, the line and the next step."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.coverage.maturity import Rollout, Standing, judge, rollout_of
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.policy.policies import Mode
from support.coverage import SPAN, USD, audit, denied, missing, report, seen, spend

LABELLED = {"team": "vision", "cost_center": "cc-1"}
GOOD = Standing(
    by_cost=Fraction(95, 100),
    by_count=Fraction(92, 100),
    line=Fraction(9, 10),
    modes=(Mode.DENY_NEW,),
    policies_known=True,
    would_deny=0,
    telemetry=Fraction(99, 100),
    price=Fraction(1),
)


def test_all_that_can_be_assessed_is_level_two_and_level_three_says_what_is_missing():
    found = judge(GOOD)
    assert found.level == 2
    open_ones = [one for one in found.criteria if one.met is None]
    assert {one.level for one in open_ones} == {3}
    assert all(one.found for one in open_ones)


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"by_cost": Fraction(899_999, 1_000_000)}, 0),
        ({"by_cost": Fraction(9, 10)}, 2),
        ({"by_count": Fraction(1, 2)}, 1),
        ({"by_count": None}, 1),
        ({"modes": (Mode.WARN,)}, 1),
        ({"modes": ()}, 1),
        ({"policies_known": False}, 1),
        ({"telemetry": Fraction(1, 2)}, 1),
        ({"price": Fraction(1, 2)}, 1),
        ({"by_cost": None}, None),
    ],
)
def test_a_level_needs_all_of_its_criteria(change, level):
    assert judge(replace(GOOD, **change)).level == level


def test_what_cannot_be_assessed_is_neither_met_nor_failed():
    criteria = judge(replace(GOOD, by_cost=None)).criteria
    assert criteria[0].met is None
    assert "no cost" in criteria[0].found


def test_a_share_just_under_the_line_does_not_look_as_if_it_were_on_it():
    assert judge(replace(GOOD, by_cost=Fraction(899_999, 1_000_000))).criteria[0].found == "just under 90.0% now"


@pytest.mark.parametrize(
    ("modes", "stage"),
    [
        ((), Rollout.CRAWL),
        ((Mode.AUDIT,), Rollout.CRAWL),
        ((Mode.AUDIT, Mode.WARN), Rollout.WALK),
        ((Mode.DENY_NEW,), Rollout.RUN),
        ((Mode.DENY,), Rollout.RUN),
    ],
)
def test_the_stage_is_that_of_the_strictest_policy(modes, stage):
    assert rollout_of(modes) is stage


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"modes": ()}, "Apply a CostLabelPolicy in mode Audit"),
        ({"modes": (Mode.AUDIT,)}, "set the mode to Warn"),
        (
            {"modes": (Mode.WARN,), "would_deny": 3},
            "set the mode to DenyNew, which refuses new objects alone. 3 objects",
        ),
        ({"modes": (Mode.DENY_NEW,)}, "set the mode to Deny"),
        ({"modes": (Mode.DENY_NEW,), "would_deny": 1}, "1 object breaks it today"),
        ({"modes": (Mode.DENY,)}, "Level 3 asks for budgets"),
        ({"modes": (Mode.DENY,), "telemetry": Fraction(1, 2)}, "Level 2 asks for samples"),
        ({"modes": (Mode.AUDIT,), "by_cost": Fraction(1, 2), "lever": "Label it."}, "Set the mode to Warn, so"),
        ({"modes": (Mode.DENY,), "by_cost": Fraction(1, 2), "lever": "Label it."}, "Label it."),
        ({"by_cost": None}, "GPUs must run and have a price"),
        ({"policies_known": False, "lever": "Label it."}, "Label it."),
    ],
)
def test_the_next_step_never_skips_a_mode_and_never_denies_below_the_line(change, said):
    step = judge(replace(GOOD, **change)).next_step
    assert said in step
    below = (change.get("by_cost") or 1) < GOOD.line
    assert not (below and "Deny" in step)


def test_the_line_says_how_much_is_missing_and_how_few_objects_are_enough():
    found = report(spend("a", 40, **LABELLED), spend("b", 35), spend("c", 20), spend("d", 5))
    assert found.line.missing_nanos == 50 * USD
    assert found.line.objects == 2
    reached = report(spend("a", 90, **LABELLED), spend("b", 10))
    assert (reached.line.missing_nanos, reached.line.objects) == (0, 0)


def test_the_lever_is_the_namespace_with_the_most_uncovered_cost_and_all_that_it_lacks():
    spends = (spend("a", 50, "x", **LABELLED), spend("b", 20, "y", team="t"), spend("c", 10, "y"), spend("d", 20, "z"))
    found = report(*spends).lever
    assert (found.namespace, found.labels) == ("y", ("aicost.dev/cost-center", "aicost.dev/team"))
    assert found.advice.endswith("coverage goes from 50.0% to 80.0%.")
    assert report(spend("a", 50, **LABELLED)).lever is None


def test_the_policy_says_which_line_is_to_be_reached():
    looked = audit(seen("a"))
    strict = replace(looked, policies=(replace(looked.policies[0], min_coverage_ppm=990_000),))
    assert report(spend("a", 95, **LABELLED), spend("b", 5), audit=strict).line.target == Fraction(99, 100)


def test_what_would_be_denied_counts_objects_and_leaves_excused_ones_out():
    excused = seen("excused", lacks=("team",), problems=(missing("team", excused_by="until-may"),))
    looked = audit(seen("fine"), denied(seen("bad", lacks=("team",))), excused, seen("x", lacks=("cost-center",)))
    found = report(audit=looked).denied
    assert (found.now, found.strict, found.of) == (1, 2, 4)
    assert found.by_code == {"missing-label": 2}


def test_offenders_come_with_the_costliest_first_and_objects_without_any_label_are_named():
    looked = audit(seen("a", lacks=("team",)), seen("idle", lacks=("team", "cost-center"), owner="jo"))
    found = report(spend("a", 5, cost_center="cc-1"), spend("gone", 50), audit=looked)
    assert [one.of[2] for one in found.offenders] == ["gone", "a", "idle"]
    assert found.offenders[2].owner == "jo"
    assert [one.of[2] for one in found.bare] == ["gone", "idle"]


def test_a_month_is_thirty_days_at_the_pace_of_what_is_known():
    tenth = Window(SPAN.end_ms - 3 * 24 * HOUR_MS, SPAN.end_ms)
    assert report(spend("a", 5), covered=tenth).monthly(5 * USD) == 50 * USD
    hours = report(spend("a", 5), covered=Window(SPAN.end_ms - 5 * HOUR_MS, SPAN.end_ms))
    assert hours.monthly(5 * USD) is None
    assert any("less than a day" in reason for reason in hours.not_assessed)


def test_an_object_that_could_not_be_listed_is_told():
    found = report(audit=audit(seen("a"), unread=("may not list rayjobs",)))
    assert "objects of a kind: may not list rayjobs" in found.not_assessed
