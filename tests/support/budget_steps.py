"""A step on an object in memory, done by the real patches, by a controller that may end between any two writes."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aicost.crd.convert.budget.action import action_spec, action_status, read_action
from aicost.domain.budgets.gates import Gate
from aicost.domain.budgets.plans import BudgetRef, Safety
from aicost.domain.enforcement.fights import writer_of
from aicost.domain.enforcement.levers.lever import Ask
from aicost.domain.enforcement.levers.serving import ANY_SCALE
from aicost.domain.enforcement.levers.table import LEVERS
from aicost.domain.enforcement.names import ACTION_AT, CHECKPOINT_REQUEST, NOTICE
from aicost.domain.enforcement.release import Fate, Standing
from aicost.domain.enforcement.steps import Do, Now, Step, next_step
from aicost.domain.enforcement.values import Action, ActionPhase, Estimate, LeverName, ObjectRef
from aicost.domain.enforcement.writing.changes import holds
from aicost.domain.enforcement.writing.records import ENFORCED, changes_of, record, records_on
from aicost.domain.enforcement.writing.steps import (
    SCALE,
    all_changes,
    doing,
    rescaling,
    scale_changes,
    scaling_back,
    taking_back,
)
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from support.json_patch import patched

START = 1_793_491_200_000
NOTICE_MS = 30 * MINUTE_MS
WANTED, KEPT, RELEASED = (Fate(one, f"it is {one}") for one in Standing)


class EndedError(Exception):
    """The controller has ended in the midst of something."""


def lever_of(name: LeverName, kind: str) -> Any:
    """A lever by its name and kind."""
    return next(one for one in LEVERS if (one.name, one.kind) == (name, kind))


def meta(kind: str, **more: Any) -> dict[str, Any]:
    """Metadata of an object."""
    return {"name": kind.lower(), "namespace": "research", "uid": f"uid-{kind}".lower(), "resourceVersion": "1", **more}


TARGETS: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "a Job": (
        lever_of(LeverName.SUSPEND_JOB, "Job"),
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta("Job"), "spec": {"suspend": False}},
    ),
    "a Job that never said anything of it": (
        lever_of(LeverName.SUSPEND_JOB, "Job"),
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta("Job", labels={"a": "b"}), "spec": {}},
    ),
    "a Deployment": (
        lever_of(LeverName.SCALE, "Deployment"),
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("Deployment"), "spec": {"replicas": 4}},
    ),
    "what is stopped by a note": (
        lever_of(LeverName.STOP_SERVING, "InferenceService"),
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": meta("InferenceService", annotations={"serving.kserve.io/stop": "false"}),
        },
    ),
    "what is known by its scale alone": (
        ANY_SCALE,
        {
            "apiVersion": "acme.example/v1",
            "kind": "Fleet",
            "metadata": meta("Fleet"),
            SCALE: {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 3}},
        },
    ),
    "a limit of its own": (
        lever_of(LeverName.LOWER_AUTOSCALER, "HorizontalPodAutoscaler"),
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": meta("HorizontalPodAutoscaler"),
            "spec": {"minReplicas": 4, "maxReplicas": 9},
        },
    ),
}
"""Objects of all sorts of stopping, with their levers."""


def announced(lever: Any, obj: Mapping[str, Any], **more: Any) -> Action:
    """A step that was just begun."""
    metadata = obj["metadata"]
    ref = ObjectRef(obj["apiVersion"], obj["kind"], metadata["namespace"], metadata["name"], metadata["uid"])
    known: dict[str, Any] = {
        "gate": Gate.SUSPEND,
        "destruction": lever.destruction,
        "reason": "the limit is reached",
        "action_at_ms": START + NOTICE_MS,
        "estimate": Estimate(1000, 4_000_000_000, HOUR_MS),
        "noticed_ms": START,
        **more,
    }
    return Action("month-1", BudgetRef("month", "research", "uid-b"), ref, ref, lever=lever.name, **known)


@dataclass
class Stage:
    """One object, one step on it, and a controller.

    Attributes:
        fuse: so many writes are done before the controller ends; None: it never does.
        done: what was written, in order.
    """

    lever: Any
    obj: dict[str, Any] | None
    action: Action
    safety: Safety = field(default_factory=lambda: Safety(checkpoint=False))
    ask: Ask = field(default_factory=Ask)
    now_ms: int = START
    fuse: int | None = None
    done: list[str] = field(default_factory=list)
    before_write: Callable[["Stage"], None] | None = None

    def look(self, fate: Fate = WANTED, *, may_act: bool = True, may_restore: bool = True, saved_ms: Any = None) -> Now:
        """What the next move looks at."""
        obj = copy.deepcopy(self.obj)
        writer = (lambda pointer: writer_of(obj, pointer)) if obj else (lambda _: "")
        ripe = may_act and self.now_ms >= self.action.action_at_ms
        return Now(obj, self.lever, self.ask, self.safety, fate, ripe, may_restore, self.now_ms, saved_ms, writer)

    def turn(self, fate: Fate = WANTED, **more: Any) -> Step:
        """One move, written as the controller does it: the record first, then the object, then the record."""
        step = next_step(self.action, self.look(fate, **more))
        if step.is_idle:
            return step
        if step.action != self.action:
            self._put(step.action)
        after = self._do(step)
        if after != step.action:
            self._put(after)
        return step

    def turns(self, count: int, fate: Fate = WANTED, **more: Any) -> "Stage":
        """So many moves, fifteen seconds apart; a controller that ended begins anew."""
        for _ in range(count):
            self.now_ms += 15_000
            try:
                self.turn(fate, **more)
            except EndedError:
                self.fuse = None
        return self

    def wait(self, milliseconds: int) -> "Stage":
        """Time passes."""
        self.now_ms += milliseconds
        return self

    def _spend(self, what: str) -> None:
        if self.fuse is not None:
            if self.fuse == 0:
                raise EndedError(what)
            self.fuse -= 1
        self.done.append(what)

    def _put(self, action: Action) -> None:
        """Write the record, and read it back: a new controller knows no more than that."""
        self._spend(f"record {action.phase}")
        metadata = {"name": action.name, "namespace": action.namespace, "generation": 1}
        body = {"metadata": metadata, "spec": action_spec(action)}
        body["status"] = action_status(action, body, self.now_ms)
        found = read_action(json.loads(json.dumps(body)))
        assert found.value is not None, found.problems
        self.action = replace(found.value, currency=action.currency)

    def _do(self, step: Step) -> Action:
        if self.obj is None or step.do is Do.NOTHING:
            return step.then
        if step.do is Do.ANNOTATE:
            self._annotate(step.annotations or {})
        elif step.do is Do.WRITE:
            return self._write(step)
        elif step.do is Do.UNDO:
            return replace(step.then, not_restored=self._undo(step.action))
        return step.then

    def _annotate(self, notes: Mapping[str, str | None]) -> None:
        assert self.obj is not None
        self._spend("notes")
        there = {**self.obj["metadata"].get("annotations", {}), **notes}
        kept = {name: text for name, text in there.items() if text is not None}
        self.obj["metadata"].pop("annotations", None)
        if kept:
            self.obj["metadata"]["annotations"] = kept

    def _write(self, step: Step) -> Action:
        action = step.action
        if self.before_write:
            self.before_write(self)
        self._patch("object", doing(self.obj, action.changes, self._record(action)))
        below = scale_changes(action.changes)
        if below and not holds(self.obj[SCALE], below):
            self._patch("scale", rescaling(self.obj[SCALE], below), SCALE)
        if step.annotations:
            self._annotate(step.annotations)
        return replace(step.then, changes=changes_of(self.obj, action.name) or action.changes)

    def _record(self, action: Action) -> Any:
        return record(action.name, str(action.budget), str(action.gate), self.now_ms, action.changes)

    def _undo(self, action: Action) -> tuple[str, ...]:
        every = all_changes(self.obj, action.name, action.changes)
        scaled = scaling_back(self.obj, action.name, every)
        self._patch("scale back", scaled.operations, SCALE)
        plan = taking_back(self.obj, action.name, every)
        self._patch("object back", plan.operations)
        return (*scaled.left, *plan.left)

    def _patch(self, what: str, operations: Any, part: str = "") -> None:
        if not operations:
            return
        assert self.obj is not None
        self._spend(what)
        there = self.obj[part] if part else self.obj
        after = patched(there, operations)
        after["metadata"]["resourceVersion"] = str(int(after["metadata"]["resourceVersion"]) + 1)
        self.obj = {**self.obj, part: after} if part else after

    @property
    def plain(self) -> Any:
        """The object without what counts its writes."""
        found = copy.deepcopy(self.obj)
        for part in (found, (found or {}).get(SCALE)):
            if part:
                part["metadata"].pop("resourceVersion", None)
        return found

    @property
    def is_done(self) -> bool:
        """Whether the object is fully as the step wants it, and says so."""
        remembered = [one.action for one in records_on(self.obj or {})]
        return bool(self.action.changes) and holds(self.obj or {}, self.action.changes) and remembered == ["month-1"]

    @property
    def notices(self) -> set[str]:
        """Notices that stand on the object."""
        notes = ((self.obj or {}).get("metadata") or {}).get("annotations", {})
        return {NOTICE, ACTION_AT, CHECKPOINT_REQUEST} & notes.keys()

    @property
    def is_marked(self) -> bool:
        """Whether anything on the object says that a budget holds it."""
        metadata = (self.obj or {}).get("metadata") or {}
        return ENFORCED in metadata.get("annotations", {}) or ENFORCED in metadata.get("labels", {})


def stage(target: str = "a Job", **more: Any) -> Stage:
    """An object before anything is done to it."""
    lever, obj = TARGETS[target]
    return Stage(lever, copy.deepcopy(obj), announced(lever, obj, **more))


def applied(target: str = "a Job", **more: Any) -> Stage:
    """An object that was stopped."""
    found = stage(target, **more).turns(1).wait(NOTICE_MS).turns(3)
    assert found.action.phase is ActionPhase.APPLIED, found.action
    return found
