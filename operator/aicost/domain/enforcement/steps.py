"""One step on one object, moment by moment: announced, re-checked, done, watched, undone. Each move is a value."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from aicost.domain.budgets.plans import Safety
from aicost.domain.enforcement.levers.lever import Ask, Lever
from aicost.domain.enforcement.names import ACTION_AT, CHECKPOINT_REQUEST, EXEMPT_UNTIL, LAST_CHECKPOINT, NOTICE
from aicost.domain.enforcement.release import Fate, Standing
from aicost.domain.enforcement.values import Action, ActionPhase, Change, Json, Revert
from aicost.domain.enforcement.writing.changes import holds
from aicost.domain.enforcement.writing.pointers import annotation, is_there, read
from aicost.domain.enforcement.writing.records import records_on
from aicost.domain.exact.windows import SECOND_MS, from_rfc3339, to_rfc3339

REMEMBERED_REVERTS = 20
_MOST_CHANGES, _LONGEST_POINTER, _LONGEST_VALUE = 64, 1024, 65_536
"""What a record has room for: what cannot be remembered cannot be undone, and is not done."""
_ANNOUNCING = (NOTICE, ACTION_AT, CHECKPOINT_REQUEST)


class Do(StrEnum):
    """What is done to the object, beside what is written into the record.

    `nothing`: the record alone may change. `annotate`: notices. `write`: the changes. `undo`: put them back.
    """

    NOTHING = "nothing"
    ANNOTATE = "annotate"
    WRITE = "write"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Step:
    """The next move of a step.

    Attributes:
        action: the record as it is to be, before anything is done to the object.
        then: the record once it was done; the same where nothing is.
        annotations: what `annotate` writes; None takes one out.
    """

    do: Do
    action: Action
    then: Action
    annotations: Mapping[str, str | None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do at all."""
        return self.do is Do.NOTHING and self.action == self.then


@dataclass(frozen=True, slots=True)
class Now:
    """What a step looks at.

    Attributes:
        obj: the object as it is, None where it is gone or another one.
        fate: whether somebody still wants it.
        may_act: whether its time has come and all that asks for it still does.
        may_restore: whether it may be undone in this cycle.
        saved_ms: when the workload last saved its work, as it or its pods say; None: never said.
        writer: who wrote a field last, by its pointer.
    """

    obj: Json | None
    lever: Lever | None
    ask: Ask
    safety: Safety
    fate: Fate
    may_act: bool
    may_restore: bool
    now_ms: int
    saved_ms: int | None = None
    writer: Callable[[str], str] = lambda _: ""


def next_step(action: Action, now: Now) -> Step:
    """The next move of a step. Asked again with the same, it says the same; half a move is finished, or taken back."""
    moves = {
        ActionPhase.NOTICED: _noticed,
        ActionPhase.APPLYING: _applying,
        ActionPhase.APPLIED: _applied,
        ActionPhase.REVERTING: _reverting,
        ActionPhase.CONTESTED: _contested,
    }
    move = moves.get(action.phase)
    return _rest(action) if move is None else move(action, now)


def _rest(action: Action) -> Step:
    return Step(Do.NOTHING, action, action)


def _end(action: Action, now: Now, phase: ActionPhase, message: str, **more: object) -> Step:
    """Nothing follows, and nothing is to be done to the object."""
    over = replace(action, phase=phase, ended_ms=now.now_ms, message=message, **more)  # type: ignore[arg-type] # fields of an action
    return Step(Do.NOTHING, action, over)


def _noticed(action: Action, now: Now) -> Step:
    """Announce, ask for a checkpoint, wait, and begin."""
    if now.obj is None:
        return _end(action, now, ActionPhase.WITHDRAWN, "The object is gone: nothing was done.")
    if now.fate.standing is Standing.RELEASED:
        return _take_back_notice(action, now, f"Not done: {now.fate.why}.")
    if (kept_from := _kept_from(action, now.obj, now)) is not None:
        return kept_from
    asked = _announced(action, now)
    wanted = _notices(asked)
    if any(read(now.obj, annotation(name)) != text for name, text in wanted.items()):
        return Step(Do.ANNOTATE, asked, asked, wanted)
    if not now.may_act or _waits_for_checkpoint(asked, now):
        return Step(Do.NOTHING, action, asked)
    return _begin(asked, now)


def _kept_from(action: Action, obj: Json, now: Now) -> Step | None:
    """The end of a step that must not be done to this object; None where it may."""
    said = read(obj, annotation(EXEMPT_UNTIL))
    exempt_ms = max(now.ask.exempt_ms, moment_of(said) if isinstance(said, str) else 0)
    if action.stops and exempt_ms > now.now_ms:
        return _take_back_notice(action, now, f"Not done: it is exempt until {to_rfc3339(exempt_ms)}.")
    refusal = now.lever.refuses(obj, now.ask) if now.lever else "there is no way to do it"
    return _take_back_notice(action, now, f"Not done: {refusal}.", ActionPhase.FAILED) if refusal else None


