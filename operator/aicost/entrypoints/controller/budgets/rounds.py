"""The rounds of budgets: evaluate, write down, act, write down, tell. A budget that fails does not stop the others."""

import asyncio
import functools
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aicost.adapters.clock import now_ms
from aicost.bootstrap import Application
from aicost.crd.convert.units import workload_unit
from aicost.domain.budgets.messages.compose import tellings
from aicost.domain.budgets.messages.steps import steps_told
from aicost.domain.budgets.messages.writer import Telling
from aicost.domain.enforcement.values import Action
from aicost.domain.exact.windows import SECOND_MS
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.budgets.answering import BudgetAnswers, Doings, mark_of
from aicost.entrypoints.controller.budgets.evaluating import Evaluated, Evaluator, Round
from aicost.entrypoints.controller.budgets.gathering import Gathering
from aicost.entrypoints.controller.budgets.reading import BUDGETS, Reader
from aicost.entrypoints.controller.budgets.showing import show
from aicost.entrypoints.controller.budgets.steps.acting import Acted
from aicost.entrypoints.controller.budgets.steps.doing import Doer
from aicost.entrypoints.controller.budgets.telling import Teller
from aicost.entrypoints.controller.labels.snapshot import label_snapshot
from aicost.entrypoints.controller.publish.answering import Unanswered
from aicost.entrypoints.controller.publish.saying import Answer
from aicost.entrypoints.controller.publish.writer import AnswerWriter
from aicost.entrypoints.controller.registry import Key, Registry, read_each
from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError

