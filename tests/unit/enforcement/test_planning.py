"""Which steps a budget begins: for each gate its levers, each once, and none on figures that nobody trusts."""

from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.budgets.deciding.state import Pending
from aicost.domain.budgets.gates import Basis, Destruction, Gate, Mode
from aicost.domain.budgets.periods import Calendar
from aicost.domain.budgets.plans import (
    PPM,
    BudgetPlan,
    BudgetRef,
    Redline,
    RedlineMetric,
    RestorePolicy,
    Rung,
    VictimRules,
)
from aicost.domain.budgets.redlines import Judged, RedlineFinding, RedlineMove, RedlineState, Subject
from aicost.domain.enforcement.planning import (
    Scene,
    action_name,
    ask_for,
    choose,
    handled,
    note,
    over_rate,
    plan_steps,
    speaks_for,
)
from aicost.domain.enforcement.surroundings import Surroundings
from aicost.domain.enforcement.values import ActionPhase, LeverName, ObjectRef
from aicost.domain.enforcement.victims.candidates import Hearsay, candidates
from aicost.domain.enforcement.victims.selection import Spared
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from support.budget_books import DOLLAR, Books, runs
from support.budget_victims import budget_of_disruption
from support.budgets import safety
from support.ledger_rows import make_holder, make_row

NOV = 1_793_491_200_000
NOW = NOV + 10 * DAY_MS
LADDER = tuple(
    Rung(gate.lower(), gate, Basis.ACTUAL, at * PPM // 100, (at - 5) * PPM // 100, 1)
    for gate, at in (
        (Gate.NOTIFY, 10),
        (Gate.ANNOTATE, 20),
        (Gate.DEPRIORITIZE, 30),
        (Gate.FREEZE_GROWTH, 40),
        (Gate.DENY_NEW, 50),
        (Gate.SUSPEND, 60),
        (Gate.FAST_FAIL, 200),
    )
)
CHAT, JOB = ("apps/v1", "Deployment", "chat"), ("batch/v1", "Job", "train")
PODS = (
    runs("research", "chat-0", dollars=8, owner=CHAT, since_ms=NOV, stage="sandbox", team="vision"),
    runs("research", "chat-1", dollars=8, owner=CHAT, since_ms=NOV, stage="sandbox", team="vision"),
    runs("research", "train-0", dollars=4, owner=JOB, since_ms=NOV, stage="experiment", team="vision"),
)


def plan(**more):
    known = {
        "ladder": LADDER,
        "mode": Mode.ENFORCE,
        "max_gate": Gate.FAST_FAIL,
        "filters": {"namespace": ("research",)},
    }
    many = VictimRules(max_per_cycle=99, max_gpu_share=Fraction(1))
    known = {"safety": safety(victims=many), **known, **more}
    return BudgetPlan(BudgetRef("month", "research", "uid-b"), "USD", ((0, 100 * DOLLAR),), rule=Calendar(), **known)


def evaluated(spent, pods=PODS, memory=None, now=NOW, **more):
    row = make_row(spent * DOLLAR, holder=make_holder("research", "old-0", team="vision"))
    books = Books(epoch_ms=NOV - DAY_MS, pods=pods, computed_ms=now).post([row], Window(NOV, NOV + HOUR_MS))
    books.world.update({key: more.pop(key) for key in ("as_of_ms", "judged") if key in more})
    return books.evaluate(plan(**more), now, memory)


NOTHING = Surroundings()


def scene(spent=0, *, pods=PODS, around=NOTHING, actions=(), memory=None, now=NOW, said=None, **more):
    one = evaluated(spent, pods, memory, now, **more)
    return Scene(one, candidates(one.found.committed, Hearsay(said or {}), now), around, actions, {"research": {}})


def begun(given):
    return [(one.lever, one.target.name) for one in plan_steps(given).actions]


HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "chat-hpa", "namespace": "research", "uid": "uid-hpa"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "chat"}},
}
KEDA = {
    "apiVersion": "keda.sh/v1alpha1",
    "kind": "ScaledObject",
    "metadata": {"name": "chat-so", "namespace": "research", "uid": "uid-so"},
    "spec": {"scaleTargetRef": {"name": "chat"}},
}
QUEUED = {
    "apiVersion": "kueue.x-k8s.io/v1beta2",
    "kind": "Workload",
    "metadata": {
        "name": "job-train",
        "namespace": "research",
        "uid": "uid-wl",
        "ownerReferences": [{"uid": "uid-job-train"}],
    },
}
QUEUE = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue",
         "metadata": {"name": "lq", "namespace": "research", "uid": "uid-lq"}}  # fmt: skip
