"""What the money gate becomes in the API server: what it hears of, how large it is, and what it knows of kinds."""

import json
import re

import pytest

from aicost.crd.vap.gating import growing
from aicost.crd.vap.gating.growing import GROWING, SCALED, counts_of
from aicost.crd.vap.gating.pods import Parts
from aicost.crd.vap.gating.policies import NEW_KINDS, Cluster, gate_policies
from aicost.crd.vap.language.sentences import sentence
from aicost.crd.vap.language.walking import anywhere
from aicost.domain.enforcement.levers.lever import Ask
from aicost.domain.enforcement.levers.table import SCHEDULES, STOP
from aicost.domain.workloads.kinds import JUDGED_KINDS

LARGEST_BYTES = 200_000
LONGEST_EXPRESSION = 4_000
"""The server takes time for an expression by its square: ten times this took it a quarter of a minute."""
CLUSTER = Cluster(["system:kube-controller-manager"], "['aicost-system']", "system:serviceaccount:aicost-system:aicost")


@pytest.fixture(scope="module")
def objects() -> dict[str, dict]:
    return {f"{one['kind'][10:]} {one['metadata']['name']}": one for one in gate_policies(CLUSTER, "x", {"a": "b"})}


@pytest.fixture(scope="module")
def new(objects) -> dict:
    return objects["AdmissionPolicy x-budget-new"]["spec"]


@pytest.fixture(scope="module")
def growth(objects) -> dict:
    return objects["AdmissionPolicy x-budget-growth"]["spec"]


def _heard(spec: dict) -> set[tuple[str, str]]:
    rules = spec["matchConstraints"]["resourceRules"]
    return {(group, plural) for rule in rules for group in rule["apiGroups"] for plural in rule["resources"]}


def _expressions(spec: dict) -> list[str]:
    parts = ("matchConditions", "variables", "validations")
    return [
        one[key] for part in parts for one in spec[part] for key in ("expression", "messageExpression") if key in one
    ]


def test_each_policy_has_a_binding_of_its_own_so_that_one_can_be_lifted_alone(objects) -> None:
    assert list(objects) == [
        "AdmissionPolicy x-budget-new",
        "AdmissionPolicyBinding x-budget-new",
        "AdmissionPolicy x-budget-growth",
        "AdmissionPolicyBinding x-budget-growth",
    ]
    assert {json.dumps(one["metadata"]["labels"]) for one in objects.values()} == {'{"a": "b"}'}


def test_they_ask_each_gate_of_the_namespace_and_block_nobody_where_there_is_none(objects) -> None:
    for name, one in objects.items():
        if "Binding" in name:
            assert one["spec"]["paramRef"] == {"selector": {}, "parameterNotFoundAction": "Allow"}
            assert one["spec"]["validationActions"] == ["Deny"]
        else:
            assert one["spec"]["failurePolicy"] == "Ignore"
            assert one["spec"]["paramKind"] == {"apiVersion": "aicost.dev/v1alpha1", "kind": "BudgetGate"}


def test_what_is_new_is_heard_of_for_every_kind_that_is_judged_and_runs_something(new) -> None:
    assert _heard(new) == {(kind.group, kind.plural) for kind in JUDGED_KINDS} - {("aicost.dev", "aiworkloads")}
    assert {tuple(rule["operations"]) for rule in new["matchConstraints"]["resourceRules"]} == {("CREATE",)}


def test_growth_is_heard_of_for_all_that_can_grow_and_their_scale(growth) -> None:
    kinds = {(kind.group, kind.plural) for kind in NEW_KINDS} - {("", "pods")}
    beside = {
        ("autoscaling", "horizontalpodautoscalers"),
        ("keda.sh", "scaledobjects"),
        ("kueue.x-k8s.io", "workloads"),
        ("serving.kserve.io", "inferencegraphs"),
    }
    assert _heard(growth) == kinds | beside | {(group, f"{plural}/scale") for group, plural in kinds}
    assert {tuple(rule["operations"]) for rule in growth["matchConstraints"]["resourceRules"]} == {("UPDATE",)}


def test_no_policy_comes_near_to_what_the_api_server_takes_and_no_expression_takes_it_long(objects) -> None:
    for one in objects.values():
        assert len(json.dumps(one)) < LARGEST_BYTES
    for name in ("new", "growth"):
        longest = max(_expressions(objects[f"AdmissionPolicy x-budget-{name}"]["spec"]), key=len)
        assert len(longest) < LONGEST_EXPRESSION, longest[:200]


