"""What budgets and requests should say now, from one round of evaluations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aicost.bootstrap import Application
from aicost.crd.models.budget.doings import Simulated
from aicost.crd.status.budget.doings import enforced
from aicost.crd.status.budget.overrides import not_found, override_statement, override_status
from aicost.crd.status.budget.standing import budget_status
from aicost.crd.status.conditions import Statement
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.memory import Memory
from aicost.domain.budgets.overrides.weigh import Verdict
from aicost.domain.enforcement.release import Fate
from aicost.domain.enforcement.values import Action
from aicost.domain.enforcement.victims.candidates import Candidate
from aicost.domain.enforcement.victims.selection import Spared
from aicost.entrypoints.controller.budgets.evaluating import Evaluated, Round
from aicost.entrypoints.controller.publish import budget_conditions as judging
from aicost.entrypoints.controller.publish.answering import Unanswered, unanswered
from aicost.entrypoints.controller.publish.judging import PriceFigures, priced
from aicost.entrypoints.controller.publish.saying import Answer, fresh, freshness, refused, stated
from aicost.entrypoints.controller.state import State


@dataclass(slots=True)
class Doings:
    """What is done for one budget, as its status says it.

    Attributes:
        actions: its steps.
        fates: name of a step -> what becomes of it.
        left_out: workloads that would be stopped if they could be, and why they are not.
        simulated: whom it would stop if its limit were reached now.
        denied: rights that the controller lacks.
        wrong_routes, failing_routes: see `budget_conditions.routes`.
    """

    actions: Sequence[Action] = ()
    fates: Mapping[str, Fate] = field(default_factory=dict)
    left_out: Sequence[tuple[Candidate, Spared]] = ()
    simulated: Simulated | None = None
    denied: Sequence[str] = ()
    wrong_routes: Mapping[str, str] = field(default_factory=dict)
    failing_routes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BudgetAnswers:
    """Statuses of one round."""

    app: Application
    state: State

    def budget(self, one: Evaluated, doings: Doings, memory: Memory) -> Answer:
        """A budget: where it stands, and what it does.

        Args:
            one: as it was evaluated.
            doings: what is done for it.
            memory: what it remembers by now.
        """
        found, now = replace(one.evaluation, memory=memory), one.evaluation.now_ms
        done = enforced(doings.actions, doings.fates, doings.left_out, found.plan.currency)
        lost = [f"{each.target}: {', '.join(each.not_restored)}" for each in doings.actions if each.not_restored]
        statements = (
            judging.ready(found.plan.currency, found.spend.data.foreign),
            judging.within(found.spend.standing, found.plan.currency),
            fresh(self.app, self.state, now),
            _priced(found, self.state),
            judging.enforcing(found, one.asked_mode, doings.denied),
            judging.held(found),
            judging.contested(done),
            judging.restoring(done, lost),
            judging.routes(doings.wrong_routes, doings.failing_routes),
            judging.review(found),
        )
        status = budget_status(
            found,
            freshness=freshness(one.body, self.state, now),
            conditions=stated(one.body, statements, now),
            enforced=done,
            simulated=doings.simulated,
        )
        return Answer(one.body, status, statements, mark_of(memory))

    def others(self, done: Round) -> Iterator[Answer | Unanswered]:
        """Budgets and requests that cannot be read or evaluated."""
        for one in done.readings.refused:
            yield refused(one.body, one.problems, done.now_ms)
        for failed in done.failed:
            yield unanswered(failed.body, failed.error)

    def overrides(self, done: Round) -> Iterator[Answer]:
        """Requests: what became of each."""
        known = {_place(one.evaluation): one.evaluation for one in done.evaluated}
        failed = {_named(one.body) for one in done.failed} | {_named(one.body) for one in done.readings.refused}
        verdicts = {each.override.uid: each for one in known.values() for each in one.weighed.verdicts}
        for asked in done.readings.overrides:
            evaluation = known.get(asked.value.budget)
            if evaluation is None and asked.value.budget in failed:
                continue
            yield _override(asked.body, verdicts.get(asked.uid), evaluation, asked.value.budget, done.now_ms)


def _override(
    body: Mapping[str, Any],
    verdict: Verdict | None,
    found: Evaluation | None,
    budget: tuple[str, str],
    now_ms: int,
) -> Answer:
    plan = found.plan if found else None
    if verdict is not None and plan is not None:
        said = override_statement(verdict, plan)
    else:
        said = not_found("Budget" if budget[0] else "ClusterBudget", "/".join(filter(None, budget)))
    mark = (verdict.phase, verdict.reason) if verdict else ()
    return Answer(body, override_status(verdict, plan, said, body, now_ms), (said,), mark)


def _place(one: Evaluation) -> tuple[str, str]:
    return one.plan.ref.namespace, one.plan.ref.name


def _named(body: Mapping[str, Any]) -> tuple[str, str]:
    return str(body["metadata"].get("namespace", "")), str(body["metadata"]["name"])


def _priced(one: Evaluation, state: State) -> Statement:
    whole = one.found.period
    figures = PriceFigures(whole.gpu_ms, whole.unpriced_ms, whole.nanos, whole.listed_nanos)
    return priced(figures, state.statement.unpriced if state.statement else ())


def mark_of(memory: Memory) -> object:
    """What must not be forgotten if the controller ended now: it is written before anything is done or told."""
    gate = memory.gate
    rungs = tuple((one.name, one.since_ms is not None, one.told_ms, one.told_limit_nanos) for one in gate.rungs)
    redlines = tuple((one.name, one.subject, one.crossed_ms, one.due_ms) for one in memory.redlines if one.crossed_ms)
    nudges = tuple((one.name, one.subject, one.told_ms) for one in memory.nudges)
    state = (gate.key, gate.mode, gate.gate, gate.since_ms, gate.rung, gate.pending, gate.stopped_ms, gate.raised_ms)
    return state, rungs, redlines, nudges, memory.said, memory.history[:1], memory.accepted_ms, memory.grown
