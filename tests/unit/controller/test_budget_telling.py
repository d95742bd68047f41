"""Whom a budget tells: each thing once per route, until the route takes it, and nobody twice."""

import pytest

from aicost.domain.budgets.gates import Gate, Mode
from aicost.domain.budgets.memory import Memory
from aicost.domain.budgets.messages.compose import tellings
from aicost.domain.budgets.plans import Nudge, NudgeOn
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS
from aicost.entrypoints.controller.budgets.telling import Teller
from aicost.telemetry.metrics import Metrics
from support.budget_books import Books, runs
from support.budgets import plan, rung
from support.controller import made, shown
from support.notify import FakeNotifier, route

NOW = 1_793_491_200_000 + 12 * DAY_MS
OWNERS, FINOPS = route("owners", teams=("vision",)), route("finops", finops=True)


class Events:
    def __init__(self):
        self.posted = []

    async def post(self, happening):
        self.posted.append(happening)


class Desk:
    """A budget that has spent half of its limit, and whoever it tells."""

    def __init__(self, *routes, **more):
        known = {"mode": Mode.ADVISE, "filters": {"team": ("vision",)}, "nudges": (), **more}
        self.plan = plan(rung(Gate.NOTIFY, 1, evaluations=1), **known)
        self.notifier, self.events, self.metrics = FakeNotifier(*(routes or (OWNERS, FINOPS))), Events(), Metrics()
        self.teller = Teller(self.notifier, self.events, self.metrics)
        self.body = made("Budget", "month", namespace="research")
        self.memory, self.now = Memory(), NOW
        self.books = Books(pods=[runs(since_ms=NOW - 3 * HOUR_MS, dollars=400, team="vision")], epoch_ms=NOW - DAY_MS)
        self.books.computed_ms = NOW - 3 * HOUR_MS

    def evaluate(self):
        return self.books.evaluate(self.plan, self.now, self.memory)

    async def round(self, wait_ms=15_000):
        """One round; what routes were told in it."""
        before = len(self.notifier.sent)
        self.now += wait_ms
        one = self.evaluate()
        told = tellings(one)
        self.memory = self.teller.note(self.body, one, one.memory, told)
        await self.teller.announce(self.body, told)
        self.memory = await self.teller.send(one, self.memory)
        return [(name, message.topic.value) for name, message in self.notifier.sent[before:]]

    @property
    def said(self):
        return {one.id: one for one in self.memory.said}


async def test_a_threshold_is_told_once_to_the_owner_and_once_as_an_event():
    desk = Desk()
    assert await desk.round() == [("owners", "budget.threshold.crossed")]
    assert await desk.round() == await desk.round() == []
    assert [one.reason for one in desk.events.posted] == ["BudgetThresholdCrossed"]
    assert shown(desk.metrics)["aicost_notifications_total", "owners", "sent"] == 1


async def test_what_a_route_does_not_take_is_sent_again_and_only_there():
    desk = Desk(OWNERS, route("chat"), routes=("owners", "chat"))
    desk.notifier.failing = {"chat"}
    assert await desk.round() == [("owners", "budget.threshold.crossed")]
    assert await desk.round() == [], "the route rests for a minute"
    desk.notifier.failing = set()
    assert await desk.round(2 * MINUTE_MS) == [("chat", "budget.threshold.crossed")]
    (one,) = desk.memory.said
    assert one.sent == ("owners", "chat")


async def test_a_new_controller_sends_what_was_not_taken_and_nothing_else():
    desk = Desk(OWNERS, route("chat"), routes=("owners", "chat"))
    desk.notifier.failing = {"chat"}
    await desk.round()
    desk.teller = Teller(desk.notifier, desk.events, desk.metrics)
    desk.notifier.failing = set()
    assert await desk.round() == [("chat", "budget.threshold.crossed")]
    (_, message) = desk.notifier.sent[-1]
    assert message.title == desk.memory.said[0].summary


async def test_one_that_only_observes_tells_nobody_but_whoever_looks_at_it():
    desk = Desk(mode=Mode.OBSERVE)
    assert await desk.round() == []
    assert [one.reason for one in desk.events.posted] == ["BudgetThresholdCrossed"]
    assert await desk.round(5 * HOUR_MS) == [], "and nothing is escalated"


async def test_what_nobody_acknowledges_goes_to_finops_once():
    desk = Desk()
    await desk.round()
    assert await desk.round(3 * HOUR_MS) == []
    assert await desk.round(HOUR_MS) == [("finops", "budget.escalated")]
    assert await desk.round(8 * HOUR_MS) == []


async def test_what_somebody_has_seen_is_not_escalated():
    desk = Desk()
    await desk.round()
    (said,) = desk.said
    desk.body["metadata"]["annotations"] = {"aicost.dev/acknowledged": f"other=kim,{said}=dana@example.com"}
    assert await desk.round(9 * HOUR_MS) == []
    assert desk.said[said].acknowledged_by == "dana@example.com"


@pytest.mark.parametrize("text", ["", "=", ",,,", "*", "a=b=c", "x" * 5000])
async def test_whatever_stands_in_the_annotation_nothing_breaks(text):
    desk = Desk()
    desk.body["metadata"]["annotations"] = {"aicost.dev/acknowledged": text}
    assert await desk.round() == [("owners", "budget.threshold.crossed")]
    assert not next(iter(desk.said.values())).acknowledged_by


async def test_a_route_that_is_not_offered_is_named_and_the_usual_ones_are_told():
    kept = route("secret", namespaces=("other-*",))
    desk = Desk(OWNERS, kept, routes=("secret",))
    assert await desk.round() == [("owners", "budget.threshold.crossed")]
    whom = desk.teller.whom(desk.evaluate())
    assert whom.wrong == {"secret": "spec.routes: 'secret' is not offered to this budget; it may name owners."}


async def test_a_hint_goes_to_the_owner_and_to_finops():
    desk = Desk(nudges=(Nudge("rate", NudgeOn.RATE),))
    one = desk.evaluate()
    assert desk.teller.whom(one).of("nudge-rate--1") == ("owners", "finops")
    assert desk.teller.whom(one).of("rung-half@1") == ("owners",)
