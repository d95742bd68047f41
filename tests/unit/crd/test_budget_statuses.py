"""Statuses of budgets, of requests and of gates: what they say, what they leave out, and what they have room for."""

import copy
from dataclasses import replace

import pytest

from aicost.crd.convert.budget.memory import memory_of
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.models.budget.gate import BudgetGateStatus
from aicost.crd.models.budget.override import BudgetOverrideStatus
from aicost.crd.models.budget.status import BudgetStatus
from aicost.crd.reasons import CONDITIONS
from aicost.crd.status.budget.doings import enforced, simulated
from aicost.crd.status.budget.gates import gate_name, gate_status, gates_of, message, needs_write
from aicost.crd.status.budget.overrides import not_found, override_statement, override_status
from aicost.crd.status.budget.standing import budget_status
from aicost.crd.status.reports import Freshness
from aicost.domain.budgets.gates import Destruction, Gate, Mode
from aicost.domain.budgets.memory import Memory
from aicost.domain.budgets.overrides.values import Decided, Override, OverrideClass, Phase, Purpose, Ruling
from aicost.domain.budgets.overrides.weigh import OverrideReason, weigh
from aicost.domain.budgets.periods import Calendar, Rolling
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef, Gated, OnRevert, Owner
from aicost.domain.enforcement.release import Fate, Standing
from aicost.domain.enforcement.values import Action, ActionPhase, Change, Estimate, LeverName, ObjectRef, Revert
from aicost.domain.enforcement.victims.candidates import Hearsay, candidates
from aicost.domain.enforcement.victims.selection import Selection, Spared, Victim
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, from_rfc3339, to_rfc3339
from support.budget_books import DOLLAR, Books, runs
from support.budget_samples import BUDGET_STATUS
from support.budgets import LADDER, LIMIT, MONTH, START, plan, safety

NOV = from_rfc3339("2026-11-01T00:00:00Z")
NOW = NOV + 10 * DAY_MS


def evaluated(now=NOW, pods=(), **more):
    return Books(epoch_ms=NOV - DAY_MS, pods=pods).evaluate(plan(**more), now)


def stated(one, **more):
    return budget_status(one, freshness=Freshness(3, one.now_ms, None), conditions=(), **more)


def test_a_status_of_a_budget_that_has_spent_nothing_makes_nothing_up():
    status = stated(evaluated())
    assert (status["percentUsed"], status["spent"]["totalNanos"], status["limitNanos"]) == ("0.0%", 0, LIMIT)
    assert not {"timeToExhaustion", "gate", "gateSince", "pending", "unitCost", "history", "told"} & status.keys()
    assert status["limitParts"] == {"baseNanos": LIMIT, "carriedNanos": 0, "approvedNanos": 0, "minorNanos": 0}


def test_a_rolling_budget_has_no_end_and_no_burn():
    status = stated(evaluated(rule=Rolling(7 * DAY_MS)))
    assert set(status["period"]) == {"start"}
    assert not {"burn", "forecast", "pace"} & status.keys()


def test_a_mistyped_price_is_told_as_text_where_no_number_has_room_for_it():
    """Else the status could not be written, and nothing of the budget would move any more."""
    pods = [runs("a", f"p-{at}", dollars=999_999_999) for at in range(40)]
    status = stated(evaluated(pods=pods))
    assert "committedPerHourNanos" not in status
    assert status["committedPerHour"] == "$39,999,999,960.00"
    numbers = [one for one in _numbers(status) if isinstance(one, int)]
    assert all(-(2**63) <= one < 2**63 for one in numbers)
    BudgetStatus.model_validate(status)


def _numbers(value):
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)
    else:
        yield value


@pytest.mark.parametrize(
    "odd",
    [
        {"gate": "Flying"},
        {"period": {"start": "yesterday"}},
        {"pending": {"gate": "Suspend", "announcedAt": "x", "at": "y"}},
        {"history": [{"start": "a", "end": "b", "limit": "", "spent": ""}]},
        {"told": [{"id": "x"}]},
        {"redlines": [{"name": "a"}]},
        {"rungs": "many"},
        {"limitNanos": "much"},
    ],
    ids=str,
)
def test_a_status_that_nobody_can_read_is_forgotten_as_a_whole(odd):
    """Half a memory would be worse: a rung that was told and whose gate is not known."""
    assert memory_of({"status": {**BUDGET_STATUS, **odd}}, Calendar()) == Memory()


def test_a_status_that_is_not_there_is_no_memory():
    assert memory_of({}, Calendar()) == memory_of({"status": None}, Calendar()) == Memory()