def test_all_that_an_expression_names_is_there_before_it(new, growth) -> None:
    for spec in (new, growth):
        known: set[str] = set()
        for one in spec["variables"]:
            assert set(re.findall(r"variables\.(\w+)", one["expression"])) <= known, one["name"]
            known.add(one["name"])
        for one in spec["validations"]:
            assert set(re.findall(r"variables\.(\w+)", one["expression"])) <= known


@pytest.mark.parametrize("kind", GROWING, ids=lambda kind: f"{kind.group}/{kind.kind}")
def test_numbers_of_a_kind_are_in_one_list_at_most_and_few_enough(kind) -> None:
    counts = counts_of(kind)
    assert len(counts) <= growing._MOST_COUNTS
    for one in counts:
        assert {pointer.count("*") for pointer in one.pointers} <= {0, 1}
        assert len({pointer.partition("/*")[0] for pointer in one.pointers if "*" in pointer}) <= 1


@pytest.mark.parametrize(
    ("kind", "pointers"),
    [
        ("apps/Deployment", {"/spec/replicas"}),
        ("batch/Job", {"/spec/parallelism"}),
        ("autoscaling/HorizontalPodAutoscaler", {"/spec/maxReplicas"}),
        ("keda.sh/ScaledObject", {"/spec/maxReplicaCount"}),
        ("jobset.x-k8s.io/JobSet", {"/spec/replicatedJobs/*/replicas"}),
        ("ray.io/RayCluster", {"/spec/workerGroupSpecs/*/replicas", "/spec/workerGroupSpecs/*/maxReplicas"}),
        ("ray.io/RayService", {"/spec/rayClusterConfig/workerGroupSpecs/*/replicas"}),
        ("kubeflow.org/TFJob", {"/spec/tfReplicaSpecs/*/replicas"}),
        ("serving.kserve.io/InferenceService", {"/spec/predictor/minReplicas", "/spec/predictor/maxReplicas"}),
        ("leaderworkerset.x-k8s.io/LeaderWorkerSet", {"/spec/replicas", "/spec/leaderWorkerTemplate/size"}),
    ],
)
def test_what_people_raise_is_counted(kind, pointers) -> None:
    (known,) = (one for one in GROWING if f"{one.group}/{one.kind}" == kind)
    assert pointers <= {pointer for one in counts_of(known) for pointer in one.pointers}


@pytest.mark.parametrize("lever", [*STOP, *SCHEDULES], ids=lambda one: f"{one.group}/{one.kind}")
def test_every_way_in_which_a_budget_stops_something_is_known_to_what_wakes_it(lever) -> None:
    """What a lever writes is a switch that is watched, or a number that is counted."""
    (kind,) = (one for one in GROWING if (one.group, one.kind) == (lever.group, lever.kind))
    counted = {pointer for one in counts_of(kind) for pointer in one.pointers}
    written = {pointer for pointer, _ in lever.writes({"spec": {"replicas": 1}}, Ask())}
    assert written
    assert written <= counted | set(growing._STOPPED)


def test_what_a_scale_belongs_to_is_told_by_its_resource() -> None:
    kinds = growing.growing()["kind"]
    for kind in SCALED:
        assert f'"{kind.group}/{kind.plural}": "{kind.kind}"' in kinds


def test_an_expression_becomes_one_variable_however_often_it_is_asked_for() -> None:
    parts = Parts("p")
    assert [parts.of("a"), parts.of("b"), parts.of("a")] == ["variables.p0", "variables.p1", "variables.p0"]
    assert parts.variables == {"p0": "a", "p1": "b"}


def test_a_walk_goes_through_lists_in_lists() -> None:
    walk = anywhere("object", "/a/*/b/*/c", lambda one: f"{one} == 1")
    assert walk.count(".exists(") == 3
    assert "[p0]" in walk
    assert "[p1]" in walk
    assert "p2 == 1" in walk


def test_a_sentence_holds_its_values_and_the_requester() -> None:
    assert sentence('<user> asks for "<what>".', what="x") == (
        'request.userInfo.username + " asks for \\"" + x + "\\"."'
    )
    with pytest.raises(KeyError):
        sentence("<nobody>")
