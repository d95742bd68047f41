"""What nudges find, say, and keep to themselves."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aicost.domain.budgets.nudges.normal import Silence
from aicost.domain.budgets.nudges.nudge import NudgeFinding, nudges
from aicost.domain.budgets.nudges.seen import Contributor, Seen
from aicost.domain.budgets.nudges.state import NudgeState
from aicost.domain.budgets.plans import Nudge, NudgeOn
from aicost.domain.exact.amounts import NANOS_PER_UNIT
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS
from support.budgets import plan

NOW = 40 * DAY_MS
HOURS = 20 * 24
RATE, UNIT_COST, GPU_MODEL, IDLE_SHARE = (Nudge(on.value.lower(), on) for on in NudgeOn)


def money(per_hour: float) -> float:
    return per_hour * NANOS_PER_UNIT


def steady(level: float, lately: float | None = None, hours: int = 6, missing: int = 0) -> np.ndarray:
    """Hours around a level, the last ones at another, and of these the very last ones missing."""
    values = level * np.random.default_rng(7).normal(1, 0.02, HOURS)
    if lately is not None:
        values[HOURS - hours :] = lately
    values[HOURS - missing :] = np.nan
    return values


def spending(now: float, normal: float = 2.5, **more) -> Seen:
    return Seen(cost=steady(money(normal), money(now)), **more)


def look(
    nudge: Nudge, seen: Seen, previous: tuple[NudgeState, ...] = (), now_ms: int = NOW
) -> tuple[NudgeFinding, ...]:
    return nudges(plan(nudges=(nudge,)), seen, previous, now_ms)


def only(found: tuple[NudgeFinding, ...]) -> NudgeFinding:
    (one,) = found
    return one


def played(nudge: Nudge, *scenes: tuple[int, Seen]) -> list[tuple[NudgeFinding, ...]]:
    """Evaluations one after the other, each with the states of the one before."""
    found: list[tuple[NudgeFinding, ...]] = []
    for now_ms, seen in scenes:
        previous = tuple(one.state for one in found[-1]) if found else ()
        found.append(look(nudge, seen, previous, now_ms))
    return found


def test_a_rate_that_doubles_is_told_with_what_is_normal_and_who_it_is():
    who = [
        Contributor("Job research/train", 90 * NANOS_PER_UNIT, 20 * NANOS_PER_UNIT),
        Contributor("Deployment research/chat", 30 * NANOS_PER_UNIT, 35 * NANOS_PER_UNIT),
        Contributor("Job research/eval", 4 * NANOS_PER_UNIT),
        Contributor("Job research/a", 5 * NANOS_PER_UNIT),
        Contributor("Job research/b", 5 * NANOS_PER_UNIT, NANOS_PER_UNIT),
    ]
    found = only(look(RATE, spending(5.0, contributors={NudgeOn.RATE: who})))
    assert found.is_due
    assert found.change.excess_nanos == pytest.approx(money(60), rel=0.01)
    assert [one.name for one in found.contributors] == ["Job research/train", "Job research/a", "Job research/b"]
    normal = f"${found.change.normal / NANOS_PER_UNIT:.2f}"
    assert found.state.message == (
        f"Spend runs at $120.00 a day, normally {normal}: 100 % more. Most of it: Job research/train (+$70.00 a day), "
        "Job research/a (+$5.00 a day), Job research/b (+$4.00 a day)."
    )


def test_both_floors_must_be_reached():
    much = replace(RATE, relative=Fraction(0), floor_nanos=59 * NANOS_PER_UNIT)
    assert look(much, spending(5.0))
    assert not look(replace(much, floor_nanos=61 * NANOS_PER_UNIT), spending(5.0)), "too little money"
    assert look(replace(much, relative=Fraction(99, 100)), spending(5.0))
    assert not look(replace(much, relative=Fraction(102, 100)), spending(5.0)), "too small a share"


def test_a_large_rate_that_is_normal_is_not_told():
    assert not look(RATE, spending(5_000.0, 5_000.0))


def test_a_rise_within_the_usual_swing_is_not_told_whatever_the_floors():
    swing = np.where(np.arange(HOURS) % 24 < 12, money(1), money(9))
    assert not look(replace(RATE, relative=Fraction(0), floor_nanos=0), Seen(cost=swing))


def test_above_a_normal_of_nothing_the_money_decides():
    found = only(look(RATE, Seen(cost=np.append(np.zeros(HOURS), money(2)))))
    assert found.state.message == "Spend runs at $48.00 a day, normally $0.00: all of it is new."
    assert not look(RATE, Seen(cost=np.append(np.zeros(HOURS), money(1))))


def test_what_gets_cheaper_is_not_told():
    assert not look(replace(RATE, relative=Fraction(0), floor_nanos=-(2**62)), spending(0.5))


def test_idle_gpus_are_told_by_their_share_and_their_money():
    idle = steady(0.1 * HOUR_MS, 0.6 * HOUR_MS)
    seen = Seen(idle_ms=idle, busy_ms=HOUR_MS - idle, idle_cost=idle / HOUR_MS * money(4))
    found = only(look(IDLE_SHARE, seen))
    assert found.change.now == pytest.approx(0.6)
    assert found.change.excess_nanos == pytest.approx(money(48), rel=0.01)
    assert found.state.message == "60 % of the GPU time is idle, normally 10 %: that is $48.02 more a day."
    cheap = replace(seen, idle_cost=seen.idle_cost / 4)
    assert not look(IDLE_SHARE, cheap)


def test_a_larger_idle_share_of_fewer_gpus_costs_no_more():
    idle = steady(10.0 * HOUR_MS, 2.0 * HOUR_MS)
    busy = steady(90.0 * HOUR_MS, 1.0 * HOUR_MS)
    assert not look(IDLE_SHARE, Seen(idle_ms=idle, busy_ms=busy, idle_cost=idle / HOUR_MS * money(4)))


def test_idle_time_without_a_price_is_not_judged():
    idle = steady(0.1 * HOUR_MS, 0.6 * HOUR_MS)
    seen = Seen(idle_ms=idle, busy_ms=HOUR_MS - idle)
    old = NudgeState(IDLE_SHARE.name, NudgeOn.IDLE_SHARE, "", NOW - HOUR_MS, NOW - HOUR_MS, message="idle")
    found = only(look(IDLE_SHARE, seen, (old,)))
    assert (found.silence, found.state.lasts, found.is_due) == (Silence.COST_MISSING, True, False)


def test_a_unit_that_costs_more_is_told_by_what_that_costs_in_a_day():
    seen = Seen(unit_cost=steady(money(3.0), money(6.0)), units=np.full(HOURS, 1_000.0))
    found = only(look(UNIT_COST, seen))
    assert found.change.excess_nanos == pytest.approx(money(72), rel=0.01)
    assert found.state.message == "A unit costs $0.006000, normally $0.002994: 100 % more, or $72.15 a day."
    few = replace(seen, unit_cost=seen.unit_cost / 10, units=seen.units / 10)
    assert not look(UNIT_COST, few), "the same unit cost at a tenth of the units costs $7.20 a day"


def test_hours_without_units_have_no_unit_cost():
    units = np.full(HOURS, 1_000.0)
    units[:-1:2] = 0.0
    assert not look(UNIT_COST, Seen(unit_cost=steady(money(3.0)), units=units))
    units[-1] = 0.0
    found = look(
        UNIT_COST, Seen(unit_cost=steady(money(3.0)), units=units), (NudgeState("unitcost", NudgeOn.UNIT_COST, "", 0),)
    )
    assert only(found).silence is Silence.LATEST_MISSING


def gpus(committed: dict[str, float], first: dict[str, int], since: int | None = NOW - 14 * DAY_MS, **more) -> Seen:
    return Seen(
        committed={model: int(money(rate)) for model, rate in committed.items()}, first_ms=first, since_ms=since, **more
    )


def test_a_gpu_model_that_was_not_used_before_is_told_with_those_who_run_on_it():
    who = [
        Contributor("Job research/a", 96 * NANOS_PER_UNIT, gpu_model="h200"),
        Contributor("Job research/b", 48 * NANOS_PER_UNIT, gpu_model="t4"),
    ]
    seen = gpus({"h200": 4.0, "t4": 2.0}, {"t4": NOW - 9 * DAY_MS}, contributors={NudgeOn.GPU_MODEL: who})
    found = only(look(GPU_MODEL, seen))
    assert (found.state.subject, found.change.excess_nanos) == ("h200", 96 * NANOS_PER_UNIT)
    assert found.state.message == (
        "GPU model h200 is in use and was not in the 14 days before: $96.00 a day. "
        "Most of it: Job research/a (+$96.00 a day)."
    )


def test_a_new_gpu_model_needs_its_floor_and_a_day_of_history():
    assert not look(GPU_MODEL, gpus({"h200": 1.0}, {})), "$24 a day are below the floor"
    assert not look(GPU_MODEL, gpus({"h200": 4.0}, {}, since=NOW - DAY_MS + 1)), "history of less than a day"
    assert look(GPU_MODEL, gpus({"h200": 4.0}, {}, since=NOW - DAY_MS)), "72 hours are not asked for"
    assert not look(GPU_MODEL, gpus({"h200": 4.0}, {}, since=None))
    assert not look(GPU_MODEL, gpus({"h200": 0.0}, {})), "it does not run"


def test_a_model_that_was_there_when_history_began_is_not_new():
    start = NOW - 30 * HOUR_MS
    assert not look(GPU_MODEL, gpus({"h200": 4.0}, {"h200": start + 10 * HOUR_MS}, since=start))


def test_each_new_gpu_model_is_told_once_and_is_new_for_a_day():
    first = {"h200": NOW}
    seen = [gpus({"h200": 4.0}, first), gpus({"h200": 4.0, "b200": 9.0}, first | {"b200": NOW + HOUR_MS})]
    told = played(
        GPU_MODEL,
        (NOW, seen[0]),
        (NOW + HOUR_MS, seen[1]),
        (NOW + 2 * HOUR_MS, seen[1]),
        (NOW + DAY_MS, seen[1]),
        (NOW + DAY_MS + 6 * HOUR_MS, seen[1]),
    )
    assert [[one.state.subject for one in found if one.is_due] for found in told] == [["h200"], ["b200"], [], [], []]
    assert [one.state.until_ms for one in told[-1]] == [None, NOW + DAY_MS]


def test_a_finding_is_told_once_while_it_lasts():
    scenes = [(NOW + hour * HOUR_MS, spending(5.0)) for hour in range(60)]
    found = [only(one) for one in played(RATE, *scenes)]
    assert [one.is_due for one in found] == [True] + 59 * [False]
    assert {one.state.since_ms for one in found} == {NOW}
    assert len({one.state.message for one in found}) == 1


def test_evaluating_every_minute_is_the_same_as_every_hour():
    scenes = [(NOW + minute * MINUTE_MS, spending(5.0 if minute < 60 else 2.5)) for minute in range(60 * 8)]
    found = [only(one) for one in played(RATE, *scenes)]
    assert sum(one.is_due for one in found) == 1
    over = next(one for one in found if not one.state.lasts)
    assert over.state.until_ms == NOW + HOUR_MS
    assert found.index(over) == 7 * 60


def test_six_hours_in_a_row_are_back_to_normal_and_five_are_not():
    high, low = spending(5.0), spending(2.5)
    hours = [high, *5 * [low], high, *6 * [low], low]
    found = [only(one) for one in played(RATE, *((NOW + n * HOUR_MS, one) for n, one in enumerate(hours)))]
    assert [one.state.lasts for one in found] == 13 * [True] + [False]
    assert found[-1].state.until_ms == NOW + 7 * HOUR_MS


def test_an_hour_that_nothing_is_known_of_is_no_calm_hour():
    high, low, blind = spending(5.0), spending(2.5), Seen(cost=steady(1.0, missing=1))
    hours = [high, *5 * [low], blind, *6 * [low], low]
    found = [only(one) for one in played(RATE, *((NOW + n * HOUR_MS, one) for n, one in enumerate(hours)))]
    assert found[6].silence is Silence.LATEST_MISSING
    assert [one.state.lasts for one in found] == 13 * [True] + [False]


def test_what_comes_back_within_a_day_is_told_when_the_day_is_over():
    high, low = spending(5.0), spending(2.5)
    hours = [high, *8 * [low], *30 * [high]]
    found = [only(one) for one in played(RATE, *((NOW + n * HOUR_MS, one) for n, one in enumerate(hours)))]
    assert [n for n, one in enumerate(found) if one.is_due] == [0, 24]
    assert found[24].state.since_ms == NOW + 9 * HOUR_MS


def test_what_is_over_is_shown_for_a_day_and_then_forgotten():
    high, low = spending(5.0), spending(2.5)
    found = played(RATE, *((NOW + n * HOUR_MS, high if n == 0 else low) for n in range(27)))
    assert [len(one) for one in found] == 25 * [1] + [0, 0]


def test_a_scope_without_any_such_thing_is_calm():
    old = tuple(
        NudgeState(nudge.name, nudge.on, "", NOW - DAY_MS, NOW - DAY_MS, calm_ms=NOW - 6 * HOUR_MS)
        for nudge in (RATE, UNIT_COST, IDLE_SHARE)
    )
    found = nudges(plan(nudges=(RATE, UNIT_COST, IDLE_SHARE)), Seen(), old, NOW)
    assert [one.state.until_ms for one in found] == 3 * [NOW - 6 * HOUR_MS]
    stopped = np.append(steady(1.0), 0.0)
    nothing = Seen(idle_ms=stopped, busy_ms=stopped, unit_cost=stopped, units=stopped)
    assert not look(IDLE_SHARE, nothing)
    assert not look(UNIT_COST, nothing)


def test_states_of_nudges_that_the_plan_does_not_have_are_dropped():
    other = NudgeState("rate", NudgeOn.IDLE_SHARE, "", NOW, message="watched something else")
    gone = NudgeState("gone", NudgeOn.RATE, "", NOW)
    assert nudges(plan(nudges=(RATE,)), spending(2.5), (other, gone), NOW) == ()


def test_series_for_different_hours_are_refused():
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        Seen(cost=np.zeros(2), units=np.zeros(3))


def test_a_sentence_fits_into_a_status_whatever_the_names():
    who = [Contributor("x" * 5_000 + str(n), NANOS_PER_UNIT) for n in range(9)]
    found = only(look(RATE, spending(5.0, contributors={NudgeOn.RATE: who})))
    assert len(found.state.message) < 1_024


def test_two_months_of_bursts_nudge_nobody_more_than_now_and_then():
    """With both floors, the refractory day and the end after six hours."""
    hours = np.arange(74 * 24)
    shape = 5 + 4 * np.clip(np.sin(2 * np.pi * hours / 24), 0, None)
    due = 0
    for seed in range(3):
        cost = shape * np.random.default_rng(seed).lognormal(0, 0.35, len(hours)) * NANOS_PER_UNIT
        scenes = ((h * HOUR_MS, Seen(cost=cost[max(0, h - 480) : h + 1])) for h in range(336, len(hours)))
        due += sum(one.is_due for found in played(RATE, *scenes) for one in found)
    assert due <= 3 * 3, "in nine weeks each"
