"""The chart on a real API server: install, upgrade, uninstall, and everything that people keep."""

from functools import partial

import pytest

from support.chart import (
    API_SERVICE,
    CHART,
    DEFINITIONS,
    Release,
    copy_without_field,
    exists,
    forget_definitions,
    is_established,
    plurals,
)

pytestmark = pytest.mark.cluster

ROLES = "/apis/rbac.authorization.k8s.io/v1"
WORKLOAD = {
    "apiVersion": "aicost.dev/v1alpha1",
    "kind": "AIWorkload",
    "metadata": {"name": "chat"},
    "spec": {"selector": {"matchLabels": {"app": "chat"}}, "dimensions": {"team": "search", "costCenter": "4711"}},
}


@pytest.fixture
def release(cluster):
    forget_definitions(cluster)
    one = Release(cluster)
    yield one
    one.forget()


def _workload(release: Release) -> str:
    path = f"/apis/aicost.dev/v1alpha1/namespaces/{release.namespace}/aiworkloads"
    release.cluster.api.create(path, WORKLOAD)
    return f"{path}/chat"


def _uid(release: Release, path: str) -> str:
    return release.cluster.api.get(path)["metadata"]["uid"]


def _may(release: Release, user: str, verb: str, resource: str, namespace: str = "") -> bool:
    """Ask the API server itself. The resource is `group/plural` or `group/plural/subresource`."""
    group, plural, *rest = resource.split("/")
    what = {"group": group, "resource": plural, "subresource": "".join(rest), "verb": verb, "namespace": namespace}
    review = {"spec": {"user": user, "resourceAttributes": what}}
    return release.cluster.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]


def test_lint_finds_nothing(cluster) -> None:
    assert "0 chart(s) failed" in cluster.helm("lint", str(CHART), "--strict")


def test_an_install_makes_the_resources_usable_and_says_what_to_look_at(release) -> None:
    notes = release.install()
    for plural in plurals():
        release.cluster.until(f"{DEFINITIONS}/{plural}.aicost.dev", is_established)
    assert release.cluster.kubectl("get", "aicostreports", "-A") == ""
    _workload(release)
    assert "kubectl get clusteraicostreports" in notes
    assert f"The ledger is on the claim {release.name}-data" in notes
    deployment = release.cluster.api.get(release.deployment)
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == release.name


def test_an_upgrade_changes_what_was_asked_and_keeps_certificate_and_volume(release) -> None:
    release.install()
    api = release.cluster.api
    before = {path: api.get(path) for path in (release.secret, release.claim, release.deployment)}
    release.upgrade("log.level=debug", "replicas=0")
    after = {path: api.get(path) for path in before}
    assert after[release.secret]["data"] == before[release.secret]["data"]
    assert after[release.claim]["metadata"]["uid"] == before[release.claim]["metadata"]["uid"]
    assert after[release.deployment]["spec"]["replicas"] == 0
    assert "logLevel: debug" in api.get(f"{release.core}/configmaps/{release.name}")["data"]["settings.yaml"]
    sums = [one[release.deployment]["spec"]["template"]["metadata"]["annotations"] for one in (before, after)]
    assert sums[0]["checksum/settings"] != sums[1]["checksum/settings"]
    assert api.get(API_SERVICE)["spec"]["caBundle"] == before[release.secret]["data"]["ca.crt"]


def test_an_upgrade_brings_new_fields_of_a_resource_and_keeps_the_objects(release, tmp_path) -> None:
    release.install(chart=copy_without_field(tmp_path, "aiworkloads", "costCenter"))
    release.cluster.until(f"{DEFINITIONS}/aiworkloads.aicost.dev", is_established)
    path = _workload(release)
    assert release.cluster.api.get(path)["spec"]["dimensions"] == {"team": "search"}, (
        "the older release drops the field"
    )
    uid = _uid(release, path)
    release.upgrade()

    def takes_it(_: object) -> bool:
        found = release.cluster.api.patch(path, {"spec": WORKLOAD["spec"]})
        return found["spec"]["dimensions"] == {"team": "search", "costCenter": "4711"}

    release.cluster.until(path, takes_it)
    assert _uid(release, path) == uid


def test_an_uninstall_keeps_what_people_made_and_billed_and_a_reinstall_takes_it_up(release) -> None:
    release.install()
    release.cluster.until(f"{DEFINITIONS}/aiworkloads.aicost.dev", is_established)
    workload = _workload(release)
    kept = (workload, release.claim, *(f"{DEFINITIONS}/{plural}.aicost.dev" for plural in plurals()))
    before = {path: _uid(release, path) for path in kept}
    release.uninstall(hooks=False)
    assert {path: _uid(release, path) for path in kept} == before
    release.install("log.level=debug")
    assert {path: _uid(release, path) for path in kept} == before
    assert (
        release.cluster.api.get(release.deployment)["metadata"]["labels"]["app.kubernetes.io/instance"] == release.name
    )


