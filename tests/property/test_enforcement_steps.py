"""Whatever happens to a step, its object ends fully as it was or fully as the step wants it, and never half."""

import copy
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aicost.domain.enforcement.names import EXEMPT_UNTIL
from aicost.domain.enforcement.steps import next_step
from aicost.domain.enforcement.values import ENDED, ActionPhase
from aicost.domain.enforcement.writing.steps import SCALE
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from support.budget_steps import KEPT, NOTICE_MS, RELEASED, TARGETS, WANTED, EndedError, Stage, applied, stage

MOST_WRITES = 12


def before(target):
    return stage(target).plain


def finish(scene: Stage, fate) -> Stage:
    """Let it come to rest."""
    return scene.wait(NOTICE_MS).turns(8, fate)


@pytest.mark.parametrize("fuse", range(MOST_WRITES))
@pytest.mark.parametrize("target", TARGETS)
def test_a_controller_that_ends_anywhere_on_the_way_is_followed_by_one_that_finishes(target, fuse):
    scene = stage(target)
    scene.fuse = fuse
    finish(scene.turns(2), WANTED)
    assert scene.action.phase is ActionPhase.APPLIED
    assert scene.is_done
    assert scene.notices == set()


@pytest.mark.parametrize("fuse", range(MOST_WRITES))
@pytest.mark.parametrize("target", TARGETS)
def test_a_controller_that_ends_anywhere_on_the_way_is_followed_by_one_that_takes_all_of_it_back(target, fuse):
    scene = stage(target)
    scene.fuse = fuse
    scene.turns(1)
    try:
        scene.wait(NOTICE_MS).turn(WANTED)
    except EndedError:
        scene.fuse = None
    finish(scene, RELEASED)
    assert scene.action.phase in ENDED
    assert scene.plain == before(target)
    assert scene.action.not_restored == ()


@pytest.mark.parametrize("fuse", range(MOST_WRITES))
@pytest.mark.parametrize("target", TARGETS)
def test_a_controller_that_ends_while_it_undoes_is_followed_by_one_that_finishes_that(target, fuse):
    scene = applied(target)
    scene.fuse = fuse
    finish(scene.turns(1, RELEASED), RELEASED)
    assert scene.action.phase is ActionPhase.REVERTED
    assert scene.plain == before(target)


@pytest.mark.parametrize("target", TARGETS)
def test_half_of_a_step_is_not_finished_for_nobody(target):
    """The record stands on the object and its pods still run: they go on running when nobody wants them stopped."""
    writes = len(applied(target).done)
    for fuse in range(writes):
        scene = stage(target)
        scene.fuse = fuse
        scene.turns(1)
        try:
            scene.wait(NOTICE_MS).turn(WANTED)
        except EndedError:
            scene.fuse = None
        half = not scene.is_done and scene.action.phase is ActionPhase.APPLYING
        scene.done.clear()
        finish(scene, RELEASED)
        if half:
            assert not {"scale"} & set(scene.done)
            assert ActionPhase.APPLIED.value not in {one.removeprefix("record ") for one in scene.done}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("phase", list(ActionPhase))
@pytest.mark.parametrize("fate", [WANTED, KEPT, RELEASED], ids=lambda fate: fate.standing)
@pytest.mark.parametrize("is_done", [True, False])
def test_from_every_phase_it_comes_to_rest_and_stays_there(target, phase, fate, is_done):
    scene = applied(target) if is_done else stage(target)
    changes = () if phase is ActionPhase.NOTICED else applied(target).action.changes
    scene.action = replace(scene.action, phase=phase, changes=changes)
    scene.wait(HOUR_MS).turns(12, fate)
    resting = scene.action
    assert scene.turns(3, fate).action == resting
    assert next_step(scene.action, scene.look(fate)).is_idle
    if resting.phase is ActionPhase.APPLIED:
        assert scene.is_done


@pytest.mark.parametrize("fuse", range(MOST_WRITES))
@pytest.mark.parametrize("target", TARGETS)
def test_asked_again_with_the_same_it_says_the_same(target, fuse):
    scene = stage(target)
    scene.fuse = fuse
    scene.turns(2).wait(NOTICE_MS).turns(1)
    for fate in (WANTED, KEPT, RELEASED):
        now = scene.look(fate)
        assert next_step(scene.action, now) == next_step(scene.action, now)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.sampled_from([WANTED, WANTED, KEPT, RELEASED]), st.booleans(), st.booleans()),
        st.tuples(st.just("end"), st.integers(0, 4)),
        st.tuples(st.just("wait"), st.sampled_from([MINUTE_MS, 20 * MINUTE_MS, 2 * HOUR_MS])),
        st.tuples(st.just("exempt"), st.sampled_from(["2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "soon", None])),
        st.tuples(st.just("note"), st.sampled_from(["acme.example/x", "aicost.dev/team"])),
        st.tuples(st.just("revert"), st.none()),
        st.tuples(st.just("strip"), st.none()),
    ),
    max_size=25,
)


def happen(scene: Stage, event, target: str) -> None:
    what, *details = event
    match what:
        case "turn":
            fate, may_act, may_restore = details
            scene.turns(1, fate, may_act=may_act, may_restore=may_restore)
        case "end":
            scene.fuse = details[0]
        case "wait":
            scene.wait(details[0])
        case "exempt":
            annotate(scene, EXEMPT_UNTIL, details[0])
        case "note":
            annotate(scene, details[0], "theirs")
        case "revert":
            put_back(scene, target)
        case "strip":
            annotate(scene, "aicost.dev/enforced", None)


def annotate(scene: Stage, name, text) -> None:
    notes = scene.obj["metadata"].setdefault("annotations", {})
    notes.pop(name, None) if text is None else notes.update({name: text})
    if not notes:
        del scene.obj["metadata"]["annotations"]


def put_back(scene: Stage, target: str) -> None:
    """Somebody brings the fields of the step back to what they were, and leaves all else."""
    original = copy.deepcopy(TARGETS[target][1])
    if "spec" in original:
        scene.obj["spec"] = original["spec"]
    elif SCALE in original:
        scene.obj[SCALE]["spec"] = original[SCALE]["spec"]
    else:
        annotate(scene, "serving.kserve.io/stop", "false")


CUT_OFF_AND_STRIPPED = [
    ("end", 3), ("wait", 2 * HOUR_MS), ("turn", WANTED, False, False), ("turn", WANTED, True, False), ("strip", None),
]  # fmt: skip
"""The controller ends right after its write, and somebody takes its mark off the object."""


@given(st.sampled_from(sorted(TARGETS)), EVENTS)
@example("a Deployment", CUT_OFF_AND_STRIPPED)
@settings(max_examples=100, deadline=None)
def test_whatever_happens_all_of_it_is_taken_back_in_the_end(target, events):
    """Restarts, people who undo it, exemptions, notes of others: what is left is the object and the notes of others."""
    scene = stage(target)
    stripped = False
    for event in events:
        stripped = stripped or event[0] == "strip"
        happen(scene, event, target)
    scene.fuse = None
    finish(scene, RELEASED)
    assert scene.action.phase in ENDED
    assert scene.notices == set()
    left = scene.plain
    notes = left["metadata"].get("annotations", {})
    for name in (EXEMPT_UNTIL, "acme.example/x", "aicost.dev/team"):
        notes.pop(name, None)
    if not notes:
        left["metadata"].pop("annotations", None)
    if stripped:
        left["metadata"].get("labels", {}).pop("aicost.dev/enforced", None)
        if not left["metadata"].get("labels", True):
            del left["metadata"]["labels"]
    assert left == stage(target).plain
