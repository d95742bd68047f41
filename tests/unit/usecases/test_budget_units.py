"""Unit costs of a budget: known hours alone, on both sides; and what redlines and hints take from them."""

from dataclasses import replace

import numpy as np
import pytest

from aicost.domain.budgets.periods import Calendar, current_period
from aicost.domain.budgets.plans import PPM, BudgetPlan, BudgetRef, Nudge, NudgeOn, Redline, RedlineMetric
from aicost.domain.budgets.redlines import Subject
from aicost.domain.budgets.spend.scopes import scope_of
from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.budgets.units.targets import UnitTarget
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from aicost.ports.errors import SourceUnavailable
from aicost.ports.measured.units import Counter, CounterQuery, WorkloadUnit
from aicost.usecases.budgets.seeing import Sight
from aicost.usecases.budgets.spending import OpenSpend, spend_of
from aicost.usecases.budgets.units import MOST_AT_ONCE, Achievements, UnitBook
from support.budget_books import DOLLAR, Books, hours, runs
from support.ledger_rows import make_holder, make_row

T0 = 1_793_491_200_000
"""2026-11-01T00:00:00Z."""
NOW = T0 + 30 * HOUR_MS
CHAT, IDLE = ("team-a", "chat"), ("team-a", "idle")
PLAN = BudgetPlan(BudgetRef("month", "team-a", "uid-1"), "USD", ((-(2**63), 1000 * DOLLAR),), Calendar(),
                  filters={"namespace": ("team-a",)})  # fmt: skip


