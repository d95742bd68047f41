"""What a budget remembers, and how far a step has come, survive a restart of the controller: their status holds it."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.crd.convert.budget.action import action_spec, action_status, read_action
from aicost.crd.convert.budget.memory import memory_of
from aicost.crd.status.budget.standing import MOST_SAID, budget_status
from aicost.crd.status.reports import Freshness
from aicost.domain.budgets.deciding.state import GateState, Pending, RungState
from aicost.domain.budgets.gates import Destruction, Gate, Mode
from aicost.domain.budgets.memory import Grown, Memory, PastPeriod, Said
from aicost.domain.budgets.nudges.state import NudgeState
from aicost.domain.budgets.periods import Calendar, Period
from aicost.domain.budgets.plans import BudgetRef, NudgeOn, RestorePolicy
from aicost.domain.budgets.prices import MOST
from aicost.domain.budgets.redlines import RedlineState, Subject
from aicost.domain.enforcement.values import (
    ABSENT,
    Action,
    ActionPhase,
    Change,
    Estimate,
    LeverName,
    ObjectRef,
    Revert,
)
from aicost.domain.exact.windows import DAY_MS, from_rfc3339
from support.budget_books import Books
from support.budgets import LADDER, plan

NOV = from_rfc3339("2026-11-01T00:00:00Z")
NOW = NOV + 10 * DAY_MS
MOMENTS = st.integers(NOV, NOW)
BEFORE = st.integers(NOV - 300 * DAY_MS, NOV)
NANOS = st.integers(1, 2**62)
NAMES = st.sampled_from(["a", "full", "h100-80gb", "x.y-1", "finops"])
TEXTS = st.sampled_from(["", "it holds", "größer", 'quoted "x" \\', "line\nbreak", "a, b=c", "\u2028", "x" * 200])
EVALUATION = Books(epoch_ms=NOV - DAY_MS).evaluate(plan(), NOW)
RULE = Calendar()


@st.composite
def gates(draw):
    """A state that the ladder can be in within this period."""
    gate = draw(st.none() | st.sampled_from(Gate))
    rungs = tuple(
        RungState(
            rung.name,
            0,
            draw(st.none() | MOMENTS),
            told := draw(st.none() | MOMENTS),
            draw(NANOS) if told is not None else 0,
        )
        for rung in LADDER
    )
    announced = draw(MOMENTS)
    pending = Pending(draw(st.sampled_from(Gate)), draw(NAMES), announced, announced + draw(st.integers(0, DAY_MS)))
    return GateState(
        key=NOV,
        mode=draw(st.sampled_from(Mode)),
        gate=gate,
        since_ms=draw(MOMENTS) if gate else 0,
        rung=draw(NAMES) if gate else "",
        rungs=rungs,
        pending=draw(st.none() | st.just(pending)),
        stopped_ms=draw(st.none() | MOMENTS),
        granted_nanos=EVALUATION.spend.granted_nanos,
        raised_ms=draw(st.none() | MOMENTS),
    )


SAID = st.builds(
    Said,
    st.integers(0, 10**6).map("rung-full@{}".format) | st.just("redline-a-Job x/y-1" * 6),
    MOMENTS,
    TEXTS.map(lambda text: text or "x"),
    st.lists(NAMES, max_size=16, unique=True).map(tuple),
    NAMES | st.just(""),
    st.none() | MOMENTS,
)
NUDGES = st.builds(
    NudgeState,
    NAMES,
    st.sampled_from(NudgeOn),
    NAMES | st.just(""),
    BEFORE,
    st.none() | MOMENTS,
    st.none() | MOMENTS,
    st.none() | MOMENTS,
    TEXTS,
)
SUBJECTS = st.builds(Subject, st.sampled_from(["AIWorkload", "Job", "RayCluster"]), NAMES, NAMES)
REDLINES = st.builds(
    RedlineState, NAMES, SUBJECTS, st.integers(1, 100), st.none() | MOMENTS, st.none() | MOMENTS, NAMES | st.just("")
)
PAST = st.builds(
    lambda start, days, limit, spent, unit, good: PastPeriod(
        Period(start, start + days * DAY_MS), limit, spent, unit, good
    ),
    BEFORE,
    st.integers(1, 366),
    NANOS,
    st.integers(-(2**62), 2**62),
    st.none() | st.integers(0, 10**9),
    st.none() | st.integers(0, 10**6),
)
MEMORIES = st.builds(
    Memory,
    gate=gates(),
    period=st.just(EVALUATION.period),
    limit_nanos=st.just(EVALUATION.spend.limit_nanos),
    history=st.lists(PAST, max_size=3).map(tuple),
    said=st.lists(SAID, max_size=MOST_SAID, unique_by=lambda one: one.id).map(tuple),
    nudges=st.lists(NUDGES, max_size=5).map(tuple),
    redlines=st.lists(REDLINES, max_size=5).map(tuple),
    prices=st.dictionaries(NAMES, NANOS, max_size=MOST),
    accepted_ms=st.just(0) | MOMENTS,
    grown=st.builds(Grown, st.integers(0, 24), st.none() | NANOS, TEXTS),
)


def stated(memory, rule=RULE):
    one = replace(EVALUATION, memory=memory)
    status = budget_status(one, freshness=Freshness(1, NOW, None), conditions=())
    return memory_of({"status": json.loads(json.dumps(status))}, rule)


@given(MEMORIES)
@settings(max_examples=100)
def test_what_a_budget_remembers_survives_a_restart(memory):
    assert stated(memory) == memory


@given(MEMORIES)
@settings(max_examples=30)
def test_two_restarts_forget_no_more_than_one(memory):
    assert stated(stated(memory)) == stated(memory)


@given(MEMORIES, st.lists(SAID, min_size=1, max_size=50, unique_by=lambda one: one.id))
@settings(max_examples=30)
def test_of_too_many_messages_the_last_are_remembered(memory, said):
    assert stated(replace(memory, said=tuple(said))).said == tuple(said)[-MOST_SAID:]


@given(gates(), st.integers(1, 9))
@settings(max_examples=50)
def test_a_gate_of_the_period_before_is_still_known_as_such_after_a_restart(state, months):
    """Blind at the turn of a period everything holds still; the restart must not make it this period's gate."""
    gone = months * 31 * DAY_MS
    old = GateState(
        key=NOV - gone,
        mode=state.mode,
        gate=Gate.SUSPEND,
        since_ms=NOV - gone + 5,
        rung="full",
        rungs=tuple(replace(one, since_ms=NOV - gone + 1, told_ms=NOV - gone + 1) for one in state.rungs),
    )
    assert stated(Memory(gate=old, period=EVALUATION.period)).gate.key != EVALUATION.spend.key