def test_an_uninstall_leaves_nothing_that_answers_or_permits(release) -> None:
    release.install("networkPolicy.enabled=true")
    kinds = (
        "deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings"
    )
    assert len(release.objects(kinds)) >= 12
    assert exists(release.cluster, API_SERVICE)
    release.uninstall(hooks=False)
    assert release.objects(f"{kinds},networkpolicies,apiservices") == []
    assert not exists(release.cluster, API_SERVICE)


def test_namespaces_can_be_deleted_after_the_uninstall(release) -> None:
    """An aggregated API that stays behind without its server would hold up each of them."""
    release.install()
    release.uninstall(hooks=False)
    release.cluster.api.delete(release.core)
    release.cluster.until_gone(release.core, seconds=30)


def test_wrong_values_are_refused_before_anything_is_made(release) -> None:
    told = release.refused("window.length=2h", "replicas=2")
    assert "at '/window/length': value must be one of '1h', '15m'" in told
    told = release.refused("replicas=2")
    assert "replicas: 2 needs a ledger that all replicas reach: set ledger.url" in told
    assert not [one for one in plurals() if exists(release.cluster, f"{DEFINITIONS}/{one}.aicost.dev")]
    assert not exists(release.cluster, release.deployment)


def test_the_definitions_may_be_managed_by_somebody_else(release) -> None:
    release.install("crds.install=false", "queryApi.enabled=false")
    assert not [one for one in plurals() if exists(release.cluster, f"{DEFINITIONS}/{one}.aicost.dev")]
    assert not exists(release.cluster, API_SERVICE)


def test_a_labelled_role_lets_the_controller_read_owners_of_another_kind_and_an_upgrade_keeps_that(release) -> None:
    release.install("queryApi.enabled=false", "replicas=0")
    account, role = f"system:serviceaccount:{release.namespace}:{release.name}", f"{release.name}-trains"
    rule = {"apiGroups": ["example.org"], "resources": ["trains"], "verbs": ["get"]}
    meta = {"name": role, "labels": {"aicost.dev/aggregate-to-controller": "true"}}
    release.cluster.api.create(f"{ROLES}/clusterroles", {"metadata": meta, "rules": [rule]})
    own = f"{ROLES}/clusterroles/{release.name}-owners"
    try:
        for _ in range(2):
            release.cluster.until(own, lambda found: found.get("rules") == [rule])
            release.cluster.until(own, lambda _: _may(release, account, "get", "example.org/trains", "default"))
            assert not _may(release, account, "list", "example.org/trains", "default")
            release.upgrade("queryApi.enabled=false", "replicas=0", "log.level=debug")
    finally:
        release.cluster.api.delete(f"{ROLES}/clusterroles/{role}")
    release.cluster.until(own, lambda found: not found.get("rules"))


def test_what_a_person_may_see_follows_from_kubernetes_own_roles(release) -> None:
    release.install("queryApi.enabled=false")
    release.cluster.until(f"{DEFINITIONS}/aicostreports.aicost.dev", is_established)
    namespace, kubectl = release.namespace, release.cluster.kubectl
    kubectl("create", "rolebinding", "ann", "--clusterrole=view", "--user=ann", "-n", namespace)
    kubectl("create", "rolebinding", "eve", "--clusterrole=edit", "--user=eve", "-n", namespace)
    kubectl("create", "clusterrolebinding", f"{release.name}-all", "--clusterrole=view", "--user=all")
    try:
        may = partial(_may, release)
        view = f"{ROLES}/clusterroles/view"
        release.cluster.until(view, lambda _: may("all", "list", "aicost.dev/clusteraicostreports"))
        assert may("ann", "list", "aicost.dev/aicostreports", namespace)
        assert not may("ann", "list", "aicost.dev/aicostreports", "default")
        assert may("ann", "list", "query.aicost.dev/allocations", namespace)
        assert not may("ann", "list", "query.aicost.dev/allocations", "default")
        assert not may("ann", "create", "aicost.dev/aicostreports", namespace)
        assert not may("ann", "list", "aicost.dev/clusteraicostreports")
        assert may("all", "list", "aicost.dev/clusteraicostreports")
        assert may("eve", "create", "aicost.dev/aiworkloads", namespace)
        assert not may("eve", "patch", "aicost.dev/aicostreports/status", namespace)
        assert not may("eve", "create", "aicost.dev/pricebooks")
    finally:
        kubectl("delete", "clusterrolebinding", f"{release.name}-all")
