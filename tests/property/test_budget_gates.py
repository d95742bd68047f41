"""Whatever happens to a budget, its gate moves as it should: step by step, not within its hold, never blind."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.deciding.decide import GateDecision, Move, Why, climb, decide
from aicost.domain.budgets.deciding.figures import PriceJump
from aicost.domain.budgets.gates import PREDICTIVE, Basis, Gate, Mode, destruction, rank, stops_pods
from aicost.domain.budgets.plans import PPM, BudgetPlan, Rung
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS
from support.budgets import LIMIT, START, figures, fresh, plan, safety

NOTICE, COOLDOWN, HOLD = 4 * MINUTE_MS, 3 * MINUTE_MS, 5 * MINUTE_MS


@dataclass(frozen=True)
class Scene:
    """One evaluation: how long after the one before, and what is found."""

    after_ms: int
    percent: int
    facts: dict[str, object]


_FACTS = st.one_of(
    st.just({}),
    st.just({}),
    st.just({}),
    st.just({"stale_ms": 16 * MINUTE_MS}),
    st.just({"telemetry": Fraction(1, 2)}),
    st.just({"labels": Fraction(1, 2)}),
    st.just({"jumps": (PriceJump("h100", 1, 9),)}),
)
SCENES = st.lists(
    st.builds(
        Scene,
        st.sampled_from([SECOND_MS, 15 * SECOND_MS, MINUTE_MS, 4 * MINUTE_MS, 9 * MINUTE_MS]),
        st.integers(0, 160),
        _FACTS,
    ),
    min_size=1,
    max_size=60,
)


@st.composite
def _rungs(draw: st.DrawFn) -> tuple[Rung, ...]:
    """Ladders that the API server would take: of two rungs on one figure the higher opens the harder gate."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        basis = draw(st.sampled_from([Basis.ACTUAL, Basis.ACTUAL, Basis.FORECAST, Basis.UNIT_COST]))
        at = draw(st.integers(10, 150)) * PPM // 100
        gate = draw(st.sampled_from(list(Gate)))
        found.append(
            Rung(f"r{number}", gate, basis, at, at - draw(st.integers(1, 10)) * PPM // 100, draw(st.integers(1, 4)))
        )
    return tuple(found)


BUDGETS = st.builds(
    lambda rungs, top, freeze: plan(
        *rungs,
        max_gate=top,
        safety=safety(notice_ms=NOTICE, cooldown_ms=COOLDOWN, min_hold_ms=HOLD, forecast_may_freeze=freeze),
    ),
    _rungs(),
    st.sampled_from(list(Gate)),
    st.booleans(),
)


def played(budget: BudgetPlan, scenes: Sequence[Scene]) -> list[tuple[int, GateDecision]]:
    """All decisions with their moments."""
    state, now, found = fresh(budget), START, []
    for scene in scenes:
        now += scene.after_ms
        steps = climb(
            budget, figures(scene.percent, now, unit_cost_ppm=scene.percent * PPM // 100, **scene.facts), state, now
        )
        state = steps[-1].state
        found += [(now, step) for step in steps]
    return found


@given(BUDGETS, SCENES)
@settings(max_examples=400, deadline=None)
def test_no_rung_is_skipped_and_classes_ascend(budget: BudgetPlan, scenes: list[Scene]) -> None:
    named = sorted({rung.gate for rung in budget.ladder}, key=rank)
    gate: Gate | None = None
    for _, decision in played(budget, scenes):
        assert decision.before == gate
        if decision.move is Move.OPENED:
            between = [one for one in named if rank(gate) < rank(one) < rank(decision.gate)]
            assert not between
            assert gate is None or destruction(decision.gate) >= destruction(gate)
        elif decision.move is not Move.CLOSED:
            assert decision.gate == gate
        gate = decision.gate
        assert gate is None or gate in named
        assert rank(gate) <= rank(budget.max_gate)


@given(BUDGETS, SCENES)
@settings(max_examples=400, deadline=None)
def test_it_never_closes_within_its_hold(budget: BudgetPlan, scenes: list[Scene]) -> None:
    since = START
    for now, decision in played(budget, scenes):
        if decision.move is Move.CLOSED:
            assert now - since >= HOLD, decision.reason
        if decision.move in {Move.OPENED, Move.CLOSED}:
            since = now


@given(BUDGETS, SCENES)
@settings(max_examples=400, deadline=None)
def test_blind_it_holds_still_and_thin_labels_let_nothing_hard_open(budget: BudgetPlan, scenes: list[Scene]) -> None:
    moments = iter(played(budget, scenes))
    for scene in scenes:
        now, decision = next(moments)
        while not decision.is_settled:
            assert not set(scene.facts) & {"stale_ms", "telemetry", "jumps"}
            if decision.move is Move.OPENED and "labels" in scene.facts:
                assert rank(decision.gate) <= rank(Gate.FREEZE_GROWTH)
            _, decision = next(moments)
        if set(scene.facts) & {"stale_ms", "telemetry", "jumps"}:
            assert decision.is_blind
            assert decision.move is Move.STEADY
        del now


@given(BUDGETS, SCENES)
@settings(max_examples=400, deadline=None)
def test_what_looks_ahead_opens_no_more_than_it_may(budget: BudgetPlan, scenes: list[Scene]) -> None:
    most = Gate.FREEZE_GROWTH if budget.safety.forecast_may_freeze else Gate.ANNOTATE
    for _, decision in played(budget, scenes):
        if decision.move is Move.OPENED and rank(decision.gate) > rank(most):
            facts = [
                rung
                for rung in budget.ladder
                if rung.basis not in PREDICTIVE
                and decision.state.holds(rung)
                and rank(rung.gate) >= rank(decision.gate)
            ]
            assert facts, "only a fact opens a hard gate"


@given(BUDGETS, SCENES)
@settings(max_examples=400, deadline=None)
def test_what_stops_pods_was_announced_a_notice_before_and_comes_a_cooldown_after_the_last(
    budget: BudgetPlan, scenes: list[Scene]
) -> None:
    announced: int | None = None
    stopped: int | None = None
    for now, decision in played(budget, scenes):
        if decision.move is Move.ANNOUNCED:
            assert stopped is None or now - stopped >= COOLDOWN
            announced = now
        if decision.move is Move.OPENED and stops_pods(decision.gate):
            assert announced is not None
            assert now - announced >= NOTICE
            announced, stopped = None, now
        if decision.move in {Move.WITHDRAWN, Move.CLOSED}:
            announced = None


@given(BUDGETS, SCENES)
@settings(max_examples=300, deadline=None)
def test_each_threshold_is_told_once_in_a_period(budget: BudgetPlan, scenes: list[Scene]) -> None:
    told = [rung.name for _, decision in played(budget, scenes) for rung in decision.crossed]
    assert len(told) == len(set(told))


@given(BUDGETS, SCENES)
@settings(max_examples=200, deadline=None)
def test_asking_again_at_the_same_moment_changes_nothing(budget: BudgetPlan, scenes: list[Scene]) -> None:
    now, last = played(budget, scenes)[-1]
    again = decide(budget, last.spend, last.state, now)
    assert (again.move, again.state, again.crossed) == (Move.STEADY, last.state, ())


@given(st.integers(-2, 2), st.lists(st.integers(-2, 2), min_size=40, max_size=40))
def test_noise_of_two_percent_around_a_threshold_does_not_flap(offset: int, noise: list[int]) -> None:
    budget = plan(Rung("half", Gate.FREEZE_GROWTH, Basis.ACTUAL, PPM // 2, PPM * 45 // 100))
    scenes = [Scene(10 * MINUTE_MS, 50 + offset // 2 + one, {}) for one in noise]
    moves = [decision.move for _, decision in played(budget, scenes) if decision.move is not Move.STEADY]
    assert moves in ([], [Move.OPENED])


@given(BUDGETS, SCENES, st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_an_edit_of_the_spec_never_touches_what_was_spent(
    budget: BudgetPlan, scenes: list[Scene], percent: int
) -> None:
    now, last = played(budget, scenes)[-1]
    edited = plan(Rung("new", Gate.NOTIFY, Basis.ACTUAL, percent * PPM // 100, 0), mode=Mode.OBSERVE)
    after = climb(edited, last.spend, last.state, now + 1)
    assert {one.spend.standing.spend.nanos for one in after} == {last.spend.standing.spend.nanos}
    assert last.spend.limit_nanos == LIMIT
    assert after[-1].reason is not Why.ROLLOVER
