"""A budget against the past: when its gates open, on whom, what that saves, and that it all adds up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aicost.domain.budgets.deciding import decide
from aicost.domain.budgets.deciding.decide import Move, Why
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.gates import Basis, Gate, Mode
from aicost.domain.budgets.periods import Calendar, Rolling, Total, Unit
from aicost.domain.budgets.plans import PPM, BudgetPlan, Carry, CarryMode, RestorePolicy, Rung, VictimRules
from aicost.domain.budgets.simulation import figures, moments, stepping, victims
from aicost.domain.budgets.simulation.history import KEYS
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.budgets.simulation.simulate import needed, simulate
from aicost.domain.budgets.simulation.values import Simulation, Turn
from aicost.domain.budgets.simulation.victims import Kept
from aicost.domain.budgets.spend.scopes import Grouped, scope_of
from aicost.domain.enforcement import planning
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Window, from_rfc3339
from aicost.usecases.budgets.spending import HISTORY_DAYS
from support.budgets import REF, rung, safety

UNIT = 10**9
PER_GPU = 2.49
"""Dollars of a GPU-hour."""
START = from_rfc3339("2026-10-01T00:00:00Z")
OCTOBER = Window(START, from_rfc3339("2026-11-01T00:00:00Z"))


@dataclass(frozen=True)
class Ran:
    """A workload that cost so much per hour, from one hour of the record to another.

    Attributes:
        since, until: hours after the start of October; until the end of the record where none is named.
    """

    name: str
    dollars: float = 1.0
    stage: str = "experiment"
    since: int = 0
    until: int | None = None
    kind: str = "Job"
    namespace: str = "research"
    team: str = "vision"
    currency: str = "USD"
    held: bool = True
    claim: str = ""


def recorded(*ran: Ran, hours: int = 31 * 24, start_ms: int = START, back: int = 0) -> Record:
    """A record of so many hours, and of some before it in which nothing ran."""
    first = start_ms - back * HOUR_MS
    rows = sorted(
        (back + hour, number)
        for number, one in enumerate(ran)
        for hour in range(one.since, hours if one.until is None else one.until)
    )
    windows = np.array(sorted({window for window, _ in rows}), dtype=np.int64)
    controller = [f"{one.kind}/{one.name}" if one.kind else "" for one in ran]
    values = [
        (one.namespace, name, one.claim, one.stage, one.team, "pod_label" if one.team else "") if one.held
        else ("", "", "", "", "", "")
        for one, name in zip(ran, controller, strict=True)
    ]  # fmt: skip
    return Record(
        groups=Grouped(KEYS, values, [one.held for one in ran], ["gpu"] * len(ran)),
        currencies=[one.currency for one in ran],
        starts_ms=first + windows * HOUR_MS,
        ends_ms=first + (windows + 1) * HOUR_MS,
        group_of=np.array([number for _, number in rows], dtype=np.int64),
        window_of=np.searchsorted(windows, np.array([window for window, _ in rows], dtype=np.int64)),
        cost=np.array([int(ran[number].dollars * UNIT) for _, number in rows], dtype=np.int64),
        gpu_ms=np.array([int(ran[number].dollars * HOUR_MS / PER_GPU) for _, number in rows], dtype=np.int64),
        covered=Window(first, first + (back + hours) * HOUR_MS),
    )


LADDER = (
    rung(Gate.NOTIFY, 50),
    rung(Gate.FREEZE_GROWTH, 80),
    rung(Gate.DENY_NEW, 90),
    rung(Gate.SUSPEND, 100),
)


def budget(*ladder: Rung, limit: float = 100, **more: Any) -> BudgetPlan:
    """A budget of a month over the namespace `research` that may stop what runs."""
    known: dict[str, Any] = {
        "mode": Mode.ENFORCE,
        "max_gate": Gate.SUSPEND,
        "rule": Calendar(),
        "filters": {"namespace": ("research",)},
        **more,
    }
    rule = known.pop("rule")
    limits = ((-(2**63), int(limit * UNIT)),)
    return BudgetPlan(REF, "USD", limits, rule, ladder=ladder or LADDER, **known)


def run(plan: BudgetPlan, record: Record, span: Window = OCTOBER, **more: Any) -> Simulation:
    found = simulate(plan, scope_of(plan, {}), record, span, **more)
    assert found is not None
    assert found.saved_nanos == sum(one.saved_nanos for one in found.stops), "the parts sum to the whole"
    return found


def opened(found: Simulation) -> dict[Gate | None, int]:
    """Gate -> seconds after the start at which it opened first."""
    first: dict[Gate | None, int] = {}
    for one in found.turns:
        if one.decision.move is Move.OPENED:
            first.setdefault(one.decision.gate, (one.at_ms - START) // SECOND_MS)
    return first


def hours(count: float) -> int:
    """Seconds."""
    return int(count * 3600)


def names(found: Simulation) -> list[str]:
    return [one.seen.workload.controller for one in found.stops]


# What decides


def test_simulation_asks_the_function_that_the_controller_asks():
    assert stepping.climb is decide.climb


def test_a_gate_opens_within_the_hour_once_as_many_evaluations_agree_as_the_rung_asks_for():
    record = recorded(Ran("train", dollars=8), hours=24)
    three, one = rung(Gate.NOTIFY, 50), rung(Gate.ANNOTATE, 75, evaluations=1)
    found = run(budget(three, one), record)
    assert opened(found) == {Gate.NOTIFY: hours(6.25) + 30, Gate.ANNOTATE: hours(9.375) + 0}


def test_the_message_of_a_rung_goes_out_when_it_is_reached_even_where_its_gate_stays_shut():
    found = run(budget(max_gate=Gate.NOTIFY), recorded(Ran("train", dollars=10), hours=24))
    told = [(one.decision.crossed[0].name, one.decision.reason) for one in found.turns if one.decision.crossed]
    assert told == [
        ("notify-50", Why.RUNG_REACHED),
        ("freezegrowth-80", Why.MAX_GATE),
        ("denynew-90", Why.MAX_GATE),
        ("suspend-100", Why.MAX_GATE),
    ]


def test_a_forecast_opens_annotate_and_nothing_more():
    ladder = (rung(Gate.NOTIFY, 100, Basis.FORECAST), rung(Gate.ANNOTATE, 110, Basis.FORECAST))
    found = run(budget(*ladder, limit=700), recorded(Ran("train"), Ran("late", since=48), back=24 * 15))
    assert list(opened(found)) == [Gate.NOTIFY, Gate.ANNOTATE]
    assert hours(48) < opened(found)[Gate.NOTIFY] < hours(24 * 10)


def test_a_burn_rate_is_judged_by_two_spans_and_not_at_the_start_of_a_period():
    fast = Rung("fast", Gate.ANNOTATE, Basis.BURN_RATE, 3 * PPM, 2 * PPM)
    record = recorded(Ran("train"), Ran("burst", dollars=12, since=10, until=16), Ran("late", 12, since=240), back=96)
    found = run(budget(fast, limit=1000), record)
    (first, *_) = [one for one in found.turns if one.decision.move is Move.OPENED]
    assert hours(240) < (first.at_ms - START) // SECOND_MS <= hours(246)


def test_a_committed_rate_is_the_cost_of_the_hour():
    rate = Rung("rate", Gate.DENY_NEW, Basis.COMMITTED_RATE, 5 * UNIT, 4 * UNIT)
    found = run(budget(rate), recorded(Ran("a", 3), Ran("b", 2, since=7)))
    assert opened(found) == {Gate.DENY_NEW: hours(7) + 30}


def test_a_stop_does_not_undo_its_own_reason():
    rate = Rung("rate", Gate.SUSPEND, Basis.COMMITTED_RATE, 5 * UNIT, 4 * UNIT)
    found = run(budget(rate, limit=100_000), recorded(Ran("a", 3), Ran("b", 2, since=7)))
    assert names(found) == ["Job/a"], "what is above the exit of the rung goes, and no more"
    assert [one.decision.move for one in found.turns if one.decision.move is Move.CLOSED] == []


def test_notice_cooldown_and_hold_take_their_time():
    plan = budget(
        rung(Gate.SUSPEND, 50),
        rung(Gate.FAST_FAIL, 51),
        max_gate=Gate.FAST_FAIL,
        safety=safety(notice_ms=2 * HOUR_MS, cooldown_ms=5 * HOUR_MS),
    )
    found = run(plan, recorded(Ran("prod", 1, stage="production")))
    times = [(one.decision.move, (one.at_ms - START) / HOUR_MS) for one in found.turns]
    late = 30 / 3600  # three evaluations
    assert times == [
        (Move.ANNOUNCED, 50 + late),
        (Move.STEADY, 51 + late),
        (Move.OPENED, 52 + late),
        (Move.ANNOUNCED, 57 + late),
        (Move.OPENED, 59 + late),
    ]


def test_a_gate_holds_for_its_time_even_where_the_figures_fall():
    plan = budget(
        Rung("rate", Gate.DENY_NEW, Basis.COMMITTED_RATE, 5 * UNIT, 4 * UNIT), safety=safety(min_hold_ms=6 * HOUR_MS)
    )
    found = run(plan, recorded(Ran("a", 5, until=1), Ran("b", 1)))
    (closed,) = [one for one in found.turns if one.decision.move is Move.CLOSED]
    assert closed.at_ms == START + 6 * HOUR_MS + 30 * SECOND_MS


def test_few_moments_are_asked_of_the_many_that_a_controller_asks(monkeypatch):
    asked = []
    climb = stepping.climb
    monkeypatch.setattr(stepping, "climb", lambda *known: asked.append(known[-1]) or climb(*known))
    run(budget(), recorded(Ran("a"), Ran("b", 2, since=100)))
    assert len(asked) < 1_000, "a month has 178,560 quarter minutes"


# Whom it stops


def test_what_is_stopped_is_saved_and_no_longer_spent():
    found = run(budget(), recorded(Ran("train", 2)))
    (stop,) = found.stops
    assert stop.announced_ms == START + 50 * HOUR_MS + 30 * SECOND_MS
    assert stop.stopped_ms == stop.announced_ms + 30 * MINUTE_MS
    assert found.recorded_nanos == 31 * 24 * 2 * UNIT
    assert found.spent_nanos == 2 * UNIT * (stop.stopped_ms - START) // HOUR_MS
    assert stop.saved_nanos == found.recorded_nanos - found.spent_nanos
    assert found.days[-1].counted_nanos == found.spent_nanos


def test_stages_go_in_their_order_and_within_one_the_costliest_first():
    ran = [
        Ran("pilot", 1, stage="pilot"), Ran("unknown", 1, stage=""), Ran("small", 1), Ran("large", 3),
        Ran("sand", 1, stage="sandbox"), Ran("prod", 9, stage="production"),
    ]  # fmt: skip
    rules = VictimRules(max_per_cycle=10, max_gpu_share=Fraction(1))
    found = run(budget(safety=safety(victims=rules)), recorded(*ran))
    assert names(found) == ["Job/sand", "Job/large", "Job/small", "Job/unknown", "Job/pilot"]
    assert [(one.workload.controller, why) for one, why in found.kept] == [("Job/prod", Kept.PRODUCTION)]


def test_an_order_without_stages_goes_by_cost_alone():
    rules = VictimRules(order=(), max_per_cycle=10, max_gpu_share=Fraction(1))
    ran = (Ran("sand", 1, stage="sandbox"), Ran("pilot", 5, stage="pilot"))
    assert names(run(budget(safety=safety(victims=rules)), recorded(*ran))) == ["Job/pilot", "Job/sand"]


def test_what_has_no_switch_of_its_own_runs_on():
    ran = (Ran("agent", kind="DaemonSet"), Ran("bare", kind=""), Ran("serve", kind="RayService"), Ran("train"))
    found = run(budget(), recorded(*ran))
    assert names(found) == ["Job/train"]
    assert {why for _, why in found.kept} == {Kept.NO_LEVER}


def test_no_more_are_stopped_at_once_than_the_budget_allows_and_the_first_always():
    rules = VictimRules(max_per_cycle=2, max_gpu_share=Fraction(1, 2))
    found = run(budget(safety=safety(victims=rules)), recorded(Ran("huge", 6), *(Ran(f"n{at}") for at in range(4))))
    cycles = Counter(one.stopped_ms for one in found.stops)
    assert names(found)[0] == "Job/huge"
    assert list(cycles.values()) == [1, 2, 1, 1]
    first, second, *_ = cycles
    assert second - first >= safety().cooldown_ms + safety().notice_ms


def test_no_more_are_counted_into_one_step_than_the_budget_allows():
    rules = VictimRules(max_per_cycle=2, max_gpu_share=Fraction(1))
    found = run(budget(safety=safety(victims=rules)), recorded(*(Ran(f"n{at}") for at in range(5))))
    assert list(Counter(one.stopped_ms for one in found.stops).values()) == [2, 2, 1]


def test_no_more_are_stopped_than_it_takes():
    """At 80 of 100 the rest lasts to the end of the month at a lower rate, and no production is needed for it."""
    plan = budget(rung(Gate.SUSPEND, 80), limit=1000)
    found = run(plan, recorded(Ran("a", 1.5), Ran("b", 0.2), Ran("prod", 0.3, stage="production")))
    assert names(found) == ["Job/a"]


def test_what_was_stopped_comes_back_with_the_next_period_or_waits_for_a_person():
    november = recorded(Ran("train", 2), hours=35 * 24)
    span = Window(START, START + 35 * DAY_MS)
    usual = run(budget(), november, span)
    back = usual.stops[0]
    assert (back.returned, back.until_ms) == (True, OCTOBER.end_ms)
    assert len(usual.stops) == 2, "the next month is spent again"
    manual = run(budget(safety=safety(restore=RestorePolicy.MANUAL)), november, span)
    assert [(one.returned, one.until_ms) for one in manual.stops] == [(False, span.end_ms)]
    assert [one.recorded_nanos for one in manual.periods] == [31 * 48 * UNIT, 4 * 48 * UNIT]
    assert manual.periods[1].spent_nanos == 0


def test_fast_fail_stops_all_experiments_at_once_and_does_not_let_them_begin_again():
    ladder = (rung(Gate.FAST_FAIL, 50),)
    ran = [Ran(f"x{at}") for at in range(7)] + [Ran("sand", stage="sandbox"), Ran("pilot", stage="pilot")]
    span = Window(START, START + 33 * DAY_MS)
    found = run(budget(*ladder, max_gate=Gate.FAST_FAIL), recorded(*ran, hours=33 * 24), span)
    assert {one.seen.stage for one in found.stops} == {"experiment", "sandbox"}
    assert len({one.stopped_ms for one in found.stops}) == 1
    assert not any(one.returned for one in found.stops)


def test_fast_fail_asks_for_no_reason_in_the_rate():
    """The rest of the limit lasts, and experiments go all the same."""
    plan = budget(rung(Gate.FAST_FAIL, 10), max_gate=Gate.FAST_FAIL, limit=1000)
    found = run(plan, recorded(Ran("x", 0.2)))
    assert names(found) == ["Job/x"]
    assert opened(found)[Gate.FAST_FAIL] > hours(24 * 20)


def test_what_starts_later_is_stopped_later():
    found = run(budget(), recorded(Ran("a", 2), Ran("b", 2, since=400)))
    assert names(found) == ["Job/a", "Job/b"]
    assert found.stops[1].announced_ms == START + 400 * HOUR_MS


def test_gates_alone_leave_everybody_running():
    record = recorded(Ran("train", 2))
    alone = run(budget(mode=Mode.OBSERVE), record, acts=False)
    acting = run(budget(), record)
    assert (alone.stops, alone.saved_nanos) == ([], 0)
    assert opened(alone) == opened(acting), "until then nothing differs"


def test_what_has_to_go_is_what_the_controller_says():
    """The same rule stands beside the controller's steps, where it takes all of an evaluation."""
    from support.budgets import figures as figures_of  # noqa: PLC0415 -- beside the module of that name

    rate = Rung("rate", Gate.SUSPEND, Basis.COMMITTED_RATE, 5 * UNIT, 4 * UNIT)
    for percent in (10, 80, 99, 100, 140):
        for asked in (None, rate, rung(Gate.SUSPEND, 80)):
            for rate_nanos in (0, 3 * UNIT, 50 * UNIT):
                spend = figures_of(percent, committed_nanos=rate_nanos)
                last = SimpleNamespace(rung=asked)
                one = SimpleNamespace(spend=spend, last=last, period=spend.period, now_ms=10 * DAY_MS)
                assert victims.over_rate(spend, asked, 10 * DAY_MS) == planning.over_rate(one)


