"""Growth on a real API server: what is there may not become larger while a budget freezes it; all else may change."""

from functools import partial

import pytest

from support.budget_manifests import GROWTH, WAKING, autoscaler, replicated
from support.budget_policies import (
    GATE,
    RELEASE,
    Gated,
    home,
    policies,
    rendered,
    until_denied,
    until_let_in,
)
from support.chart import CHART
from support.guarded import path_of
from support.people import Person, account, collection, denied

pytest_plugins = ["support.budget_gated"]
pytestmark = pytest.mark.cluster
TEAM = "aicost.dev/team"


def test_replicas_may_fall_and_not_rise_by_kubectl_scale(gated: Gated) -> None:
    for kind in ("Deployment", "StatefulSet", "ReplicaSet"):
        gated.make(replicated(kind, 2))
    gated.freeze(replicated(), {"spec": {"replicas": 3}})
    words = ("--namespace", gated.namespace, "--kubeconfig", str(gated.worker.kubeconfig))
    for kind in ("deployment", "statefulset", "replicaset"):
        assert "[budget] gate-" in gated.cluster.kubectl_fails("scale", kind, "d", "--replicas=3", *words)
        gated.cluster.kubectl("scale", kind, "d", "--replicas=1", *words)


@pytest.mark.parametrize("name", GROWTH)
def test_what_is_there_may_not_become_larger(gated: Gated, name: str) -> None:
    body, larger, smaller = GROWTH[name]
    gated.make(body)
    gated.freeze(body, larger)
    denied(partial(gated.change, body, larger))
    gated.change(body, smaller, keep=True)


def test_what_asks_for_no_gpus_may_grow_unless_all_is_meant_but_not_by_scale(gated: Gated) -> None:
    body = replicated(gpus=0)
    gated.make(body)
    gated.freeze(body, {"spec": {"replicas": 2}}, allWorkloads=True)
    gated.gate.set(freezeGrowth=True)
    until_let_in(partial(gated.change, body, {"spec": {"replicas": 2}}))
    denied(partial(gated.change, body, {"spec": {"replicas": 2}}, None, "/scale"))


def test_growth_is_free_while_only_what_is_new_is_refused(gated: Gated) -> None:
    gated.make(replicated())
    gated.close()
    gated.change(replicated(), {"spec": {"replicas": 9}})
    gated.change(replicated(), {"spec": {"replicas": 9}}, None, "/scale")


def test_the_scope_of_growth_is_that_of_what_is_new_and_of_a_scale_its_namespace(gated: Gated) -> None:
    more = {"spec": {"replicas": 5}}
    mine, other = replicated(below={TEAM: "vision"}, name="mine"), replicated(below={TEAM: "search"}, name="other")
    gated.make(mine)
    gated.make(other)
    gated.freeze(mine, more, selectors=[{"key": TEAM, "values": ["vision"]}])
    gated.change(other, more)
    gated.change(mine, more, None, "/scale")  # nothing of it is known but the namespace, which says nothing
    path = f"/api/v1/namespaces/{gated.namespace}"
    gated.cluster.api.patch(path, {"metadata": {"labels": {TEAM: "vision"}}})
    until_denied(partial(gated.change, mine, more, None, "/scale"))
    gated.change(other, more)


@pytest.mark.parametrize("name", WAKING)
def test_people_may_not_wake_what_is_stopped_and_a_queue_may(gated: Gated, name: str) -> None:
    body, wake = WAKING[name]
    gated.make(body)
    gated.freeze(body, wake)
    robot = _robot(gated)
    gated.change(body, wake, robot)
    gated.change(body, {"metadata": {"labels": {"note": "kept"}}}, keep=True)
    held = [{"kind": body["kind"], "name": body["metadata"]["name"], "upTo": 1}]
    gated.gate.set(freezeGrowth=True, held=held, clamp=True)
    until_denied(partial(gated.change, body, wake, robot))
    gated.gate.set(freezeGrowth=True, held=held)
    until_let_in(partial(gated.change, body, wake, robot))
    denied(partial(gated.change, body, wake))


