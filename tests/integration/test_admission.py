"""The chart's webhook behind a real API server: people apply objects with kubectl and read what it says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.admission.manifests import deployment, job, pod, pod_spec
from support.cluster import LiveCluster
from support.crd_samples import resource
from support.webhook import RunningWebhook, running_webhook

pytestmark = pytest.mark.cluster

TEAM = {
    "key": "team",
    "aliases": ["squad"],
    "valueAliases": {"recs": "recommendation-engine"},
    "allowed": {"values": ["vision", "recommendation-engine"]},
    "required": "Always",
}
CENTER = {"key": "cost-center", "required": "GpuOnly", "convention": "cc-[0-9]{3}", "conventionHint": "such as cc-100"}
POLICY = {"mode": "Deny", "keys": [TEAM, CENTER], "helpUrl": "https://wiki.example/labels", "contact": "#finops"}
GOOD = {"aicost.dev/team": "vision", "aicost.dev/cost-center": "cc-100"}


@pytest.fixture(scope="module")
def webhook(cluster: LiveCluster) -> Iterator[RunningWebhook]:
    with running_webhook(cluster) as one:
        yield one


@pytest.fixture
def strict(webhook: RunningWebhook) -> Iterator[RunningWebhook]:
    webhook.policy("cost-labels", **POLICY)
    yield webhook
    webhook.forget_policies()


def _applied(webhook: RunningWebhook, body: dict[str, Any], *words: str) -> tuple[int, str]:
    """Exit code and all that kubectl says."""
    result = webhook.cluster._run("kubectl", ("apply", *words, "-f", "-"), json.dumps(body))
    return result.returncode, result.stdout + result.stderr


def test_what_is_wrong_with_a_deployment_stands_in_one_message_with_the_fix(
    strict: RunningWebhook, namespace: str
) -> None:
    code, told = _applied(strict, deployment({"aicost.dev/team": "visoin"}, namespace=namespace))
    assert code == 1
    assert 'admission webhook "labels.aicost.dev" denied the request: [cost-labels]' in told
    assert 'did you mean "vision"?' in told
    assert "cost-center" in told
    assert "Fix: set metadata.labels {aicost.dev/team: vision" in told
    assert "https://wiki.example/labels" in told
    assert "ask #finops" in told


def test_labels_in_other_words_are_written_in_normal_form_into_object_and_template(
    strict: RunningWebhook, namespace: str
) -> None:
    body = deployment({"squad": "recs", "aicost.dev/cost-center": "CC-100"}, namespace=namespace)
    code, told = _applied(strict, body)
    assert code == 0, told
    found = strict.cluster.api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/chat")
    assert found["metadata"]["labels"]["aicost.dev/team"] == "recommendation-engine"
    assert found["metadata"]["labels"]["aicost.dev/cost-center"] == "cc-100"
    strict.cluster.until(
        f"/api/v1/namespaces/{namespace}/pods?labelSelector=app%3Dchat", lambda found: len(found["items"]) == 1
    )


def test_a_change_never_touches_the_pod_template_of_a_live_object(strict: RunningWebhook, namespace: str) -> None:
    code, told = _applied(strict, deployment(GOOD, namespace=namespace))
    assert code == 0, told
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/chat"
    before = strict.cluster.api.get(path)["spec"]["template"]
    strict.cluster.api.patch(path, {"metadata": {"labels": {"squad": "recs", "aicost.dev/team": None}}})
    after = strict.cluster.api.get(path)
    assert after["spec"]["template"] == before
    assert "aicost.dev/team" not in after["metadata"]["labels"]


def test_a_dry_run_is_refused_alike_and_leaves_no_trace(strict: RunningWebhook, namespace: str) -> None:
    def denials() -> list[str]:
        return re.findall(
            r'^aicost_admission_decisions_total\{.*verdict="deny".*$', strict.page("/metrics"), re.MULTILINE
        )

    before = denials()
    code, told = _applied(strict, deployment(namespace=namespace), "--dry-run=server")
    assert code == 1
    assert "[cost-labels]" in told
    assert denials() == before


def test_pods_that_a_controller_of_kubernetes_makes_are_not_judged_again(
    strict: RunningWebhook, namespace: str
) -> None:
    """The label policy asks for labels on the object; its pods come from a template without any."""
    strict.forget_policies()
    _applied(strict, deployment(namespace=namespace))
    strict.policy("cost-labels", **POLICY)
    pods = f"/api/v1/namespaces/{namespace}/pods?labelSelector=app%3Dchat"
    found = strict.cluster.until(pods, lambda found: len(found["items"]) == 1)
    strict.cluster.api.delete(f"/api/v1/namespaces/{namespace}/pods/{found['items'][0]['metadata']['name']}")
    old = found["items"][0]["metadata"]["uid"]
    strict.cluster.until(pods, lambda found: [one for one in found["items"] if one["metadata"]["uid"] != old])


def test_a_forged_owner_skips_nothing(strict: RunningWebhook, namespace: str) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "u", "controller": True}
    code, told = _applied(strict, pod(namespace=namespace, ownerReferences=[owner]))
    assert code == 1
    assert "ownerReference" in told


def test_what_an_operator_makes_for_an_owner_that_is_judged_is_not_judged_again(
    strict: RunningWebhook, namespace: str
) -> None:
    """An operator may create pods in all namespaces; somebody who may do so in one is no operator."""
    cluster, name = strict.cluster, f"operator-{namespace}"
    cluster.kubectl("create", "serviceaccount", "operator", "-n", namespace)
    account, subject = cluster.service_account_kubeconfig(namespace, "operator"), f"{namespace}:operator"
    cluster.kubectl("create", "rolebinding", "o", "--clusterrole=edit", f"--serviceaccount={subject}", "-n", namespace)
    owner = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "name": "x", "uid": "u", "controller": True}
    body = json.dumps(pod(namespace=namespace, ownerReferences=[owner]))

    def told() -> str:
        words = ("--kubeconfig", str(account), "create", "--dry-run=server", "-f", "-")
        result = cluster._run("kubectl", words, body)
        return result.stdout + result.stderr

    cluster.until("/version", lambda _: "[cost-labels]" in told())
    cluster.kubectl("create", "clusterrolebinding", name, "--clusterrole=edit", f"--serviceaccount={subject}")
    try:
        cluster.until("/version", lambda _: "created (server dry run)" in told())
    finally:
        cluster.kubectl("delete", "clusterrolebinding", name)


def test_a_denial_of_what_a_controller_makes_is_told_on_its_owner(strict: RunningWebhook, namespace: str) -> None:
    """Somebody's operator makes a pod for an object of a kind that nobody judges."""
    cluster = strict.cluster
    cluster.kubectl("create", "serviceaccount", "operator", "-n", namespace)
    cluster.kubectl(
        "create", "rolebinding", "o", "--clusterrole=edit", f"--serviceaccount={namespace}:operator", "-n", namespace
    )
    account = cluster.service_account_kubeconfig(namespace, "operator")
    cluster.kubectl("create", "configmap", "cron-thing", "-n", namespace)
    uid = cluster.api.get(f"/api/v1/namespaces/{namespace}/configmaps/cron-thing")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "cron-thing", "uid": uid, "controller": True}
    workload = resource("AIWorkload", "things", {"selector": {"matchLabels": {"app": "thing"}}}, namespace)
    cluster.apply({**workload, "metadata": {**workload["metadata"], "labels": GOOD}})

    def make(name: str, labels: dict[str, str]) -> tuple[str, ...]:
        body = pod({"app": "thing", **labels}, name=name, namespace=namespace, ownerReferences=[owner])
        words = ("--kubeconfig", str(account), "create", "-f", "-")
        result = cluster._run("kubectl", words, json.dumps(body))
        return result.stdout, result.stderr

    cluster.until("/version", lambda _: "[cost-labels]" in make("one", {})[1])
    events = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"

    def posted(found: dict[str, Any]) -> list[Any]:
        return [one for one in found["items"] if one["reason"] == "CostLabelsDenied"]

    (event,) = posted(cluster.until(events, posted))
    assert (event["regarding"]["kind"], event["regarding"]["name"]) == ("ConfigMap", "cron-thing")
    assert event["type"] == "Warning"
    assert "A Pod was denied: [cost-labels]" in event["note"]
    path = f"/apis/aicost.dev/v1alpha1/namespaces/{namespace}/aiworkloads/things"
    found = cluster.until(  # a controller tries again and again
        path, lambda one: make("one", {}) and _condition(one, "PodsAdmitted") == ("False", "LabelsDenied")
    )
    assert "[cost-labels]" in json.dumps(found["status"])
    make("two", GOOD)
    names = iter(range(1_000))
    cluster.until(
        path, lambda one: make(f"more-{next(names)}", GOOD) and _condition(one, "PodsAdmitted") == ("True", "Admitted")
    )


