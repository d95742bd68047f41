"""Requests for more: which hold, what they add, and what becomes of the others."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.overrides.classify import ClassReason, classify
from aicost.domain.budgets.overrides.values import Decided, Override, OverrideClass, Phase, Purpose, Ruling
from aicost.domain.budgets.overrides.weigh import OPEN_END_MS, UNDECIDED_MS, OverrideReason, weigh
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import ApprovalRules, MinorRule, VictimRules
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS
from aicost.domain.identity.stages import Stage
from support.budgets import LIMIT, MONTH, START, plan, safety

MINOR, MAJOR = OverrideClass.MINOR, OverrideClass.MAJOR
OPEN = Period(0, None)


def asks(name="a", percent=10, purpose=Purpose.RAISE_LIMIT, **more):
    known = {"percent": percent if purpose is Purpose.RAISE_LIMIT else None, "created_ms": START, **more}
    return Override("research", name, f"uid-{name}", purpose, "dana", **known)


def approved(name="a", as_class=MINOR, by="lee", **more):
    return asks(name, decided=Decided(Ruling.APPROVED, as_class, by), **more)


def weighed(*overrides, budget=None, period=MONTH, now=START, base=LIMIT):
    return weigh(overrides, budget or plan(), period, base, now)


def one(override, **more):
    (verdict,) = weighed(override, **more).verdicts
    return verdict


def reason(override, **more):
    return one(override, **more).reason


def test_what_nobody_has_decided_waits_and_lapses():
    assert reason(asks()) is OverrideReason.UNDECIDED
    assert one(asks()).ends_ms == START + UNDECIDED_MS
    assert one(asks(), now=START + UNDECIDED_MS - 1).phase is Phase.PENDING
    assert one(asks(), now=START + UNDECIDED_MS).phase is Phase.EXPIRED


def test_what_is_approved_adds_to_the_limit_until_the_period_is_over():
    found = weighed(approved())
    assert (found.approved_nanos, found.minor_nanos) == (LIMIT // 10, LIMIT // 10)
    assert found.verdicts[0].ends_ms == MONTH.end_ms
    held = approved(active_ms=START)
    assert one(held, now=MONTH.end_ms - 1).phase is Phase.ACTIVE
    following = Period(MONTH.end_ms, 2 * MONTH.end_ms)
    assert one(held, period=following, now=MONTH.end_ms).phase is Phase.EXPIRED


def test_it_ends_when_it_asks_to_and_never_later_than_the_budget_allows():
    short = plan(approvals=ApprovalRules(max_duration_ms=DAY_MS))
    assert one(approved(until_ms=START + HOUR_MS), budget=short).ends_ms == START + HOUR_MS
    assert one(approved(until_ms=START + 9 * DAY_MS), budget=short).ends_ms == START + DAY_MS
    assert one(approved(), period=OPEN).ends_ms == START + OPEN_END_MS


def test_what_was_denied_adds_nothing_for_ever():
    denied = asks(decided=Decided(Ruling.DENIED, MINOR, "lee"))
    found = weighed(denied, now=START + 9 * DAY_MS)
    assert (found.verdicts[0].phase, found.approved_nanos, found.minor_nanos) == (Phase.DENIED, 0, 0)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (approved(percent=11), OverrideReason.NEEDS_MAJOR),
        (approved(percent=11, as_class=MAJOR), OverrideReason.ACTIVE),
        (approved(percent=11, as_class=MAJOR, by="dana"), OverrideReason.NOT_ALLOWED),
        (approved(by="dana"), OverrideReason.ACTIVE),
        (approved(purpose=Purpose.STOP_PRODUCTION), OverrideReason.NEEDS_MAJOR),
        (approved(purpose=Purpose.STOP_PRODUCTION, as_class=MAJOR), OverrideReason.NOT_ALLOWED),
    ],
    ids=str,
)
def test_an_approval_that_the_budget_does_not_allow_does_not_hold(override, said):
    assert reason(override) is said
    assert weighed(override).approved_nanos == (override.asked_nanos(LIMIT) if said is OverrideReason.ACTIVE else 0)


def test_ones_own_minor_overrun_is_not_ones_own_to_approve_in_production_or_where_the_budget_says_no():
    production = plan(stage=Stage.PRODUCTION)
    assert reason(approved(by="dana"), budget=production) is OverrideReason.NOT_ALLOWED
    strict = plan(approvals=ApprovalRules(MinorRule(self_approval=False)))
    assert reason(approved(by="dana"), budget=strict) is OverrideReason.NOT_ALLOWED
    lax = plan(stage=Stage.PRODUCTION, approvals=ApprovalRules(MinorRule(self_approval=True)))
    assert reason(approved(by="dana"), budget=lax) is OverrideReason.ACTIVE


def test_production_is_stopped_with_both_switches_and_with_neither_alone():
    asked = approved(purpose=Purpose.STOP_PRODUCTION, as_class=MAJOR)
    allows = plan(safety=safety(victims=VictimRules(allow_production=True)))
    assert weighed(asked, budget=allows).may_stop_production
    assert not weighed(asked).may_stop_production
    assert not weighed(budget=allows).may_stop_production
    assert not weighed(approved(purpose=Purpose.STOP_PRODUCTION, as_class=MAJOR, by="dana"), budget=allows).active


def test_minor_overruns_of_a_period_are_capped_together_and_the_latest_meets_the_cap():
    first, second, third = (approved(name, percent=percent) for name, percent in (("a", 10), ("b", 5), ("c", 1)))
    found = weighed(third, second, first, now=START + 1)
    assert [(v.override.name, v.reason) for v in found.verdicts] == [
        ("a", OverrideReason.ACTIVE),
        ("b", OverrideReason.ACTIVE),
        ("c", OverrideReason.NEEDS_MAJOR),
    ]
    assert found.approved_nanos == LIMIT * 15 // 100


def test_what_holds_already_goes_on_whatever_comes_after_it():
    held = approved("z", percent=10, active_ms=START)
    new = approved("a", percent=10, created_ms=START - HOUR_MS)
    found = weighed(new, held, now=START + 1)
    assert [v.reason for v in found.verdicts] == [OverrideReason.ACTIVE, OverrideReason.NEEDS_MAJOR]
    assert found.verdicts[0].override.name == "z"


def test_a_minor_overrun_that_has_ended_still_counts_for_its_period():
    """Else ten per cent could be had again each hour."""
    ended = approved(active_ms=START, until_ms=START + HOUR_MS)
    found = weighed(ended, approved("b", percent=6), now=START + DAY_MS)
    assert (found.approved_nanos, found.minor_nanos) == (0, LIMIT // 10)
    assert found.verdicts[1].reason is OverrideReason.NEEDS_MAJOR


def test_a_minor_overrun_of_the_period_before_does_not_count():
    following = Period(MONTH.end_ms, 2 * MONTH.end_ms)
    assert weighed(approved(active_ms=START), period=following, now=MONTH.end_ms + 1).minor_nanos == 0


def test_a_minor_overrun_that_reaches_into_the_next_period_counts_there_too():
    """It adds to both limits; else it could be asked for anew each month until nothing is left of the cap."""
    long = approved(active_ms=START, until_ms=MONTH.end_ms + 5 * DAY_MS)
    following = Period(MONTH.end_ms, 2 * MONTH.end_ms)
    new = approved("b", percent=6, created_ms=MONTH.end_ms)
    holds = weighed(long, new, period=following, now=MONTH.end_ms + DAY_MS)
    assert (holds.approved_nanos, holds.minor_nanos) == (LIMIT // 10, LIMIT // 10)
    assert holds.verdicts[1].reason is OverrideReason.NEEDS_MAJOR
    assert weighed(long, period=following, now=MONTH.end_ms + 6 * DAY_MS).minor_nanos == LIMIT // 10


def test_what_was_approved_after_it_should_have_ended_never_held_and_counts_for_nothing():
    late = approved(until_ms=START + HOUR_MS)
    found = weighed(late, now=START + DAY_MS)
    assert (found.verdicts[0].phase, found.verdicts[0].active_ms) == (Phase.EXPIRED, None)
    assert (found.approved_nanos, found.minor_nanos) == (0, 0)


def test_a_broken_glass_holds_at_once_and_is_reviewed_by_somebody_else():
    glass = asks(purpose=Purpose.BREAK_GLASS)
    found = weighed(glass)
    assert found.glass.ends_ms == START + DAY_MS
    assert (found.approved_nanos, found.review_due) == (0, False)
    after = START + DAY_MS
    assert weighed(glass, now=after).review_due
    assert weighed(glass, now=after).glass is None
    assert not weighed(replace(glass, reviewed_by="kim"), now=after).review_due
    assert weighed(replace(glass, reviewed_by="dana"), now=after).review_due, "nobody reviews their own"


def test_a_broken_glass_ends_sooner_where_it_says_so_and_never_later():
    rules = plan(approvals=ApprovalRules(break_glass_ms=2 * HOUR_MS))
    assert one(asks(purpose=Purpose.BREAK_GLASS, until_ms=START + MINUTE_MS), budget=rules).ends_ms == START + MINUTE_MS
    assert one(asks(purpose=Purpose.BREAK_GLASS, until_ms=START + DAY_MS), budget=rules).ends_ms == START + 2 * HOUR_MS


REQUESTS = st.lists(
    st.builds(
        lambda name, percent, made, as_class, by, until, ruling, active: asks(
            f"r{name}",
            percent,
            created_ms=START + made * HOUR_MS,
            until_ms=None if until is None else START + until * HOUR_MS,
            decided=None if ruling is None else Decided(ruling, as_class, by),
            active_ms=START + (made + 1) * HOUR_MS if active and ruling is Ruling.APPROVED else None,
        ),
        st.integers(0, 99),
        st.integers(1, 20),
        st.integers(0, 48),
        st.sampled_from(OverrideClass),
        st.sampled_from(["lee", "dana"]),
        st.none() | st.integers(0, 2000),
        st.none() | st.sampled_from(Ruling),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda each: each.name,
)


@given(REQUESTS, st.integers(0, 60 * 24))
@settings(max_examples=100)
def test_whatever_is_asked_the_order_of_asking_is_no_matter_and_sums_are_sums(requests, at):
    now = START + at * HOUR_MS
    period = MONTH if now < MONTH.end_ms else Period(MONTH.end_ms, 3 * MONTH.end_ms)
    found = weighed(*requests, period=period, now=now)
    assert found == weighed(*reversed(requests), period=period, now=now)
    live = [v for v in found.verdicts if v.phase is Phase.ACTIVE]
    assert found.approved_nanos == sum(v.added_nanos for v in live)
    assert all(v.override.decided.ruling is Ruling.APPROVED for v in live)
    assert all(v.added_nanos == 0 for v in found.verdicts if v.phase is not Phase.ACTIVE)
    assert all(v.ends_ms > now for v in live)
    minor = [v for v in live if v.override.decided.as_class is MINOR]
    assert found.minor_nanos >= sum(v.added_nanos for v in minor)


@given(REQUESTS, st.integers(0, 48))
@settings(max_examples=100)
def test_what_was_never_active_holds_as_minor_only_within_the_cap(requests, at):
    """What holds already may be beyond it: the cap may have been lowered since."""
    fresh = [replace(each, active_ms=None, until_ms=None) for each in requests]
    found = weighed(*fresh, now=START + at * HOUR_MS)
    minor = [v for v in found.verdicts if v.phase is Phase.ACTIVE and v.override.decided.as_class is MINOR]
    assert sum(v.added_nanos for v in minor) <= LIMIT * 15 // 100
    assert all(v.added_nanos <= LIMIT // 10 for v in minor)


@given(st.integers(0, 2 * LIMIT), st.integers(0, LIMIT))
def test_a_request_that_is_split_is_as_major_as_the_whole(asked, before):
    """Nothing is gained by asking twice for half of it."""
    rule = MinorRule(percent=100, cumulative_percent=15)
    whole = classify(asks(percent=None, nanos=asked), rule, LIMIT, before)
    half = classify(asks(percent=None, nanos=asked // 2), rule, LIMIT, before)
    rest = classify(asks(percent=None, nanos=asked - asked // 2), rule, LIMIT, before + asked // 2)
    if whole.as_class is MAJOR:
        assert MAJOR in {half.as_class, rest.as_class}
    assert whole.reason in {ClassReason.WITHIN, ClassReason.ABOVE_CUMULATIVE, ClassReason.ABOVE_PERCENT}


def test_what_nobody_decided_in_time_is_over_whatever_is_decided_later():
    late = replace(approved(), lapsed=True)
    assert one(late, now=START + UNDECIDED_MS + HOUR_MS).phase is Phase.EXPIRED
    assert weighed(late).approved_nanos == 0