OBJECTS = st.builds(
    ObjectRef,
    st.sampled_from(["batch/v1", "v1", "apps/v1", "kueue.x-k8s.io/v1beta2"]),
    st.sampled_from(["Job", "Deployment", "Workload"]),
    st.just("research"),
    NAMES,
    st.uuids().map(str),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
CHANGES = st.builds(
    Change,
    st.sampled_from(["/spec/suspend", "/spec/replicas", "/metadata/annotations/a~1b", "/spec/x/[name=a]/y"]),
    JSON | st.just(ABSENT),
    JSON | st.just(ABSENT),
    st.lists(st.sampled_from(["/metadata/annotations", "/spec"]), max_size=2).map(tuple),
)
ACTIONS = st.builds(
    Action,
    name=NAMES,
    budget=st.builds(BudgetRef, NAMES, NAMES | st.just(""), st.uuids().map(str)),
    target=OBJECTS,
    workload=OBJECTS,
    gate=st.sampled_from(Gate),
    lever=st.sampled_from(LeverName),
    destruction=st.sampled_from(Destruction),
    reason=TEXTS,
    action_at_ms=MOMENTS,
    restore=st.sampled_from(RestorePolicy),
    order=st.integers(0, 9),
    estimate=st.builds(Estimate, st.integers(0, 10**6), st.integers(0, 2**62), st.none() | st.integers(0, 10**12)),
    currency=st.just(""),
    cause=NAMES | st.just(""),
    phase=st.sampled_from(ActionPhase),
    changes=st.lists(CHANGES, max_size=4).map(tuple),
    noticed_ms=MOMENTS,
    asked_ms=st.none() | MOMENTS,
    saved_ms=st.none() | MOMENTS,
    applied_ms=st.none() | MOMENTS,
    ended_ms=st.none() | MOMENTS,
    reverts=st.lists(st.builds(Revert, MOMENTS, NAMES | st.just("")), max_size=20).map(tuple),
    lost_ms=st.none() | st.integers(0, 10**12),
    not_restored=st.lists(TEXTS, max_size=3).map(tuple),
    message=TEXTS,
)


def kept(action):
    """The record as the API server would show it."""
    metadata = {
        "name": action.name,
        "namespace": "research",
        "generation": 1,
        "creationTimestamp": "2026-11-01T00:00:00Z",
    }
    body = {"metadata": metadata, "spec": action_spec(action)}
    return json.loads(json.dumps({**body, "status": action_status(action, body, NOW)}))


@given(ACTIONS)
@settings(max_examples=100)
def test_a_step_is_read_as_it_was_written(action):
    assert read_action(kept(action)).value == action


@given(ACTIONS)
@settings(max_examples=30)
def test_a_record_that_was_made_and_not_stated_yet_is_a_step_that_is_announced(action):
    body = kept(action)
    fresh = read_action({**body, "status": {}}).value
    assert (fresh.phase, fresh.changes, fresh.applied_ms) == (ActionPhase.NOTICED, (), None)
    assert (fresh.target, fresh.lever, fresh.action_at_ms) == (action.target, action.lever, action.action_at_ms)