def _condition(one: dict[str, Any], kind: str) -> tuple[str, str]:
    found = [each for each in one.get("status", {}).get("conditions") or () if each["type"] == kind]
    return (found[0]["status"], found[0]["reason"]) if found else ("", "")


def test_a_new_object_gets_its_price_as_a_warning(webhook: RunningWebhook, namespace: str) -> None:
    entry = {"name": "h100", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "2.49"}
    book = {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": "prices"}}
    webhook.cluster.apply({**book, "spec": {"currency": "USD", "entries": [entry]}})
    body = job(namespace=namespace, spec=pod_spec(8, nodes={"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}))

    def told(_: Any) -> bool:
        return "about $" in _applied(webhook, body, "--dry-run=server")[1]

    webhook.cluster.until("/apis/aicost.dev/v1alpha1/pricebooks/prices", told)
    code, said = _applied(webhook, body)
    assert code == 0
    assert "Warning: " in said
    assert "$" in said


def test_an_upgrade_of_the_chart_keeps_the_certificate_and_what_it_is_trusted_by(webhook: RunningWebhook) -> None:
    api = webhook.cluster.api
    before = [api.get(path) for path in (webhook.secret, *webhook.configurations)]
    webhook.release.upgrade(*webhook.settings, "admission.timeoutSeconds.validate=2")
    after = [api.get(path) for path in (webhook.secret, *webhook.configurations)]
    assert after[0]["data"] == before[0]["data"]
    for old, new in zip(before[1:], after[1:], strict=True):
        bundles = [[hook["clientConfig"]["caBundle"] for hook in one["webhooks"]] for one in (old, new)]
        assert bundles[0] == bundles[1]
    assert after[1]["webhooks"][0]["timeoutSeconds"] == 2


def test_nothing_was_refused_and_nothing_failed(webhook: RunningWebhook) -> None:
    lines = [json.loads(line) for line in webhook.log().splitlines()]
    assert [line for line in lines if line["level"] in {"error", "critical"}] == []
    assert not [line for line in lines if "not permitted" in json.dumps(line)]
    metrics = webhook.page("/metrics")
    assert "aicost_admission_trusted 1.0" in metrics
    assert "aicost_admission_errors_total{" not in metrics


def test_an_uninstall_takes_the_certificate_with_it(webhook: RunningWebhook) -> None:
    """The last test of this file."""
    webhook.release.uninstall()
    for path in (*webhook.configurations, webhook.deployment, webhook.secret):
        webhook.cluster.until_gone(path)
