"""Who wrote a field last, and what lets both live with it."""

import pytest
import yaml

from aicost.domain.enforcement.fights import hint, writer_of
from aicost.domain.enforcement.values import Change, ObjectRef

CHAT = ObjectRef("apps/v1", "Deployment", "research", "chat", "uid-1")
REPLICAS = Change("/spec/replicas", 4, 0)


def entry(manager, fields, second=1, **more):
    return {"manager": manager, "time": f"2026-11-20T10:00:0{second}Z", "fieldsV1": fields, **more}


def managed(*entries, **spec):
    return {"metadata": {"managedFields": list(entries)}, "spec": spec}


def test_the_owner_of_a_field_wrote_it_and_who_owns_what_is_around_it_did_not():
    obj = managed(
        entry("ours", {"f:spec": {"f:suspend": {}}}),
        entry("theirs", {"f:spec": {".": {}, "f:parallelism": {}}}, 2),
        entry("status", {"f:status": {"f:suspend": {}}}, 3, subresource="status"),
    )
    assert writer_of(obj, "/spec/suspend") == "ours"
    assert writer_of(obj, "/spec/completions") == ""


def test_of_two_owners_the_later_one_wrote_it():
    fields = {"f:spec": {"f:replicas": {}}}
    assert writer_of(managed(entry("git", fields, 2), entry("ours", fields, 1)), "/spec/replicas") == "git"


def test_annotations_are_found_by_their_names():
    fields = {"f:metadata": {"f:annotations": {".": {}, "f:serving.kserve.io/stop": {}}}}
    assert writer_of(managed(entry("ours", fields)), "/metadata/annotations/serving.kserve.io~1stop") == "ours"


def test_items_of_lists_are_found_by_their_keys_and_a_whole_list_is_of_one_owner():
    by_key = {"f:spec": {"f:groups": {'k:{"groupName":"gpu"}': {".": {}, "f:maxReplicas": {}}}}}
    pointer = "/spec/groups/[groupName=gpu]/maxReplicas"
    groups = [{"groupName": "gpu", "maxReplicas": 3}]
    assert writer_of(managed(entry("ours", by_key), groups=groups), pointer) == "ours"
    assert writer_of(managed(entry("ours", by_key), groups=groups), pointer.replace("gpu", "cpu")) == ""
    whole = {"f:spec": {"f:groups": {}}}
    assert writer_of(managed(entry("git", whole), groups=groups), pointer) == "git"


def test_what_is_owned_as_an_empty_object_says_nothing_of_its_fields():
    """An object whose fields others own is kept by its maker like this, and it is not the writer of them."""
    assert writer_of(managed(entry("maker", {"f:spec": {}}), replicas=3), "/spec/replicas") == ""


def test_who_scaled_is_known_whatever_the_kind_calls_its_number():
    scaled = entry("hpa", {"f:spec": {"f:engine": {"f:size": {}}}}, 2, subresource="scale")
    written = entry("git", {"f:spec": {"f:engine": {"f:size": {}, "f:image": {}}}}, 3)
    assert writer_of(managed(scaled), "/scale/spec/replicas") == "hpa"
    assert writer_of(managed(scaled, written), "/scale/spec/replicas") == "git"
    assert writer_of(managed(entry("git", {"f:spec": {"f:replicas": {}}})), "/scale/spec/replicas") == "git"


@pytest.mark.parametrize("obj", [{}, {"metadata": {"managedFields": None}}, {"metadata": {"managedFields": ["x", {}]}}])
def test_an_object_without_owners_was_written_by_nobody_that_is_known(obj):
    assert writer_of(obj, "/spec/replicas") == ""


def snippet(text: str):
    return yaml.safe_load(text.partition("\n")[2])


@pytest.mark.parametrize("manager", ["argocd-controller", "argocd-application-controller"])
def test_argo_cd_gets_the_snippet_for_its_application(manager):
    assert snippet(hint(manager, CHAT, [REPLICAS, REPLICAS])) == {
        "spec": {
            "ignoreDifferences": [
                {
                    "group": "apps",
                    "kind": "Deployment",
                    "namespace": "research",
                    "name": "chat",
                    "jsonPointers": ["/spec/replicas"],
                }
            ],
            "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]},
        }
    }


def test_items_of_lists_are_told_to_argo_cd_as_expressions_and_to_flux_as_whole_lists():
    ray = ObjectRef("ray.io/v1", "RayCluster", "research", "sim", "uid-2")
    changes = [
        Change(f"/spec/workerGroupSpecs/[groupName={name}]/maxReplicas", 9, 1) for name in ("it's", "large~1 one")
    ]
    argo = snippet(hint("argocd-controller", ray, changes))["spec"]["ignoreDifferences"][0]
    assert argo["jqPathExpressions"] == [
        f'.spec.workerGroupSpecs[] | select(.groupName == "{name}") | .maxReplicas' for name in ("it's", "large/ one")
    ]
    assert "jsonPointers" not in argo
    flux = snippet(hint("kustomize-controller", ray, changes))["spec"]["ignore"]
    assert flux == [
        {
            "paths": ["/spec/workerGroupSpecs"],
            "target": {"group": "ray.io", "kind": "RayCluster", "namespace": "research", "name": "sim"},
        }
    ]


def test_flux_gets_a_rule_for_its_kustomization_or_its_helm_release():
    target = {"group": "apps", "kind": "Deployment", "namespace": "research", "name": "chat"}
    rule = [{"paths": ["/spec/replicas"], "target": target}]
    assert snippet(hint("kustomize-controller", CHAT, [REPLICAS])) == {"spec": {"ignore": rule}}
    assert snippet(hint("helm-controller", CHAT, [REPLICAS])) == {"spec": {"driftDetection": {"ignore": rule}}}


def test_what_is_scaled_and_what_has_no_group_is_told_as_tools_know_it():
    ref = ObjectRef("v1", "ReplicationController", "research", "old", "uid-3")
    found = snippet(hint("argocd-controller", ref, [Change("/scale/spec/replicas", 3, 0)]))
    assert found["spec"]["ignoreDifferences"][0]["group"] == ""
    assert found["spec"]["ignoreDifferences"][0]["jsonPointers"] == ["/spec/replicas"]


@pytest.mark.parametrize(
    ("manager", "told"),
    [
        ("kube-controller-manager", "lower minReplicas"),
        ("horizontal-pod-autoscaler", "lower minReplicas"),
        ("keda", 'autoscaling.keda.sh/paused: "true"'),
        ("keda-operator", 'autoscaling.keda.sh/paused: "true"'),
        ("kueue", "spec.active: false"),
        ("helm", "Helm writes /spec/replicas at each upgrade"),
        ("kubectl-edit", "kubectl aicost budget request"),
        ("bob", "bob writes it back: have it leave /spec/replicas alone."),
        ("", "Somebody writes it back"),
    ],
)
def test_everybody_else_gets_a_sentence(manager, told):
    found = hint(manager, CHAT, [REPLICAS])
    assert told in found
    assert "\n" not in found