CRON = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "nightly", "namespace": "research", "uid": "uid-cron"},
    "spec": {
        "schedule": "0 0 * * *",
        "jobTemplate": {
            "spec": {
                "template": {
                    "spec": {
                        "containers": [{"name": "m", "image": "i", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]
                    }
                }
            }
        },
    },
}
AROUND = Surroundings(autoscalers=[HPA], queued=[QUEUED], queues=[QUEUE], schedules=[CRON])
NOTES = [(LeverName.ANNOTATE, "chat"), (LeverName.ANNOTATE, "train")]
LATER = [(LeverName.LOWER_PRIORITY, "job-train"), (LeverName.LOWER_WEIGHT, "lq")]
CAPS = [(LeverName.CAP_AUTOSCALER, "chat-hpa")]
SCHEDULES = [(LeverName.SUSPEND_SCHEDULE, "nightly")]


@pytest.mark.parametrize(
    ("spent", "steps"),
    [
        (5, []),
        (10, []),
        (20, NOTES),
        (30, [*NOTES, *LATER]),
        (40, [*NOTES, *LATER, *CAPS]),
        (50, [*NOTES, *LATER, *CAPS, *SCHEDULES]),
    ],
)
def test_each_gate_has_its_levers_and_those_of_the_softer_ones(spent, steps):
    assert begun(scene(spent, around=AROUND)) == steps


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ADVISE])
def test_who_only_looks_begins_nothing(mode):
    assert begun(scene(90, around=AROUND, mode=mode)) == []


def test_a_budget_of_a_part_of_the_namespace_leaves_its_queues_alone():
    filters = {"namespace": ("research",), "team": ("vision",)}
    assert (LeverName.LOWER_WEIGHT, "lq") not in begun(scene(30, around=AROUND, filters=filters))


def test_a_schedule_of_another_scope_goes_on():
    filters = {"namespace": ("research",), "team": ("vision",)}
    assert (LeverName.SUSPEND_SCHEDULE, "nightly") not in begun(scene(50, around=AROUND, filters=filters))


def test_steps_that_stop_nothing_are_due_at_once_and_say_why():
    (first, *_) = plan_steps(scene(20)).actions
    assert (first.action_at_ms, first.gate, first.stops) == (NOW, Gate.ANNOTATE, False)
    assert first.reason == "Budget research/month: $20.00 of $100.00 (20%) is spent; gate Annotate."
    assert first.cause == "annotate"


def stops(given):
    return [(one.target.name, one.action_at_ms) for one in plan_steps(given).actions if one.stops]


def test_an_announced_gate_chooses_whom_it_will_stop_once_and_at_its_moment():
    first = scene(60)
    due = NOW + 30 * MINUTE_MS
    assert stops(first) == [("chat", due), ("train", due)]
    later = scene(60, memory=first.evaluation.memory, now=NOW + 15_000)
    assert later.evaluation.last.state.pending
    assert stops(later) == []


def opened(**more):
    """The gate is open, and the steps that it was announced with were never begun."""
    memory = evaluated(60).memory
    return scene(60, memory=memory, now=NOW + 31 * MINUTE_MS, **more)


def test_an_open_gate_goes_on_stopping_after_a_notice_of_its_own():
    given = opened()
    assert given.evaluation.last.gate is Gate.SUSPEND
    assert stops(given) == [(name, NOW + 61 * MINUTE_MS) for name in ("chat", "train")]


def done(name="train", phase=ActionPhase.APPLIED, applied_ms=NOW, **more):
    (action,) = [one for one in plan_steps(scene(60)).actions if one.target.name == name and one.stops]
    return replace(action, phase=phase, applied_ms=applied_ms, **more)