def _robot(gated: Gated) -> Person:
    robot = account(gated.cluster, gated.namespace, "robot")
    robot.works_in(gated.namespace)
    return robot


@pytest.mark.parametrize("part", ["", "/scale"])
def test_a_controller_may_set_back_what_is_held_and_no_more_and_people_may_not(gated: Gated, part: str) -> None:
    body = replicated(replicas=0)
    back, more = {"spec": {"replicas": 3}}, {"spec": {"replicas": 4}}
    gated.make(body)
    robot = _robot(gated)
    gated.freeze(body, back)
    denied(partial(gated.change, body, back, robot, part))
    gated.gate.set(freezeGrowth=True, held=[{"kind": "Deployment", "name": "d", "upTo": 3}])
    until_let_in(partial(gated.change, body, back, robot, part))
    denied(partial(gated.change, body, more, robot, part))
    denied(partial(gated.change, body, back, gated.worker, part))
    gated.gate.set(freezeGrowth=True, clamp=True, held=[{"kind": "Deployment", "name": "d", "upTo": 3}])
    until_denied(partial(gated.change, body, back, robot, part))


def test_a_scale_of_what_is_held_is_judged_whatever_the_selectors_say(gated: Gated) -> None:
    body = replicated(replicas=0, below={TEAM: "vision"})
    gated.make(body)
    more = {"spec": {"replicas": 1}}
    selectors = [{"key": TEAM, "values": ["vision"]}]
    gated.freeze(body, more, selectors=selectors)
    gated.change(body, more, None, "/scale")
    gated.gate.set(freezeGrowth=True, selectors=selectors, held=[{"kind": "Deployment", "name": "d", "upTo": 3}])
    until_denied(partial(gated.change, body, more, None, "/scale"))


def test_our_own_controller_may_always_give_back(gated: Gated, keeper: Person) -> None:
    gated.make(replicated(replicas=0))
    more = {"spec": {"replicas": 3}}
    gated.freeze(replicated(), more, clamp=True, held=[{"kind": "Deployment", "name": "d", "upTo": 3}])
    for part in ("", "/scale"):
        gated.change(replicated(), more, keeper, part)


def test_a_real_autoscaler_grows_no_further(gated: Gated) -> None:
    """The HPA controller writes `/scale` by its own ServiceAccount."""
    gated.make(replicated(replicas=1))
    more = {"spec": {"replicas": 2}}
    gated.freeze(replicated(), more)
    gated.make({**autoscaler(4), "spec": {**autoscaler(4)["spec"], "minReplicas": 2}})
    path = f"{collection('HorizontalPodAutoscaler', gated.namespace)}/h"

    def refused(found: dict) -> bool:
        told = found.get("status", {}).get("conditions") or ()
        return any(one["type"] == "AbleToScale" and "[budget]" in one.get("message", "") for one in told)

    gated.cluster.until(path, refused)
    assert gated.cluster.api.get(f"{collection('Deployment', gated.namespace)}/d")["spec"]["replicas"] == 1


def test_one_line_of_kubectl_lifts_what_freezes_growth(gated: Gated, keeper: Person) -> None:
    gated.make(replicated())
    more = {"spec": {"replicas": 2}}
    gated.freeze(replicated(), more)
    command = ("template", RELEASE, str(CHART), "--show-only", f"templates/{GATE}")
    (line,) = [one[1:].split() for one in gated.cluster.helm(*command).splitlines() if one.startswith("#   kubectl ")]
    gated.cluster.kubectl(*line[1:])
    until_let_in(partial(gated.change, replicated(), more))
    (binding,) = [
        one
        for one in policies(rendered(gated.cluster, home(keeper), GATE))
        if one["metadata"]["name"] == line[-1] and one["kind"].endswith("Binding")
    ]
    gated.cluster.api.patch(path_of(binding), binding, kind="apply")
    until_denied(partial(gated.change, replicated(), more))
