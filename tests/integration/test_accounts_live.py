"""The chart's own controller asks a provider that is played, and says in the ProviderAccount what came of it."""

import base64
import json
import secrets

import pytest

from devcluster.controlplane import free_ports
from devcluster.nodes import FakeNode
from support.chart import Release, forget_definitions
from support.cost_api import Anthropic
from support.crd_samples import resource
from support.http_server import serving

pytestmark = pytest.mark.cluster

ACCOUNTS = "/apis/aicost.dev/v1alpha1/provideraccounts"
KEY = "sk-ant-admin-secret"
KEYS = {"name": "llm-keys", "key": "anthropic"}


def ready(account):
    found = [one for one in (account.get("status") or {}).get("conditions") or () if one["type"] == "Ready"]
    return (found[0]["status"], found[0]["reason"]) if found else ("", "")


@pytest.fixture
def installed(cluster):
    """A release whose controller may read one Secret, and the address of a provider."""
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    forget_definitions(cluster)
    release, provider, host = Release(cluster), Anthropic(), f"system-{secrets.token_hex(2)}"
    cluster.nodes.create(FakeNode(host))
    try:
        with serving(provider) as served:
            release.install(
                "window.length=15m", "window.refreshSeconds=2", "queryApi.enabled=false", "prices.starter=false",
                "providerAccounts.enabled=true", "providerAccounts.secretNames={llm-keys}", "persistence.size=1Gi",
                f"metrics.port={free_ports(1)[0]}", f"nodeSelector.kubernetes\\.io/hostname={host}",
            )  # fmt: skip
            yield cluster, release, provider, served.url
    finally:
        release.forget()
        cluster.nodes.delete(host)


def test_an_account_is_fetched_once_its_key_is_there(installed):
    cluster, release, provider, url = installed
    spec = {"provider": "anthropic", "url": url, "since": "40d", "secretRef": KEYS}
    for name, change in (
        ("main", {}),
        ("denied", {"secretRef": {"name": "other", "key": "k"}}),
        ("off", {"suspend": True}),
    ):
        cluster.api.create(ACCOUNTS, resource("ProviderAccount", name, spec | change))
    cluster.until(f"{ACCOUNTS}/main", lambda one: ready(one) == ("False", "KeyMissing"), 90)
    cluster.until(f"{ACCOUNTS}/denied", lambda one: ready(one) == ("False", "NotPermitted"), 30)
    cluster.until(f"{ACCOUNTS}/off", lambda one: ready(one) == ("False", "Suspended"), 30)
    assert provider.asked == []

    secret = {"metadata": {"name": KEYS["name"]}, "data": {KEYS["key"]: base64.b64encode(KEY.encode()).decode()}}
    cluster.api.create(f"{release.core}/secrets", {"apiVersion": "v1", "kind": "Secret", **secret})
    found = cluster.until(f"{ACCOUNTS}/main", lambda one: ready(one) == ("True", "Fetched"), 150)
    assert found["status"]["daysRestated"] == 0
    assert found["status"]["dataThrough"].endswith("T00:00:00Z")
    assert provider.asked[0][1]["x-api-key"] == KEY
    shown = cluster.kubectl("get", "pacc", "main")
    head = "NAME PROVIDER ACCOUNT MTD-COST CAPTURED DATA-THROUGH READY AGE"
    assert shown.split("\n")[0].split() == head.split()

    asked = len(provider.asked)
    cluster.api.patch(f"{ACCOUNTS}/main", {"spec": {"interval": "1h"}})
    cluster.until(f"{ACCOUNTS}/main", lambda one: one["status"]["observedGeneration"] == 2, 60)
    assert len(provider.asked) > asked
    logs = "".join(path.read_text(errors="replace") for path in (cluster.local.state / "pods").rglob("*.log"))
    assert "spend fetched" in logs
    assert KEY not in logs + json.dumps(cluster.api.get(ACCOUNTS))
