"""Changes of labels as a JSON patch."""

import pytest

from aicost.domain.identity.dimensions import Source
from aicost.domain.policy.as_patch import json_patch
from aicost.domain.policy.decisions import LabelChange
from aicost.domain.workloads.reading import read_workload
from support.admission.manifests import deployment
from support.admission.patching import patched


def change(path: str, label: str = "aicost.dev/team", value: str = "vision") -> LabelChange:
    return LabelChange(path, label, value, "", Source.NAMESPACE_LABEL, "namespace/vision")


def test_a_label_is_added_beside_others_with_its_slash_escaped():
    workload = read_workload(deployment({"a": "b"}))
    assert json_patch(workload, [change("")]) == [
        {"op": "add", "path": "/metadata/labels/aicost.dev~1team", "value": "vision"}
    ]


@pytest.mark.parametrize("labels", [None, {}])
def test_labels_are_made_where_there_are_none(labels):
    manifest = deployment(labels)
    patch = json_patch(read_workload(manifest), [change(""), change("", "a~b", "x")])
    assert patched(manifest, patch)["metadata"]["labels"] == {"aicost.dev/team": "vision", "a~b": "x"}


def test_labels_that_are_null_are_replaced():
    manifest = deployment({})
    manifest["metadata"]["labels"] = None
    assert patched(manifest, json_patch(read_workload(manifest), [change("")]))["metadata"]["labels"] == {
        "aicost.dev/team": "vision"
    }


def test_metadata_is_made_where_a_template_has_none():
    manifest = deployment()
    del manifest["spec"]["template"]["metadata"]
    after = patched(manifest, json_patch(read_workload(manifest), [change("/spec/template")]))
    assert after["spec"]["template"]["metadata"] == {"labels": {"aicost.dev/team": "vision"}}


def test_a_value_is_replaced_and_the_rest_stays():
    manifest = deployment({"aicost.dev/team": "Vision", "app": "chat"})
    after = patched(manifest, json_patch(read_workload(manifest), [change("")]))
    assert after["metadata"]["labels"] == {"aicost.dev/team": "vision", "app": "chat"}


def test_a_place_that_is_not_there_gets_nothing():
    workload = read_workload(deployment())
    assert json_patch(workload, [change("/spec/nowhere/0/template")]) == []


def test_no_changes_are_no_patch():
    assert json_patch(read_workload(deployment()), []) == []