# What is not sure


def test_too_few_labels_keep_the_harder_gates_shut():
    found = run(budget(), recorded(Ran("train", 2), Ran("nameless", 2, team="")))
    assert list(opened(found)) == [Gate.NOTIFY, Gate.FREEZE_GROWTH]
    assert found.labels == Fraction(1, 2)
    assert {one.decision.reason for one in found.turns} >= {Why.LABELS_THIN}
    aside = run(
        budget(safety=safety(enough_labels=Fraction(0))), recorded(Ran("train", 2), Ran("nameless", 2, team=""))
    )
    assert Gate.SUSPEND in opened(aside)


def test_nothing_moves_while_a_part_of_the_cost_is_in_another_currency():
    record = recorded(Ran("train", 2), Ran("abroad", 1, since=30, currency="EUR"))
    found = run(budget(rung(Gate.NOTIFY, 50), rung(Gate.FREEZE_GROWTH, 80)), record)
    (hold,) = found.holds
    assert (hold.why, hold.since_ms, hold.until_ms) == (
        Blindness.FOREIGN_CURRENCY, START + 30 * HOUR_MS + 15 * SECOND_MS, OCTOBER.end_ms,
    )  # fmt: skip
    assert list(opened(found)) == [Gate.NOTIFY]
    assert found.foreign == ("EUR",)


