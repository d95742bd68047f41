"""From objects as the API server shows them to what an audit keeps."""

from dataclasses import replace
from typing import Any

from aicost.domain.identity.claims import LabelSelector, WorkloadClaim
from aicost.domain.policy.decisions import Verdict
from aicost.domain.policy.policies import Mode, NamespaceScope
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.workloads.shapes import Scaling
from aicost.usecases.audit_labels import LabelAudit
from support.admission.policies import COST_CENTER, TEAM, WORLD, policy
from support.builders import T0

KINDS = ("Deployment", "Pod")


def deployment(name: str = "chat", namespace: str = "plain", gpus: int = 1, **metadata: Any) -> dict[str, Any]:
    labels = {"app": name}
    container = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.9",
        "args": ["--model", "Qwen/Qwen2-7B"],
        "resources": {"limits": {"nvidia.com/gpu": gpus}} if gpus else {},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }


def look(*bodies: dict[str, Any], snapshot: PolicySnapshot | None = None, beside=()):
    world = replace(WORLD, policies=(policy(TEAM, COST_CENTER),)) if snapshot is None else snapshot
    audit = LabelAudit(world, beside, T0, KINDS)
    audit.look_at_all(bodies)
    return audit.end(T0)


def only(*bodies, **more):
    (found,) = look(*bodies, **more).objects
    return found


def test_an_object_is_judged_as_its_creation_would_be():
    found = only(deployment(labels={"aicost.dev/team": "visoin"}))
    assert found.verdict is Verdict.DENY
    assert found.breaks[0].text == 'team="visoin" is not a known team'
    assert (found.required, found.missing) == (("team", "cost-center"), ("cost-center",))


def test_inherited_values_count_with_their_source():
    found = only(deployment(namespace="vision"))
    assert (found.values, found.sources) == ({"team": "vision"}, {"team": "namespace_label"})
    assert found.missing == ("cost-center",)
    assert not found.bare


def test_a_default_satisfies_nobody_here():
    with_default = replace(TEAM, default="unowned")
    found = only(deployment(), snapshot=replace(WORLD, policies=(policy(with_default),)))
    assert found.values == {"team": "unowned"}
    assert found.sources == {"team": "policy_default"}
    assert (found.missing, found.bare) == (("team",), True)


def test_without_a_policy_it_is_asked_who_owns_what_runs_on_gpus():
    audit = look(deployment("a"), deployment("b", gpus=0), deployment("c", "vision"), snapshot=WORLD)
    assert [one.required for one in audit.objects] == [("team",), (), ("team",)]
    assert [one.missing for one in audit.objects] == [("team",), (), ()]
    assert audit.policies == ()
    assert [key.key for key in audit.keys] == ["team"]


def test_what_it_runs_is_told():
    runs = only(deployment()).runs
    assert (runs.wants_gpus, runs.gpu_milli, runs.pods) == (True, 2000, 2)
    assert (runs.model, runs.workload_type, runs.scaling) == ("qwen/qwen2-7b", "inference", Scaling.FIXED)
    assert runs.is_ai
    web = deployment(gpus=0)
    web["spec"]["template"]["spec"]["containers"][0] |= {"image": "nginx:1", "args": []}
    assert not only(web).runs.is_ai


def test_the_aiworkload_that_speaks_for_it_is_named():
    claim = WorkloadClaim("plain", "assistant", "uid", T0, selector=LabelSelector({"app": "chat"}))
    assert only(deployment(), snapshot=replace(WORLD, claims={"plain": (claim,)})).runs.claim == "assistant"


def test_what_another_listed_object_controls_is_not_counted_besides_it():
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "up", "uid": "u", "controller": True}
    foreign = {**owner, "apiVersion": "models.acme.com/v1", "kind": "Server"}
    audit = look(
        deployment("part", ownerReferences=[owner]),
        deployment("of-something-unknown", ownerReferences=[foreign]),
        deployment("friend", ownerReferences=[{**owner, "controller": False}]),
    )
    assert [one.name for one in audit.objects] == ["friend", "of-something-unknown"]
    assert audit.objects[1].missing, "nobody else answers for what an unknown kind controls"


def test_the_system_is_left_alone():
    assert look(deployment(namespace="kube-system")).objects == ()


def test_an_object_that_is_listed_twice_counts_once():
    assert len(look(deployment(), deployment()).objects) == 1


def test_things_that_run_nothing_and_junk_are_passed_over():
    junk: list[Any] = [{}, {"kind": 5, "metadata": []}, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}]
    assert look(*junk, deployment()).objects[0].name == "chat"


def test_who_answers_for_it_is_read_from_annotations_and_cut():
    assert only(deployment(annotations={"owner": "  jo@acme.com "})).owner == "jo@acme.com"
    assert len(only(deployment(annotations={"aicost.dev/owner": "x" * 5_000})).owner) == 63


def test_a_claim_template_beside_it_gives_it_a_size():
    claimed = deployment(gpus=0)
    pod = claimed["spec"]["template"]["spec"]
    pod["resourceClaims"] = [{"name": "gpu", "resourceClaimTemplateName": "two-gpus"}]
    exactly = {"deviceClassName": "gpu.nvidia.com", "allocationMode": "ExactCount", "count": 2}
    template = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": "two-gpus", "namespace": "plain"},
        "spec": {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}},
    }
    assert only(claimed).runs.gpu_milli is None
    assert only(claimed, beside=[template]).runs.gpu_milli == 4000
    elsewhere = {**template, "metadata": {"name": "two-gpus", "namespace": "other"}}
    assert only(claimed, beside=[elsewhere]).runs.gpu_milli is None


def test_each_policy_sees_its_own_objects_and_problems():
    mine = policy(TEAM, name="mine", mode=Mode.WARN, namespaces=NamespaceScope(frozenset({"plain"})))
    audit = look(
        deployment("a"), deployment("b", "vision"), snapshot=replace(WORLD, policies=(mine, policy(COST_CENTER)))
    )
    by_name = {state.name: audit.of_policy(state) for state in audit.policies}
    assert [one.name for one in by_name["mine"].objects] == ["a"]
    assert {problem.key for problem in by_name["mine"].objects[0].problems} == {"team"}
    assert [one.missing for one in by_name["cost-labels"].objects] == [("cost-center",)] * 2
    assert by_name["mine"].keys[0].namespaces == ("plain",)


def test_one_namespace_of_an_audit_holds_nothing_of_another():
    audit = look(deployment("a"), deployment("b", "vision"))
    assert [one.name for one in audit.of_namespace("vision").objects] == ["b"]
