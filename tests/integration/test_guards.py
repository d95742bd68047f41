"""Nobody gains by lying: two people with certificates of their own, the chart's guards, and a real API server."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml

from devcluster.api import ApiError
from support.chart import CHART, DEFINITIONS, exists, is_established
from support.cluster import LiveCluster
from support.guarded import in_place
from support.people import Person, collection, person

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
STAGE = "aicost.dev/stage"
EXEMPT = "aicost.dev/exempt-until"
SOON = "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Place:
    """A namespace in which two people work: one may promote and excuse there, the other may not."""

    namespace: str
    worker: Person
    lead: Person


def _pod(labels: dict | None = None, annotations: dict | None = None, name: str = "p", **metadata) -> dict:
    meta = {"name": name, "labels": labels or {}, "annotations": annotations or {}, **metadata}
    spec = {"containers": [{"name": "c", "image": "busybox"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _deployment(labels: dict | None = None, below: dict | None = None, name: str = "d", **spec) -> dict:
    app = {"app": name}
    template = {"metadata": {"labels": {**app, **(below or {})}}, "spec": _pod()["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"selector": {"matchLabels": app}, "template": template, **spec},
    }


def _workload(name: str = "w", app: str = "mine", **spec) -> dict:
    spec = {"selector": {"matchLabels": {"app": app}}, **spec}
    return {"apiVersion": "aicost.dev/v1alpha1", "kind": "AIWorkload", "metadata": {"name": name}, "spec": spec}


def _policy(name: str, *exemptions: dict) -> dict:
    key = {"key": "team", "required": "Always"}
    return {
        "apiVersion": "aicost.dev/v1alpha1",
        "kind": "CostLabelPolicy",
        "metadata": {"name": name},
        "spec": {"mode": "Audit", "keys": [key], "exemptions": list(exemptions)},
    }


def _exemption(by: str) -> dict:
    return {"name": "migration", "until": SOON, "approvedBy": by, "reason": "we move"}


@pytest.fixture(scope="module")
def definitions(cluster: LiveCluster) -> Iterator[None]:
    names = [f"{plural}.aicost.dev" for plural in ("aiworkloads", "costlabelpolicies")]
    missing = [name for name in names if not exists(cluster, f"{DEFINITIONS}/{name}")]
    for name in names:
        group, plural = "aicost.dev", name.partition(".")[0]
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / f"crds/{group}_{plural}.yaml"))
        cluster.until(f"{DEFINITIONS}/{name}", is_established)
    yield
    for name in missing:
        cluster.api.delete(f"{DEFINITIONS}/{name}")
        cluster.until_gone(f"{DEFINITIONS}/{name}")


@pytest.fixture(scope="module")
def guards(cluster: LiveCluster, definitions: None) -> Iterator[None]:
    """The chart's own template, as Helm renders it."""
    command = ("template", "guarded", str(CHART), "--show-only", "templates/guards.yaml")
    documents = [document for document in yaml.safe_load_all(cluster.helm(*command)) if document]
    policies = [one for one in documents if one["kind"].startswith("ValidatingAdmissionPolicy")]
    assert len(policies) == 22
    probe = person(cluster, "probe")
    probe.works_in("default")
    probe.may(("create",), {"aicost.dev": ["costlabelpolicies"]})
    lies = (
        (_pod({STAGE: "production"}), "default"),
        (_pod(annotations={EXEMPT: SOON}), "default"),
        (_policy("probe", _exemption("somebody")), ""),
    )
    with in_place(cluster, policies, *(partial(probe.create, *lie, dry_run=True) for lie in lies)):
        yield


@pytest.fixture
def place(cluster: LiveCluster, guards: None, namespace: str) -> Place:
    worker, lead = person(cluster, "worker"), person(cluster, "lead")
    for one in (worker, lead):
        one.works_in(namespace)
    lead.may(("grow",), {"aicost.dev": ["aiworkloads"]}, namespace)
    lead.may(("exempt",), {"aicost.dev": ["costlabelpolicies"]}, namespace)
    return Place(namespace, worker, lead)


@pytest.mark.parametrize("value", ["production", "Production", "PRODUCTION"])
def test_who_may_not_promote_cannot_call_a_pod_production_in_any_spelling(place: Place, value: str) -> None:
    said = place.worker.refused(_pod({STAGE: value}), place.namespace)
    assert "HTTP 403" in said
    assert (
        f'{place.worker.name} lacks the verb "grow" on aiworkloads.aicost.dev in namespace "{place.namespace}"' in said
    )
    assert "Fix: use a lower stage such as pilot" in said


def test_who_may_promote_in_a_namespace_can_there_and_nowhere_else(place: Place, cluster: LiveCluster) -> None:
    place.lead.create(_deployment({STAGE: "production"}, {STAGE: "production"}), place.namespace)
    place.lead.works_in("default")
    assert 'in namespace "default"' in place.lead.refused(_pod({STAGE: "production"}), "default")


@pytest.mark.parametrize("stage", ["pilot", "sandbox", "experiment"])
def test_other_stages_are_free(place: Place, stage: str) -> None:
    place.worker.create(_pod({STAGE: stage}), place.namespace)


