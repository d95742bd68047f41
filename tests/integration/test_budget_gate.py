"""The money gate on a real API server: what a budget refuses is refused there, without a pod of ours."""

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import SECOND_MS, to_rfc3339
from aicost.domain.workloads.reading import read_workload
from devcluster.nodes import FakeNode
from support.budget_manifests import ASKING, UNKNOWN, cron_job, job, owned_by, pod, ray_cluster, replicated
from support.budget_policies import (
    GATE,
    LATER,
    LONG_AGO,
    Gate,
    Gated,
    home,
    policies,
    rendered,
    until_denied,
    until_let_in,
)
from support.cluster import LiveCluster
from support.guarded import in_place, path_of
from support.people import Person, account, collection, denied

pytest_plugins = ["support.budget_gated"]
pytestmark = pytest.mark.cluster

TEAM = "aicost.dev/team"
EXEMPT = "aicost.dev/budget-exempt-until"
Object = dict[str, Any]


def _moment(seconds: int) -> str:
    return to_rfc3339((now_ms() // SECOND_MS + seconds) * SECOND_MS)


NEW: dict[str, Callable[[int], Object]] = {
    "a bare pod": pod,
    "a Deployment": lambda gpus: replicated(gpus=gpus),
    "a StatefulSet": lambda gpus: replicated("StatefulSet", gpus=gpus),
    "a ReplicaSet": lambda gpus: replicated("ReplicaSet", gpus=gpus),
    "a Job": job,
    "a CronJob": lambda gpus: {
        **cron_job(),
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": job(gpus)["spec"]}},
    },
    "a RayCluster": lambda gpus: ray_cluster(gpus=gpus),
}


@pytest.mark.parametrize("name", NEW)
def test_what_is_new_and_asks_for_gpus_is_refused_and_what_does_not_is_let_in(closed: Gated, name: str) -> None:
    said = denied(partial(closed.try_out, NEW[name](1)))
    assert said.endswith("denied request: [budget] [gone] the month is spent"), said
    closed.try_out(NEW[name](0))


@pytest.mark.parametrize("name", NEW)
def test_with_all_workloads_everything_new_is_refused(gated: Gated, name: str) -> None:
    gated.close(allWorkloads=True)
    denied(partial(gated.try_out, NEW[name](0)))


@pytest.mark.parametrize("name", ASKING)
def test_who_asks_for_accelerators_is_told_by_the_same_table_as_everywhere(closed: Gated, name: str) -> None:
    body = ASKING[name]
    read = read_workload(body)
    assert read is not None
    if read.wants_gpus:
        denied(partial(closed.try_out, body))
    else:
        closed.try_out(body)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_known_counts_as_asking(closed: Gated, name: str) -> None:
    denied(partial(closed.try_out, UNKNOWN[name]))


def test_where_no_gate_is_everything_is_let_in(gated: Gated, cluster: LiveCluster) -> None:
    gated.close(allWorkloads=True)
    name = f"free-{secrets.token_hex(3)}"
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    cluster.api.create(f"{collection('Pod', name)}?dryRun=All", pod())
    cluster.api.delete(f"/api/v1/namespaces/{name}")


def test_a_gate_that_refuses_nothing_lets_everything_in(gated: Gated) -> None:
    gated.close()
    gated.gate.set(denyNew=False, freezeGrowth=True)
    until_let_in(partial(gated.try_out, pod()))


def test_a_gate_whose_time_has_passed_lets_everything_in(gated: Gated) -> None:
    gated.close(allWorkloads=True)
    gated.gate.set(denyNew=True, allWorkloads=True, until=LONG_AGO)
    until_let_in(partial(gated.try_out, pod()))


def test_a_gate_that_nobody_renews_opens_by_itself(gated: Gated) -> None:
    gated.close(until=_moment(3))
    until_let_in(partial(gated.try_out, pod()))
    assert gated.cluster.api.get(gated.gate.path)["status"]["denyNew"] is True


@pytest.mark.parametrize("count", [1, 2])
def test_each_gate_of_a_namespace_is_asked(gated: Gated, count: int) -> None:
    other = Gate(gated.gate.keeper, gated.namespace, "company")
    other.make()
    for gate in (gated.gate, other)[-count:]:
        gate.close(partial(gated.try_out, pod()), denyNew=True)
    denied(partial(gated.try_out, pod()))


def test_system_namespaces_and_our_own_are_never_refused(gated: Gated, keeper: Person) -> None:
    admin = gated.cluster.api
    places = ("kube-system", "kube-public", home(keeper))
    gates = [Gate(keeper, place, f"g-{secrets.token_hex(3)}") for place in places]
    for gate in gates:
        gate.make()
        gate.set(denyNew=True, allWorkloads=True)
    gated.close()  # the server has read this gate, so it has read the ones before
    for place in places:
        admin.create(f"{collection('Deployment', place)}?dryRun=All", replicated())
    for gate in gates:
        keeper.api.delete(gate.path)


def test_what_is_said_is_one_line_and_there_is_always_something_to_say(gated: Gated) -> None:
    gated.close(message="first\nsecond\r\n")
    assert denied(partial(gated.try_out, pod())).endswith("[budget] first second")
    gated.gate.set(denyNew=True)
    said = until_denied(partial(gated.try_out, pod()), "Fix: ")
    assert '[budget] the Budget "month" lets nothing new or larger in for now. Fix: ' in said


# Scope


@pytest.mark.parametrize(
    ("labels", "below"),
    [({}, {TEAM: "vision"}), ({TEAM: "vision"}, {}), ({TEAM: "Vision"}, {}), ({TEAM: "search"}, {TEAM: "VISION"})],
    ids=str,
)
def test_an_object_is_in_scope_by_its_pods_or_by_itself_in_any_spelling(
    gated: Gated, labels: Object, below: Object
) -> None:
    gated.gate.close(
        partial(gated.try_out, pod(labels={TEAM: "vision"})),
        denyNew=True,
        selectors=[{"key": TEAM, "values": ["vision"]}],
    )
    denied(partial(gated.try_out, replicated(labels=labels, below=below)))


@pytest.mark.parametrize(
    ("labels", "below"), [({}, {}), ({TEAM: "search"}, {}), ({TEAM: "vision"}, {TEAM: "search"})], ids=str
)
def test_who_is_somebody_elses_is_let_in(gated: Gated, labels: Object, below: Object) -> None:
    gated.gate.close(
        partial(gated.try_out, pod(labels={TEAM: "vision"})),
        denyNew=True,
        selectors=[{"key": TEAM, "values": ["vision"]}],
    )
    gated.try_out(replicated(labels=labels, below=below))


def test_an_object_without_labels_is_what_its_namespace_says(gated: Gated) -> None:
    path = f"/api/v1/namespaces/{gated.namespace}"
    gated.cluster.api.patch(path, {"metadata": {"labels": {TEAM: "Vision"}}})
    gated.close(selectors=[{"key": TEAM, "values": ["vision"]}])
    denied(partial(gated.try_out, replicated()))
    gated.try_out(replicated(labels={TEAM: "search"}))


def test_an_empty_value_stands_for_what_nobody_has_labelled(gated: Gated) -> None:
    gated.close(selectors=[{"key": TEAM, "values": ["", "vision"]}])
    denied(partial(gated.try_out, pod(labels={TEAM: "untagged"})))
    gated.try_out(pod(labels={TEAM: "search"}))


def test_all_selectors_must_fit(gated: Gated) -> None:
    both = {TEAM: "vision", "aicost.dev/stage": "pilot"}
    selectors = [{"key": TEAM, "values": ["vision"]}, {"key": "aicost.dev/stage", "values": ["pilot", "sandbox"]}]
    gated.gate.close(partial(gated.try_out, pod(labels=both)), denyNew=True, selectors=selectors)
    gated.try_out(pod(labels={**both, "aicost.dev/stage": "experiment"}))
    gated.try_out(pod(labels={TEAM: "vision"}))


@pytest.mark.parametrize(
    ("key", "value", "labelled", "let_in"),
    [
        ("aicost.dev/cost-center", "cc-12", "CC_12", "cc-13"),
        ("aicost.dev/model", "meta-llama/llama-3.1-8b", "meta-llama--Llama-3.1-8B", "llama-3.1-8b"),
        ("tier", "Gold", "Gold", "gold"),
    ],
)
def test_values_are_compared_in_the_form_of_their_key(
    gated: Gated, key: str, value: str, labelled: str, let_in: str
) -> None:
    gated.gate.close(
        partial(gated.try_out, pod(labels={key: labelled})), denyNew=True, selectors=[{"key": key, "values": [value]}]
    )
    gated.try_out(pod(labels={key: let_in}))


# Exemptions


def test_an_exempt_object_is_let_in_until_its_time(gated: Gated) -> None:
    gated.close()
    gated.try_out(pod(annotations={EXEMPT: LATER}))
    for over in (LONG_AGO, "soon", "2099-02-31T00:00:00Z", ""):
        denied(partial(gated.try_out, pod(annotations={EXEMPT: over})))


# What runs


@pytest.fixture
def pool(local_cluster: LiveCluster) -> Iterator[list[str]]:
    """Two nodes with GPUs."""
    name = f"pool-{secrets.token_hex(3)}"
    nodes = [f"{name}-{number}" for number in range(2)]
    for node in nodes:
        local_cluster.nodes.create(FakeNode(node, gpu_count=8, labels={"pool": name}))
    yield nodes
    for node in nodes:
        local_cluster.nodes.delete(node)


def _running(gated: Gated, pool: list[str], replicas: int = 2) -> Object:
    """A Deployment that runs on the nodes of a pool, made before the gate is closed."""
    body = replicated(replicas=replicas)
    body["spec"]["template"]["spec"]["nodeSelector"] = {"pool": pool[0].rpartition("-")[0]}
    gated.make(body)
    return _available(gated, replicas)


def _available(gated: Gated, replicas: int) -> Object:
    path = f"{collection('Deployment', gated.namespace)}/d"
    return gated.cluster.until(path, lambda it: it.get("status", {}).get("availableReplicas") == replicas)


def _pods(gated: Gated) -> list[Object]:
    return gated.cluster.api.get(f"{collection('Pod', gated.namespace)}?labelSelector=app%3Dx")["items"]


def test_a_pod_that_goes_is_replaced_under_a_closed_gate(gated: Gated, pool: list[str]) -> None:
    _running(gated, pool)
    gated.close(allWorkloads=True, freezeGrowth=True)
    gone = _pods(gated)[0]["metadata"]
    gated.worker.api.delete(f"{collection('Pod', gated.namespace)}/{gone['name']}")
    gated.cluster.until_gone(f"{collection('Pod', gated.namespace)}/{gone['name']}")
    _available(gated, 2)
    assert gone["uid"] not in {one["metadata"]["uid"] for one in _pods(gated)}


def test_the_pods_of_a_drained_node_come_up_elsewhere_under_a_closed_gate(gated: Gated, pool: list[str]) -> None:
    _running(gated, pool)
    gated.close(allWorkloads=True, freezeGrowth=True)
    drained = _pods(gated)[0]["spec"]["nodeName"]
    gated.cluster.kubectl("drain", drained, "--ignore-daemonsets", "--force", "--timeout=60s")
    _available(gated, 2)
    assert {one["spec"]["nodeName"] for one in _pods(gated)} == {node for node in pool if node != drained}


def test_a_new_version_of_what_runs_is_rolled_out_under_a_closed_gate(gated: Gated, pool: list[str]) -> None:
    body = _running(gated, pool)
    gated.close(allWorkloads=True, freezeGrowth=True)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "busybox:2"}]}}}}
    path = f"{collection('Deployment', gated.namespace)}/d"
    gated.worker.api.patch(path, image, kind="strategic")
    newer = body["status"]["observedGeneration"] + 1
    gated.cluster.until(
        path, lambda it: it["status"]["observedGeneration"] >= newer and it["status"].get("updatedReplicas") == 2
    )
    _available(gated, 2)