def test_what_a_later_version_adds_makes_nobody_forget():
    found = memory_of({"status": {**BUDGET_STATUS, "later": {"x": 1}}}, Calendar())
    assert (found.said[0].id, found.gate.pending.gate) == ("rung-half", Gate.SUSPEND)


def test_a_mode_that_nobody_knows_is_observing():
    assert memory_of({"status": {"decidedMode": "Shout"}}, Calendar()).gate.mode is Mode.OBSERVE


def test_reading_a_status_changes_nothing_of_it():
    before = copy.deepcopy(BUDGET_STATUS)
    memory_of({"status": BUDGET_STATUS}, Calendar())
    assert before == BUDGET_STATUS


def open_gate(gate, actions=(), spaces=("research",), **more):
    found = evaluated(**more)
    return gates_of(found, gate, spaces, actions, "docs/x.md")


@pytest.mark.parametrize("gate", [None, Gate.NOTIFY, Gate.ANNOTATE, Gate.DEPRIORITIZE])
def test_what_refuses_nothing_has_no_gate(gate):
    assert open_gate(gate) == ()


@pytest.mark.parametrize(
    ("gate", "denies"),
    [(Gate.FREEZE_GROWTH, False), (Gate.DENY_NEW, True), (Gate.SUSPEND, True), (Gate.FAST_FAIL, True)],
)
def test_each_gate_refuses_what_the_softer_ones_refuse_too(gate, denies):
    (one,) = open_gate(gate)
    assert (one.status["freezeGrowth"], one.status["denyNew"], one.status["gate"]) == (True, denies, gate)


def test_there_is_one_gate_in_each_namespace_and_its_order_is_no_matter():
    found = open_gate(Gate.DENY_NEW, spaces={"b", "a", "c"})
    assert [(one.namespace, one.name) for one in found] == [(space, "budget-month") for space in "abc"]
    assert gate_name(BudgetRef("month", "", "u")) == "cluster-month"


def test_a_gate_says_by_which_labels_objects_are_in_scope_and_what_has_none():
    filters = {"team": ("vision", "untagged"), "label:app": ("chat",), "namespace": ("x",), "cluster": ("c",)}
    (one,) = open_gate(Gate.DENY_NEW, filters={**filters})
    assert one.status["selectors"] == [
        {"key": "app", "values": ["chat"]},
        {"key": "aicost.dev/team", "values": ["vision", ""]},
    ]


def test_a_gate_says_whom_it_is_about_and_whether_it_holds_what_was_stopped():
    (usual,) = open_gate(Gate.DENY_NEW)
    (strict,) = open_gate(Gate.DENY_NEW, safety=safety(gated=Gated.ALL_WORKLOADS, on_revert=OnRevert.CLAMP))
    assert (usual.status["allWorkloads"], usual.status["clamp"]) == (False, False)
    assert (strict.status["allWorkloads"], strict.status["clamp"]) == (True, True)


SCALED = (Change("/spec/replicas", 3, 0),)


def step(kind="Deployment", name="chat", phase=ActionPhase.APPLIED, changes=SCALED, **more):
    target = ObjectRef("apps/v1", kind, more.pop("namespace", "research"), name, f"uid-{name}")
    known = {"destruction": Destruction.STOP, "gate": Gate.SUSPEND, "estimate": Estimate(1000, 4 * DOLLAR), **more}
    return Action(
        f"month-{name}", BudgetRef("month", "research", "u"), target, target, lever=LeverName.SCALE, reason="r",
        action_at_ms=NOW, phase=phase, changes=changes, **known,
    )  # fmt: skip


def test_what_a_budget_holds_may_be_set_back_to_what_it_was_and_no_further():
    steps = [
        step("Job", "b", changes=(Change("/spec/suspend", False, True),)),
        step("Deployment", "a"),
        step("Deployment", "elsewhere", namespace="other"),
        step("Deployment", "announced", phase=ActionPhase.NOTICED),
        step("Deployment", "back", phase=ActionPhase.REVERTED),
        step("HorizontalPodAutoscaler", "capped", destruction=Destruction.FREEZE),
        step("Deployment", "half", phase=ActionPhase.APPLYING),
    ]
    (one,) = open_gate(Gate.SUSPEND, steps)
    assert one.status["held"] == [
        {"kind": "Deployment", "name": "a", "upTo": 3},
        {"kind": "Deployment", "name": "half", "upTo": 3},
        {"kind": "Job", "name": "b", "upTo": 0},
    ]


def test_a_gate_has_room_for_a_namespace_full_of_what_was_stopped():
    (one,) = open_gate(Gate.SUSPEND, [step(name=f"j-{at:04}") for at in range(700)])
    assert len(one.status["held"]) == 500
    BudgetGateStatus.model_validate(one.status)


