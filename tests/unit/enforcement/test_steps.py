"""One step on one object through its life: notice, checkpoint, doing, fights, undoing, and what is remembered of it."""

from dataclasses import replace

import pytest

from aicost.domain.budgets.gates import Destruction
from aicost.domain.budgets.plans import Safety
from aicost.domain.enforcement.levers.lever import Ask
from aicost.domain.enforcement.names import ACTION_AT, CHECKPOINT_REQUEST, EXEMPT_UNTIL, NOTICE
from aicost.domain.enforcement.steps import Do, moment_of, next_step, saved_ms
from aicost.domain.enforcement.values import ENDED, ActionPhase, Estimate, Revert
from aicost.domain.enforcement.writing.records import records_on
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, SECOND_MS, to_rfc3339
from support.budget_steps import (
    KEPT,
    NOTICE_MS,
    RELEASED,
    START,
    TARGETS,
    WANTED,
    EndedError,
    applied,
    stage,
)

DUE = START + NOTICE_MS
CHECKPOINTS = Safety(checkpoint_timeout_ms=10 * MINUTE_MS)


def notes(scene):
    return scene.obj["metadata"].get("annotations", {})


def suspend(scene, value):
    scene.obj["spec"]["suspend"] = value


def test_a_step_is_announced_on_the_object_and_done_when_its_time_has_come():
    scene = stage().turns(1)
    assert notes(scene) == {NOTICE: "the limit is reached", ACTION_AT: to_rfc3339(DUE)}
    scene.now_ms = DUE - 1
    assert scene.turn().is_idle
    scene.now_ms = DUE
    scene.turn()
    assert (scene.action.phase, scene.obj["spec"]["suspend"]) == (ActionPhase.APPLIED, True)
    assert scene.action.applied_ms == DUE
    assert scene.notices == set()
    assert scene.action.message == "Done: /spec/suspend is true, it was false."


def test_the_record_is_written_before_the_object_and_the_object_before_it_is_called_done():
    scene = stage().turns(1)
    scene.done.clear()
    scene.wait(NOTICE_MS).turn()
    assert scene.done == ["record Applying", "object", "notes", "record Applied"]


def test_what_stops_nothing_needs_no_notice_on_the_object():
    scene = stage(destruction=Destruction.BLOCK_NEW, action_at_ms=START).turns(1)
    assert scene.action.phase is ActionPhase.APPLIED
    assert "notes" not in scene.done


@pytest.mark.parametrize("target", TARGETS)
def test_undone_it_is_as_it_was_to_the_last_field(target):
    scene = applied(target).turns(1, RELEASED)
    assert scene.action.phase is ActionPhase.REVERTED
    assert scene.plain == stage(target).plain
    assert not scene.is_marked


def test_what_somebody_else_wrote_since_is_theirs_and_is_named():
    scene = applied("a Deployment")
    scene.obj["spec"]["replicas"] = 7
    scene.turns(1, RELEASED)
    assert (scene.obj["spec"]["replicas"], scene.action.phase) == (7, ActionPhase.REVERTED)
    assert scene.action.not_restored == ("/spec/replicas was changed by somebody else since and stays as it is",)
    assert not scene.is_marked


def test_a_notice_is_taken_back_when_nobody_wants_the_step_any_more():
    scene = stage().turns(1).turns(1, RELEASED)
    assert (scene.action.phase, scene.action.message) == (ActionPhase.WITHDRAWN, "Not done: it is released.")
    assert scene.plain == stage().plain


def test_a_notice_that_somebody_took_off_is_written_again():
    scene = stage().turns(1)
    del scene.obj["metadata"]["annotations"]
    assert scene.turns(1).notices == {NOTICE, ACTION_AT}


def test_without_its_word_an_announced_step_waits_however_late_it_is():
    scene = stage().turns(1).wait(3 * HOUR_MS).turns(5, may_act=False)
    assert scene.action.phase is ActionPhase.NOTICED
    assert scene.turns(1).action.phase is ActionPhase.APPLIED