def test_a_template_says_it_no_less_than_the_object(place: Place) -> None:
    below = {STAGE: "production"}
    place.worker.refused(_deployment(below=below), place.namespace)
    template = {"spec": {"template": _deployment(below=below)["spec"]["template"]}}
    template["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    cron = {"kind": "CronJob", "metadata": {"name": "c"}, "spec": {"schedule": "@daily", "jobTemplate": template}}
    place.worker.refused(cron, place.namespace)


@pytest.mark.parametrize("kind", ["ReplicaSet", "DaemonSet"])
def test_what_no_policy_judges_cannot_say_it_either(place: Place, kind: str) -> None:
    body = {**_deployment(below={STAGE: "production"}), "kind": kind}
    place.worker.refused(body, place.namespace)


def test_an_aiworkload_cannot_say_it_and_cannot_reach_further_once_it_does(place: Place) -> None:
    place.worker.refused(_workload(stage="production"), place.namespace)
    place.lead.create(_workload(stage="production"), place.namespace)
    path = f"{collection('AIWorkload', place.namespace)}/w"
    place.worker.api.patch(path, {"spec": {"model": "meta-llama/Llama-3.1-8B"}})
    with pytest.raises(ApiError, match="denied request"):
        place.worker.api.patch(path, {"spec": {"selector": {"matchLabels": {"app": "other"}}}})
    place.lead.api.patch(path, {"spec": {"selector": {"matchLabels": {"app": "other"}}}})


def test_what_pods_inherit_from_cannot_be_labelled_either(place: Place, cluster: LiveCluster) -> None:
    place.worker.refused(
        {"kind": "ServiceAccount", "metadata": {"name": "s", "labels": {STAGE: "production"}}}, place.namespace
    )
    place.worker.may(("get", "patch"), {"": ["namespaces"]})
    with pytest.raises(ApiError, match="denied request"):
        place.worker.api.patch(f"/api/v1/namespaces/{place.namespace}", {"metadata": {"labels": {STAGE: "production"}}})


def test_an_update_is_asked_for_what_it_adds_and_for_nothing_else(place: Place) -> None:
    place.lead.create(_deployment({STAGE: "production"}), place.namespace)
    path = f"{collection('Deployment', place.namespace)}/d"
    place.worker.api.patch(path, {"spec": {"replicas": 2}})
    place.worker.create(_deployment(name="e"), place.namespace)
    other = f"{collection('Deployment', place.namespace)}/e"
    for patch in (
        {"metadata": {"labels": {STAGE: "production"}}},
        {"spec": {"template": {"metadata": {"labels": {STAGE: "production"}}}}},
    ):
        with pytest.raises(ApiError, match="denied request"):
            place.worker.api.patch(other, patch)


def test_a_forged_owner_opens_no_door(place: Place) -> None:
    place.worker.create(_deployment(name="owner"), place.namespace)
    uid = place.worker.api.get(f"{collection('Deployment', place.namespace)}/owner")["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "owner", "uid": uid, "controller": True}
    place.worker.refused(_pod({STAGE: "production"}, ownerReferences=[owner]), place.namespace)


def test_controllers_make_the_pods_of_what_was_judged(place: Place, cluster: LiveCluster) -> None:
    place.lead.create(_deployment(below={STAGE: "production"}, replicas=1), place.namespace)
    pods = f"{collection('Pod', place.namespace)}?labelSelector=app%3Dd"
    found = cluster.until(pods, lambda listed: listed["items"])
    assert found["items"][0]["metadata"]["labels"][STAGE] == "production"


def test_who_may_not_excuse_cannot_annotate_an_exemption_nor_make_it_longer(place: Place) -> None:
    said = place.worker.refused(_pod(annotations={EXEMPT: SOON}), place.namespace)
    assert f'{place.worker.name} lacks the verb "exempt" on costlabelpolicies.aicost.dev' in said
    place.lead.create(_pod(annotations={EXEMPT: SOON}), place.namespace)
    path = f"{collection('Pod', place.namespace)}/p"
    place.worker.api.patch(path, {"metadata": {"labels": {"note": "kept"}}})
    with pytest.raises(ApiError, match="denied request"):
        place.worker.api.patch(path, {"metadata": {"annotations": {EXEMPT: "2100-01-01T00:00:00Z"}}})
    place.worker.api.patch(path, {"metadata": {"annotations": {EXEMPT: None}}})


def test_an_exemption_in_a_policy_is_signed_by_who_writes_it_and_they_need_the_verb(place: Place) -> None:
    worker, lead = place.worker, place.lead
    for one in (worker, lead):
        one.may(("create", "get", "patch"), {"aicost.dev": ["costlabelpolicies"]})
    name = place.namespace
    assert "lacks the verb" in worker.refused(_policy(name, _exemption(worker.name)))
    assert f'Fix: write approvedBy: "{worker.name}"' in worker.refused(_policy(name, _exemption(lead.name)))
    assert "lacks the verb" in lead.refused(_policy(name, _exemption(lead.name))), (
        "a right in one namespace is not enough"
    )
    lead.may(("exempt",), {"aicost.dev": ["costlabelpolicies"]})
    lead.create(_policy(name, _exemption(lead.name)))
    path = f"{collection('CostLabelPolicy')}/{name}"
    worker.api.patch(path, {"spec": {"mode": "Warn"}})
    longer = {**_exemption(lead.name), "until": "2100-01-01T00:00:00Z"}
    with pytest.raises(ApiError, match="denied request"):
        worker.api.patch(path, {"spec": {"exemptions": [longer]}})
    lead.api.patch(path, {"spec": {"exemptions": [longer]}})
    worker.api.patch(path, {"spec": {"exemptions": None}})
    lead.cluster.api.delete(path)