@pytest.mark.parametrize(
    ("action", "rests"),
    [
        (done(phase=ActionPhase.NOTICED, applied_ms=None), True),
        (done(phase=ActionPhase.APPLYING, applied_ms=None), True),
        (done(applied_ms=NOW + 20 * MINUTE_MS), True),
        (done(applied_ms=NOW + 16 * MINUTE_MS), False),
        (done(phase=ActionPhase.REVERTED, applied_ms=NOW), False),
        (done(phase=ActionPhase.NOTICED, applied_ms=None, cause="redline/dear"), False),
        (done(phase=ActionPhase.NOTICED, applied_ms=None, budget=BudgetRef("other", "research", "uid-x")), False),
    ],
    ids=["announced", "begun", "just taken", "taken", "undone", "of a redline", "of another budget"],
)
def test_while_a_step_is_announced_or_was_only_just_taken_no_other_is_chosen(action, rests):
    assert bool(stops(opened(actions=(action,)))) is not rests


@pytest.mark.parametrize("more", [{"as_of_ms": NOV}, {"paused": True}], ids=["blind", "paused"])
def test_on_figures_that_nobody_trusts_nobody_is_chosen(more):
    """A mistyped price would announce the stop of everything; and a person who pauses a budget means it."""
    memory = opened().evaluation.memory
    assert memory.gate.gate is Gate.SUSPEND
    still = scene(60, memory=memory, now=NOW + 40 * MINUTE_MS, **more)
    assert still.evaluation.last.gate is Gate.SUSPEND
    assert stops(still) == []
    seen = scene(60, memory=memory, now=NOW + 40 * MINUTE_MS)
    assert stops(seen) != []


def test_a_step_that_somebody_takes_already_is_not_begun_again():
    taken = [replace(one, name=f"other-{at}") for at, one in enumerate(plan_steps(scene(20)).actions)]
    assert begun(scene(20, actions=taken)) == []
    over = [replace(one, phase=ActionPhase.REVERTED) for one in taken]
    assert begun(scene(20, actions=over)) == NOTES


def test_a_step_that_has_ended_is_not_begun_again_in_the_same_episode():
    ended = [replace(one, phase=ActionPhase.FAILED) for one in plan_steps(scene(20)).actions]
    assert begun(scene(20, actions=ended)) == []


def test_the_name_of_a_step_is_the_same_for_the_same_and_another_for_all_else():
    budget, ref = BudgetRef("m" * 60, "research", "u"), ObjectRef("apps/v1", "Deployment", "research", "chat", "uid")
    name = action_name(budget, LeverName.SCALE, ref, 1)
    assert name == action_name(budget, LeverName.SCALE, replace(ref, api_version="apps/v2"), 1)
    others = {
        action_name(budget, LeverName.SCALE, ref, 2),
        action_name(budget, LeverName.ANNOTATE, ref, 1),
        action_name(budget, LeverName.SCALE, replace(ref, uid="other"), 1),
        action_name(replace(budget, uid="v"), LeverName.SCALE, ref, 1),
    }
    assert len(others | {name}) == 5
    assert len(name) <= 63


def test_what_keda_scales_is_paused_first_and_comes_back_last():
    actions = [
        one for one in plan_steps(scene(60, around=Surroundings(scaled=[KEDA]))).actions if one.gate is Gate.SUSPEND
    ]
    pause, scale = (one for one in actions if one.workload.name == "chat")
    assert [(one.lever, one.order) for one in (pause, scale)] == [(LeverName.PAUSE_AUTOSCALER, 0), (LeverName.SCALE, 1)]
    assert (pause.workload, pause.action_at_ms) == (scale.target, scale.action_at_ms)
    assert (pause.stops, pause.estimate.save_nanos) == (True, 0), "it comes and goes with the stop, and saves nothing"
    assert scale.estimate.save_nanos == 16 * DOLLAR