SOON_SECONDS = 1.0
"""A change of a budget is answered after this pause, in which others may come."""
STATED_MS = 25 * SECOND_MS
"""Figures of a budget are stated again after this; what must not be forgotten is stated at once."""
Told = Mapping[str, Sequence[Telling]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What rounds are made of."""

    reader: Reader
    gathering: Gathering
    evaluator: Evaluator
    doer: Doer
    teller: Teller
    writer: AnswerWriter


@dataclass(slots=True)
class BudgetRounds:
    """One round per interval, sooner where a budget or a request changed.

    Attributes:
        app: the use cases.
        registry: our objects.
        state: what the rounds of the ledger found.
        attempts: does the step.
        parts: does the parts of it.
    """

    app: Application
    registry: Registry
    state: State
    attempts: Attempts
    parts: Parts
    _stated: dict[str, tuple[object, int]] = field(default_factory=dict)

    async def run(self) -> None:
        """Round after round until cancelled."""
        while True:
            began = time.monotonic()
            await self.attempts.attempt("budgets", self.once)
            await self._wait(began + self.app.settings.budgets.interval_seconds)

    async def _wait(self, until: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self.registry.budgets_changed.wait()
        except TimeoutError:
            return
        await asyncio.sleep(SOON_SECONDS)

    async def once(self) -> None:
        """One round.

        What is decided, and what is to be told, is written down before anything is done or said: the next controller
        goes on from there and does nothing twice.
        """
        self.registry.budgets_changed.clear()
        await self._count()
        began = time.monotonic()
        done = await asyncio.to_thread(self.evaluate, now_ms())
        self.app.metrics.show("aicost_budget_evaluation_seconds", time.monotonic() - began)
        news = {one.uid: tellings(one.evaluation, self._base) for one in done.evaluated}
        self._note(done, news)
        sure = self._without(done, await self._state_all(done))
        acted = await self.parts.doer.act(done, sure, self.parts.gathering.namespaces(done.now_ms))
        steps = self._told_of(done, acted)
        self._note(done, steps)
        sure = self._without(done, await self._state_all(done))
        await self.parts.teller.report(acted.moved)
        await self._tell(sure, news, steps)
        await self._state_all(done)
        show(self.app.metrics, done, self.parts.doer.doings, acted)

    async def _count(self) -> None:
        """Count what workloads did; a source that does not answer holds up nothing else."""
        units = read_each(self.registry.of_kind("AIWorkload"), workload_unit)
        if units:
            count = functools.partial(self.parts.gathering.count, units, now_ms())
            await self.attempts.attempt("count-units", lambda: asyncio.to_thread(count))

    def _without(self, done: Round, unwritten: frozenset[Key]) -> list[Evaluated]:
        """Budgets whose status says what they decided."""
        return [one for one in done.evaluated if Key.of(one.body) not in unwritten]

    @property
    def _base(self) -> str:
        return self.app.settings.notifications.runbook_base

    def evaluate(self, now: int) -> Round:
        """Evaluate all budgets. Where the ledger cannot be read nothing moves, and all of them say so."""
        readings = self.parts.reader(self.registry)
        policies = label_snapshot(self.app, self.registry, self.state)
        try:
            world = self.parts.gathering([one.value for one in readings.budgets], policies, now)
        except AicostError as problem:
            return self.parts.evaluator.blind(readings, problem, now)
        return self.parts.evaluator(readings, world)

    def _note(self, done: Round, told: Told) -> None:
        """Remember what is to be told."""
        memories, teller = self.parts.evaluator.memories, self.parts.teller
        for one in done.evaluated:
            memories[one.uid] = teller.note(one.body, one.evaluation, memories[one.uid], told.get(one.uid, ()))

    def _told_of(self, done: Round, acted: Acted) -> Told:
        """What is to be told of steps."""
        moved: defaultdict[str, list[Action]] = defaultdict(list)
        for action in acted.moved:
            moved[action.budget.uid].append(action)
        return {
            one.uid: steps_told(one.evaluation, moved[one.uid], self._base)
            for one in done.evaluated
            if moved[one.uid] and one.evaluation.tells
        }

    async def _tell(self, every: Sequence[Evaluated], *news: Told) -> None:
        """Tell people; what a route took is remembered."""
        memories, teller = self.parts.evaluator.memories, self.parts.teller
        for one in every:
            await teller.announce(one.body, [telling for told in news for telling in told.get(one.uid, ())])
        sent = await asyncio.gather(*(teller.send(one.evaluation, memories[one.uid]) for one in every))
        memories.update({one.uid: memory for one, memory in zip(every, sent, strict=True)})

    async def _state_all(self, done: Round) -> frozenset[Key]:
        """Write statuses that say something that must not be forgotten, and those whose turn it is.

        Returns:
            Objects whose status could not be written.
        """
        due = [one for one in done.evaluated if self._is_due(one, done.now_ms)]
        answers = await asyncio.to_thread(self._answers, done, due)
        unwritten = await self.parts.writer.write_all(answers)
        for one in due:
            if Key.of(one.body) not in unwritten:
                self._stated[one.uid] = (self._mark(one), done.now_ms)
        self._stated = {uid: said for uid, said in self._stated.items() if uid in self.parts.evaluator.memories}
        everything = (*BUDGETS, "BudgetOverride")
        self.parts.writer.keep_only(body for kind in everything for body in self.registry.of_kind(kind))
        return unwritten

    def _is_due(self, one: Evaluated, now: int) -> bool:
        known = self._stated.get(one.uid)
        return known is None or known[0] != self._mark(one) or now - known[1] >= STATED_MS

    def _mark(self, one: Evaluated) -> object:
        """What must be written at once when it changes."""
        return one.body["metadata"].get("generation"), mark_of(self.parts.evaluator.memories[one.uid])

    def _answers(self, done: Round, due: Sequence[Evaluated]) -> list[Answer | Unanswered]:
        found, memories, teller = BudgetAnswers(self.app, self.state), self.parts.evaluator.memories, self.parts.teller
        budgets = []
        for one in due:
            doings, whom = self.parts.doer.doings.get(one.uid, Doings()), teller.whom(one.evaluation)
            failing = {name: why for name, why in teller.failing.items() if name in whom.owners}
            doings = replace(doings, wrong_routes=whom.wrong, failing_routes=failing)
            budgets.append(found.budget(one, doings, memories[one.uid]))
        return [*budgets, *found.overrides(done), *found.others(done)]
