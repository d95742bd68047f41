"""One budget through its periods: what it carries, what it forgets, and what no edit of its spec can change."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.budgets.deciding.decide import Move, Why
from aicost.domain.budgets.deciding.figures import Blindness
from aicost.domain.budgets.gates import Basis, Gate, Mode
from aicost.domain.budgets.memory import Grown, Memory, PastPeriod, Said
from aicost.domain.budgets.overrides.values import Decided, Override, OverrideClass, Purpose, Ruling
from aicost.domain.budgets.periods import Calendar, Period, Rolling, Unit
from aicost.domain.budgets.plans import (
    PPM,
    BudgetPlan,
    BudgetRef,
    Carry,
    CarryMode,
    Growth,
    Redline,
    RedlineMetric,
    Rung,
)
from aicost.domain.budgets.redlines import Judged, RedlineMove, Subject
from aicost.domain.budgets.units.targets import Achieved
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Window, from_rfc3339
from aicost.domain.ledger.rows import Bucket
from support.budget_books import DOLLAR, Books, hours, runs
from support.ledger_rows import make_holder, make_row

NOV, DEC, JAN = (from_rfc3339(f"{day}T00:00:00Z") for day in ("2026-11-01", "2026-12-01", "2027-01-01"))
OCT, SEP = from_rfc3339("2026-10-01T00:00:00Z"), from_rfc3339("2026-09-01T00:00:00Z")
LADDER = (
    Rung("half", Gate.NOTIFY, Basis.ACTUAL, PPM // 2, PPM * 45 // 100, 1),
    Rung("full", Gate.FREEZE_GROWTH, Basis.ACTUAL, PPM, PPM * 95 // 100, 1),
)
TEAM = make_holder("team-a", "train-0")


def plan(limit=100, **more):
    known = {"ladder": LADDER, "mode": Mode.ENFORCE, "max_gate": Gate.FAST_FAIL, "rule": Calendar(), **more}
    ref = BudgetRef("month", "team-a", "uid-1")
    return BudgetPlan(ref, "USD", ((-(2**63), limit * DOLLAR),), filters={"namespace": ("team-a",)}, **known)


def spent(books, dollars, window):
    return books.post([make_row(dollars * DOLLAR, holder=TEAM)], window)


def hour(start_ms, at=0):
    return Window(start_ms + at * HOUR_MS, start_ms + (at + 1) * HOUR_MS)


def two_months(november=60, december=0, **more):
    """Money in November, and the last look at it; money in December."""
    books = spent(Books(epoch_ms=NOV - DAY_MS), november, hour(NOV, 30))
    budget = plan(**more)
    memory = books.evaluate(budget, DEC - MINUTE_MS).memory
    if december:
        spent(books, december, hour(DEC))
    return books, budget, memory


def test_what_is_left_of_a_limit_is_carried_and_the_gate_begins_anew():
    books, budget, memory = two_months(60, 5, carry=Carry(CarryMode.UNUSED))
    assert memory.gate.gate is Gate.NOTIFY
    one = books.evaluate(budget, DEC + HOUR_MS, memory)
    assert (one.limit.base_nanos, one.limit.carried_nanos) == (100 * DOLLAR, 40 * DOLLAR)
    assert one.spend.limit_nanos == 140 * DOLLAR
    assert one.spend.standing.spend.nanos == 5 * DOLLAR
    assert [step.reason for step in one.decisions] == [Why.ROLLOVER, Why.NOTHING_REACHED]
    assert one.rolled
    assert one.memory.history == (PastPeriod(Period(NOV, DEC), 100 * DOLLAR, 60 * DOLLAR),)


def test_what_was_overspent_is_taken_from_the_next_limit_which_never_falls_to_nothing():
    books, budget, memory = two_months(130, carry=Carry(CarryMode.OVERAGE))
    assert books.evaluate(budget, DEC + HOUR_MS, memory).spend.limit_nanos == 70 * DOLLAR
    books, budget, memory = two_months(990, carry=Carry(CarryMode.OVERAGE, least_nanos=20 * DOLLAR))
    assert books.evaluate(budget, DEC + HOUR_MS, memory).spend.limit_nanos == 20 * DOLLAR
    books, budget, memory = two_months(990, carry=Carry(CarryMode.OVERAGE))
    assert books.evaluate(budget, DEC + HOUR_MS, memory).spend.limit_nanos == 1


def test_a_new_period_begins_once_and_what_was_said_before_it_may_be_said_again():
    books, budget, memory = two_months(60)
    memory = memory.with_said(Said("rung-half@1", NOV, "half"))
    first = books.evaluate(budget, DEC + SECOND_MS, memory)
    second = books.evaluate(budget, DEC + 16 * SECOND_MS, first.memory)
    assert (first.rolled, second.rolled) == (True, False)
    assert first.memory.said == ()
    assert len(second.memory.history) == 1


def test_a_late_difference_changes_what_the_period_before_has_spent_and_what_it_left():
    books, budget, memory = two_months(60, carry=Carry(CarryMode.UNUSED))
    memory = books.evaluate(budget, DEC + HOUR_MS, memory).memory
    books.post([make_row(-25 * DOLLAR, holder=TEAM, reason="late")], hour(NOV, 30))
    one = books.evaluate(budget, DEC + 2 * HOUR_MS, memory)
    assert one.memory.history[0].spent_nanos == 35 * DOLLAR
    assert one.spend.limit_nanos == 165 * DOLLAR


def test_the_last_window_of_a_period_counts_for_it_before_it_is_closed():
    books, budget, memory = two_months(60, carry=Carry(CarryMode.UNUSED))
    books.open = (replace(make_row(7 * DOLLAR, holder=TEAM), window=hour(DEC - HOUR_MS)),)
    books.computed_ms = DEC
    one = books.evaluate(budget, DEC + SECOND_MS, memory)
    assert one.memory.history[0].spent_nanos == 67 * DOLLAR
    assert one.spend.standing.spend.counted_nanos == 0


def test_three_periods_are_remembered_the_latest_first():
    books, budget = Books(epoch_ms=SEP), plan(rule=Calendar(Unit.DAY))
    memory = Memory()
    for at in range(6):
        spent(books, at + 1, hour(NOV + at * DAY_MS))
        memory = books.evaluate(budget, NOV + at * DAY_MS + 2 * HOUR_MS, memory).memory
    assert [one.spent_nanos // DOLLAR for one in memory.history] == [5, 4, 3]


def test_a_budget_that_was_made_in_this_period_carries_nothing_into_it():
    books, budget, memory = two_months(60, carry=Carry(CarryMode.UNUSED), created_ms=DEC + 1)
    assert books.evaluate(budget, DEC + HOUR_MS, memory).spend.limit_nanos == 100 * DOLLAR


def test_a_first_period_may_get_only_its_part_of_the_limit():
    created = NOV + 15 * DAY_MS
    one = Books(epoch_ms=SEP).evaluate(plan(prorate_first=True, created_ms=created), created + HOUR_MS)
    assert (one.spend.limit_nanos, one.limit.prorated_ms) == (50 * DOLLAR, created)
    later = Books(epoch_ms=SEP).evaluate(plan(prorate_first=True, created_ms=created), DEC + HOUR_MS)
    assert (later.spend.limit_nanos, later.limit.prorated_ms) == (100 * DOLLAR, None)


EDITS = {
    "limit": {"limit": 400},
    "ladder": {"ladder": LADDER[:1]},
    "mode": {"mode": Mode.OBSERVE},
    "paused": {"paused": True},
    "max gate": {"max_gate": Gate.NOTIFY},
    "carry": {"carry": Carry(CarryMode.BOTH)},
    "stage": {"stage": None, "routes": ("x",)},
}


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_no_edit_of_the_spec_resets_what_was_spent_or_remembered(edit):
    books, budget, memory = two_months(60, 80)
    before = books.evaluate(budget, DEC + HOUR_MS, memory)
    after = books.evaluate(plan(**EDITS[edit]), DEC + HOUR_MS + 15 * SECOND_MS, before.memory)
    assert after.spend.standing.spend.nanos == before.spend.standing.spend.nanos == 80 * DOLLAR
    assert after.memory.history == before.memory.history
    assert not after.rolled


def test_another_kind_of_period_is_no_period_that_is_over():
    """From months to weeks: nothing is carried, nothing enters the history, and the limit does not grow by it."""
    growth = Growth(10, 500 * DOLLAR, held_periods=2)
    old = PastPeriod(Period(OCT, NOV), 100 * DOLLAR, 10 * DOLLAR, PPM, PPM)
    before = Memory(period=Period(NOV, DEC), limit_nanos=100 * DOLLAR, history=(old,), grown=Grown(1))
    weeks = plan(rule=Calendar(Unit.WEEK), growth=growth, carry=Carry(CarryMode.UNUSED))
    one = Books(epoch_ms=SEP).evaluate(weeks, NOV + 20 * DAY_MS, before)
    assert one.memory.history == (replace(old, spent_nanos=0),)
    assert one.memory.grown.limit_nanos is None
    assert one.memory.grown.held_periods == 0
    assert one.limit.carried_nanos == 0


def test_a_period_that_nobody_watched_is_not_counted_as_one_that_held():
    """The controller was away for all of a month: what it counted before does not count once more."""
    growth = Growth(10, 500 * DOLLAR, held_periods=3)
    august = PastPeriod(Period(SEP - 31 * DAY_MS, SEP), 100 * DOLLAR, 10 * DOLLAR, PPM, PPM)
    before = Memory(period=Period(SEP, OCT), limit_nanos=100 * DOLLAR, history=(august,), grown=Grown(2))
    one = Books(epoch_ms=SEP).evaluate(plan(growth=growth), NOV + DAY_MS, before)
    assert (one.memory.grown.limit_nanos, one.memory.grown.held_periods) == (None, 0)


def test_a_limit_grows_once_a_period_when_unit_cost_and_success_held():
    growth = Growth(increase_percent=20, most_nanos=130 * DOLLAR, held_periods=1)
    budget = plan(growth=growth)
    books = Books(epoch_ms=SEP, world={"achieved": lambda *_: Achieved(PPM, PPM, PPM)})
    memory, limits = Memory(), []
    for now in (OCT, NOV - MINUTE_MS, NOV, NOV + DAY_MS, DEC, DEC + DAY_MS, JAN):
        one = books.evaluate(budget, now + SECOND_MS, memory)
        memory = one.memory
        limits.append(one.spend.limit_nanos // DOLLAR)
    assert limits == [100, 100, 120, 120, 130, 130, 130]


def test_a_larger_limit_by_an_approval_closes_a_gate_and_its_end_opens_it_anew():
    books = spent(Books(epoch_ms=OCT), 100, hour(NOV))
    budget = plan()
    asked = Override(
        "team-a", "more", "u1", Purpose.RAISE_LIMIT, "dana", NOV, nanos=100 * DOLLAR, until_ms=NOV + 2 * DAY_MS,
        decided=Decided(Ruling.APPROVED, OverrideClass.MAJOR, "lee"),
    )  # fmt: skip
    full = books.evaluate(budget, NOV + 2 * HOUR_MS)
    assert full.last.gate is Gate.FREEZE_GROWTH
    more = books.evaluate(budget, NOV + 3 * HOUR_MS, full.memory, overrides=(asked,))
    assert (more.last.gate, more.spend.limit_nanos) == (Gate.NOTIFY, 200 * DOLLAR)
    held = replace(asked, active_ms=NOV + 3 * HOUR_MS)
    ended = books.evaluate(budget, NOV + 2 * DAY_MS, more.memory, overrides=(held,))
    assert (ended.last.gate, ended.spend.limit_nanos) == (Gate.FREEZE_GROWTH, 100 * DOLLAR)


def test_a_broken_glass_lifts_the_gate_and_people_are_still_told():
    books = spent(Books(epoch_ms=OCT), 100, hour(NOV))
    budget, now = plan(), NOV + 2 * HOUR_MS
    glass = Override("team-a", "now", "u1", Purpose.BREAK_GLASS, "dana", now, reason="launch tonight")
    full = books.evaluate(budget, now)
    lifted = books.evaluate(budget, now + MINUTE_MS, full.memory, overrides=(glass,))
    assert (lifted.acts, lifted.acting_gate) == (False, None)
    assert lifted.tells, "that all gates are lifted is the one thing that people must hear"
    assert lifted.decisions[0].reason is Why.MODE_CHANGED
    after = books.evaluate(budget, now + DAY_MS, lifted.memory, overrides=(glass,))
    assert (after.acts, after.weighed.review_due) == (True, True)


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ADVISE])
def test_a_broken_glass_makes_no_budget_louder_than_it_was(mode):
    glass = Override("team-a", "now", "u1", Purpose.BREAK_GLASS, "dana", NOV)
    one = Books(epoch_ms=OCT).evaluate(plan(mode=mode), NOV + MINUTE_MS, overrides=(glass,))
    assert (one.plan.mode, one.acts) == (mode, False)


def test_blind_nothing_moves_and_the_spend_is_still_shown():
    books = spent(Books(epoch_ms=OCT), 100, hour(NOV))
    books.world["as_of_ms"] = NOV
    one = books.evaluate(plan(), NOV + DAY_MS)
    assert (one.last.reason, one.last.gate) == (Blindness.STALE, None)
    assert one.spend.standing.used_ppm == PPM
    assert one.memory.held == ("DataStale", NOV + DAY_MS)
    again = books.evaluate(plan(), NOV + DAY_MS + MINUTE_MS, one.memory)
    assert again.memory.held == ("DataStale", NOV + DAY_MS)
    books.world["as_of_ms"] = NOV + DAY_MS + 2 * MINUTE_MS
    assert books.evaluate(plan(), NOV + DAY_MS + 2 * MINUTE_MS, again.memory).memory.held[0] == ""


def test_a_price_that_jumps_holds_everything_until_somebody_has_looked():
    books, budget, now = Books(epoch_ms=OCT, pods=[runs(dollars=4)]), plan(), NOV + DAY_MS
    memory = books.evaluate(budget, now).memory
    books.pods = [runs(dollars=4000)]
    jumped = books.evaluate(budget, now + MINUTE_MS, memory)
    assert jumped.last.reason is Blindness.PRICE_JUMP
    assert jumped.memory.prices == memory.prices
    still = books.evaluate(budget, now + HOUR_MS, jumped.memory, prices_accepted_ms=now - DAY_MS)
    assert still.last.reason is not Blindness.PRICE_JUMP, "a first word counts, whenever it was written"
    again = books.evaluate(budget, now + 2 * HOUR_MS, replace(jumped.memory, accepted_ms=now - DAY_MS),
                           prices_accepted_ms=now - DAY_MS)  # fmt: skip
    assert again.last.reason is Blindness.PRICE_JUMP, "an old word does not"
    accepted = books.evaluate(budget, now + 3 * HOUR_MS, again.memory, prices_accepted_ms=now + 3 * HOUR_MS)
    assert list(accepted.memory.prices.values()) == [4000 * DOLLAR]


def test_cost_in_another_currency_holds_the_gate_and_is_in_no_figure():
    books = spent(Books(epoch_ms=OCT), 10, hour(NOV))
    books.post([make_row(500 * DOLLAR, holder=TEAM, currency="EUR")], hour(NOV, 1))
    one = books.evaluate(plan(), NOV + 3 * HOUR_MS)
    assert one.last.reason is Blindness.FOREIGN_CURRENCY
    assert one.spend.standing.spend.counted_nanos == 10 * DOLLAR


def test_thin_telemetry_of_the_last_day_holds_the_gate():
    row = make_row(100 * DOLLAR, holder=TEAM, gpu_ms=HOUR_MS, measured_ms=HOUR_MS // 2)
    one = Books(epoch_ms=OCT).post([row], hour(NOV)).evaluate(plan(), NOV + 2 * HOUR_MS)
    assert (one.last.reason, one.spend.data.telemetry) == (Blindness.TELEMETRY_THIN, Fraction(1, 2))


def test_thin_labels_keep_a_gate_from_denying():
    deny = (*LADDER, Rung("deny", Gate.DENY_NEW, Basis.ACTUAL, PPM, PPM - 1, 1))
    books = spent(Books(epoch_ms=OCT), 100, hour(NOV))
    one = books.evaluate(plan(ladder=deny), NOV + 2 * HOUR_MS)
    assert (one.last.gate, one.last.reason) == (Gate.FREEZE_GROWTH, Why.LABELS_THIN)
    named = make_row(900 * DOLLAR, holder=make_holder("team-a", "train-1", team="vision"))
    enough = books.post([named], hour(NOV, 1)).evaluate(plan(ladder=deny), NOV + 3 * HOUR_MS)
    assert (enough.last.gate, enough.spend.data.labels) == (Gate.DENY_NEW, Fraction(9, 10))


def test_a_rolling_period_forgets_what_lies_behind_it_and_never_begins_anew():
    books, budget = spent(Books(epoch_ms=OCT), 100, hour(NOV)), plan(rule=Rolling(2 * DAY_MS))
    first = books.evaluate(budget, NOV + 2 * HOUR_MS)
    later = books.evaluate(budget, NOV + 3 * DAY_MS, first.memory)
    assert first.spend.standing.used_ppm == PPM
    assert (later.spend.standing.used_ppm, later.rolled, later.memory.history) == (0, False, ())
    assert (later.last.gate, later.last.reason) == (None, Why.NOTHING_REACHED)
    assert [step.move for step in later.decisions] == [Move.CLOSED, Move.STEADY]


def test_redlines_wait_while_the_budget_is_paused_and_are_forgotten_when_they_are_gone():
    line = Redline("dear", RedlineMetric.TOTAL_COST, above=5 * DOLLAR, evaluations=1)
    subject = Subject("Job", "team-a", "train")
    books = Books(epoch_ms=OCT, world={"judged": lambda *_: (Judged(subject, 6 * DOLLAR, None, "sandbox"),)})
    first = books.evaluate(plan(redlines=(line,)), NOV + HOUR_MS)
    assert [one.move for one in first.redlines] == [RedlineMove.ANNOUNCED]
    paused = books.evaluate(plan(redlines=(line,), paused=True), NOV + DAY_MS, first.memory)
    assert [one.move for one in paused.redlines] == [RedlineMove.WAITING]
    assert paused.memory.redlines == first.memory.redlines
    assert books.evaluate(plan(), NOV + 2 * DAY_MS, paused.memory).memory.redlines == ()


def test_two_budgets_of_one_scope_see_the_same_money():
    books = Books(epoch_ms=OCT)
    for at, window in enumerate(hours(NOV, 3)):
        books.post([make_row(at * 7 + 1, holder=TEAM), make_row(50, bucket=Bucket.UNALLOCATED)], window)
    one = books.evaluate(plan(), NOV + 4 * HOUR_MS)
    other = books.evaluate(replace(plan(limit=7), ref=BudgetRef("other", "team-a", "uid-2")), NOV + 4 * HOUR_MS)
    assert one.spend.standing.spend == other.spend.standing.spend
