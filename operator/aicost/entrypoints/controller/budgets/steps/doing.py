"""What a round does: gates, then steps on workloads; and what budgets say of it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.enforcement.planning import Planned, Scene, plan_steps
from aicost.domain.enforcement.values import Action, ActionPhase
from aicost.entrypoints.controller.budgets.answering import Doings
from aicost.entrypoints.controller.budgets.evaluating import Evaluated, Round
from aicost.entrypoints.controller.budgets.gates import GateKeeper
from aicost.entrypoints.controller.budgets.steps.acting import Acted, Actor
from aicost.entrypoints.controller.budgets.steps.quotas import Quotas
from aicost.entrypoints.controller.budgets.steps.scenes import Scenes

Namespaces = Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class Doer:
    """Does what budgets want.

    Attributes:
        gates: keeps the BudgetGates.
        scenes: sets what steps are planned in.
        quotas: keeps quotas of our own where budgets ask for them.
        actor: takes steps.
        doings: uid of a budget -> what is done for it, as of the last round.
    """

    gates: GateKeeper
    scenes: Scenes
    quotas: Quotas
    actor: Actor
    doings: dict[str, Doings] = field(default_factory=dict)

    async def act(self, done: Round, sure: Iterable[Evaluated], namespaces: Namespaces) -> Acted:
        """Gates first: they are quick and hurt nobody who runs. Then steps.

        Args:
            done: the round.
            sure: budgets whose decision is written down: they alone begin new steps.
            namespaces: those that are there, with their labels.

        Raises:
            AicostError: the API server did not answer.
        """
        now, known = done.now_ms, done.readings.actions
        actions = [one.value for one in known]
        await self.gates.keep(done.reigns, actions, namespaces, now)
        fresh = any(is_due(one, now) for one in actions)
        scenes = await self.scenes.prepare(done.evaluated, actions, namespaces, now, fresh=fresh)
        await self.quotas.keep(scenes, done.reigns, self.scenes.quotas)
        planned = await asyncio.to_thread(_plan, scenes, frozenset(one.uid for one in sure))
        begun = await self.actor.begin([each for one in planned.values() for each in one.actions], now)
        acted = await self.actor.move((*known, *begun), done.reigns, scenes, namespaces, now)
        await self.actor.records.forget(acted.actions, now)
        self.doings = await asyncio.to_thread(self._doings, scenes, planned, acted)
        return acted

    def _doings(self, scenes: Mapping[str, Scene], planned: Mapping[str, Planned], acted: Acted) -> dict[str, Doings]:
        by_budget: defaultdict[str, list[Action]] = defaultdict(list)
        for one in acted.actions:
            by_budget[one.value.budget.uid].append(one.value)
        self.scenes.forget_others(scenes)
        return {
            uid: Doings(
                actions=by_budget[uid],
                fates=acted.fates,
                left_out=planned[uid].left_out if uid in planned else (),
                simulated=self.scenes.simulated(scene),
                denied=self._denied(uid, scene, acted),
            )
            for uid, scene in scenes.items()
        }

    def _denied(self, uid: str, scene: Scene, acted: Acted) -> Sequence[str]:
        """Rights that are missing for what a budget does: of its steps, of its gates, and to look around."""
        of_steps = acted.denied.get(uid, ())
        namespace = scene.budget.namespace
        of_gates = [text for place, text in self.gates.problems.items() if not namespace or place[0] == namespace]
        acts = scene.evaluation.acts
        return (*of_steps, *of_gates, *(self.scenes.missing if acts and scene.evaluation.last.gate else ()))


def is_due(action: Action, now_ms: int) -> bool:
    """Whether a step that stops something may be taken now."""
    return action.stops and action.phase is ActionPhase.NOTICED and now_ms >= action.action_at_ms


def _plan(scenes: Mapping[str, Scene], sure: frozenset[str]) -> dict[str, Planned]:
    """The steps that budgets begin. Two that want the same of one object begin it once: the first one's step counts."""
    taken: list[Action] = []
    found: dict[str, Planned] = {}
    for uid, scene in scenes.items():
        if uid in sure and scene.evaluation.acts:
            found[uid] = plan_steps(scene.after(taken))
            taken += found[uid].actions
    return found