def test_an_exemption_during_the_notice_withdraws_the_step():
    scene = stage().turns(1)
    notes(scene)[EXEMPT_UNTIL] = to_rfc3339(DUE + HOUR_MS)
    scene.turns(1)
    assert scene.action.phase is ActionPhase.WITHDRAWN
    assert scene.action.message == f"Not done: it is exempt until {to_rfc3339(DUE + HOUR_MS)}."
    assert (scene.notices, scene.obj["spec"]) == (set(), {"suspend": False})


def test_what_goes_with_an_exempt_workload_is_left_alone_too():
    """The object of the step is an autoscaler, and the exemption stands on the workload."""
    scene = stage().turns(1)
    scene.ask = replace(scene.ask, exempt_ms=DUE + HOUR_MS)
    assert scene.turns(1).action.phase is ActionPhase.WITHDRAWN


@pytest.mark.parametrize("until", [to_rfc3339(START), "soon", "", "9" * 99, 7, None, ["2999"]], ids=str)
def test_an_exemption_that_is_over_or_none_exempts_from_nothing(until):
    scene = stage().turns(1)
    notes(scene)[EXEMPT_UNTIL] = until
    assert scene.wait(NOTICE_MS).turns(1).action.phase is ActionPhase.APPLIED


def test_an_exemption_that_comes_while_the_controller_is_away_holds():
    """It had written down that it begins, and nothing more: the object was never touched."""
    scene = stage().turns(1).wait(NOTICE_MS)
    scene.fuse = 1
    with pytest.raises(EndedError):
        scene.turn()
    assert scene.action.phase is ActionPhase.APPLYING
    scene.fuse = None
    notes(scene)[EXEMPT_UNTIL] = "2999-01-01T00:00:00Z"
    assert scene.turns(1).action.phase is ActionPhase.WITHDRAWN
    assert scene.obj["spec"] == {"suspend": False}


def test_what_was_written_down_and_not_begun_waits_for_its_word_again():
    scene = stage().turns(1).wait(NOTICE_MS)
    scene.fuse = 1
    with pytest.raises(EndedError):
        scene.turn()
    scene.fuse = None
    scene.turns(3, may_act=False)
    assert (scene.action.phase, scene.obj["spec"]) == (ActionPhase.APPLYING, {"suspend": False})
    assert scene.turns(1).action.phase is ActionPhase.APPLIED


