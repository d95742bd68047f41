"""Takes steps on workloads: begins what is planned, moves on what is under way, undoes what nobody wants any more."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aicost.adapters.kube.hands.hands import Hands
from aicost.adapters.kube.wire.errors import Conflict, NotFound, Rejected
from aicost.domain.budgets.objects import concerns
from aicost.domain.budgets.plans import Safety
from aicost.domain.budgets.spend.running import Running
from aicost.domain.enforcement.fights import writer_of
from aicost.domain.enforcement.levers.lever import Ask
from aicost.domain.enforcement.levers.table import lever
from aicost.domain.enforcement.names import CHECKPOINT_REQUEST
from aicost.domain.enforcement.planning import Scene, ask_for
from aicost.domain.enforcement.release import GONE, Fate, Reign, Standing, fate, heirs, may_act, restorable
from aicost.domain.enforcement.steps import Do, Now, Step, next_step, saved_ms
from aicost.domain.enforcement.values import Action, ActionPhase, Json
from aicost.domain.enforcement.writing.records import changes_of, record
from aicost.domain.exact.windows import MINUTE_MS
from aicost.entrypoints.controller.budgets.reading import Read
from aicost.entrypoints.controller.budgets.steps.records import Records
from aicost.ports.errors import AicostError, NotPermitted
from aicost.telemetry.logs import FIELDS, line

LOOK_MS = MINUTE_MS
"""Between two looks whether a step that stops nothing still holds; one that stops something is looked at each time."""
TRIES = 4
"""Attempts on an object whose status its controllers write all the time."""
_log = logging.getLogger("aicost.budgets")
Namespaces = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Acted:
    """What a round of steps came to.

    Attributes:
        moved: steps that came to another phase, as they are now.
        fates: name of a step -> what becomes of it.
        denied: uid of a budget -> rights that are missing.
    """

    actions: tuple[Read[Action], ...] = ()
    moved: tuple[Action, ...] = ()
    fates: Mapping[str, Fate] = field(default_factory=dict)
    denied: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Actor:
    """Takes steps.

    Attributes:
        hands: writes objects of people.
        records: keeps what is done.
        slots: how many steps are taken side by side.
        gone: what is said of steps whose budget is not there any more.
        pace: GPUs that come back in a minute at most, whatever budgets say; 0: as they say.
    """

    hands: Hands
    records: Records
    slots: asyncio.Semaphore
    gone: str = GONE
    pace: int = 0
    _looked: dict[str, int] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)

    async def begin(self, planned: Iterable[Action], now_ms: int) -> list[Read[Action]]:
        """Make the records of planned steps; what is begun is announced and done in `move`."""
        made = await asyncio.gather(*(self._begin(action, now_ms) for action in planned))
        return [one for one in made if one is not None]

    async def _begin(self, action: Action, now_ms: int) -> Read[Action] | None:
        try:
            async with self.slots:
                return await self.records.begin(action, now_ms)
        except NotFound:
            return None  # its namespace is gone
        except AicostError as problem:
            self._warn(action, problem)
            return None

    async def move(
        self,
        every: Sequence[Read[Action]],
        reigns: Mapping[str, Reign],
        scenes: Mapping[str, Scene],
        namespaces: Namespaces,
        now_ms: int,
    ) -> Acted:
        """Move on all steps that are not over.

        Args:
            every: the records.
            reigns: uid of a budget -> what it wants.
            scenes: uid of a budget -> what its steps are planned in.
            namespaces: those that are there, with their labels.
            now_ms: the present moment.
        """
        open_ones = [one for one in every if not one.value.is_over]
        fates = {one.value.name: fate(one.value, reigns.get(one.value.budget.uid), self.gone) for one in open_ones}
        fates |= await self._inherited(open_ones, fates, reigns, namespaces)
        round_ = _Round(every, reigns, scenes, fates, now_ms, self.pace)
        denied: defaultdict[str, list[str]] = defaultdict(list)
        done = await asyncio.gather(*(self._move(one, round_, denied) for one in open_ones))
        self._looked = {name: at for name, at in self._looked.items() if name in fates}
        self._told = {name: text for name, text in self._told.items() if name in fates}
        over = tuple(one for one in every if one.value.is_over)
        moved = tuple(
            new.value for old, new in zip(open_ones, done, strict=True) if _moved(old.value, new.value, now_ms)
        )
        return Acted((*over, *done), moved, fates, {uid: sorted(set(texts)) for uid, texts in denied.items()})

    async def _inherited(
        self,
        every: Iterable[Read[Action]],
        fates: Mapping[str, Fate],
        reigns: Mapping[str, Reign],
        namespaces: Namespaces,
    ) -> dict[str, Fate]:
        """Steps that their own budget lets go of and that another one would take at once: they stay."""
        found: dict[str, Fate] = {}
        for one in every:
            action = one.value
            let_go = fates[action.name].standing is not Standing.WANTED
            if not (let_go and action.stops and action.phase is ActionPhase.APPLIED):
                continue
            own = reigns.get(action.budget.uid)
            if own is not None and own.restore_ms > (action.applied_ms or 0):
                continue  # a person asked for it
            workload = await self._quietly(self.hands.read(action.workload))
            if workload is None:
                continue
            others = heirs(
                action,
                reigns.values(),
                lambda each, obj=workload: concerns(each.plan, obj, namespaces),  # type: ignore[misc]
            )
            if others:
                found[action.name] = Fate(Standing.WANTED, f"{others[0].plan.ref} still wants it")
        return found

    async def _move(self, one: Read[Action], round_: "_Round", denied: defaultdict[str, list[str]]) -> Read[Action]:
        """Move one step on as far as it goes; what fails is tried again in the next round."""
        action = one.value
        if not self._is_due(action, round_):
            return one
        try:
            async with self.slots:
                return await self._take(one, round_)
        except NotPermitted as refused:
            denied[action.budget.uid].append(str(refused))
            self._warn(action, refused)
        except (Conflict, NotFound):
            pass  # somebody wrote it at the same time, or it is just going
        except AicostError as problem:
            self._warn(action, problem)
        except Exception as bug:  # noqa: BLE001 -- one object must not stop the others
            self._warn(action, bug)
        return one

    def _is_due(self, action: Action, round_: "_Round") -> bool:
        """Whether a step has to be looked at now."""
        settled = action.phase is ActionPhase.APPLIED and not action.stops
        wanted = round_.fates[action.name].standing is Standing.WANTED
        if settled and wanted and round_.now_ms - self._looked.get(action.name, 0) < LOOK_MS:
            return False
        self._looked[action.name] = round_.now_ms
        return True

    async def _take(self, one: Read[Action], round_: "_Round") -> Read[Action]:
        """One move; what somebody wrote at the same time is read again, and looked at anew."""
        for attempt in range(TRIES):
            obj = await self.hands.read(one.value.target)
            step = next_step(one.value, round_.look(one.value, obj))
            if step.is_idle:
                return one
            if step.action != one.value:
                one = await self.records.put(one, step.action, round_.now_ms)
            try:
                after = await self._do(step, obj, round_)
            except Conflict:
                if attempt == TRIES - 1:
                    raise
                continue
            except Rejected as refused:
                after = await self._refused(step, obj, refused, round_)
            return one if after == step.action else await self.records.put(one, after, round_.now_ms)
        return one

    async def _do(self, step: Step, obj: Json | None, round_: "_Round") -> Action:
        """What is done to the object, and the record once it was."""
        if obj is None or step.do is Do.NOTHING:
            return step.then
        action, notes = step.action, step.annotations
        if step.do is Do.ANNOTATE and notes:
            await self.hands.annotate(obj, notes)
            await self._tell_pods(action, notes, round_)
        elif step.do is Do.WRITE:
            left = record(action.name, str(action.budget), str(action.gate), round_.now_ms, action.changes)
            written = await self.hands.write(obj, action.changes, left)
            if notes:
                await self.hands.annotate(written, notes)
            return replace(step.then, changes=changes_of(written, action.name) or action.changes)
        elif step.do is Do.UNDO:
            undone = await self.hands.undo(obj, action.name, action.changes)
            return replace(step.then, not_restored=tuple(undone.left))
        return step.then

    async def _tell_pods(self, action: Action, notes: Mapping[str, str | None], round_: "_Round") -> None:
        """The request for a checkpoint reaches the pods too: what runs in them can read its own annotations."""
        asked = {name: text for name, text in notes.items() if name == CHECKPOINT_REQUEST}
        if not asked:
            return
        for pod in round_.pods_of(action):
            await self._quietly(self.hands.annotate(pod, asked))

    async def _refused(self, step: Step, obj: Json | None, refused: Rejected, round_: "_Round") -> Action:
        """The object does not accept what is written: the step ends, and nothing of it stays.

        What cannot be put back now may be later: what somebody else wrote stands against it.
        """
        message = f"The API server does not accept it: {refused}"[:4096]
        self._warn(step.action, refused)
        if step.do is not Do.WRITE:
            return replace(step.action, message=message)
        if obj is not None:
            await self._quietly(self.hands.undo(obj, step.action.name, step.action.changes))
        if obj is not None and step.annotations:
            await self._quietly(self.hands.annotate(obj, step.annotations))
        return replace(step.action, phase=ActionPhase.FAILED, ended_ms=round_.now_ms, message=message)

    async def _quietly(self, work: Awaitable[Json | None] | Awaitable[object]) -> Json | None:
        """What helps and is not needed: where it fails, the step goes on without."""
        try:
            return await work  # type: ignore[return-value] # an object, or nothing that anybody reads
        except AicostError:
            return None

    def _warn(self, action: Action, problem: Exception) -> None:
        """Log what is new, a bug with its traceback."""
        if self._told.get(action.name) == str(problem):
            return
        self._told[action.name] = str(problem)
        if not isinstance(problem, AicostError):
            _log.error("step failed by a bug", exc_info=problem, extra={FIELDS: {"action": action.name}})
        else:
            line(_log, logging.WARNING, "step not taken", action=action.name, object=str(action.target),
                 error=str(problem))  # fmt: skip


@dataclass(slots=True)
class _Round:
    """What one round of steps looks at."""

    every: Sequence[Read[Action]]
    reigns: Mapping[str, Reign]
    scenes: Mapping[str, Scene]
    fates: Mapping[str, Fate]
    now_ms: int
    pace: int = 0
    _restorable: frozenset[str] = frozenset()
    _siblings: dict[tuple[str, str], list[Action]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.every:
            action = one.value
            self._siblings.setdefault((action.budget.uid, action.workload.uid), []).append(action)
        self._restorable = frozenset(action.name for action in self._coming_back())

    def _coming_back(self) -> Iterable[Action]:
        """Steps that are undone in this round, budget by budget."""
        by_budget: defaultdict[str, list[Action]] = defaultdict(list)
        for one in self.every:
            by_budget[one.value.budget.uid].append(one.value)
        for uid, actions in by_budget.items():
            released = [
                one
                for one in actions
                if not one.is_over
                and one.phase is ActionPhase.APPLIED
                and self.fates[one.name].standing is Standing.RELEASED
                and self._is_last(one)
            ]
            restored = [one for one in actions if one.phase is ActionPhase.REVERTED]
            pace = self.pace or self._safety(uid).restore_gpus_per_minute
            yield from restorable(released, restored, pace, self.now_ms)

    def _is_last(self, action: Action) -> bool:
        """Whether all that was done to its workload after it is undone: the reverse order of doing."""
        return all(one.is_over for one in self._of_workload(action) if one.order > action.order)

    def _comes_first(self, action: Action) -> bool:
        """Whether all that has to be done to its workload before it is done."""
        earlier = [one for one in self._of_workload(action) if one.order < action.order]
        return all(one.phase is ActionPhase.APPLIED or one.is_over for one in earlier)

    def _of_workload(self, action: Action) -> list[Action]:
        siblings = self._siblings.get((action.budget.uid, action.workload.uid), [])
        return [one for one in siblings if one.stops and one.action_at_ms == action.action_at_ms]

    def _safety(self, uid: str) -> Safety:
        reign = self.reigns.get(uid)
        return reign.evaluation.plan.safety if reign and reign.evaluation else Safety()

    def look(self, action: Action, obj: Json | None) -> Now:
        """What the next move of a step looks at."""
        scene, reign = self.scenes.get(action.budget.uid), self.reigns.get(action.budget.uid)
        notes = [] if obj is None else [(obj.get("metadata") or {}).get("annotations") or {}]
        pods = [pod.record.facts.annotations for pod in _running(scene, action)]
        writer: Callable[[str], str] = lambda pointer: writer_of(obj, pointer) if obj is not None else ""  # noqa: E731
        return Now(
            obj=obj,
            lever=lever(action.lever, action.target.group, action.target.kind),
            ask=ask_for(scene, action) if scene else Ask(),
            safety=self._safety(action.budget.uid),
            fate=self.fates[action.name],
            may_act=may_act(action, reign, self.now_ms) and self._comes_first(action),
            may_restore=action.name in self._restorable,
            now_ms=self.now_ms,
            saved_ms=saved_ms(*notes, *pods),
            writer=writer,
        )

    def pods_of(self, action: Action) -> list[Json]:
        """The pods of a workload, as far as it takes to annotate them."""
        facts = [pod.record.facts for pod in _running(self.scenes.get(action.budget.uid), action)]
        return [
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": f.namespace, "name": f.name, "uid": f.uid}}
            for f in facts
        ]


def _running(scene: Scene | None, action: Action) -> Sequence[Running]:
    found = next((one for one in scene.candidates if one.target.uid == action.workload.uid), None) if scene else None
    return found.pods if found else ()


def _moved(before: Action, after: Action, now_ms: int) -> bool:
    """Whether a step came to another phase now; one that was only just announced counts."""
    return before.phase is not after.phase or (after.phase is ActionPhase.NOTICED and after.noticed_ms == now_ms)
