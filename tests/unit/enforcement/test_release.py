"""When a step is undone: who still wants it, what may come back now, and how much of it at once."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.deciding.state import Pending
from aicost.domain.budgets.gates import Destruction, Gate, Mode
from aicost.domain.budgets.overrides.values import Override, Purpose
from aicost.domain.budgets.plans import RestorePolicy
from aicost.domain.budgets.redlines import RedlineState, Subject
from aicost.domain.enforcement.release import Fate, Reign, Standing, fate, heirs, may_act, restorable, stands_still
from aicost.domain.enforcement.values import Action, ActionPhase, Estimate, LeverName, ObjectRef
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS
from support.budget_books import Books, runs
from support.budgets import REF, plan

NOV = 1_793_491_200_000
NOW = NOV + 10 * DAY_MS
JOB = ObjectRef("batch/v1", "Job", "research", "train", "uid-job-train")


def action(name="a", **more):
    known = {
        "gate": Gate.SUSPEND,
        "lever": LeverName.SUSPEND_JOB,
        "destruction": Destruction.STOP,
        "reason": "r",
        "action_at_ms": NOW,
        "phase": ActionPhase.APPLIED,
        "applied_ms": NOW - HOUR_MS,
        **more,
    }
    return Action(name, REF, JOB, JOB, **known)


def evaluated(pods=(), overrides=(), **more):
    return Books(epoch_ms=NOV, pods=pods).evaluate(plan(**more), NOW, overrides=overrides)


def with_gate(one=None, gate=None, **state):
    one = one or evaluated()
    return replace(one, memory=replace(one.memory, gate=replace(one.memory.gate, gate=gate, **state)))


def reign(gate=None, one=None, **more):
    return Reign(one or with_gate(gate=gate), gate, **more)


def standing(step, given):
    return fate(step, given).standing


def test_a_step_is_wanted_while_its_gate_is_open_or_a_harder_one():
    assert standing(action(), reign(Gate.SUSPEND)) is Standing.WANTED
    assert standing(action(), reign(Gate.FAST_FAIL)) is Standing.WANTED
    assert standing(action(), reign(Gate.DENY_NEW)) is Standing.RELEASED
    assert standing(action(), reign(None)) is Standing.RELEASED


def test_the_gate_of_a_budget_above_counts_as_its_own():
    assert standing(action(), Reign(with_gate(gate=None), Gate.SUSPEND)) is Standing.WANTED


def test_a_budget_that_is_gone_lets_go_and_one_that_cannot_be_evaluated_holds_still():
    assert fate(action(), None) == Fate(Standing.RELEASED, "the budget is gone")
    assert standing(action(restore=RestorePolicy.MANUAL), None) is Standing.RELEASED
    assert standing(action(), Reign(None)) is Standing.WANTED


@pytest.mark.parametrize("restore", list(RestorePolicy))
def test_who_only_looks_lets_go_of_everything_whatever_the_policy(restore):
    one = evaluated(mode=Mode.OBSERVE)
    found = fate(action(restore=restore), Reign(one, None))
    assert found == Fate(Standing.RELEASED, "the mode is Observe")


def test_a_broken_glass_lets_go_of_everything_and_says_so():
    glass = Override("research", "now", "u", Purpose.BREAK_GLASS, "dana", NOW)
    found = fate(action(restore=RestorePolicy.MANUAL), Reign(evaluated(overrides=(glass,)), None))
    assert found == Fate(Standing.RELEASED, "the glass is broken")


@pytest.mark.parametrize(
    ("restore", "raised", "expected"),
    [
        (RestorePolicy.ON_ROLLOVER, None, Standing.RELEASED),
        (RestorePolicy.ON_APPROVAL, None, Standing.KEPT),
        (RestorePolicy.ON_APPROVAL, NOW - 2 * HOUR_MS, Standing.KEPT),
        (RestorePolicy.ON_APPROVAL, NOW, Standing.RELEASED),
        (RestorePolicy.MANUAL, NOW, Standing.KEPT),
    ],
)
def test_what_was_stopped_comes_back_as_the_budget_says(restore, raised, expected):
    given_reign = reign(one=with_gate(raised_ms=raised))
    assert standing(action(restore=restore), given_reign) is expected


@pytest.mark.parametrize("restore", list(RestorePolicy))
def test_a_person_brings_back_what_was_stopped_before_their_word_and_nothing_after_it(restore):
    step = action(restore=restore)
    assert standing(step, reign(Gate.SUSPEND, restore_ms=NOW)) is Standing.RELEASED
    assert standing(step, reign(Gate.SUSPEND, restore_ms=step.applied_ms)) is Standing.WANTED


def test_what_stops_nothing_comes_back_as_soon_as_it_is_not_needed():
    soft = action(destruction=Destruction.FREEZE, gate=Gate.FREEZE_GROWTH, restore=RestorePolicy.MANUAL)
    assert standing(soft, reign(Gate.ANNOTATE)) is Standing.RELEASED
    assert standing(soft, reign(Gate.FREEZE_GROWTH)) is Standing.WANTED


def test_what_was_only_announced_is_withdrawn_and_kept_for_nobody():
    noticed = action(phase=ActionPhase.NOTICED, applied_ms=None, restore=RestorePolicy.MANUAL)
    assert standing(noticed, reign(Gate.DENY_NEW)) is Standing.RELEASED
    pending = Pending(Gate.SUSPEND, "r", NOW, NOW + HOUR_MS)
    assert standing(noticed, reign(Gate.DENY_NEW, with_gate(pending=pending))) is Standing.WANTED
    assert standing(action(), reign(Gate.DENY_NEW, with_gate(pending=pending))) is Standing.RELEASED


def crossed(*subjects, pods=(), name="dear"):
    lines = tuple(RedlineState(name, one, 3, NOW - HOUR_MS, NOW) for one in subjects)
    one = evaluated(pods)
    return Reign(replace(one, memory=replace(one.memory, redlines=lines)), None)


TRAIN, OTHER = Subject("Job", "research", "train"), Subject("Job", "research", "other")
RUNS = (runs("research", "train-0", owner=("batch/v1", "Job", "train")),)


def test_a_step_of_a_redline_is_wanted_while_its_own_workload_is_beyond_it():
    """Another experiment that crosses the same line is no reason to stop this one."""
    noticed = action(phase=ActionPhase.NOTICED, applied_ms=None, cause="redline/dear")
    assert standing(noticed, crossed(TRAIN, pods=RUNS)) is Standing.WANTED
    assert standing(noticed, crossed(OTHER, pods=RUNS)) is Standing.RELEASED
    assert standing(noticed, crossed(TRAIN, pods=RUNS, name="else")) is Standing.RELEASED
    assert may_act(noticed, crossed(TRAIN, pods=RUNS), NOW)
    assert not may_act(noticed, crossed(OTHER, pods=RUNS), NOW)


def test_what_a_redline_stopped_does_not_come_back_by_itself():
    stopped = action(cause="redline/dear", gate=Gate.FAST_FAIL, restore=RestorePolicy.ON_APPROVAL)
    assert standing(stopped, crossed()) is Standing.KEPT


def test_a_step_may_be_taken_when_its_time_has_come_and_its_gate_is_open():
    noticed = action(phase=ActionPhase.NOTICED, applied_ms=None)
    assert may_act(noticed, reign(Gate.SUSPEND), NOW)
    assert not may_act(noticed, reign(Gate.SUSPEND), NOW - 1)
    assert not may_act(noticed, reign(Gate.DENY_NEW), NOW)
    assert not may_act(noticed, None, NOW)
    assert not may_act(noticed, Reign(None), NOW)
    assert not may_act(noticed, Reign(evaluated(mode=Mode.ADVISE), Gate.SUSPEND), NOW)


def blind():
    books = Books(epoch_ms=NOV, world={"as_of_ms": NOV})
    return books.evaluate(plan(), NOW)


@pytest.mark.parametrize("one", [blind(), evaluated(paused=True)], ids=["blind", "paused"])
@pytest.mark.parametrize("cause", ["suspend", "redline/dear"])
def test_nothing_is_done_on_figures_that_nobody_trusts_or_while_a_person_has_paused_it(one, cause):
    noticed = action(phase=ActionPhase.NOTICED, applied_ms=None, cause=cause)
    line = RedlineState("dear", TRAIN, 3, NOW - HOUR_MS, NOW)
    one = with_gate(replace(one, memory=replace(one.memory, redlines=(line,))), Gate.SUSPEND)
    assert stands_still(one)
    assert not may_act(noticed, Reign(one, Gate.SUSPEND), NOW)
    assert standing(noticed, Reign(one, Gate.SUSPEND)) is Standing.WANTED, "it waits"
    assert standing(action(), Reign(one, Gate.SUSPEND)) is Standing.WANTED


def test_another_budget_that_would_take_the_step_at_once_inherits_it():
    def other(name, gate, **more):
        one = with_gate(evaluated(**more), gate)
        return Reign(replace(one, plan=replace(one.plan, ref=replace(REF, name=name, uid=f"uid-{name}"))), gate)

    every = [other("b", Gate.SUSPEND), other("a", Gate.FAST_FAIL), other("soft", Gate.DENY_NEW),
             other("idle", Gate.SUSPEND, mode=Mode.OBSERVE), reign(Gate.SUSPEND), Reign(None)]  # fmt: skip
    assert [one.plan.ref.name for one in heirs(action(), every, lambda _: True)] == ["a", "b"]
    assert heirs(action(), every, lambda _: False) == []


def stopped(name, gpus, applied_ms=NOW - HOUR_MS, **more):
    return action(name, applied_ms=applied_ms, estimate=Estimate(gpus * 1000, 1), **more)


def test_the_last_one_that_was_stopped_comes_back_first_and_no_more_than_so_many_gpus_a_minute():
    steps = [stopped("a", 8, NOW - 3), stopped("b", 8, NOW - 2), stopped("c", 8, NOW - 1)]
    assert [one.name for one in restorable(steps, (), 16, NOW)] == ["c", "b"]
    lately = replace(stopped("d", 8), phase=ActionPhase.REVERTED, ended_ms=NOW - MINUTE_MS + 1)
    assert [one.name for one in restorable(steps, [lately], 16, NOW)] == ["c"]
    long_ago = replace(lately, ended_ms=NOW - MINUTE_MS)
    assert len(restorable(steps, [long_ago], 16, NOW)) == 2


def test_one_may_always_come_back_however_large_it_is():
    assert [one.name for one in restorable([stopped("huge", 999)], (), 16, NOW)] == ["huge"]
    lately = replace(stopped("d", 1), ended_ms=NOW)
    assert restorable([stopped("huge", 999)], [lately], 16, NOW) == []


def test_what_gives_back_no_gpu_waits_for_nobody():
    full = replace(stopped("d", 16), ended_ms=NOW)
    assert [one.name for one in restorable([stopped("a", 0), stopped("b", 1)], [full], 16, NOW)] == ["a"]


def test_the_steps_of_one_workload_are_undone_in_the_reverse_of_their_order():
    steps = [stopped("first", 0, order=0), stopped("second", 8, order=1)]
    assert [one.name for one in restorable(steps, (), 16, NOW)] == ["second", "first"]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=12),
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 2 * MINUTE_MS)), max_size=4),
    st.integers(1, 32),
)
@settings(max_examples=80)
def test_whatever_waits_all_of_it_comes_back_in_time_and_no_minute_gives_back_too_much(waiting, before, most):
    steps = [stopped(f"s{at:02}", gpus, NOW - HOUR_MS + when) for at, (gpus, when) in enumerate(waiting)]
    gone = [replace(stopped(f"g{at}", gpus), ended_ms=NOW - ago) for at, (gpus, ago) in enumerate(before)]
    now = NOW
    for _ in range(60 * (len(steps) + 1)):
        back = restorable(steps, gone, most, now)
        gone += [replace(one, phase=ActionPhase.REVERTED, ended_ms=now) for one in back]
        steps = [one for one in steps if one not in back]
        minute = [one.estimate.gpu_milli for one in gone if now - one.ended_ms < MINUTE_MS and one.ended_ms >= NOW]
        larger = [milli for milli in minute if milli]
        assert sum(minute) <= most * 1000 or len(larger) == 1
        now += 15_000
        if not steps:
            break
    assert steps == []
