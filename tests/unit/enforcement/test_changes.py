"""Fields that are written and put back."""

import pytest

from aicost.domain.enforcement.values import ABSENT, Change
from aicost.domain.enforcement.writing.changes import change, combined, holds, needed, unchanged_since, undoing, writing
from support.json_patch import patched

SUSPEND = "/spec/runPolicy/suspend"


def written(obj, *changes):
    return patched(obj, writing(obj, changes))


def test_objects_above_a_field_are_made_once_and_go_with_it():
    obj = {"kind": "PyTorchJob", "spec": {}}
    changes = change(obj, SUSPEND, True), change(obj, "/spec/runPolicy/note", "x")
    after = written(obj, *changes)
    assert after["spec"] == {"runPolicy": {"suspend": True, "note": "x"}}
    assert patched(after, undoing(after, changes).operations) == obj


def test_an_object_that_was_made_stays_if_something_else_came_into_it():
    obj = {"spec": {}}
    done = change(obj, SUSPEND, True)
    after = written(obj, done)
    after["spec"]["runPolicy"]["cleanPodPolicy"] = "None"
    undone = undoing(after, [done])
    assert patched(after, undone.operations) == {"spec": {"runPolicy": {"cleanPodPolicy": "None"}}}
    assert undone.left == ()


def test_an_object_that_was_made_goes_also_if_somebody_took_the_field_out():
    obj = {"spec": {}}
    done = change(obj, SUSPEND, True)
    assert patched({"spec": {"runPolicy": {}}}, undoing({"spec": {"runPolicy": {}}}, [done]).operations) == obj


def test_a_field_that_somebody_wrote_is_left_and_told():
    done = Change("/spec/replicas", 3, 0)
    assert undoing({"spec": {"replicas": 2}}, [done]).left == (
        "/spec/replicas was changed by somebody else since and stays as it is",
    )
    assert undoing({"spec": {"replicas": 3}}, [done]) == undoing({}, [])


def test_a_field_that_was_taken_out_comes_back_with_what_is_above_it_but_not_into_an_item_that_went():
    taken = Change("/spec/scaling/maxReplicas", 9, ABSENT)
    assert patched({}, undoing({}, [taken]).operations) == {"spec": {"scaling": {"maxReplicas": 9}}}
    of_a_group = Change("/spec/workerGroupSpecs/[groupName=gpu]/maxReplicas", 9, ABSENT)
    gone = undoing({"spec": {"workerGroupSpecs": []}}, [of_a_group])
    assert (gone.operations, len(gone.left)) == ((), 1)


def test_true_is_not_1_and_null_is_not_nothing():
    assert needed([Change("/a", True, True), Change("/b", 1, True), Change("/c", ABSENT, None)]) == (
        Change("/b", 1, True),
        Change("/c", ABSENT, None),
    )
    assert not holds({"a": 1}, [Change("/a", ABSENT, True)])
    assert undoing({"a": 1}, [Change("/a", ABSENT, True)]).left


def test_null_above_a_field_is_replaced_by_an_object():
    obj = {"spec": {"runPolicy": None}}
    done = change(obj, SUSPEND, True)
    assert written(obj, done) == {"spec": {"runPolicy": {"suspend": True}}}


def test_two_writes_of_one_step_are_undone_to_before_the_first():
    once = Change("/spec/maxReplicas", 9, 5, ("/spec",))
    assert combined([once], [Change("/spec/maxReplicas", 5, 3)]) == (Change("/spec/maxReplicas", 9, 3, ("/spec",)),)


def test_what_somebody_wrote_between_two_writes_is_what_comes_back():
    once = Change("/spec/replicas", 9, 0)
    again = Change("/spec/replicas", 4, 0)
    assert combined([once, Change("/spec/other", 1, 2)], [again]) == (again, Change("/spec/other", 1, 2))


def test_a_patch_of_an_older_version_ends_in_a_conflict():
    assert unchanged_since({"metadata": {"resourceVersion": "7"}}) == [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
    ]
    assert unchanged_since({"metadata": {}}) == []


def test_an_item_that_went_cannot_be_written():
    with pytest.raises(LookupError, match="no item"):
        writing({"spec": {"groups": []}}, [Change("/spec/groups/[name=a]/maxReplicas", 9, 1)])