def unit(name=CHAT, cents=10, successes=True):
    """A workload whose unit may cost so many cents."""
    good = Counter("answers_good_total") if successes else None
    query = CounterQuery(*name, Counter("answers_total"), good)
    return WorkloadUnit(query, UnitTarget(name, cents * DOLLAR // 100, 1, "USD"))


class Counters:
    """Counts by hour: so many units and successes in each, nothing where a test says so."""

    def __init__(self, units=20, good=15, unknown=()):
        self.units, self.good, self.unknown, self.asked = units, good, set(unknown), []
        self.away = False

    def count(self, counters, span):
        if self.away:
            raise SourceUnavailable("nobody answers")
        self.asked.append((span, tuple(one.key for one in counters)))
        if span.start_ms in self.unknown:
            return {one.key: UnitCount(None, None, 0, CountMethod.NO_SAMPLES) for one in counters}
        share = span.length_ms / HOUR_MS
        found = UnitCount(round(self.units * share), round(self.good * share), 1, CountMethod.INCREASE)
        return {one.key: found for one in counters}


def books(dollars=4, count=29):
    """A workload that costs so many dollars in each hour, the last one still open."""
    holder = replace(make_holder("team-a", "chat-0"), workload="chat")
    row = make_row(dollars * DOLLAR, gpu_ms=HOUR_MS, holder=holder)
    made = Books()
    for window in hours(T0, count):
        made.post([row], window)
    open_window = Window(T0 + count * HOUR_MS, NOW)
    made.open = (replace(row, window=open_window),)
    made.computed_ms, made.pods = NOW, [runs(workload="chat", dollars=dollars, since_ms=T0, stage="experiment")]
    return made


def achievements(counters, made=None, units=None, looks=1):
    book = UnitBook(counters)
    for look in range(looks):
        book.refresh(units or [unit()], NOW - (looks - 1 - look) * 2 * MINUTE_MS)
    return Achievements(book, (made or books()).known(NOW))


def scope_and_spend(made, plan=PLAN):
    known = made.known(NOW)
    scope, period = scope_of(plan, {}), current_period(plan.rule, NOW)
    return scope, spend_of(known, scope, plan.currency, period), period


def achieved(counters, made=None, units=None, looks=1):
    made = made or books()
    scope, found, period = scope_and_spend(made)
    return achievements(counters, made, units, looks).achieved(PLAN, scope, found, period)


def test_a_unit_cost_is_cost_over_what_the_units_may_have_cost():
    """4 dollars an hour for 20 units that may cost 10 cents each: twice as much."""
    found = achieved(Counters(units=20, good=15))
    assert (found.unit_ppm, found.success_ppm) == (2 * PPM, 750_000)
    assert found.is_within is False


def test_hours_without_a_count_are_on_neither_side():
    unknown = [T0 + hour * HOUR_MS for hour in range(3, 20)]
    assert achieved(Counters(unknown=unknown)).unit_ppm == 2 * PPM


def test_units_of_before_the_ledger_began_are_no_free_units():
    made = books()
    early = replace(PLAN, rule=Calendar(start_day=28))  # the period began days before the first window
    scope, found, _ = scope_and_spend(made, early)
    period = current_period(early.rule, NOW)
    assert period.start_ms < T0
    assert achievements(Counters(), made).achieved(early, scope, found, period).unit_ppm == 2 * PPM


def test_nothing_is_known_where_nobody_counts():
    assert achieved(Counters(), units=[unit(IDLE)]).unit_ppm is None
    assert achieved(Counters(unknown=[T0 + hour * HOUR_MS for hour in range(31)])).unit_ppm is None


def test_a_source_that_is_away_takes_nothing_of_what_is_known():
    counters = Counters()
    book = UnitBook(counters)
    book.refresh([unit()], NOW - 2 * MINUTE_MS)
    counters.away = True
    with pytest.raises(SourceUnavailable):
        book.refresh([unit()], NOW)
    made = books()
    scope, found, period = scope_and_spend(made)
    kept = Achievements(book, made.known(NOW)).achieved(PLAN, scope, found, period)
    assert kept.unit_ppm == pytest.approx(2 * PPM, rel=0.01)


def test_each_hour_is_asked_for_once_and_the_past_is_filled_in_the_latest_first():
    counters, book = Counters(), None
    book = UnitBook(counters)
    for look in range(4):
        book.refresh([unit()], NOW + look * MINUTE_MS)
    whole = [span for span, _ in counters.asked if span.length_ms == HOUR_MS]
    assert len(whole) == len(set(whole)) <= 4 * MOST_AT_ONCE
    assert whole[0].end_ms == NOW // HOUR_MS * HOUR_MS
    assert whole[:MOST_AT_ONCE] == sorted(whole[:MOST_AT_ONCE], key=lambda span: -span.start_ms)


def test_another_counter_begins_with_nothing_known():
    counters = Counters()
    book = UnitBook(counters)
    book.refresh([unit()], NOW - 2 * MINUTE_MS)
    assert book.count(CHAT, Window(T0, NOW))
    other = replace(unit(), query=CounterQuery(*CHAT, Counter("tokens_total")))
    book.refresh([other], NOW - 2 * MINUTE_MS + 1)
    assert book.count(CHAT, Window(T0, NOW)) == ()


def judged(metric, counters=None, made=None, window_ms=6 * HOUR_MS, units=None):
    made = made or books()
    scope, found, _ = scope_and_spend(made)
    line = Redline("line", metric, above=1, window_ms=window_ms)
    return achievements(counters or Counters(), made, units).judged(line, PLAN, scope, found)


def test_a_redline_judges_an_aiworkload_by_its_units_and_their_cost():
    (one,) = judged(RedlineMetric.COST_PER_UNIT)
    assert one.subject == Subject("AIWorkload", "team-a", "chat")
    assert one.stage == "experiment"
    assert (one.count.units, one.cost_nanos) == (120, 24 * DOLLAR)


def test_what_nobody_claims_is_judged_by_its_controller_and_by_its_cost_alone():
    made = books()
    made.keys = (*made.keys, "controller")
    made.pods = [runs(dollars=4, since_ms=T0, owner=("batch/v1", "Job", "trial"), stage="sandbox")]
    (one,) = judged(RedlineMetric.TOTAL_COST, made=made)
    assert (one.subject, one.count, one.stage) == (Subject("Job", "team-a", "trial"), None, "sandbox")


def test_hints_see_whole_hours_of_cost_and_of_units():
    made = books()
    scope, found, _ = scope_and_spend(made)
    plan = replace(PLAN, nudges=(Nudge("rate", NudgeOn.RATE),))
    seen = Sight(made.known(NOW), achievements(Counters(), made)).seen(plan, scope, found)
    known = np.isfinite(seen.cost)
    assert known.sum() == 29
    assert set(seen.cost[known]) == {float(4 * DOLLAR)}
    assert set(seen.units[np.isfinite(seen.units)]) == {20.0}
    assert set(seen.unit_cost[np.isfinite(seen.units)]) == {float(4 * DOLLAR)}
    assert seen.committed == {"h100-80gb": 4 * DOLLAR}
    (chat,) = seen.contributors[NudgeOn.RATE]
    assert (chat.name, chat.now_nanos) == ("team-a/chat", 24 * 4 * DOLLAR)


def test_hints_see_nothing_of_an_empty_ledger():
    made = Books()
    scope, found, _ = scope_and_spend(made)
    seen = Sight(made.known(NOW), achievements(Counters(), made)).seen(PLAN, scope, found)
    assert (seen.cost, seen.since_ms) == (None, None)


def test_a_model_that_was_never_there_is_known_by_its_first_window():
    made = books(count=29)
    scope, found, _ = scope_and_spend(made)
    seen = Sight(made.known(NOW), achievements(Counters(), made)).seen(PLAN, scope, found)
    assert seen.since_ms == T0
    assert DAY_MS < NOW - T0
    assert OpenSpend().start_ms is None
