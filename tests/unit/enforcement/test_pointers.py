"""Places in objects: fields by their names, items of lists by what they say."""

import pytest

from aicost.domain.enforcement.values import ABSENT
from aicost.domain.enforcement.writing.pointers import (
    annotation,
    has_place,
    item,
    label,
    missing_parents,
    patch_path,
    read,
)

CLUSTER = {
    "metadata": {"annotations": {"example.dev/a~b": "x"}, "labels": None},
    "spec": {
        "suspend": None,
        "workerGroupSpecs": [{"groupName": "cpu"}, "noise", {"groupName": "a/b~1", "maxReplicas": 4}],
    },
}
GROUP = f"/spec/workerGroupSpecs/{item('groupName', 'a/b~1')}"


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        (annotation("example.dev/a~b"), "x"),
        (f"{GROUP}/maxReplicas", 4),
        (f"{GROUP}/minReplicas", ABSENT),
        ("/spec/workerGroupSpecs/[groupName=gpu]/maxReplicas", ABSENT),
        ("/spec/suspend", None),
        ("/spec/suspend/deeper", ABSENT),
        ("/status", ABSENT),
        ("/spec/workerGroupSpecs/1", ABSENT),
    ],
)
def test_what_stands_at_a_place_is_read_and_nothing_is_not_null(pointer, value):
    assert read(CLUSTER, pointer) is value or read(CLUSTER, pointer) == value


def test_an_item_is_named_by_its_place_in_this_very_object_when_it_is_patched():
    assert patch_path(CLUSTER, f"{GROUP}/maxReplicas") == "/spec/workerGroupSpecs/2/maxReplicas"
    turned = {"spec": {"workerGroupSpecs": CLUSTER["spec"]["workerGroupSpecs"][::-1]}}
    assert patch_path(turned, f"{GROUP}/maxReplicas") == "/spec/workerGroupSpecs/0/maxReplicas"


def test_an_item_that_is_not_there_has_no_place():
    with pytest.raises(LookupError, match="no item with groupName 'gpu'"):
        patch_path(CLUSTER, "/spec/workerGroupSpecs/[groupName=gpu]/maxReplicas")
    assert not has_place({}, f"{GROUP}/maxReplicas")
    assert has_place({}, "/spec/runPolicy/suspend")


def test_objects_that_must_be_made_are_told_from_the_inside_and_null_is_none():
    assert missing_parents({}, "/spec/runPolicy/suspend") == ("/spec/runPolicy", "/spec")
    assert missing_parents(CLUSTER, label("aicost.dev/enforced")) == ("/metadata/labels",)
    assert missing_parents(CLUSTER, f"{GROUP}/maxReplicas") == ()


def test_a_pointer_begins_with_a_slash():
    with pytest.raises(ValueError, match="pointer 'spec' must begin with /"):
        read(CLUSTER, "spec")