def test_a_refusal_of_the_lever_ends_the_step_with_its_reason():
    scene = stage().turns(1)
    scene.obj["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "q"}
    scene.turns(1)
    assert scene.action.phase is ActionPhase.FAILED
    assert "Kueue manages it" in scene.action.message
    assert scene.notices == set()


def test_an_object_that_is_so_already_is_let_alone():
    scene = stage().turns(1)
    suspend(scene, True)
    scene.wait(NOTICE_MS).turns(1)
    assert (scene.action.phase, scene.action.message) == (ActionPhase.WITHDRAWN, "Nothing to do: it is so already.")
    assert not scene.is_marked


def test_what_cannot_be_remembered_is_not_done():
    """Whoever writes a novel into the field that is to be written would keep the record from ever being written."""
    scene = stage("what is stopped by a note").turns(1)
    notes(scene)["serving.kserve.io/stop"] = "x" * 70_000
    scene.wait(NOTICE_MS).turns(1)
    assert scene.action.phase is ActionPhase.FAILED
    assert "too much to be remembered" in scene.action.message
    assert (scene.notices, scene.is_marked) == (set(), False)


@pytest.mark.parametrize(
    ("phase", "end"),
    [
        (ActionPhase.NOTICED, ActionPhase.WITHDRAWN),
        (ActionPhase.APPLYING, ActionPhase.SUPERSEDED),
        (ActionPhase.APPLIED, ActionPhase.SUPERSEDED),
        (ActionPhase.REVERTING, ActionPhase.SUPERSEDED),
        (ActionPhase.CONTESTED, ActionPhase.SUPERSEDED),
    ],
)
@pytest.mark.parametrize("fate", [WANTED, RELEASED], ids=lambda fate: fate.standing)
def test_an_object_that_is_gone_ends_the_step(phase, end, fate):
    scene = applied()
    scene.obj, scene.action = None, replace(scene.action, phase=phase)
    assert scene.turns(1, fate).action.phase is end
    assert scene.action.ended_ms == scene.now_ms


@pytest.mark.parametrize("phase", sorted(ENDED))
def test_after_the_end_nothing_follows(phase):
    scene = applied()
    scene.action = replace(scene.action, phase=phase)
    for fate in (WANTED, KEPT, RELEASED):
        assert scene.turn(fate).is_idle


class TestFights:
    """Somebody else undoes it."""

    def revert(self, scene, after_ms=0, fate=WANTED):
        suspend(scene, False)
        return scene.wait(after_ms).turns(1, fate)

    def test_it_is_done_again_until_it_is_a_fight_and_then_given_way(self):
        scene = applied()
        assert self.revert(scene).is_done
        assert self.revert(scene).is_done
        self.revert(scene)
        assert scene.action.phase is ActionPhase.CONTESTED
        assert scene.action.message == "Somebody else undid it 3 times: the controller gives way."
        assert scene.plain == stage().plain
        assert scene.turns(20).action.phase is ActionPhase.CONTESTED
        assert scene.plain == stage().plain

    def test_reverts_that_are_far_apart_are_no_fight(self):
        scene = applied()
        for _ in range(30):
            assert self.revert(scene, 8 * MINUTE_MS).is_done
        assert len(scene.action.reverts) == 20

    def test_who_did_it_is_named(self):
        scene = applied()
        fields = {"f:spec": {"f:suspend": {}}}
        entry = {"manager": "argocd-controller", "time": "2026-11-20T10:00:00Z", "fieldsV1": fields}
        scene.obj["metadata"]["managedFields"] = [entry]
        self.revert(scene)
        assert scene.action.reverts[-1].by == "argocd-controller"
        assert scene.action.message == "Done again: argocd-controller had undone it."

    def test_one_revert_is_one_however_often_it_is_tried_to_set_it_right(self):
        """Its controllers write an object all the time just then, and each conflict looks anew at the same moment."""
        scene = applied()
        suspend(scene, False)
        now = scene.look()
        seen = next_step(scene.action, now).action
        for _ in range(5):
            step = next_step(seen, now)
            seen = step.action
        assert len(seen.reverts) == 1
        assert step.do is Do.WRITE

    def test_a_value_that_only_looks_alike_is_a_revert_and_raises_nothing(self):
        scene = applied("a Deployment")
        scene.obj["spec"]["replicas"] = False
        scene.turns(1)
        assert (scene.obj["spec"]["replicas"], len(scene.action.reverts)) == (0, 1)

    def test_what_waits_for_a_person_and_is_brought_back_by_somebody_is_theirs(self):
        scene = applied()
        assert self.revert(scene, fate=KEPT).action.phase is ActionPhase.REVERTED
        assert scene.plain == stage().plain

    def test_given_way_it_ends_when_nobody_wants_it(self):
        scene = applied()
        for _ in range(3):
            self.revert(scene)
        assert scene.turns(1, RELEASED).action.phase is ActionPhase.REVERTED
        assert "gives way. it is released" in scene.action.message

    def test_a_controller_that_ends_while_it_gives_way_does_not_begin_the_fight_anew(self):
        writes = 12
        for fuse in range(writes):
            scene = applied()
            self.revert(scene)
            self.revert(scene)
            suspend(scene, False)
            scene.fuse = fuse
            scene.turns(3)
            assert scene.action.phase is ActionPhase.CONTESTED, fuse
            assert scene.plain == stage().plain

    def test_a_field_of_ours_that_stays_is_taken_back_when_it_gives_way(self):
        scene = applied("a limit of its own")
        for _ in range(3):
            scene.obj["spec"]["minReplicas"] = 4
            scene.turns(1)
        assert scene.action.phase is ActionPhase.CONTESTED
        assert scene.obj["spec"] == {"minReplicas": 4, "maxReplicas": 9}


class TestRestoring:
    """It comes back when it may."""

    def test_it_waits_for_its_turn(self):
        scene = applied().turns(5, RELEASED, may_restore=False)
        assert (scene.action.phase, scene.is_done) == (ActionPhase.APPLIED, True)
        assert scene.turns(1, RELEASED).action.phase is ActionPhase.REVERTED

    def test_it_stays_while_it_waits_for_a_person(self):
        assert applied().wait(99 * HOUR_MS).turns(3, KEPT).is_done

    def test_wanted_again_before_its_turn_it_stays(self):
        assert applied().turns(1, RELEASED, may_restore=False).turns(3, WANTED).is_done

    def test_the_record_alone_is_enough_to_undo_it(self):
        """Somebody replaced the object and with it what it remembered, just when the controller ended."""
        scene = applied()
        scene.fuse = 1
        with pytest.raises(EndedError):
            scene.turn(RELEASED)
        assert scene.action.phase is ActionPhase.REVERTING
        scene.fuse = None
        scene.obj["metadata"].pop("annotations")
        scene.obj["metadata"].pop("labels")
        scene.turns(2, RELEASED)
        assert (scene.action.phase, scene.plain) == (ActionPhase.REVERTED, stage().plain)

    def test_the_object_alone_is_enough_to_undo_it(self):
        scene = applied()
        scene.action = replace(scene.action, changes=())
        assert scene.turns(1, RELEASED).plain == stage().plain


class TestCheckpoints:
    """It is asked to save its work, and waited for, and not for ever."""

    def asked(self, **more):
        scene = stage(**more)
        scene.safety = CHECKPOINTS
        scene.turns(1)
        scene.now_ms = DUE - 10 * MINUTE_MS
        scene.turn()
        return scene

    def test_it_is_asked_in_time(self):
        scene = stage()
        scene.safety = CHECKPOINTS
        scene.now_ms = DUE - 10 * MINUTE_MS - 1
        scene.turn()
        assert CHECKPOINT_REQUEST not in scene.notices
        asked = self.asked()
        assert notes(asked)[CHECKPOINT_REQUEST] == to_rfc3339(DUE - 10 * MINUTE_MS)
        assert asked.action.asked_ms == DUE - 10 * MINUTE_MS

    def test_saved_it_is_stopped_when_its_time_has_come_and_little_is_lost(self):
        scene = self.asked()
        saved = DUE - 5 * MINUTE_MS
        scene.now_ms = DUE - MINUTE_MS
        scene.turn(saved_ms=saved)
        assert (scene.action.phase, scene.action.saved_ms) == (ActionPhase.NOTICED, saved)
        scene.now_ms = DUE
        scene.turn(saved_ms=saved)
        assert (scene.action.phase, scene.action.lost_ms) == (ActionPhase.APPLIED, 5 * MINUTE_MS)

    def test_what_was_saved_before_it_was_asked_is_no_answer(self):
        scene = self.asked()
        scene.turns(1, saved_ms=DUE - 11 * MINUTE_MS)
        assert scene.action.saved_ms is None

    def test_an_answer_within_the_second_of_the_question_counts(self):
        scene = stage()
        scene.safety = CHECKPOINTS
        scene.now_ms = DUE - 10 * MINUTE_MS + 900
        scene.turn()
        scene.turns(1, saved_ms=DUE - 10 * MINUTE_MS)
        assert scene.action.saved_ms is not None

    def test_without_an_answer_it_is_stopped_when_the_time_for_it_is_over(self):
        scene = stage(action_at_ms=START)
        scene.safety = CHECKPOINTS
        scene.turn()
        asked = scene.action.asked_ms
        assert asked == START
        scene.now_ms = asked + 10 * MINUTE_MS - 1
        assert scene.turn().is_idle
        scene.now_ms = asked + 10 * MINUTE_MS
        scene.turn()
        assert scene.action.phase is ActionPhase.APPLIED
        assert scene.action.lost_ms == HOUR_MS + 10 * MINUTE_MS, "what was at stake, and what was done since"

    @pytest.mark.parametrize("estimate", [Estimate(1000, 1, None), Estimate(1000, 1, 0)])
    def test_who_has_nothing_to_lose_is_not_asked(self, estimate):
        scene = self.asked(estimate=estimate)
        assert CHECKPOINT_REQUEST not in scene.notices
        assert scene.wait(10 * MINUTE_MS).turns(1).action.phase is ActionPhase.APPLIED

    def test_the_question_goes_with_the_notice(self):
        assert self.asked().turns(1, RELEASED).plain == stage().plain

    def test_a_controller_that_was_away_counts_what_was_lost_when_it_was_stopped(self):
        """Two hours in which nothing ran any more are no work."""
        scene = stage().turns(1).wait(NOTICE_MS)
        scene.fuse = 2
        with pytest.raises(EndedError):
            scene.turn()
        stopped = scene.now_ms
        scene.fuse = None
        scene.wait(2 * HOUR_MS).turns(1)
        assert scene.action.applied_ms == stopped - stopped % SECOND_MS
        assert scene.action.lost_ms == pytest.approx(HOUR_MS + NOTICE_MS, abs=MINUTE_MS)


def test_what_must_stay_stays():
    scene = stage("a Deployment")
    scene.ask = Ask(floor=2)
    scene.turns(1).wait(NOTICE_MS).turns(1)
    assert scene.obj["spec"]["replicas"] == 2
    assert scene.turns(1, RELEASED).obj["spec"]["replicas"] == 4


def test_two_steps_on_one_object_are_undone_one_by_one():
    """Of two budgets each holds it; the first that lets go does not bring it back."""
    first, second = stage("a limit of its own"), stage("a limit of its own")
    first.ask = Ask(floor=2)
    first.turns(1).wait(NOTICE_MS).turns(1)
    second.obj, second.action = first.obj, replace(second.action, name="other-1")
    second.turns(1).wait(NOTICE_MS).turns(1)
    assert [one.action for one in records_on(second.obj)] == ["month-1", "other-1"]
    first.obj = second.obj
    first.turns(1, RELEASED)
    second.obj = first.obj
    assert second.obj["spec"] == {"minReplicas": 1, "maxReplicas": 1}
    second.turns(1, RELEASED)
    assert second.plain == stage("a limit of its own").plain


@pytest.mark.parametrize(
    ("text", "moment"),
    [("1970-01-01T00:00:01Z", 1000), ("1970-01-01T00:00:01", 0), ("tomorrow", 0), ("", 0), ("1" * 99, 0)],
)
def test_a_moment_that_somebody_wrote_is_read_or_is_none(text, moment):
    assert moment_of(text) == moment


def test_work_was_saved_when_the_latest_of_those_that_say_so_did():
    name = "aicost.dev/last-checkpoint"
    assert saved_ms({name: "1970-01-01T00:00:01Z"}, {name: "1970-01-01T00:00:02Z"}, {}, {name: "soon"}) == 2000
    assert saved_ms({}, {name: ""}) is None


def test_the_last_reverts_alone_are_remembered():
    scene = applied()
    scene.action = replace(scene.action, reverts=tuple(Revert(at) for at in range(40)))
    suspend(scene, False)
    assert len(scene.turns(1).action.reverts) == 20