def test_a_budget_that_is_paused_is_simulated_as_if_it_were_not():
    assert opened(run(budget(paused=True), recorded(Ran("train", 2))))


def test_of_a_time_that_nobody_recorded_nothing_is_said():
    plan = budget()
    assert simulate(plan, scope_of(plan, {}), recorded(Ran("train")), Window(START - DAY_MS, START)) is None
    nothing = recorded(hours=0)
    assert simulate(plan, scope_of(plan, {}), nothing, OCTOBER) is None


def test_what_is_outside_the_scope_does_not_count():
    record = recorded(Ran("mine", 1), Ran("theirs", 50, namespace="search"), Ran("idle", 50, held=False))
    assert run(budget(), record).recorded_nanos == 31 * 24 * UNIT
    wide = run(budget(filters={}), record)
    assert wide.recorded_nanos == 31 * 24 * 101 * UNIT
    assert "nobody" not in {one.seen.workload.namespace for one in wide.stops}


# Periods


def test_a_new_period_begins_at_the_foot_of_the_ladder_with_what_was_carried():
    plan = budget(rule=Calendar(Unit.DAY), carry=Carry(CarryMode.BOTH), limit=30)
    found = run(plan, recorded(Ran("prod", 1, stage="production"), hours=48), Window(START, START + 2 * DAY_MS))
    assert [one.term.limit_nanos for one in found.periods] == [30 * UNIT, 36 * UNIT]
    closed = [one for one in found.turns if one.decision.reason is Why.ROLLOVER]
    assert [one.at_ms for one in closed] == [START + DAY_MS]
    assert [len(day.opened) for day in found.days[::24]] == [0, 0]