def test_the_pods_of_a_job_and_of_a_stateful_set_come_up_again_too(gated: Gated, pool: list[str]) -> None:
    on = {"pool": pool[0].rpartition("-")[0]}
    for body in (replicated("StatefulSet"), job(backoffLimit=5)):
        body["spec"]["template"]["spec"]["nodeSelector"] = on
        gated.make(body)
    listed = f"{collection('Pod', gated.namespace)}?labelSelector=app%3Dx"
    ready = gated.cluster.until(
        listed, lambda it: [one["status"]["phase"] for one in it["items"]] == ["Running", "Running"]
    )
    gated.close(allWorkloads=True)
    before = {one["metadata"]["uid"] for one in ready["items"]}
    for one in ready["items"]:
        gated.worker.api.delete(f"{collection('Pod', gated.namespace)}/{one['metadata']['name']}")
    gated.cluster.until(
        listed,
        lambda it: (
            len([one for one in it["items"] if one["status"]["phase"] == "Running"]) == 2
            and not before & {one["metadata"]["uid"] for one in it["items"]}
        ),
    )


def test_a_daemon_set_serves_its_nodes_and_is_let_in_with_its_pods(gated: Gated, pool: list[str]) -> None:
    gated.close(allWorkloads=True)
    body = replicated("DaemonSet")
    del body["spec"]["replicas"]
    body["spec"]["template"]["spec"]["nodeSelector"] = {"pool": pool[0].rpartition("-")[0]}
    gated.make(body)
    gated.cluster.until(f"{collection('DaemonSet', gated.namespace)}/d", lambda it: it["status"]["numberReady"] == 2)


