"""One gate through its life: what opens it, what holds it, what closes it, and why."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.budgets.deciding.decide import GateDecision, Move, Why, climb, decide
from aicost.domain.budgets.deciding.figures import Blindness, BudgetSpend, PriceJump
from aicost.domain.budgets.deciding.state import GateState, begin
from aicost.domain.budgets.gates import Basis, Gate, Mode
from aicost.domain.budgets.pace import stand
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import PPM, BudgetPlan, Rung
from aicost.domain.exact.windows import DAY_MS, MINUTE_MS
from support.budgets import CYCLE_MS, LADDER, LIMIT, MONTH, START, figures, fresh, plan, rung, safety


class Life:
    """A budget that is evaluated every 15 s."""

    def __init__(self, budget: BudgetPlan | None = None) -> None:
        self.budget = budget or plan()
        self.state: GateState = fresh(self.budget)
        self.now = START
        self.decisions: list[GateDecision] = []

    def at(self, percent: int, times: int = 1, **more: object) -> GateDecision:
        """Evaluate so often while so much is spent; the last decision."""
        for _ in range(times):
            self.now += CYCLE_MS
            self.see(figures(percent, self.now, **more))
        return self.decisions[-1]

    def see(self, spend: BudgetSpend) -> None:
        found = climb(self.budget, spend, self.state, self.now)
        self.decisions += found
        self.state = found[-1].state

    def wait(self, milliseconds: int) -> None:
        self.now += milliseconds

    @property
    def gates(self) -> list[Gate | None]:
        """The gates that it went through."""
        return [one.gate for one in self.decisions if one.move in {Move.OPENED, Move.CLOSED}]


def told(decisions: Iterable[GateDecision]) -> list[str]:
    return [one.name for decision in decisions for one in decision.crossed]


def test_a_rung_opens_once_three_evaluations_agree() -> None:
    life = Life()
    assert [life.at(50).gate for _ in range(4)] == [None, None, Gate.NOTIFY, Gate.NOTIFY]
    assert told(life.decisions) == ["notify-50"]


def test_all_soft_gates_open_within_a_minute_of_a_jump_and_none_is_skipped() -> None:
    life = Life()
    life.at(110, times=3)
    assert life.gates == [Gate.NOTIFY, Gate.ANNOTATE, Gate.FREEZE_GROWTH, Gate.DENY_NEW]
    assert life.now - START <= MINUTE_MS
    assert told(life.decisions) == ["notify-50", "annotate-70", "freezegrowth-80", "denynew-100"]


def test_what_stops_pods_is_announced_waited_for_and_then_done() -> None:
    life = Life()
    announced = life.at(120, times=3)
    assert (announced.move, announced.gate) == (Move.ANNOUNCED, Gate.DENY_NEW)
    assert announced.state.pending.due_ms == life.now + 30 * MINUTE_MS
    assert life.at(120).reason is Why.IN_NOTICE
    life.wait(30 * MINUTE_MS)
    assert life.at(121).gate is Gate.SUSPEND


def test_an_announced_step_is_withdrawn_where_it_is_not_needed_any_more() -> None:
    life = Life()
    life.at(120, times=3)
    assert life.at(114).move is Move.WITHDRAWN
    life.wait(40 * MINUTE_MS)
    assert life.at(114).gate is Gate.DENY_NEW


def test_a_gate_holds_its_time_and_closes_below_its_exit() -> None:
    life = Life(plan(rung(Gate.NOTIFY, 50)))
    life.at(50, times=3)
    assert life.at(44).reason is Why.IN_HOLD
    life.wait(30 * MINUTE_MS)
    closed = life.at(44)
    assert (closed.gate, life.gates) == (None, [Gate.NOTIFY, None])
    assert closed.reason is Why.NOTHING_REACHED


def test_between_threshold_and_exit_nothing_changes() -> None:
    life = Life()
    life.at(50, times=3)
    life.wait(DAY_MS)
    assert life.at(46).gate is Gate.NOTIFY


def test_a_threshold_is_told_once_in_a_period_however_often_it_is_crossed() -> None:
    life = Life()
    for percent in (55, 40, 55, 40, 55):
        life.at(percent, times=3)
        life.wait(31 * MINUTE_MS)
    assert told(life.decisions) == ["notify-50"]


def test_a_correction_closes_and_says_nothing_twice() -> None:
    life = Life()
    life.at(100, times=3)
    life.wait(31 * MINUTE_MS)
    assert life.at(90).gate is Gate.FREEZE_GROWTH
    life.at(101, times=3)
    assert told(life.decisions).count("denynew-100") == 1
    assert life.decisions[-1].gate is Gate.DENY_NEW


def test_more_that_is_carried_by_a_late_difference_is_nobodys_word_and_closes_nothing_at_once() -> None:
    life = Life()
    life.at(100, times=3)
    carried = life.at(100, limit_nanos=2 * LIMIT, carried_nanos=LIMIT)
    assert (carried.gate, carried.reason) == (Gate.DENY_NEW, Why.IN_HOLD)
    assert life.state.raised_ms is None


def test_a_larger_limit_closes_at_once_and_is_a_new_threshold() -> None:
    life = Life()
    life.at(100, times=3)
    life.at(100, limit_nanos=2 * LIMIT)
    assert life.gates[-1] is Gate.NOTIFY
    assert life.decisions[-2].reason is Why.MORE_ALLOWED
    life.wait(31 * MINUTE_MS)
    life.at(200, times=3, limit_nanos=2 * LIMIT)
    assert told(life.decisions).count("denynew-100") == 2


def test_a_new_period_begins_at_the_foot_of_the_ladder() -> None:
    life = Life()
    life.at(110, times=3)
    following = Period(MONTH.end_ms, 2 * MONTH.end_ms)
    life.now = MONTH.end_ms
    first = life.at(0, period=following)
    assert life.decisions[-2].reason is Why.ROLLOVER
    assert first.gate is None
    life.at(50, times=3, period=following)
    assert told(life.decisions).count("notify-50") == 2


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"stale_ms": 16 * MINUTE_MS}, Blindness.STALE),
        ({"telemetry": Fraction(89, 100)}, Blindness.TELEMETRY_THIN),
        ({"price": Fraction(89, 100)}, Blindness.PRICES_THIN),
        ({"foreign": ("EUR",)}, Blindness.FOREIGN_CURRENCY),
        ({"jumps": (PriceJump("h100-80gb", 2, 9),)}, Blindness.PRICE_JUMP),
    ],
)
def test_blind_it_opens_nothing_and_closes_nothing(facts: dict[str, object], reason: Blindness) -> None:
    life = Life()
    life.at(60, times=3)
    before = life.state
    life.wait(DAY_MS)
    held = life.at(110, times=5, **facts)
    assert (held.reason, held.is_blind, life.state) == (reason, True, before)
    assert life.at(0, times=5, **facts).gate is Gate.NOTIFY
    assert life.at(110, times=3).gate is Gate.DENY_NEW


def test_blind_at_the_turn_of_a_period_it_holds_what_it_has() -> None:
    life = Life()
    life.at(110, times=3)
    following = Period(MONTH.end_ms, 2 * MONTH.end_ms)
    life.now = MONTH.end_ms
    assert life.at(0, times=3, period=following, stale_ms=16 * MINUTE_MS).gate is Gate.DENY_NEW
    assert life.at(0, period=following).gate is None


def test_what_is_just_fresh_and_just_covered_enough_is_acted_on() -> None:
    life = Life()
    facts = {"stale_ms": 15 * MINUTE_MS, "telemetry": Fraction(90, 100), "price": Fraction(90, 100)}
    assert life.at(110, times=3, **facts).gate is Gate.DENY_NEW


def test_a_large_spend_is_no_price_jump() -> None:
    life = Life()
    life.at(1, times=3)
    assert life.at(100_000, times=3).gate is Gate.DENY_NEW


def test_thin_labels_hold_it_at_freeze_growth_and_close_nothing() -> None:
    life = Life()
    held = life.at(110, times=3, labels=Fraction(89, 100))
    assert (held.gate, held.reason) == (Gate.FREEZE_GROWTH, Why.LABELS_THIN)
    assert life.at(110, labels=None).reason is Why.LABELS_THIN
    assert life.at(110).gate is Gate.DENY_NEW
    life.wait(DAY_MS)
    assert life.at(110, labels=Fraction(1, 2)).gate is Gate.DENY_NEW


def test_a_budget_may_say_in_writing_that_fewer_labels_are_enough() -> None:
    life = Life(plan(safety=safety(enough_labels=Fraction(1, 2))))
    assert life.at(110, times=3, labels=Fraction(1, 2)).gate is Gate.DENY_NEW


def test_max_gate_is_a_ceiling_and_the_gate_below_it_is_one_of_the_ladder() -> None:
    life = Life(plan(max_gate=Gate.FREEZE_GROWTH))
    capped = life.at(130, times=3)
    assert (capped.gate, capped.reason, capped.asked) == (Gate.FREEZE_GROWTH, Why.MAX_GATE, Gate.SUSPEND)
    sparse = Life(plan(rung(Gate.NOTIFY, 50), rung(Gate.SUSPEND, 100), max_gate=Gate.DENY_NEW))
    assert sparse.at(130, times=3).gate is Gate.NOTIFY


def test_a_person_who_lowers_max_gate_is_obeyed_at_once() -> None:
    life = Life()
    life.at(110, times=3)
    life.budget = plan(max_gate=Gate.ANNOTATE)
    assert life.at(110).gate is Gate.ANNOTATE
    assert life.decisions[-2].reason is Why.MAX_GATE_LOWERED


def test_a_forecast_tells_people_and_does_nothing_harder() -> None:
    hard = Rung("soon", Gate.SUSPEND, Basis.FORECAST, PPM, PPM - 1)
    life = Life(plan(rung(Gate.NOTIFY, 90), rung(Gate.ANNOTATE, 95), rung(Gate.FREEZE_GROWTH, 100), hard))
    assert life.at(80, times=5).gate is Gate.ANNOTATE
    assert life.decisions[-1].spend.standing.forecast_nanos > LIMIT


def test_a_forecast_freezes_growth_where_the_budget_says_so_and_never_more() -> None:
    hard = Rung("soon", Gate.DENY_NEW, Basis.FORECAST, PPM, PPM - 1)
    life = Life(plan(rung(Gate.FREEZE_GROWTH, 100), hard, safety=safety(forecast_may_freeze=True)))
    assert life.at(80, times=5).gate is Gate.FREEZE_GROWTH


def test_a_burn_rate_is_a_forecast_until_the_limit_is_reached() -> None:
    burn = Rung("burn", Gate.DENY_NEW, Basis.BURN_RATE, 4 * PPM, 3 * PPM)
    life = Life(plan(rung(Gate.ANNOTATE, 200), burn))
    rate = LIMIT // 10
    lately = ((3_600_000, rate),)

    def burning(percent: int) -> GateDecision:
        for _ in range(3):
            life.now += CYCLE_MS
            spend = figures(percent, life.now, committed_nanos=rate)
            full = replace(spend.standing.spend, lately=lately)
            life.see(replace(spend, standing=stand(LIMIT, MONTH, full, life.now)))
        return life.decisions[-1]

    assert burning(60).gate is Gate.ANNOTATE
    assert burning(100).gate is Gate.DENY_NEW


def test_the_committed_rate_counts_what_the_budget_has_stopped() -> None:
    rate = Rung("wide", Gate.DENY_NEW, Basis.COMMITTED_RATE, 100, 95)
    life = Life(plan(rate))
    assert life.at(1, times=3, committed_nanos=100).gate is Gate.DENY_NEW
    life.wait(DAY_MS)
    assert life.at(1, committed_nanos=10, stopped_nanos=90).gate is Gate.DENY_NEW
    assert life.at(1, committed_nanos=10).gate is None


def test_what_is_not_known_opens_nothing_and_closes_nothing() -> None:
    unit = Rung("dear", Gate.NOTIFY, Basis.UNIT_COST, PPM, PPM - 1)
    life = Life(plan(unit))
    assert life.at(1, times=5).gate is None
    assert life.at(1, times=3, unit_cost_ppm=2 * PPM).gate is Gate.NOTIFY
    life.wait(DAY_MS)
    assert life.at(1).gate is Gate.NOTIFY


def test_what_was_only_observed_is_not_acted_on_without_climbing_anew() -> None:
    life = Life(plan(mode=Mode.OBSERVE))
    life.at(130, times=3)
    life.wait(31 * MINUTE_MS)
    assert life.at(130).gate is Gate.SUSPEND
    life.budget = plan()
    assert life.at(130).gate is None
    assert life.at(130, times=3).gate is Gate.DENY_NEW
    assert life.state.pending.due_ms == life.state.pending.announced_ms + 30 * MINUTE_MS
    assert told(life.decisions).count("notify-50") == 1


def test_observing_lets_go_of_everything_at_once() -> None:
    life = Life()
    life.at(110, times=3)
    life.budget = plan(mode=Mode.OBSERVE)
    life.at(110)
    assert life.gates[-1] is None
    assert [one.reason for one in life.decisions[-2:]] == [Why.MODE_CHANGED, Why.NOTHING_REACHED]


def test_paused_nothing_moves() -> None:
    life = Life()
    life.at(60, times=3)
    life.budget = plan(paused=True)
    assert life.at(130, times=9).reason is Why.PAUSED
    assert life.state.gate is Gate.NOTIFY


def test_two_steps_that_stop_pods_are_a_cooldown_apart() -> None:
    ladder = (*LADDER, rung(Gate.FAST_FAIL, 150))
    life = Life(plan(*ladder, safety=safety(notice_ms=0, cooldown_ms=15 * MINUTE_MS)))
    life.at(160, times=4)
    assert life.state.gate is Gate.SUSPEND
    assert life.at(160).reason is Why.IN_COOLDOWN
    life.wait(15 * MINUTE_MS)
    life.at(160, times=2)
    assert life.state.gate is Gate.FAST_FAIL


def test_the_same_moment_is_counted_once() -> None:
    budget = plan()
    spend = figures(60, START + 1)
    state = fresh(budget)
    for _ in range(9):
        state = decide(budget, spend, state, START + 1).state
    assert state.gate is None


def test_an_edit_of_the_spec_keeps_what_was_spent_and_told() -> None:
    life = Life()
    life.at(110, times=3)
    life.budget = plan(*LADDER, rung(Gate.NOTIFY, 90))
    life.at(110, times=3)
    assert told(life.decisions) == ["notify-50", "annotate-70", "freezegrowth-80", "denynew-100", "notify-90"]
    assert life.decisions[-1].spend.standing.used_ppm == 1_100_000


def test_a_budget_that_is_new_starts_with_no_gate() -> None:
    decision = decide(plan(), figures(10), begin(0, Mode.ENFORCE), START)
    assert (decision.gate, decision.reason, decision.move) == (None, Why.NOTHING_REACHED, Move.STEADY)