def test_a_window_within_a_period_begins_with_the_period():
    span = Window(START + 10 * DAY_MS, START + 12 * DAY_MS)
    found = run(budget(), recorded(Ran("train", 2)), span)
    assert found.began_ms == START
    assert found.turns[0].at_ms == START + 25 * HOUR_MS + 30 * SECOND_MS
    assert found.span == span
    assert {day.gate for day in found.days} == {Gate.SUSPEND}


def test_a_rolling_period_lets_go_once_the_spend_is_behind_it():
    plan = budget(rung(Gate.DENY_NEW, 90), rule=Rolling(DAY_MS), limit=24)
    found = run(plan, recorded(Ran("base", 0.5), Ran("burst", 2, since=10, until=20), back=48))
    moves = [(one.decision.move, (one.at_ms - START) // HOUR_MS) for one in found.turns]
    assert moves == [(Move.OPENED, 16), (Move.CLOSED, 40)]
    assert all(day.limit_nanos == 24 * UNIT for day in found.days)


def test_a_total_has_one_span_and_ends_with_it():
    plan = budget(rule=Total(START - 5 * DAY_MS, START + 5 * DAY_MS), limit=100)
    found = run(plan, recorded(Ran("train", 1, since=-120), back=120, hours=31 * 24))
    assert found.began_ms == START - 5 * DAY_MS
    assert (found.span.start_ms, found.span.end_ms) == (START, START + 5 * DAY_MS)
    assert [one.recorded_nanos for one in found.periods] == [240 * UNIT]


def test_days_begin_at_midnight_of_the_budget_and_are_as_long_as_they_are():
    """Clocks go back on 25 October in Berlin: a day of 25 hours."""
    zone = Calendar(time_zone="Europe/Berlin")
    begin, end = (from_rfc3339(f"2026-10-{day}T00:00:00+02:00") for day in ("23", "25"))
    found = run(budget(rule=zone), recorded(Ran("train", 1)), Window(begin, end + 49 * HOUR_MS))
    assert [day.span.length_ms // HOUR_MS for day in found.days] == [24, 24, 25, 24]
    assert sum(day.recorded_nanos for day in found.days) == 97 * UNIT


def test_a_short_time_is_shown_by_the_hour_and_a_long_one_by_the_week():
    record = recorded(Ran("train", 1), hours=100 * 24)
    assert len(run(budget(), record, Window(START, START + DAY_MS)).days) == 24
    weeks = run(budget(rule=Rolling(7 * DAY_MS)), record, Window(START, START + 98 * DAY_MS)).days
    assert len(weeks) == 14


def test_what_is_looked_back_to_is_asked_for():
    assert figures.FORECAST_DAYS == HISTORY_DAYS - 7, "as long as the controller looks back for a forecast"
    span = Window(START + 5 * DAY_MS, START + 6 * DAY_MS)
    assert needed(budget(), span) == Window(START - 15 * DAY_MS, span.end_ms)
    assert needed(budget(rule=Rolling(30 * DAY_MS)), span).start_ms == span.start_ms - 31 * DAY_MS


def test_moments_are_asked_on_the_controllers_own_beat():
    assert moments.cycle_from(START + 1) == START + 15 * SECOND_MS
    found = run(budget(), recorded(Ran("train", 2)))
    assert all(one.at_ms % moments.CYCLE_MS == 0 for one in found.turns)


def moved(turns: Sequence[Turn]) -> list[tuple[Any, ...]]:
    """Turns, as far as two ways to walk have them in common."""
    return [
        (one.at_ms, one.decision.move, one.decision.gate, one.decision.rung and one.decision.rung.name,
         tuple(rung.name for rung in one.decision.crossed), one.told, one.stopped)
        for one in turns
    ]  # fmt: skip


@pytest.mark.parametrize("policy", list(RestorePolicy))
def test_asking_each_quarter_minute_finds_the_same(monkeypatch, policy):
    ladder = (*LADDER, Rung("rate", Gate.ANNOTATE, Basis.COMMITTED_RATE, 2 * UNIT, UNIT))
    plan = budget(*ladder, limit=20, rule=Calendar(Unit.DAY), safety=safety(restore=policy))
    record = recorded(Ran("a", 1), Ran("b", 1.5, since=3), Ran("c", 1, since=20, stage="pilot"), hours=30)
    span = Window(START, START + 30 * HOUR_MS)
    quick = run(plan, record, span)
    monkeypatch.setattr(stepping.Stepper, "next_ms", lambda _, now, end: min(now + moments.CYCLE_MS, end))
    slow = run(plan, record, span)
    assert moved(quick.turns) == moved(slow.turns)
    assert quick.stops == slow.stops
    assert len(quick.stops) >= 3


def test_what_changes_while_a_timer_runs_is_not_slept_through():
    """A rung is reached between two steps, minutes before the cooldown that is waited for is over."""
    ladder = tuple(
        Rung(name, gate, Basis.ACTUAL, at * PPM // 100, (at - 5) * PPM // 100, 1)
        for name, gate, at in (("stop", Gate.SUSPEND, 57), ("fast", Gate.FAST_FAIL, 67))
    )
    plan = budget(
        *ladder,
        limit=3,
        max_gate=Gate.FAST_FAIL,
        safety=safety(notice_ms=2 * MINUTE_MS, cooldown_ms=4 * MINUTE_MS, min_hold_ms=4 * MINUTE_MS),
    )
    ran = (Ran("w0", 0.25, "sandbox"), Ran("w1", 1.0, "sandbox"), Ran("w2", 0.25, "sandbox"), Ran("w3", 1.0, ""))
    found = run(plan, recorded(*(replace(one, until=1) for one in ran), hours=3))
    (fast,) = [one for one in found.turns if one.decision.crossed and one.decision.crossed[0].name == "fast"]
    assert fast.at_ms == START + 52 * MINUTE_MS + 15 * SECOND_MS


def test_a_plan_of_another_time_is_taken_as_if_it_had_been_there():
    made = replace(budget(prorate_first=True), created_ms=START + 20 * DAY_MS)
    assert run(made, recorded(Ran("train", 2))).periods[0].term.limit_nanos == 100 * UNIT