def test_an_owner_that_somebody_writes_into_a_pod_opens_no_door(gated: Gated) -> None:
    owner = gated.make(replicated("ReplicaSet", replicas=0))
    gated.close()
    denied(partial(gated.try_out, pod(ownerReferences=owned_by(owner))))
    robot = account(gated.cluster, gated.namespace, "robot")
    robot.works_in(gated.namespace)
    denied(partial(gated.try_out, pod(ownerReferences=owned_by(owner)), robot))


# What nobody should write, and what may be missing


ODD: dict[str, Any] = {
    "a text for a list": "text",
    "a list of texts": ["text", 5, None, [], {}],
    "a number for a template": [{"template": 5}],
    "a list for a spec": [{"template": {"spec": [1]}}],
    "containers of no shape": [{"template": {"spec": {"template": {"spec": {"containers": "none"}}}}}],
    "limits of no shape": [
        {"template": {"spec": {"template": {"spec": {"containers": [{"resources": {"limits": ["nvidia.com/gpu"]}}]}}}}}
    ],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_parts_hide_nothing_and_break_nothing(gated: Gated, name: str) -> None:
    gated.close(selectors=[{"key": TEAM, "values": ["", "vision"]}])
    spec = {"replicatedJobs": ODD[name]}
    body = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "s"}, "spec": spec}
    gated.try_out(body)
    if isinstance(ODD[name], list):
        asking = {"name": "x", "template": job()}
        denied(partial(gated.try_out, {**body, "spec": {"replicatedJobs": [*ODD[name], asking]}}))