def test_the_words_of_a_gate_name_the_fix_and_do_not_change_while_money_is_spent():
    owners = (Owner("dana", "#ml"), Owner("lee"), Owner("kim"))
    one = evaluated(owners=owners)
    text = message(one, Gate.DENY_NEW, "docs/x.md")
    assert "kubectl aicost budget request month -n research --amount 100" in text
    assert text.endswith("docs/x.md · ask #ml, lee")
    assert "new workloads are refused" in text
    later = evaluated(now=NOW + HOUR_MS, owners=owners)
    assert message(later, Gate.DENY_NEW, "docs/x.md") == text


def test_a_gate_is_written_when_it_says_something_else_or_runs_out():
    (one,) = open_gate(Gate.SUSPEND, [step()])
    there = gate_status(one, {}, NOW + HOUR_MS, NOW)
    assert not needs_write(one, there, HOUR_MS, HOUR_MS)
    assert needs_write(one, there, HOUR_MS // 2 - 1, HOUR_MS)
    assert needs_write(one, there, MINUTE_MS - 1, MINUTE_MS)
    (softer,) = open_gate(Gate.FREEZE_GROWTH, [step()])
    (freed,) = open_gate(Gate.SUSPEND)
    assert needs_write(softer, there, HOUR_MS, HOUR_MS)
    assert needs_write(freed, there, HOUR_MS, HOUR_MS), "what is held no more must not be let grow for ever"
    assert needs_write(one, {}, HOUR_MS, HOUR_MS)


def test_a_gate_holds_until_a_whole_second_and_keeps_the_moment_of_its_condition():
    (one,) = open_gate(Gate.DENY_NEW)
    first = gate_status(one, {}, NOW + 1_999, NOW + 999)
    assert (first["until"], first["asOf"]) == (to_rfc3339(NOW + 1_000), to_rfc3339(NOW))
    again = gate_status(one, first, NOW + HOUR_MS, NOW + MINUTE_MS)
    assert again["conditions"][0]["lastTransitionTime"] == first["conditions"][0]["lastTransitionTime"]


def asks(**more):
    known = {"percent": 10, "purpose": Purpose.RAISE_LIMIT, **more}
    purpose = known.pop("purpose")
    return Override("research", "more", "u-1", purpose, "dana", START, "longer", **known)


def verdict(override, now=START, budget=None):
    (found,) = weigh([override], budget or plan(), MONTH, LIMIT, now).verdicts
    return found


APPROVED = Decided(Ruling.APPROVED, OverrideClass.MINOR, "lee")
DENIED = Decided(Ruling.DENIED, OverrideClass.MAJOR, "lee", "too much")
CASES = [
    (asks(), START, OverrideReason.UNDECIDED, "the verb approve-minor on budgets/month"),
    (asks(percent=50), START, OverrideReason.UNDECIDED, "the verb approve-major on budgets/month"),
    (asks(decided=APPROVED), START, OverrideReason.ACTIVE, "It adds $100.00 until 1970-01-31 00:00 UTC."),
    (asks(percent=50, decided=APPROVED), START, OverrideReason.NEEDS_MAJOR, "It needs approve-major: ask anew."),
    (asks(decided=DENIED), START, OverrideReason.DENIED, "Denied by lee: too much"),
    (asks(), START + 4 * DAY_MS, OverrideReason.EXPIRED, "nobody decided in time"),
    (
        asks(decided=replace(APPROVED, as_class=OverrideClass.MAJOR, by="dana")),
        START,
        OverrideReason.NOT_ALLOWED,
        "by somebody else",
    ),
    (
        asks(purpose=Purpose.BREAK_GLASS, percent=None),
        START,
        OverrideReason.ACTIVE,
        "All gates of the budget are lifted",
    ),
    (
        asks(purpose=Purpose.BREAK_GLASS, percent=None),
        START + 2 * DAY_MS,
        OverrideReason.REVIEW_MISSING,
        "somebody else than dana",
    ),
]


@pytest.mark.parametrize(("override", "now", "reason", "words"), CASES, ids=[case[3] for case in CASES])
def test_a_request_says_what_became_of_it_and_what_it_takes(override, now, reason, words):
    found = verdict(override, now)
    said = override_statement(found, plan())
    assert (found.reason, words in said.message) == (reason, True), said.message
    known = {(c.status, str(c.reason)) for causes in CONDITIONS["BudgetOverride"].values() for c in causes}
    assert (said.status, said.reason) in known
    body = {"metadata": {"generation": 2}, "status": {}}
    status = override_status(found, plan(), said, body, now)
    BudgetOverrideStatus.model_validate(status)
    assert status["phase"] == found.phase
    assert ("added" in status) == (found.phase is Phase.ACTIVE and found.added_nanos > 0)


def test_a_request_that_never_held_is_not_said_to_have_begun():
    late = verdict(asks(decided=APPROVED, until_ms=START + HOUR_MS), START + DAY_MS)
    status = override_status(late, plan(), override_statement(late, plan()), {"metadata": {}}, START + DAY_MS)
    assert "activeSince" not in status


def test_a_request_keeps_its_long_words_within_its_status():
    wordy = verdict(asks(decided=replace(DENIED, comment="x" * 5000)))
    status = override_status(wordy, plan(), override_statement(wordy, plan()), {"metadata": {}}, START)
    assert len(status["message"]) == 1024
    BudgetOverrideStatus.model_validate(status)


def test_a_request_for_no_budget_says_so_and_has_no_phase():
    said = not_found("Budget", "research/mnth")
    status = override_status(None, None, said, {"metadata": {"generation": 1}}, START)
    assert (said.status, said.reason) == (ConditionStatus.FALSE, "BudgetNotFound")
    assert "phase" not in status


def test_what_is_done_counts_what_is_in_force_and_what_comes_back():
    steps = [
        step(name="a"),
        step(name="b", phase=ActionPhase.APPLYING, changes=()),
        step(name="c", phase=ActionPhase.NOTICED),
        step(name="d", phase=ActionPhase.REVERTED, lost_ms=HOUR_MS // 2),
        step(name="e", phase=ActionPhase.CONTESTED, reverts=(Revert(1, "kubectl-edit"),)),
        step(name="f", phase=ActionPhase.REVERTING),
        step("HorizontalPodAutoscaler", "g", destruction=Destruction.FREEZE, estimate=Estimate()),
    ]
    fates = {one.name: Fate(Standing.WANTED, "") for one in steps}
    fates["month-a"] = fates["month-f"] = Fate(Standing.RELEASED, "")
    done = enforced(steps, fates, (), "USD")
    assert (done.active, done.noticed, done.restore_pending) == (4, 1, 2)
    assert (done.gpu_milli_stopped, done.saved_per_hour, done.gpu_hours_lost) == (2000, "$8.00", "0.50")
    assert [(one.ref, one.by) for one in done.contested] == [("Deployment research/e", "kubectl-edit")]


def test_nothing_done_is_said_as_nothing():
    done = enforced((), {}, (), "USD")
    assert (done.active, done.saved_per_hour, done.gpu_hours_lost, done.contested, done.left_out) == (0, *[None] * 4)


def found_candidates(count):
    pods = [runs("a", f"p-{at}", owner=("apps/v1", "Deployment", f"d-{at:02}")) for at in range(count)]
    return candidates(pods, Hearsay(), NOW)


def test_who_is_left_alone_is_named_with_the_reason_but_not_whom_a_step_is_on_already():
    left = [(one, Spared.PRODUCTION) for one in found_candidates(12)]
    done = enforced((), {}, [(left[0][0], Spared.HANDLED), *left], "USD")
    assert len(done.left_out) == 10
    assert done.left_out[0] == "Deployment a/d-00: it is production"


def test_whom_it_would_stop_is_shown_up_to_ten_and_counted_to_the_last():
    chosen = Selection(tuple(Victim(one, "idle") for one in found_candidates(12)), ())
    told = simulated(chosen, "USD")
    assert (len(told.victims), told.workloads, told.gpu_milli, told.saves_per_hour) == (10, 12, 12_000, "$48.00")
    assert told.victims[0].gpu_hours_at_stake is None


def test_statuses_of_what_is_done_fit_into_the_budget_s():
    done = enforced([step()], {}, [(one, Spared.EXEMPT) for one in found_candidates(3)], "USD")
    status = stated(evaluated(), enforced=done, simulated=simulated(Selection((), ()), "USD"))
    BudgetStatus.model_validate(status)
    assert status["simulateAt100"]["workloads"] == 0


def test_a_budget_plan_is_not_needed_to_be_in_a_namespace():
    company = BudgetPlan(BudgetRef("company", "", "u"), "USD", ((0, LIMIT),), Calendar(), ladder=LADDER)
    one = Books(epoch_ms=NOV).evaluate(company, NOW)
    (gate,) = gates_of(one, Gate.DENY_NEW, ["a"], (), "")
    assert (gate.name, gate.spec["budgetRef"]["kind"]) == ("cluster-company", "ClusterBudget")
