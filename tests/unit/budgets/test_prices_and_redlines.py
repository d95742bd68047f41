"""Prices that jump, and experiments beyond their redline."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.budgets.plans import Redline, RedlineMetric
from aicost.domain.budgets.prices import MOST, check_prices
from aicost.domain.budgets.redlines import Judged, RedlineMove, RedlineState, Subject, judge_redline
from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.exact.windows import MINUTE_MS
from support.budget_books import DOLLAR, PLACE, runs

KIND = "h100-80gb p5.48xlarge us-east-1 on-demand"


def of(kind, nanos):
    return replace(runs(place=replace(PLACE, gpu_model=kind)), hour_nanos=nanos)


def check(now, known, factor=3, *, accepted=False):
    """By GPU model, for short."""
    tail = KIND.removeprefix("h100-80gb")
    found = check_prices(
        [of(kind, nanos) for kind, nanos in now.items()],
        {f"{kind}{tail}": nanos for kind, nanos in known.items()},
        factor,
        accepted=accepted,
    )
    short = {kind.removesuffix(tail): nanos for kind, nanos in found.known.items()}
    return short, [one.what.removesuffix(tail) for one in found.jumps]


def test_a_kind_of_device_is_known_by_model_machine_region_and_how_it_was_bought():
    assert runs().kind == KIND


@pytest.mark.parametrize(
    ("before", "now", "known", "jumps"),
    [
        (10, 30, 30, []),
        (10, 31, 10, ["a"]),
        (10, 10_000, 10, ["a"]),
        (10, 1, 1, []),
        (10, 0, 0, []),
        (0, 1, 0, ["a"]),
    ],
)
def test_only_what_rises_by_more_than_the_factor_is_set_aside(before, now, known, jumps):
    assert check({"a": now}, {"a": before}) == ({"a": known}, jumps)


def test_a_first_price_is_what_it_is_and_one_that_is_not_seen_is_kept():
    assert check({"a": 5}, {"b": 7}) == ({"a": 5, "b": 7}, [])


def test_a_jump_stays_one_until_somebody_has_said_that_it_is_right():
    known = {"a": 10, "b": 10}
    for _ in range(5):
        known, jumps = check({"a": 100, "b": 11}, known)
        assert (known, jumps) == ({"a": 10, "b": 11}, ["a"])
    assert check({"a": 100, "b": 11}, known, accepted=True) == ({"a": 100, "b": 11}, [])


def test_what_has_no_price_says_nothing_of_it():
    assert check({"a": None}, {"a": 10}) == ({"a": 10}, [])


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10**12), max_size=50))
def test_no_more_kinds_are_remembered_than_a_status_has_room_for_and_what_runs_goes_first(now):
    known, _ = check(now, {f"old-{at}": 1 for at in range(MOST)})
    assert len(known) == MOST
    assert len(known.keys() & now.keys()) == min(MOST, len(now))


JOB, OTHER = Subject("AIWorkload", "research", "try"), Subject("Job", "research", "train")
DEAR = Redline("dear", RedlineMetric.TOTAL_COST, above=5 * DOLLAR, evaluations=3, notice_ms=5 * MINUTE_MS)


def judged(dollars=6, stage="sandbox", units=None, good=None, subject=JOB):
    count = None if units is None else UnitCount(units, good, 1, CountMethod.INCREASE)
    return Judged(subject, int(dollars * DOLLAR), count, stage)


class Line:
    """A redline that is looked at every 15 s."""

    def __init__(self, redline=DEAR):
        self.redline, self.now, self.states = redline, 0, ()

    def look(self, *found, times=1, blind=False):
        for _ in range(times):
            self.now += 15_000
            findings = judge_redline(self.redline, found, self.states, self.now, blind=blind)
            self.states = tuple(one.state for one in findings if one.move is not RedlineMove.WITHDRAWN)
        return [one.move for one in findings]

    def wait(self, milliseconds):
        self.now += milliseconds


def test_it_is_announced_once_enough_looks_agree_and_due_after_its_own_notice():
    line = Line()
    assert [line.look(judged()) for _ in range(4)] == [
        [RedlineMove.NEAR],
        [RedlineMove.NEAR],
        [RedlineMove.ANNOUNCED],
        [RedlineMove.WAITING],
    ]
    assert line.states[0].due_ms == 45_000 + 5 * MINUTE_MS
    line.wait(5 * MINUTE_MS)
    assert line.look(judged()) == [RedlineMove.DUE]


@pytest.mark.parametrize("found", [judged(5), judged(6, stage="pilot"), judged(6, stage="production"), judged(6, "")])
def test_what_is_not_beyond_or_of_another_stage_is_let_alone(found):
    assert Line().look(found, times=9) == []


def test_one_look_within_the_line_counts_the_others_anew_and_withdraws_what_was_announced():
    line = Line()
    line.look(judged(), times=2)
    assert line.look(judged(5)) == []
    assert line.look(judged(), times=3) == [RedlineMove.ANNOUNCED]
    assert line.look(judged(5)) == [RedlineMove.WITHDRAWN]
    assert line.states == ()
    assert line.look(judged(), times=3) == [RedlineMove.ANNOUNCED]


def test_a_workload_that_is_gone_is_withdrawn():
    line = Line()
    line.look(judged(), times=3)
    assert line.look() == [RedlineMove.WITHDRAWN]


def test_blind_everything_stays_and_nothing_becomes_due():
    line = Line()
    line.look(judged(), times=2)
    before = line.states
    assert line.look(judged(), times=9, blind=True) == [RedlineMove.WAITING]
    assert line.states == before
    line.look(judged(), times=1)
    line.wait(10 * MINUTE_MS)
    assert line.look(judged(), blind=True) == [RedlineMove.WAITING], "not Due on figures that nobody trusts"


def test_the_same_moment_counts_once():
    states = ()
    for _ in range(9):
        states = tuple(one.state for one in judge_redline(DEAR, [judged()], states, 1000, blind=False))
    assert states[0].agreed == 1


def test_workloads_are_judged_one_by_one():
    line = Line()
    assert line.look(judged(), judged(1, subject=OTHER), times=3) == [RedlineMove.ANNOUNCED]
    assert line.look(judged(), judged(9, subject=OTHER)) == [RedlineMove.WAITING, RedlineMove.NEAR]
    assert {one.subject for one in line.states} == {JOB, OTHER}


@pytest.mark.parametrize(
    ("metric", "bound", "found", "beyond"),
    [
        (RedlineMetric.COST_PER_UNIT, {"above": DOLLAR // 10}, judged(6, units=50), True),
        (RedlineMetric.COST_PER_UNIT, {"above": DOLLAR // 10}, judged(5, units=50), False),
        (RedlineMetric.COST_PER_UNIT, {"above": DOLLAR // 10}, judged(60, units=49), False),
        (RedlineMetric.COST_PER_SUCCESS, {"above": DOLLAR // 10}, judged(5, units=50, good=49), True),
        (RedlineMetric.COST_PER_SUCCESS, {"above": DOLLAR // 10}, judged(5, units=50, good=None), False),
        (RedlineMetric.COST_PER_SUCCESS, {"above": DOLLAR // 10}, judged(5, units=50, good=0), False),
        (RedlineMetric.SUCCESS_RATE, {"below": 900_000_000}, judged(5, units=100, good=89), True),
        (RedlineMetric.SUCCESS_RATE, {"below": 900_000_000}, judged(5, units=100, good=90), False),
        (RedlineMetric.SUCCESS_RATE, {"below": 900_000_000}, judged(5, units=100, good=0), True),
        (RedlineMetric.SUCCESS_RATE, {"below": 900_000_000}, judged(5, units=100, good=None), False),
        (RedlineMetric.SUCCESS_RATE, {"below": 900_000_000}, judged(5), False),
    ],
)
def test_each_figure_is_judged_by_enough_units_and_what_is_not_counted_is_not_bad(metric, bound, found, beyond):
    line = Line(Redline("line", metric, evaluations=1, **bound))
    assert line.look(found) == ([RedlineMove.ANNOUNCED] if beyond else [])


def test_states_of_another_redline_are_left_alone():
    other = RedlineState("other", JOB, agreed=3, crossed_ms=1, due_ms=2)
    assert judge_redline(DEAR, (), (other,), 1000, blind=False) == ()


@pytest.mark.parametrize(
    ("cost", "units", "shown"),
    [(6, 50, "0.12"), (600, 50, "12"), (20, 300, "0.0667"), (1, 700_000, "0.000001429"), (0.5, 50, "0.01")],
)
def test_a_figure_is_shown_with_as_many_digits_as_it_takes_to_see_it(cost, units, shown):
    line = Line(Redline("line", RedlineMetric.COST_PER_UNIT, above=1, evaluations=1))
    line.look(judged(cost, units=units))
    assert line.states[0].value == shown
