"""What an object remembers of the steps that hold it."""

import json

import pytest

from aicost.domain.enforcement.values import ABSENT, Change
from aicost.domain.enforcement.writing.records import (
    ENFORCED,
    changes_of,
    held,
    record,
    records_on,
    with_record,
    without_record,
)
from aicost.domain.enforcement.writing.steps import all_changes, doing, taking_back
from support.json_patch import patched

JOB = {"kind": "Job", "metadata": {"name": "train"}, "spec": {"suspend": False}}
SUSPENDED = Change("/spec/suspend", False, True)
ADDED = Change("/metadata/annotations/a~1b", ABSENT, None, ("/metadata/annotations",))


def of(action, *changes):
    return record(action, "research/month", "Suspend", 1_800_000_000_999, changes)


def remembering(*records):
    obj = JOB
    for one in records:
        obj = patched(obj, doing(obj, one.changes, one))
    return obj


def test_a_record_is_read_as_it_was_written():
    obj = remembering(of("first", SUSPENDED, ADDED))
    assert records_on(obj) == (of("first", SUSPENDED, ADDED),)
    assert records_on(obj)[0].at == "2027-01-15T08:00:00Z"
    assert obj["metadata"]["labels"] == {ENFORCED: "true"}


def test_records_of_several_steps_lie_beside_each_other_and_the_last_takes_the_label_along():
    obj = remembering(of("first", SUSPENDED), of("second", ADDED))
    assert [one.action for one in records_on(obj)] == ["first", "second"]
    obj = patched(obj, taking_back(obj, "first", [SUSPENDED]).operations)
    assert [one.action for one in records_on(obj)] == ["second"]
    assert obj["metadata"]["labels"] == {ENFORCED: "true"}
    assert patched(obj, taking_back(obj, "second", [ADDED]).operations) == JOB


def test_a_step_that_is_done_again_keeps_what_stood_there_before_it():
    obj = remembering(of("first", SUSPENDED))
    again = patched(obj, doing(obj, (), of("first")))
    assert changes_of(again, "first") == (SUSPENDED,)
    assert changes_of(again, "another") == ()


def test_what_the_object_alone_remembers_is_undone_too_and_what_is_told_goes_first():
    obj = remembering(of("first", SUSPENDED, ADDED))
    told = Change("/spec/suspend", ABSENT, "never")
    assert all_changes(obj, "first", [told]) == (told, ADDED)


def test_a_step_that_wrote_over_another_inherits_what_stood_there_before_both():
    first, second = Change("/spec/parallelism", 8, 4), Change("/spec/parallelism", 4, 2)
    obj = {**JOB, "spec": {"parallelism": 8}}
    for action, done in (("first", first), ("second", second)):
        obj = patched(obj, doing(obj, [done], of(action, done)))
    undone = taking_back(obj, "first", [first])
    assert undone.left == (), "it comes back with the second step"
    obj = patched(obj, undone.operations)
    assert (obj["spec"], changes_of(obj, "second")) == ({"parallelism": 2}, (Change("/spec/parallelism", 8, 2),))
    assert all_changes(obj, "second", [second]) == (Change("/spec/parallelism", 8, 2),)


def test_a_patch_that_changes_nothing_is_not_made():
    obj = {**remembering(of("first", SUSPENDED)), "metadata": {"resourceVersion": "3"}}
    obj["metadata"] |= remembering(of("first", SUSPENDED))["metadata"]
    assert doing(obj, (), of("first")) == []
    assert taking_back(obj, "nobody", ()).operations == ()


def test_who_holds_a_field_is_known_while_it_is_as_it_was_written():
    obj = remembering(of("first", SUSPENDED))
    assert held(obj, "/spec/suspend")
    assert not held({**obj, "spec": {"suspend": False}}, "/spec/suspend")
    assert not held(obj, "/spec/parallelism")


@pytest.mark.parametrize("text", ["", "{", "7", "[7]", '{"action": "x"}', '[{"action": "x"}]', "null", 42, ["x"]])
def test_what_is_no_record_says_nothing_and_is_written_over(text):
    obj = {"metadata": {"annotations": {ENFORCED: text}}}
    assert records_on(obj) == ()
    assert json.loads(with_record(obj, of("first"))[0].after)[0]["action"] == "first"
    assert [one.after for one in without_record(obj, "first")] == [ABSENT, ABSENT]
