"""Whatever was recorded and whatever a budget says: the quick walk finds what asking each quarter minute finds."""

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.gates import Basis, Gate, rank
from aicost.domain.budgets.periods import Calendar, PeriodRule, Rolling, Unit
from aicost.domain.budgets.plans import PPM, BudgetPlan, RestorePolicy, Rung
from aicost.domain.budgets.simulation.columns import columns_of, read_columns
from aicost.domain.budgets.simulation.moments import CYCLE_MS
from aicost.domain.budgets.simulation.stepping import Stepper
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from support.budgets import safety
from unit.budgets.test_simulation import START, UNIT, Ran, budget, moved, recorded, run

HOURS = 14
WHEN = START + 18 * HOUR_MS
"""So that midnight, and with it a new period of a day, is among the hours."""
STAGES = ["sandbox", "experiment", "", "pilot", "production"]


@st.composite
def _ran(draw: st.DrawFn, number: int) -> Ran:
    since = draw(st.integers(0, HOURS - 1))
    return Ran(
        f"w{number}",
        dollars=draw(st.sampled_from([0.25, 1.0, 1.37, 4.0, 20.0])),
        stage=draw(st.sampled_from(STAGES)),
        since=since,
        until=draw(st.integers(since + 1, HOURS)),
        kind=draw(st.sampled_from(["Job", "Job", "Job", "DaemonSet"])),
    )


RECORDS = st.integers(1, 5).flatmap(lambda count: st.tuples(*(_ran(number) for number in range(count))))


@st.composite
def _rungs(draw: st.DrawFn) -> tuple[Rung, ...]:
    """Ladders that the API server would take: of two rungs on one figure the higher opens the harder gate."""
    percents = sorted(draw(st.lists(st.integers(10, 150), min_size=1, max_size=4, unique=True)))
    gates = sorted(
        draw(st.lists(st.sampled_from(list(Gate)), min_size=len(percents), max_size=len(percents))), key=rank
    )
    found = [
        Rung(f"r{at}", gate, Basis.ACTUAL, at * PPM // 100, (at - 5) * PPM // 100, draw(st.integers(1, 4)))
        for at, gate in zip(percents, gates, strict=True)
    ]
    if draw(st.booleans()):
        found.append(Rung("rate", draw(st.sampled_from(list(Gate))), Basis.COMMITTED_RATE, 3 * UNIT, 2 * UNIT))
    if draw(st.booleans()):
        found.append(Rung("ahead", Gate.ANNOTATE, Basis.FORECAST, 110 * PPM // 100, PPM))
    return tuple(found)


RULES: st.SearchStrategy[PeriodRule] = st.sampled_from([Calendar(Unit.DAY), Calendar(), Rolling(6 * HOUR_MS)])
PLANS = st.builds(
    lambda rungs, rule, limit, policy, hold: budget(
        *rungs,
        rule=rule,
        limit=limit,
        max_gate=Gate.FAST_FAIL,
        safety=safety(restore=policy, min_hold_ms=hold, notice_ms=hold // 2, cooldown_ms=hold),
    ),
    _rungs(),
    RULES,
    st.sampled_from([3, 20, 77]),
    st.sampled_from(list(RestorePolicy)),
    st.sampled_from([4 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS]),
)
SPAN = Window(WHEN, WHEN + HOURS * HOUR_MS)


@given(RECORDS, PLANS)
@settings(max_examples=40, deadline=None)
def test_the_quick_walk_finds_what_asking_each_quarter_minute_finds(ran: tuple[Ran, ...], plan: BudgetPlan) -> None:
    record = recorded(*ran, hours=HOURS, start_ms=WHEN)
    quick = run(plan, record, SPAN)
    with patch.object(Stepper, "next_ms", lambda _, now, end: min(now + CYCLE_MS, end)):
        slow = run(plan, record, SPAN)
    assert moved(quick.turns) == moved(slow.turns)
    assert quick.stops == slow.stops
    assert (quick.spent_nanos, quick.days) == (slow.spent_nanos, slow.days)


@given(RECORDS, PLANS)
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_and_nobody_is_stopped_who_may_not_be(ran: tuple[Ran, ...], plan: BudgetPlan) -> None:
    found = run(plan, recorded(*ran, hours=HOURS, start_ms=WHEN), SPAN)
    assert found.recorded_nanos == found.spent_nanos + sum(one.saved_nanos for one in found.stops)
    assert sum(day.recorded_nanos for day in found.days) == found.recorded_nanos
    assert sum(day.spent_nanos for day in found.days) == found.spent_nanos
    assert all(one.saved_nanos >= 0 and one.stopped_ms <= one.until_ms for one in found.stops)
    assert "production" not in {one.seen.stage for one in found.stops}
    assert not any(one.seen.workload.controller.startswith("DaemonSet") for one in found.stops)
    notice = plan.safety.notice_ms
    assert all(one.stopped_ms - one.announced_ms >= notice for one in found.stops), "each is told before"


@given(RECORDS, PLANS)
@settings(max_examples=60, deadline=None)
def test_what_is_stopped_is_not_stopped_twice_at_once(ran: tuple[Ran, ...], plan: BudgetPlan) -> None:
    found = run(plan, recorded(*ran, hours=HOURS, start_ms=WHEN), SPAN)
    for one in found.stops:
        others = [each for each in found.stops if each is not one and each.seen.number == one.seen.number]
        assert all(each.until_ms <= one.stopped_ms or each.stopped_ms >= one.until_ms for each in others)


@given(RECORDS)
@settings(max_examples=50, deadline=None)
def test_a_record_survives_the_way_over_the_wire(ran: tuple[Ran, ...]) -> None:
    record = recorded(*ran, hours=HOURS, start_ms=WHEN)
    assert columns_of(read_columns(columns_of(record))) == columns_of(record)