def test_a_hundred_groups_are_each_looked_at(gated: Gated) -> None:
    gated.close(selectors=[{"key": TEAM, "values": ["", "vision"]}])
    denied(partial(gated.try_out, ray_cluster(groups=100)))
    gated.try_out(ray_cluster(groups=100, gpus=0))


def test_policies_whose_kind_is_not_there_block_nobody(gated: Gated, keeper: Person) -> None:
    """If they failed closed they would: that shows that the server has read them."""
    documents = policies(rendered(gated.cluster, home(keeper), GATE))
    gated.make(replicated())
    for one in documents:
        one["metadata"]["name"] += "-early"
        if "policyName" in one["spec"]:
            one["spec"]["policyName"] += "-early"
        else:
            one["spec"]["paramKind"] = {"apiVersion": "aicost.dev/v1alpha1", "kind": "Tomorrow"}
    closed = [{**one, "spec": {**one["spec"], "failurePolicy": "Fail"}} if _judges(one) else one for one in documents]
    ask = (partial(gated.try_out, pod()), partial(gated.change, replicated(), {"spec": {"replicas": 2}}))
    with in_place(gated.cluster, closed):
        for request in ask:
            until_denied(request, "Tomorrow")
        for one in filter(_judges, documents):
            gated.cluster.api.patch(path_of(one), one, kind="apply")
        for request in ask:
            until_let_in(request)


def _judges(document: Object) -> bool:
    return document["kind"] == "ValidatingAdmissionPolicy"