def moment_of(text: str) -> int:
    """A moment that somebody wrote; 0 for what is none."""
    try:
        return from_rfc3339(text) if len(text) <= 64 else 0
    except ValueError:
        return 0


def _announced(action: Action, now: Now) -> Action:
    """The record with the moment at which a checkpoint is asked for, and with when one was saved."""
    if not (action.stops and now.safety.checkpoint and action.estimate.stake_ms):
        return action
    due = now.now_ms >= action.action_at_ms - now.safety.checkpoint_timeout_ms
    asked = now.now_ms if action.asked_ms is None and due else action.asked_ms
    saved = now.saved_ms if asked is not None and now.saved_ms is not None and now.saved_ms >= _second(asked) else None
    return replace(action, asked_ms=asked, saved_ms=action.saved_ms or saved)


def _second(at_ms: int) -> int:
    return at_ms - at_ms % SECOND_MS


def _notices(action: Action) -> dict[str, str]:
    """What people, and the workload itself, read on it before it is stopped."""
    if not action.stops:
        return {}
    at = to_rfc3339(_second(action.action_at_ms))
    found = {NOTICE: action.reason[:512], ACTION_AT: at}
    if action.asked_ms is not None:
        found[CHECKPOINT_REQUEST] = to_rfc3339(_second(action.asked_ms))
    return found


def _waits_for_checkpoint(action: Action, now: Now) -> bool:
    if action.asked_ms is None or action.saved_ms is not None:
        return False
    return now.now_ms < action.asked_ms + now.safety.checkpoint_timeout_ms


def _take_back_notice(action: Action, now: Now, message: str, phase: ActionPhase = ActionPhase.WITHDRAWN) -> Step:
    """End before anything was done; the notices go."""
    over = replace(action, phase=phase, ended_ms=now.now_ms, message=message)
    return _without_notices(action, over, now)


def _without_notices(action: Action, then: Action, now: Now) -> Step:
    """Nothing more is done to the object, and no notice stays on it."""
    standing = _standing(now.obj)
    return Step(Do.ANNOTATE, action, then, standing) if standing else Step(Do.NOTHING, action, then)


def _standing(obj: Json | None) -> dict[str, str | None]:
    """The notices that stand on an object, to be taken out."""
    found = [name for name in _ANNOUNCING if obj is not None and isinstance(read(obj, annotation(name)), str)]
    return dict.fromkeys(found)


def _begin(action: Action, now: Now) -> Step:
    """Write down what will be written, then write it."""
    assert now.obj is not None
    assert now.lever is not None
    changes = now.lever.changes(now.obj, now.ask)
    if not changes:
        return _take_back_notice(action, now, "Nothing to do: it is so already.")
    if not _fits(changes):
        text = "Not done: what stands there now is too much to be remembered, and could not be put back."
        return _take_back_notice(action, now, text, ActionPhase.FAILED)
    begun = replace(action, phase=ActionPhase.APPLYING, changes=changes)
    return Step(Do.WRITE, begun, _done(begun, now.now_ms), _standing(now.obj))


def _fits(changes: Sequence[Change]) -> bool:
    """Whether a record has room for changes."""
    values = (value for one in changes for value in (one.before, one.after) if is_there(value))
    pointers = (pointer for one in changes for pointer in (one.pointer, *one.made))
    return (
        len(changes) <= _MOST_CHANGES
        and all(len(pointer) <= _LONGEST_POINTER for pointer in pointers)
        and all(len(json.dumps(value)) <= _LONGEST_VALUE for value in values)
    )


def _done(action: Action, at_ms: int) -> Action:
    text = f"Done: {_words(action.changes)}."
    lost = _lost_ms(action, at_ms)
    return replace(action, phase=ActionPhase.APPLIED, applied_ms=action.applied_ms or at_ms, lost_ms=lost, message=text)


def _lost_ms(action: Action, at_ms: int) -> int | None:
    """Work that is lost, counted when the step is taken: what was at stake, less what was saved since."""
    stake = action.estimate.stake_ms
    if stake is None:
        return None
    if action.saved_ms is not None:
        return action.estimate.gpu_milli * max(0, at_ms - action.saved_ms) // 1000
    return stake + action.estimate.gpu_milli * max(0, at_ms - action.noticed_ms) // 1000


def _words(changes: Sequence[Change]) -> str:
    return ", ".join(f"{one.pointer} is {_shown(one.after)}, it was {_shown(one.before)}" for one in changes[:3])


def _shown(value: Any) -> str:
    """A value as it stands in a manifest, shortened."""
    text = json.dumps(value) if is_there(value) else "absent"
    return text if len(text) <= 120 else f"{text[:117]}..."


