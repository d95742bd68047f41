"""What people are told: each thing once, with who pays, how much, what comes next, how to stop it and where to read."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.deciding.figures import Blindness, Data, PriceJump
from aicost.domain.budgets.gates import Basis, Destruction, Gate, Mode
from aicost.domain.budgets.memory import Memory, PastPeriod, Said
from aicost.domain.budgets.messages import words
from aicost.domain.budgets.messages.acks import acknowledged, escalated, escalation, seen_by, unanswered
from aicost.domain.budgets.messages.compose import HELD_MS, tellings
from aicost.domain.budgets.messages.outlook import outlook
from aicost.domain.budgets.messages.steps import steps_told
from aicost.domain.budgets.messages.values import Topic, Urgency
from aicost.domain.budgets.overrides.values import Decided, Override, OverrideClass, Purpose, Ruling
from aicost.domain.budgets.periods import Calendar, Period, Rolling
from aicost.domain.budgets.plans import (
    PPM,
    BudgetPlan,
    BudgetRef,
    Growth,
    Owner,
    Promotion,
    Redline,
    RedlineMetric,
    Rung,
)
from aicost.domain.budgets.redlines import Judged, Subject
from aicost.domain.budgets.units.targets import Achieved
from aicost.domain.enforcement.values import Action, ActionPhase, Change, Estimate, LeverName, ObjectRef, Revert
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window, from_rfc3339
from aicost.domain.identity.stages import Stage
from support.budget_books import DOLLAR, Books, runs
from support.ledger_rows import make_holder, make_row

NOV, DEC = from_rfc3339("2026-11-01T00:00:00Z"), from_rfc3339("2026-12-01T00:00:00Z")
NOW = NOV + 10 * DAY_MS
LABELS = {"team": "vision"}


def step(gate, percent, basis=Basis.ACTUAL, evaluations=1):
    return Rung(f"{gate.lower()}-{percent}", gate, basis, percent * PPM // 100, (percent - 5) * PPM // 100, evaluations)


LADDER = (step(Gate.NOTIFY, 50), step(Gate.FREEZE_GROWTH, 80), step(Gate.SUSPEND, 120))


def plan(**more):
    known = {
        "ladder": LADDER,
        "mode": Mode.ENFORCE,
        "max_gate": Gate.FAST_FAIL,
        "rule": Calendar(),
        "owners": (Owner("dana", "#ml"), Owner("lee")),
        "filters": {"namespace": ("research",), "team": ("vision",)},
        **more,
    }
    return BudgetPlan(BudgetRef("month", "research", "uid-1"), "USD", ((-(2**63), 100 * DOLLAR),), **known)


def books(dollars=0, **more):
    found = Books(epoch_ms=NOV - DAY_MS, **more)
    if dollars:
        row = make_row(dollars * DOLLAR, holder=make_holder("research", "p-0", **LABELS))
        found.post([row], Window(NOV, NOV + HOUR_MS))
    return found


def told(one):
    return {telling.what: telling.message for telling in tellings(one, "https://x/")}


def test_a_crossed_threshold_says_all_that_people_have_to_know():
    one = books(60).evaluate(plan(), NOW)
    (message,) = told(one).values()
    assert message.title == "Budget research/month: 50% of the limit spent"
    assert dict(message.lines) == {
        "Who": "team vision in namespace research; owner dana (#ml), lee",
        "What": "$60.00 of $100.00 (60%) is spent; 50% of the limit spent is reached.",
        "Next": f"{outlook(one)}.",
        "To stop it": 'kubectl aicost budget request month -n research --amount 80 --reason "..."',
        "Runbook": "https://x/docs/runbooks/budget-threshold.md",
    }
    assert (message.topic, message.urgency) == (Topic.THRESHOLD, Urgency.INFO)
    assert message.data["spentNanos"] == 60 * DOLLAR


def test_what_is_in_force_is_said_where_the_budget_acts_and_not_where_it_advises():
    assert "From now on nothing that runs may grow." in told(books(90).evaluate(plan(), NOW))[_rung(1)].what
    assert "From now on" not in told(books(90).evaluate(plan(mode=Mode.ADVISE), NOW))[_rung(1)].what


def _rung(at, limit=100):
    return f"rung-{LADDER[at].name}@{limit * DOLLAR}"


def test_a_threshold_is_told_once_however_often_it_is_evaluated():
    world, memory, seen = books(90), Memory(), []
    for at in range(20):
        one = world.evaluate(plan(), NOW + at * 15_000, memory)
        new = tellings(one)
        seen += [telling.what for telling in new]
        memory = one.memory.with_said(*(Said(each.what, one.now_ms, each.message.title) for each in new))
    assert sorted(seen) == sorted({_rung(0), _rung(1)})


def test_the_same_thing_has_the_same_id_whoever_says_it():
    one, other = (books(90).evaluate(plan(), NOW) for _ in range(2))
    assert [each.message.id for each in tellings(one)] == [each.message.id for each in tellings(other)]
    later = books(90).evaluate(plan(), DEC + DAY_MS)
    assert not {each.message.id for each in tellings(one)} & {each.message.id for each in tellings(later)}


def test_an_announced_step_that_is_withdrawn_is_told_each_time():
    """People who were told twice that it comes are told twice that it does not."""
    world, memory, seen = books(130), Memory(), []
    holder = make_holder("research", "p-0", **LABELS)
    for at, late in enumerate([0, 0, -20, 0, 20, 0, -20]):
        if late:
            world.post([make_row(late * DOLLAR, holder=holder, reason="late")], Window(NOV, NOV + HOUR_MS))
        one = world.evaluate(plan(), NOW + at * MINUTE_MS, memory)
        new = [each for each in tellings(one) if each.what.startswith("gate-withdrawn")]
        seen += new
        memory = one.memory.with_said(*(Said(each.what, one.now_ms, "x") for each in new))
    assert len(seen) == 2
    assert all("withdrawn" in each.message.title for each in seen)


def test_a_gate_that_closes_is_told_with_its_reason():
    world = books(90)
    memory = world.evaluate(plan(), NOW).memory
    world.post([make_row(-50 * DOLLAR, holder=make_holder("research", "p-0", **LABELS))], Window(NOV, NOV + HOUR_MS))
    one = world.evaluate(plan(), NOW + HOUR_MS, memory)
    (message,) = (each for each in told(one).values() if each.topic is Topic.GATE)
    assert message.title.endswith("gate FreezeGrowth is closed")
    assert "comes back" in message.what


def test_blind_figures_are_told_after_a_while_and_once():
    world = books(90)
    world.world["as_of_ms"] = NOV
    first = world.evaluate(plan(), NOW)
    assert told(first) == {}
    later = world.evaluate(plan(), NOW + HELD_MS, first.memory)
    (message,) = told(later).values()
    assert "nothing moves, the figures are too old" in message.title
    said = later.memory.with_said(Said("held-DataStale", later.now_ms, message.title))
    assert told(world.evaluate(plan(), NOW + HOUR_MS, said)) == {}


def test_a_price_jump_says_how_to_accept_it():
    world = books(pods=[runs("research", dollars=4, **LABELS)])
    memory = world.evaluate(plan(), NOW).memory
    world.pods = [runs("research", dollars=4000, **LABELS)]
    first = world.evaluate(plan(), NOW + MINUTE_MS, memory)
    (message,) = told(world.evaluate(plan(), NOW + HELD_MS + MINUTE_MS, first.memory)).values()
    assert message.stop == "kubectl aicost budget accept-prices month -n research"
    assert "h100-80gb" in message.title


def test_a_redline_names_the_workload_the_figure_and_when_it_is_stopped():
    line = Redline("dear", RedlineMetric.COST_PER_UNIT, above=1_500, evaluations=1)
    subject = Subject("Job", "research", "train")
    judged = Judged(subject, 60 * DOLLAR, None, "sandbox")
    total = replace(line, metric=RedlineMetric.TOTAL_COST)
    world = books(world={"judged": lambda *_: (judged,)})
    (message,) = told(world.evaluate(plan(redlines=(total,)), NOW)).values()
    assert message.title == "Job research/train crossed redline dear: TotalCost is 60, above 0.0000015"
    assert message.next == "It is stopped at 2026-11-11 00:05 UTC, if it is still so then."
    advising = world.evaluate(plan(redlines=(total,), mode=Mode.ADVISE), NOW)
    assert next(iter(told(advising).values())).next == "Nothing: the budget is in mode Advise."


def asks(**more):
    return Override("research", "more", "u-1", Purpose.RAISE_LIMIT, "dana", NOW, "longer run", **more)


def test_requests_are_told_when_they_are_made_and_when_they_are_decided():
    (asked,) = told(books().evaluate(plan(), NOW, overrides=(asks(nanos=5 * DOLLAR),))).values()
    assert asked.title == "dana asks for $5.00 for Budget research/month"
    assert asked.stop == "kubectl aicost budget approve more -n research"
    assert asked.next == "It lapses at 2026-11-14 00:00 UTC if nobody decides."
    done = asks(nanos=5 * DOLLAR, decided=Decided(Ruling.APPROVED, OverrideClass.MINOR, "lee"))
    (decided,) = told(books().evaluate(plan(), NOW, overrides=(done,))).values()
    assert decided.title.endswith("the request of dana was approved by lee")
    assert "It adds $5.00, until 2026-12-01 00:00 UTC." in decided.what


def test_a_broken_glass_is_told_at_once_and_its_review_when_it_is_due():
    glass = replace(asks(), purpose=Purpose.BREAK_GLASS)
    one = books(130).evaluate(plan(), NOW, overrides=(glass,))
    found = told(one)
    assert found["glass-u-1"].urgency is Urgency.CRITICAL
    assert one.tells
    late = books(130).evaluate(plan(), NOW + 2 * DAY_MS, overrides=(glass,))
    assert told(late)["review-u-1"].stop == "kubectl aicost budget review more -n research"


def test_growth_and_readiness_are_good_news_told_once():
    good = PastPeriod(Period(NOV, DEC), 100 * DOLLAR, 0, PPM, PPM)
    growing = plan(growth=Growth(10, 500 * DOLLAR, held_periods=1), promotion=Promotion(1), stage=Stage.PILOT)
    before = Memory(period=good.period, limit_nanos=good.limit_nanos, unit_ppm=PPM, success_ppm=PPM)
    world = books(world={"achieved": lambda *_: Achieved(PPM, PPM, PPM)})
    one = world.evaluate(growing, DEC + MINUTE_MS, before)
    found = told(one)
    assert found[f"grown-{110 * DOLLAR}"].what.endswith("It is $110.00 now.")
    assert found["promotion-production"].next == "Somebody with the verb grow sets spec.stage to production."
    said = one.memory.with_said(*(Said(what, 1, "x") for what in found))
    assert told(world.evaluate(growing, DEC + HOUR_MS, said)) == {}


JOB = ObjectRef("batch/v1", "Job", "research", "train", "uid-job")


def action(name="a", phase=ActionPhase.NOTICED, target=JOB, **more):
    known = {
        "gate": Gate.SUSPEND,
        "lever": LeverName.SUSPEND_JOB,
        "destruction": Destruction.STOP,
        "reason": "r",
        "action_at_ms": NOW + 30 * MINUTE_MS,
        "estimate": Estimate(8000, 32 * DOLLAR, HOUR_MS),
        **more,
    }
    return Action(name, BudgetRef("month", "research", "uid-1"), target, target, phase=phase, **known)


def steps(*moved, memory=None):
    one = books(130).evaluate(plan(), NOW, memory)
    return {telling.what: telling.message for telling in steps_told(one, moved)}


def test_what_will_be_stopped_is_one_message_per_moment_with_what_it_saves_and_costs():
    other = replace(JOB, name="other", uid="uid-2")
    (message,) = steps(action(), action("b", target=other)).values()
    assert message.title == "Budget research/month: 2 workloads will be stopped at 2026-11-11 00:30 UTC"
    assert message.what == (
        "Job research/train, Job research/other. That saves $64.00 per hour; 2.00 GPU-hours of work are at stake."
    )
    assert message.urgency is Urgency.CRITICAL
    assert "budget request" in message.stop


def test_what_was_stopped_and_what_came_back_is_told_and_what_did_not():
    done = action(phase=ActionPhase.APPLIED, applied_ms=NOW, lost_ms=HOUR_MS // 2)
    back = action("b", ActionPhase.REVERTED, ended_ms=NOW, not_restored=("pods were lost",))
    found = steps(done, back)
    assert found[f"applied-Suspend-{NOW}"].what.endswith("0.50 GPU-hours of work were lost.")
    assert found[f"reverted-{NOW}"].urgency is Urgency.WARNING
    assert "pods were lost" in found[f"reverted-{NOW}"].what


def test_steps_that_stop_nothing_are_not_told_unless_somebody_fights_them():
    soft = {"lever": LeverName.CAP_AUTOSCALER, "destruction": Destruction.FREEZE}
    assert steps(action(**soft), action("b", ActionPhase.APPLIED, applied_ms=1, **soft)) == {}
    fight = action(phase=ActionPhase.CONTESTED, reverts=(Revert(1, "argocd-controller"),),
                   changes=(Change("/spec/maxReplicas", 9, 2),), **soft)  # fmt: skip
    (message,) = steps(fight).values()
    assert message.title.endswith("argocd-controller keeps undoing what is done to Job research/train")
    assert "ignoreDifferences" in message.what


@given(st.lists(st.sampled_from([*ActionPhase]), max_size=12), st.integers(0, 3))
@settings(max_examples=40)
def test_each_message_of_steps_fits_into_a_status_and_comes_once(phases, moments):
    moved = [
        action(f"{'x' * 60}-{at}", phase, replace(JOB, name=f"j{at}" * 60, uid=f"u{at}"), applied_ms=at, ended_ms=at,
               action_at_ms=NOW + at % (moments + 1))
        for at, phase in enumerate(phases)
    ]  # fmt: skip
    one = books(130).evaluate(plan(), NOW)
    found = steps_told(one, moved)
    assert len({each.what for each in found}) == len(found)
    assert all(0 < len(each.what) <= 128 for each in found)
    said = replace(one, memory=one.memory.with_said(*(Said(each.what, NOW, "x") for each in found)))
    assert steps_told(said, moved) == ()


SAID = (Said("rung-half@1", NOW, "half"), Said("applied-x", NOW, "done"), Said("nudge-a", NOW, "hint"))


def test_who_has_seen_what_is_read_from_an_annotation_and_the_first_one_counts():
    seen = seen_by(" rung-half@1=dana, nudge-a ,,=x,rung-half@1=lee,unknown=kim")
    found = acknowledged(Memory(said=SAID), seen)
    assert [one.acknowledged_by for one in found.said] == ["lee", "", "somebody"]
    assert acknowledged(found, {"rung-half@1": "kim"}) == found


def test_what_nobody_has_seen_goes_to_more_people_once():
    memory = Memory(said=SAID)
    assert list(unanswered(memory.said, 4 * HOUR_MS, NOW + 4 * HOUR_MS - 1)) == []
    late = list(unanswered(memory.said, 4 * HOUR_MS, NOW + 4 * HOUR_MS))
    assert [one.id for one in late] == ["rung-half@1", "nudge-a"], "what is over wants no answer"
    after = escalated(memory, frozenset(one.id for one in late), NOW + 4 * HOUR_MS)
    assert list(unanswered(after.said, 4 * HOUR_MS, NOW + 40 * HOUR_MS)) == []
    seen = acknowledged(memory, {"rung-half@1": "dana", "nudge-a": "dana"})
    assert list(unanswered(seen.said, 4 * HOUR_MS, NOW + 40 * HOUR_MS)) == []


def test_an_escalation_names_the_message_and_how_to_answer_it_and_is_none_itself():
    telling = escalation(books().evaluate(plan(), NOW), SAID[0])
    assert telling.message.title == "Nobody has acknowledged: half"
    assert telling.message.stop == "kubectl aicost budget ack month -n research rung-half@1"
    again = Said(telling.what, NOW, telling.message.title)
    assert list(unanswered([again], 0, NOW + DAY_MS)) == []


def next_of(dollars=0, now=NOW, memory=None, **more):
    return outlook(books(dollars).evaluate(plan(**more), now, memory))


def test_the_outlook_names_the_next_step_with_its_amount():
    assert next_of(10) == "Notify at 50% ($50.00)"
    assert next_of(60) == "FreezeGrowth at 80% ($80.00)"
    assert next_of(90) == "Suspend at 120% ($120.00)"
    assert next_of(90, mode=Mode.ADVISE) == "Advise only: Suspend at 120% ($120.00)"
    assert next_of(90, max_gate=Gate.FREEZE_GROWTH) == "None"
    assert next_of(130, max_gate=Gate.FREEZE_GROWTH) == "None: maxGate is FreezeGrowth"


def test_the_outlook_names_the_moment_of_an_announced_step():
    assert next_of(130) == "Suspend at 2026-11-11 00:30 UTC"


def test_the_outlook_says_when_it_comes_to_that_at_this_rate():
    world = books(40, pods=[runs("research", dollars=5, **LABELS)], computed_ms=NOW)
    assert outlook(world.evaluate(plan(), NOW)) == "Notify at 50% ($50.00) in 2 h"


def test_the_outlook_says_why_nothing_moves():
    assert next_of(90, paused=True) == "None: it is paused"
    world = books(90)
    world.world["as_of_ms"] = NOV
    assert outlook(world.evaluate(plan(), NOW)) == "Held: the figures are too old (10 d)"
    glass = replace(asks(), purpose=Purpose.BREAK_GLASS)
    one = books(90).evaluate(plan(), NOW, overrides=(glass,))
    assert outlook(one) == "None: the glass is broken until 2026-11-12 00:00 UTC"


@pytest.mark.parametrize("basis", list(Basis))
def test_each_basis_has_its_words(basis):
    rung = Rung("r", Gate.NOTIFY, basis, 2 * PPM, PPM, 1)
    one = books(10).evaluate(plan(ladder=(rung,), rule=Rolling(30 * DAY_MS)), NOW)
    for text in (words.threshold(one.plan, rung), words.reached(one.plan, rung, one.spend), outlook(one)):
        assert text
        assert "None:" not in text


@pytest.mark.parametrize(
    ("ppm", "text"),
    [
        (800_000, "80%"),
        (804_999, "80.4%"),
        (1_045_000, "104.5%"),
        (0, "0%"),
        (-15_000, "-1.5%"),
        (-100, "0%"),
        (-1_000_000, "-100%"),
    ],
)
def test_a_share_is_told_without_decimals_where_it_has_none(ppm, text):
    assert words.percent(ppm) == text


@pytest.mark.parametrize("why", list(Blindness))
def test_each_doubt_has_its_words(why):
    data = Data(NOW - HOUR_MS, jumps=(PriceJump("h100", 1, 9),), foreign=("EUR",))
    assert words.blind(why, data, NOW)


def test_a_cluster_budget_is_named_and_commanded_as_one():
    budget = replace(plan(filters={}, owners=()), ref=BudgetRef("company", "", "u"))
    assert words.who(budget) == "the cluster"
    assert words.command("why", budget.ref) == "kubectl aicost budget why company --cluster"