def test_an_autoscaler_is_lowered_where_pods_stay_and_left_alone_where_none_do():
    pods = [runs("research", f"chat-{at}", owner=CHAT, since_ms=NOV, labels={"app": "chat"}) for at in range(4)]
    kept = Surroundings(autoscalers=[HPA], disruptions=[budget_of_disruption(desired=1, healthy=4, app="chat")])
    levers = [one.lever for one in plan_steps(scene(60, pods=pods, around=kept)).actions if one.gate is Gate.SUSPEND]
    assert levers == [LeverName.LOWER_AUTOSCALER, LeverName.SCALE]
    free = plan_steps(scene(60, pods=pods, around=Surroundings(autoscalers=[HPA]))).actions
    assert [one.lever for one in free if one.gate is Gate.SUSPEND] == [LeverName.SCALE]


def test_what_kueue_manages_is_stopped_by_its_workload():
    labels = {"kueue.x-k8s.io/queue-name": "lq"}
    pods = [runs("research", "train-0", owner=JOB, since_ms=NOV, labels=labels)]
    (stop,) = (one for one in plan_steps(scene(60, pods=pods, around=AROUND)).actions if one.stops)
    assert (stop.lever, stop.target.name, stop.workload.name) == (LeverName.DEACTIVATE, "job-train", "train")
    assert stop.estimate.gpu_milli == 1000


def test_production_is_stopped_with_both_switches_alone():
    pods = [runs("research", "chat-0", owner=CHAT, since_ms=NOV, stage="production")]
    assert stops(scene(60, pods=pods)) == []
    for allows in (True, False):
        for approved in (True, False):
            given = scene(60, pods=pods, safety=safety(victims=VictimRules(allow_production=allows)))
            weighed = replace(given.evaluation.weighed, may_stop_production=approved)
            given = replace(given, evaluation=replace(given.evaluation, weighed=weighed))
            assert bool(stops(given)) is (allows and approved)


def test_who_is_left_alone_is_told_with_the_reason():
    pods = [runs("research", "chat-0", owner=CHAT, since_ms=NOV, stage="production"), runs("research", "x", owner=None)]
    left = plan_steps(scene(60, pods=pods)).left_out
    assert {(one.target.name, reason) for one, reason in left} == {
        ("chat", Spared.PRODUCTION),
        ("x", Spared.NO_LEVER),
    }


def test_only_as_many_go_as_are_above_what_lasts():
    """40 dollars are left for twenty days: that is nothing, so all goes; a rung on the rate asks for its own bound."""
    one = scene(60).evaluation
    left = 40 * DOLLAR * HOUR_MS // (20 * DAY_MS)
    assert over_rate(one) == 20 * DOLLAR - left
    assert over_rate(evaluated(150)) == 20 * DOLLAR
    wide = Rung("wide", Gate.SUSPEND, Basis.COMMITTED_RATE, 12 * DOLLAR, 10 * DOLLAR, 1)
    by_rate = evaluated(1, ladder=(wide,))
    assert over_rate(by_rate) == 10 * DOLLAR
    assert stops(scene(1, ladder=(wide,)))[0][0] == "chat"


def test_fast_fail_stops_all_experiments_and_nobody_else():
    pods = [
        runs("research", f"{stage}-0", owner=("apps/v1", "Deployment", stage or "none"), since_ms=NOW, stage=stage)
        for stage in ("sandbox", "experiment", "pilot", "production", "")
    ]
    given = scene(0, pods=pods)
    picked = choose(given, 0, fast=True)
    assert [one.candidate.stage for one in picked.victims] == ["sandbox", "experiment"]


def test_what_failed_fast_does_not_come_back_because_a_month_is_over():
    given = scene(250)
    pending = Pending(Gate.FAST_FAIL, "fastfail", NOW, NOW + 5 * MINUTE_MS)
    memory = replace(given.evaluation.memory, gate=replace(given.evaluation.memory.gate, pending=pending))
    given = replace(given, evaluation=replace(given.evaluation, memory=memory))
    restores = {one.restore for one in plan_steps(given).actions if one.stops}
    assert restores == {RestorePolicy.ON_APPROVAL}
    manual = scene(60, safety=safety(restore=RestorePolicy.MANUAL))
    assert {one.restore for one in plan_steps(manual).actions if one.stops} == {RestorePolicy.MANUAL}


LINE = Redline("dear", RedlineMetric.TOTAL_COST, above=DOLLAR, evaluations=1, notice_ms=5 * MINUTE_MS)


