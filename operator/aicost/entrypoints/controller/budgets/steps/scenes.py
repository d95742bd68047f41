"""What the steps of each budget are planned in: workloads in scope, what stands around them, what they say."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.adapters.kube.hands.around import Around
from aicost.adapters.kube.hands.hands import Hands
from aicost.crd.models.budget.doings import Simulated
from aicost.crd.status.budget.doings import simulated
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Gate, at_least
from aicost.domain.enforcement.planning import Scene, choose, speaks_for, wants_quota
from aicost.domain.enforcement.surroundings import Surroundings
from aicost.domain.enforcement.values import Action, Json, ObjectRef
from aicost.domain.enforcement.victims.candidates import Candidate, Hearsay, candidates, target_of
from aicost.domain.enforcement.victims.idleness import Use
from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.inventory.pods import PodFacts
from aicost.domain.policy.wildcards import matches_any
from aicost.entrypoints.controller.budgets.evaluating import Evaluated
from aicost.ports.errors import AicostError

LOOK_MS = MINUTE_MS
"""Between two looks at what stands around workloads, and at what workloads say of themselves."""
USED_MS = 5 * MINUTE_MS
"""Between two looks at samples of half an hour, by which it is told who is idle."""
_EVERYTHING = 1 << 62
Namespaces = Mapping[str, Mapping[str, str]]
Used = Callable[[int], Mapping[str, Mapping[str, int]]]
Uses = Callable[[Sequence[PodFacts], int], Mapping[str, Use]]


@dataclass(slots=True)
class Scenes:
    """Sets the scenes of one round after the other.

    Attributes:
        around: lists what stands around workloads.
        hands: reads workloads.
        slots: how many calls may be under way.
        uses: says whether pods do something; it blocks.
        used: extended resources that pods ask for, by namespace.
        system: patterns of namespaces whose workloads are never touched.
        missing: kinds that we may not list, with the right that is missing.
    """

    around: Around
    hands: Hands
    slots: asyncio.Semaphore
    uses: Uses
    used: Used
    system: Sequence[str] = ()
    _uses: Mapping[str, Use] = field(default_factory=dict)
    _used_ms: int = 0
    _seen: Surroundings = field(default_factory=Surroundings)
    _seen_ms: int = 0
    _said: dict[str, tuple[int, Mapping[str, str]]] = field(default_factory=dict)
    _simulated: dict[str, tuple[int, Simulated]] = field(default_factory=dict)

    @property
    def missing(self) -> Sequence[str]:
        """Rights that are missing to look around."""
        return self._seen.missing

    @property
    def quotas(self) -> Sequence[Json]:
        """Quotas that are there, as of the last look."""
        return self._seen.quotas

    async def prepare(
        self,
        evaluated: Iterable[Evaluated],
        actions: Sequence[Action],
        namespaces: Namespaces,
        now_ms: int,
        *,
        fresh: bool = False,
    ) -> dict[str, Scene]:
        """The scenes of all budgets, by their uid.

        Args:
            evaluated: the budgets.
            actions: steps of all budgets.
            namespaces: those that are there, with their labels.
            now_ms: the present moment.
            fresh: something is stopped in this round: disruption budgets count as they are now.

        Raises:
            AicostError: the API server did not answer.
        """
        every = [one.evaluation for one in evaluated]
        if every and (fresh or now_ms - self._seen_ms >= LOOK_MS):
            self._seen, self._seen_ms = await self.around.look(), now_ms
        soon = [one for one in every if may_stop_soon(one)]
        await self._listen(soon, now_ms)
        await self._watch(soon, now_ms)
        return await asyncio.to_thread(self._set, every, actions, namespaces, now_ms)

    def _set(
        self, every: Sequence[Evaluation], actions: Sequence[Action], namespaces: Namespaces, now_ms: int
    ) -> dict[str, Scene]:
        crossed = _crossed(every)
        said = {uid: notes for uid, (_, notes) in self._said.items()}
        hearsay = Hearsay(said, self._uses, crossed)
        used = self.used(now_ms) if any(map(wants_quota, every)) else {}
        found: dict[str, Scene] = {}
        for one in every:
            here = self._candidates(one, hearsay, now_ms)
            places = {each.target.namespace for each in here} | self._in_scope(one, namespaces)
            around = self._seen.within(places)
            found[one.plan.ref.uid] = Scene(one, here, around, actions, namespaces, used)
        return found

    def _candidates(self, one: Evaluation, hearsay: Hearsay, now_ms: int) -> tuple[Candidate, ...]:
        running = (pod for pod in one.found.committed if not matches_any(self.system, pod.holder.namespace))
        return candidates(running, hearsay, now_ms)

    def _in_scope(self, one: Evaluation, namespaces: Namespaces) -> set[str]:
        """Namespaces of a budget that acts; schedules may stand where nothing runs."""
        if not one.acts:
            return set()
        chosen = next((values for key, values in one.scope.filters if key == "namespace"), None)
        return {
            name for name in namespaces if (chosen is None or name in chosen) and not matches_any(self.system, name)
        }

    async def _listen(self, soon: Iterable[Evaluation], now_ms: int) -> None:
        """Read what workloads say of themselves, where one of them may be stopped soon."""
        refs = {
            ref.uid: ref
            for one in soon
            for ref in (target_of(pod.record.facts)[0] for pod in one.found.committed)
            if ref.kind != "Pod" and now_ms - self._said.get(ref.uid, (0, {}))[0] >= LOOK_MS
        }
        await asyncio.gather(*(self._ask(ref, now_ms) for ref in refs.values()))
        self._said = {uid: said for uid, said in self._said.items() if now_ms - said[0] < 10 * LOOK_MS}

    async def _watch(self, soon: Iterable[Evaluation], now_ms: int) -> None:
        """Look which pods are idle, where one may be stopped soon; without an answer nobody is."""
        pods = {pod.record.facts.uid: pod.record.facts for one in soon for pod in one.found.committed}
        if not pods or now_ms - self._used_ms < USED_MS:
            return
        self._used_ms = now_ms
        try:
            self._uses = await asyncio.to_thread(self.uses, tuple(pods.values()), now_ms)
        except AicostError:
            self._uses = {}

    async def _ask(self, ref: ObjectRef, now_ms: int) -> None:
        async with self.slots:
            try:
                found = await self.hands.read(ref)
            except AicostError:
                return  # a step reads it again before it does anything
        notes = ((found or {}).get("metadata") or {}).get("annotations") or {}
        self._said[ref.uid] = (now_ms, notes)

    def simulated(self, scene: Scene) -> Simulated:
        """Whom a budget would stop if its limit were reached now; looked at once a minute."""
        uid, now = scene.budget.uid, scene.now_ms
        known = self._simulated.get(uid)
        if known is None or now - known[0] >= LOOK_MS:
            selection = choose(scene, scene.evaluation.plan.safety.notice_ms, over_nanos=_EVERYTHING)
            known = (now, simulated(selection, scene.evaluation.plan.currency))
            self._simulated[uid] = known
        return known[1]

    def forget_others(self, there: Iterable[str]) -> None:
        """Budgets that are gone take no memory."""
        kept = frozenset(there)
        self._simulated = {uid: found for uid, found in self._simulated.items() if uid in kept}


def may_stop_soon(one: Evaluation) -> bool:
    """Whether a budget may choose workloads to stop in this round or the next ones."""
    if not one.acts:
        return False
    state = one.memory.gate
    return at_least(state.gate, Gate.DENY_NEW) or state.pending is not None or bool(one.redlines)


def _crossed(every: Iterable[Evaluation]) -> frozenset[str]:
    """Workloads that are beyond a redline."""
    found: set[str] = set()
    for one in every:
        subjects = [each.state.subject for each in one.redlines if each.state.crossed_ms is not None]
        if subjects:
            for each in candidates(one.found.committed, Hearsay(), one.now_ms):
                found |= {each.target.uid for subject in subjects if speaks_for(subject, each)}
    return frozenset(found)
