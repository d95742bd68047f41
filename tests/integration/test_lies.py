"""Nobody gains by lying, whichever engine judges: two people with certificates of their own on a real API server."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import yaml

from aicost.crd.convert.policies import label_policy
from aicost.crd.vap.generate import generate, generated_guards
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.policy.requests import PolicySnapshot
from devcluster.api import ApiError
from support.admission.manifests import deployment, owned_by, pod
from support.chart import CHART, DEFINITIONS, exists, is_established
from support.cluster import LiveCluster
from support.guarded import in_place
from support.people import Person, person
from support.webhook import RunningWebhook, running_webhook

pytestmark = pytest.mark.cluster

TEAM, STAGE = "aicost.dev/team", "aicost.dev/stage"
MINE, THEIRS = "research", "vision"
Object = dict[str, Any]
WORKLOAD: Object = {
    "apiVersion": "aicost.dev/v1alpha1",
    "kind": "AIWorkload",
    "metadata": {"name": "w"},
    "spec": {"selector": {"matchLabels": {"app": "x"}}, "dimensions": {"team": THEIRS}},
}


@dataclass(frozen=True)
class Town:
    """Two namespaces with a person in each; the name of a team may be charged from one of them alone."""

    mine: str
    theirs: str
    me: Person
    them: Person

    def refused(self, body: Object) -> str:
        """What I am told when I lie."""
        with pytest.raises(ApiError) as caught:
            self.me.create({**body, "metadata": {**body["metadata"], "namespace": self.mine}}, self.mine)
        assert "denied" in str(caught.value), caught.value
        assert "HTTP 403" in str(caught.value) or "HTTP 400" in str(caught.value)
        return str(caught.value)


def _spec(theirs: str, engine: str) -> Object:
    bound = [{"value": THEIRS, "namespaces": {"names": [theirs]}}]
    key = {
        "key": "team",
        "aliases": ["squad"],
        "valueAliases": {"vis": THEIRS},
        "required": "Always",
        "allowed": {"values": [MINE, THEIRS], "bound": bound},
    }
    stage = {"key": "stage", "aliases": ["phase"], "valueAliases": {"live": "production"}}
    return {"mode": "Deny", "engine": engine, "keys": [key, stage]}


def _policy(spec: Object) -> LabelPolicy:
    read = label_policy({"metadata": {"name": "payers", "uid": "u", "generation": 1}, "spec": spec}).value
    assert read is not None
    return read


def _chart_guards(cluster: LiveCluster) -> list[Object]:
    command = ("template", "lies", str(CHART), "--show-only", "templates/guards.yaml")
    documents = [document for document in yaml.safe_load_all(cluster.helm(*command)) if document]
    return [one for one in documents if one["kind"].startswith("ValidatingAdmissionPolicy")]


@pytest.fixture(scope="module", params=["vap", "webhook"])
def town(request: pytest.FixtureRequest, cluster: LiveCluster) -> Iterator[Town]:
    """The town under one engine, with the guards that the chart and the controller keep."""
    with contextlib.ExitStack() as stack:
        webhook = stack.enter_context(running_webhook(cluster)) if request.param == "webhook" else None
        mine, theirs = (_namespace(cluster, name) for name in ("mine", "theirs"))
        one = Town(mine, theirs, person(cluster, "me"), person(cluster, "them"))
        one.me.works_in(mine)
        one.them.works_in(theirs)
        one.me.may(("get", "patch"), {"": ["namespaces"]})
        spec = _spec(theirs, request.param)
        documents = [*_chart_guards(cluster), *generated_guards(PolicySnapshot(), _policy(spec))]
        if webhook is None:
            _define_workloads(cluster)
            documents += generate(PolicySnapshot(), _policy(spec)).objects
        _judge(webhook, spec)
        stack.enter_context(in_place(cluster, documents, *_lies(one)))
        yield one
        for name in (mine, theirs):
            cluster.api.delete(f"/api/v1/namespaces/{name}")


def _namespace(cluster: LiveCluster, name: str) -> str:
    whole = f"{name}-{secrets.token_hex(3)}"
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": whole}})
    cluster.until(f"/api/v1/namespaces/{whole}/serviceaccounts/default", lambda _: True)
    return whole


def _define_workloads(cluster: LiveCluster) -> None:
    name = "aiworkloads.aicost.dev"
    if not exists(cluster, f"{DEFINITIONS}/{name}"):
        cluster.kubectl("apply", "--server-side", "-f", str(CHART.parents[1] / "crds/aicost.dev_aiworkloads.yaml"))
    cluster.until(f"{DEFINITIONS}/{name}", is_established)


def _judge(webhook: RunningWebhook | None, spec: Object) -> None:
    if webhook is not None:
        webhook.policy("payers", **spec)


def _lies(one: Town) -> Iterator[partial[Object]]:
    """Requests that each of the policies refuses by itself."""
    account = {"kind": "ServiceAccount", "metadata": {"name": "s", "labels": {TEAM: THEIRS}}}
    for body in (account, WORKLOAD, pod(), pod({TEAM: MINE, STAGE: "production"}), pod({TEAM: MINE, "phase": "live"})):
        yield partial(one.me.create, _in(body, one.mine), one.mine, dry_run=True)


def _in(body: Object, namespace: str) -> Object:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


@pytest.mark.parametrize("labels", [{TEAM: THEIRS}, {TEAM: "Vision"}, {"squad": "VISION"}, {"squad": "vis"}], ids=str)
def test_another_teams_name_is_refused_in_any_spelling(town: Town, labels: dict[str, str]) -> None:
    assert "may not be charged from namespace" in town.refused(pod(labels))
    town.refused(deployment({TEAM: MINE}, labels))


def test_the_team_itself_may_use_its_name_and_i_mine(town: Town) -> None:
    town.them.create(_in(deployment({TEAM: THEIRS}), town.theirs), town.theirs, dry_run=True)
    town.me.create(_in(deployment({TEAM: MINE}), town.mine), town.mine, dry_run=True)


def test_another_teams_name_is_refused_on_what_pods_inherit_from(town: Town) -> None:
    account = {"kind": "ServiceAccount", "metadata": {"name": "s", "labels": {TEAM: THEIRS}}}
    assert "may not be charged from namespace" in town.refused(account)
    with pytest.raises(ApiError, match="may not be charged"):
        town.me.api.patch(f"/api/v1/namespaces/{town.mine}", {"metadata": {"labels": {"squad": "vis"}}})
    town.refused(WORKLOAD)


def test_a_label_that_was_in_order_may_not_become_another_teams(town: Town) -> None:
    town.me.create(_in(deployment({TEAM: MINE}, name="mine", replicas=0), town.mine), town.mine)
    path = f"/apis/apps/v1/namespaces/{town.mine}/deployments/mine"
    with pytest.raises(ApiError, match="denied"):
        town.me.api.patch(path, {"metadata": {"labels": {TEAM: THEIRS}}})


def test_a_forged_owner_lets_nobody_off(town: Town) -> None:
    owner = owned_by("ReplicaSet", "chat-1")
    assert "team is missing" in town.refused(pod(ownerReferences=owner))
    assert "may not be charged" in town.refused(pod({TEAM: THEIRS}, ownerReferences=owner))
    town.refused(pod({TEAM: MINE, STAGE: "production"}, ownerReferences=owner))


@pytest.mark.parametrize("labels", [{STAGE: "production"}, {STAGE: "Live"}, {"phase": "production"}, {"phase": "live"}])
def test_production_is_refused_in_the_spellings_of_the_policy_too(town: Town, labels: dict[str, str]) -> None:
    assert 'lacks the verb "grow"' in town.refused(pod({TEAM: MINE, **labels}))
    town.refused(deployment({TEAM: MINE}, labels))


def test_an_exemption_of_ones_own_is_refused(town: Town) -> None:
    notes = {"aicost.dev/exempt-until": "2099-01-01T00:00:00Z", "aicost.dev/exempt-reason": "no time"}
    assert 'lacks the verb "exempt"' in town.refused(pod(annotations=notes))
