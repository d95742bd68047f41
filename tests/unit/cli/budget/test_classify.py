"""Minor or major: one function says it, with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.budgets.overrides.classify import Classified, ClassReason, allows_self_approval, classify
from aicost.domain.budgets.overrides.values import Override, OverrideClass, Purpose
from aicost.domain.budgets.plans import ApprovalRules, MinorRule
from aicost.domain.exact.amounts import NANOS_PER_UNIT
from aicost.domain.identity.stages import Stage
from support.budgets import plan

BASE = 5000 * NANOS_PER_UNIT
RULE = MinorRule(percent=10, max_nanos=None, cumulative_percent=15)


def asks(units=None, percent=None, purpose=Purpose.RAISE_LIMIT):
    nanos = None if units is None else units * NANOS_PER_UNIT
    return Override("research", "more", "u", purpose, "dana", 0, nanos=nanos, percent=percent)


@pytest.mark.parametrize(
    ("asked", "most", "so_far", "said"),
    [
        (500, None, 0, (OverrideClass.MINOR, ClassReason.WITHIN, 500)),
        (501, None, 0, (OverrideClass.MAJOR, ClassReason.ABOVE_PERCENT, 500)),
        (300, 250, 0, (OverrideClass.MAJOR, ClassReason.ABOVE_AMOUNT, 250)),
        (250, 250, 0, (OverrideClass.MINOR, ClassReason.WITHIN, 250)),
        (600, 800, 0, (OverrideClass.MAJOR, ClassReason.ABOVE_PERCENT, 500)),
        (900, 800, 0, (OverrideClass.MAJOR, ClassReason.ABOVE_PERCENT, 500)),
        (250, None, 500, (OverrideClass.MINOR, ClassReason.WITHIN, 250)),
        (251, None, 500, (OverrideClass.MAJOR, ClassReason.ABOVE_CUMULATIVE, 250)),
        (1, None, 900, (OverrideClass.MAJOR, ClassReason.ABOVE_CUMULATIVE, 0)),
    ],
)
def test_a_request_is_held_against_each_bound_and_the_one_that_it_passes_is_named(asked, most, so_far, said):
    rule = MinorRule(10, None if most is None else most * NANOS_PER_UNIT, 15)
    found = classify(asks(asked), rule, BASE, so_far * NANOS_PER_UNIT)
    assert found == Classified(said[0], said[1], asked * NANOS_PER_UNIT, said[2] * NANOS_PER_UNIT)


def test_a_percentage_is_of_the_limit_before_anything_was_approved():
    assert classify(asks(percent=10), RULE, BASE, 0).asked_nanos == 500 * NANOS_PER_UNIT
    assert classify(asks(percent=10), RULE, BASE, 0).as_class is OverrideClass.MINOR
    assert classify(asks(percent=11), RULE, BASE, 0).reason is ClassReason.ABOVE_PERCENT


def test_stopping_production_is_always_major_and_a_break_glass_is_neither():
    stop = classify(asks(purpose=Purpose.STOP_PRODUCTION), RULE, BASE, 0)
    assert stop == Classified(OverrideClass.MAJOR, ClassReason.STOPS_PRODUCTION)
    assert classify(asks(purpose=Purpose.BREAK_GLASS), RULE, BASE, 0) is None


@given(
    st.lists(st.integers(0, BASE), max_size=12),
    st.integers(1, 100),
    st.integers(1, 100),
    st.none() | st.integers(1, BASE),
)
def test_minor_overruns_never_add_more_than_the_cumulative_cap_however_many_there_are(asked, percent, total, most):
    rule, so_far = MinorRule(percent, most, total), 0
    for nanos in asked:
        found = classify(Override("n", "o", "u", Purpose.RAISE_LIMIT, "d", 0, nanos=nanos), rule, BASE, so_far)
        if found.as_class is OverrideClass.MINOR:
            so_far += nanos
            assert nanos <= found.most_nanos
    assert so_far * 100 <= BASE * total


@given(st.integers(0, 2 * BASE), st.integers(0, BASE), st.integers(0, BASE))
def test_asking_for_more_never_makes_a_request_milder(nanos, more, so_far):
    def as_class(amount):
        return classify(Override("n", "o", "u", Purpose.RAISE_LIMIT, "d", 0, nanos=amount), RULE, BASE, so_far).as_class

    assert not (as_class(nanos) is OverrideClass.MAJOR and as_class(nanos + more) is OverrideClass.MINOR)


@pytest.mark.parametrize(
    ("stage", "stages", "said", "allowed"),
    [
        (None, (), None, True),
        (Stage.EXPERIMENT, (), None, True),
        (Stage.PRODUCTION, (), None, False),
        (None, ("production",), None, False),
        (Stage.PRODUCTION, (), True, True),
        (None, (), False, False),
    ],
)
def test_people_approve_themselves_outside_production_unless_the_budget_says_otherwise(stage, stages, said, allowed):
    rules = ApprovalRules(MinorRule(self_approval=said))
    assert allows_self_approval(plan(stage=stage, filters={"stage": stages}, approvals=rules)) is allowed