def _applying(action: Action, now: Now) -> Step:
    """A start that was interrupted: finished where it had begun, unless nobody wants it any more; else begun anew.

    Where somebody took the mark off the object, what stands there as it was to be tells that it had begun.
    """
    if now.obj is None:
        return _end(action, now, ActionPhase.SUPERSEDED, "The object is gone.")
    begun_ms = next((moment_of(one.at) for one in records_on(now.obj) if one.action == action.name), None)
    if begun_ms is not None and holds(now.obj, action.changes):
        return _without_notices(action, _done(action, max(action.noticed_ms, min(begun_ms, now.now_ms))), now)
    if begun_ms is not None or any(holds(now.obj, [one]) for one in action.changes):
        return _finished(action, now)
    if now.fate.standing is Standing.RELEASED:
        return _take_back_notice(action, now, f"Not done: {now.fate.why}.")
    if (kept_from := _kept_from(action, now.obj, now)) is not None:
        return kept_from
    return _begin(action, now) if now.may_act else _rest(action)


def _finished(action: Action, now: Now) -> Step:
    """Half of it is there: the other half too, or neither."""
    standing = _standing(now.obj)
    if now.fate.standing is Standing.RELEASED and standing:
        return Step(Do.ANNOTATE, action, action, standing)
    if now.fate.standing is Standing.RELEASED:
        back = replace(action, phase=ActionPhase.REVERTING, message=f"Half of it was done: {now.fate.why}.")
        return Step(Do.UNDO, back, _undone(back, now))
    return Step(Do.WRITE, action, _done(action, now.now_ms), standing)


def _applied(action: Action, now: Now) -> Step:
    """Watch that it holds; undo it when nobody wants it any more."""
    if now.obj is None:
        return _end(action, now, ActionPhase.SUPERSEDED, "The object is gone: there is nothing to undo.")
    if now.fate.standing is Standing.RELEASED:
        if not now.may_restore:
            return _rest(action)
        undoing = replace(action, phase=ActionPhase.REVERTING, message=f"It is undone: {now.fate.why}.")
        return Step(Do.UNDO, undoing, _undone(undoing, now))
    if holds(now.obj, action.changes):
        return _rest(action)
    if now.fate.standing is Standing.KEPT:
        back = replace(action, message="Somebody else brought it back, and nobody wants it stopped any more.")
        return Step(Do.UNDO, action, _undone(back, now))
    return _reverted_by_others(action, now)


def _undone(action: Action, now: Now) -> Action:
    return replace(action, phase=ActionPhase.REVERTED, ended_ms=now.now_ms)


def _reverted_by_others(action: Action, now: Now) -> Step:
    """Somebody else undid it: done again, until it is a fight; then given way."""
    assert now.obj is not None
    gone = next(one for one in action.changes if not holds(now.obj, [one]))
    who = now.writer(gone.pointer)
    seen_now = bool(action.reverts) and action.reverts[-1].at_ms == now.now_ms  # a second try at the same moment
    reverts = action.reverts if seen_now else (*action.reverts, Revert(now.now_ms, who))[-REMEMBERED_REVERTS:]
    recent = [one for one in reverts if now.now_ms - one.at_ms < now.safety.revert_window_ms]
    seen = replace(action, reverts=reverts)
    if len(recent) >= now.safety.max_reverts:
        text = f"{who or 'Somebody else'} undid it {len(recent)} times: the controller gives way."
        yielded = replace(seen, phase=ActionPhase.CONTESTED, message=text)
        return Step(Do.UNDO, seen, yielded)
    return Step(Do.WRITE, seen, replace(seen, message=f"Done again: {who or 'somebody else'} had undone it."))


def _reverting(action: Action, now: Now) -> Step:
    """An undoing that was interrupted."""
    if now.obj is None:
        return _end(action, now, ActionPhase.SUPERSEDED, "The object is gone: there is nothing to undo.")
    remembered = any(one.action == action.name for one in records_on(now.obj))
    if remembered or any(holds(now.obj, [one]) for one in action.changes):
        return Step(Do.UNDO, action, _undone(action, now))
    return Step(Do.NOTHING, action, _undone(action, now))


def _contested(action: Action, now: Now) -> Step:
    """Given way: nothing is done until nobody wants it any more."""
    if now.obj is None:
        return _end(action, now, ActionPhase.SUPERSEDED, "The object is gone.")
    if now.fate.standing is Standing.WANTED:
        return _rest(action)
    return _end(action, now, ActionPhase.REVERTED, f"{action.message} {now.fate.why}.".strip())


def saved_ms(*places: Mapping[str, str]) -> int | None:
    """When work was last saved, as any of some annotations say."""
    found = []
    for annotations in places:
        try:
            found.append(from_rfc3339(annotations[LAST_CHECKPOINT]))
        except (KeyError, ValueError):
            continue
    return max(found, default=None)