def judged(name="train", stage="experiment"):
    return lambda *_: (Judged(Subject("Job", "research", name), 9 * DOLLAR, None, stage),)


def test_a_redline_stops_its_own_workload_after_its_own_notice_whatever_the_gate():
    given = scene(1, redlines=(LINE,), judged=judged())
    (stop,) = plan_steps(given).actions
    assert (stop.target.name, stop.gate, stop.redline) == ("train", Gate.FAST_FAIL, "dear")
    assert stop.action_at_ms == NOW + 5 * MINUTE_MS
    assert begun(replace(given, actions=(stop,))) == []
    assert begun(scene(1, redlines=(LINE,), judged=judged("other"))) == []


def test_a_redline_never_stops_production_nor_a_stage_that_it_does_not_name():
    pods = [replace(PODS[2], holder=replace(PODS[2].holder, dimensions={"stage": "production"}))]
    assert begun(scene(1, pods=pods, redlines=(LINE,), judged=judged())) == []


@pytest.mark.parametrize("move", [RedlineMove.NEAR, RedlineMove.WITHDRAWN])
def test_a_redline_that_is_only_near_stops_nobody(move):
    given = scene(1, redlines=(LINE,), judged=judged())
    found = RedlineFinding(LINE, move, RedlineState("dear", Subject("Job", "research", "train"), 1))
    assert begun(replace(given, evaluation=replace(given.evaluation, redlines=(found,)))) == []


def test_an_exempt_workload_is_left_alone_by_rungs_and_redlines():
    note_ = {"aicost.dev/budget-exempt-until": "2999-01-01T00:00:00Z"}
    said = {"uid-job-train": note_, "uid-deployment-chat": note_}
    assert stops(scene(60, said=said)) == []
    assert begun(scene(1, said=said, redlines=(LINE,), judged=judged())) == []


def test_what_disruption_budgets_keep_is_kept_by_all_that_go_together_and_when_it_is_done():
    """Two servers of two pods each behind one budget that keeps two: not both may go to nothing."""
    pods = [
        runs("research", f"{name}-{at}", owner=("apps/v1", "Deployment", name), since_ms=NOV, labels={"tier": "web"})
        for name in ("one", "two")
        for at in range(2)
    ]
    around = Surroundings(disruptions=[budget_of_disruption(desired=2, healthy=4, tier="web")])
    given = scene(60, pods=pods, around=around)
    actions = [one for one in plan_steps(given).actions if one.stops]
    assert [one.target.name for one in actions] == ["one"]
    tight = Surroundings(disruptions=[budget_of_disruption(desired=1, healthy=4, tier="web")])
    both = scene(60, pods=pods, around=tight)
    taken = [one for one in plan_steps(both).actions if one.stops]
    asked = [ask_for(replace(both, actions=taken), one).floor for one in taken]
    assert (len(taken), sum(asked)) == (2, 1)


def test_what_a_lever_has_to_know():
    given = scene(60)
    (stop,) = (one for one in plan_steps(given).actions if one.target.name == "chat" and one.stops)
    ask = ask_for(given, stop)
    assert (ask.floor, ask.live) == (0, 2)
    assert ask.note == note(given.evaluation)
    gone = replace(given, candidates=())
    assert (ask_for(gone, stop).floor, ask_for(gone, stop).live) == (0, 0)


def test_a_workload_with_a_step_under_way_is_handled_until_that_is_over():
    stop, soft = done(), replace(done(name="chat"), destruction=Destruction.FREEZE)
    over = replace(done(name="chat"), phase=ActionPhase.REVERTED)
    assert handled(scene(60, actions=(stop, soft, over))) == {"uid-job-train"}
    fight = replace(stop, phase=ActionPhase.CONTESTED)
    assert handled(scene(60, actions=(fight,))) == {"uid-job-train"}, "who was given way to is not stopped another way"


def test_a_subject_of_a_redline_speaks_for_what_its_pods_belong_to():
    (chat, train) = scene(1).candidates
    assert speaks_for(Subject("Job", "research", "train"), train)
    assert not speaks_for(Subject("Job", "research", "train"), chat)
