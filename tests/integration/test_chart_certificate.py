"""The certificate of the query API on a real API server: made, renewed, or somebody else's."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.pki import Authority
from support.chart import API_SERVICE, Release, exists, forget_definitions

pytestmark = pytest.mark.cluster

OWN = "queryApi.certificateSecretName=own"
INJECTED = r"queryApi.apiServiceAnnotations.cert-manager\.io/inject-ca-from=somewhere/query"


@pytest.fixture
def release(cluster) -> Iterator[Release]:
    forget_definitions(cluster)
    one = Release(cluster)
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": one.namespace}})
    yield one
    one.forget()


@pytest.fixture
def authority(release: Release, tmp_path: Path) -> str:
    """The authority, as base64, of a certificate that somebody put into the Secret `own`."""
    signer = Authority(tmp_path, "own-ca")
    server = signer.server("query", (f"{release.name}-query.{release.namespace}.svc",))
    files = {"ca.crt": signer.certificate, "tls.crt": server.certificate, "tls.key": server.key}
    data = {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    secret = {"metadata": {"name": "own"}, "type": "kubernetes.io/tls", "data": data}
    release.cluster.api.create(f"{release.core}/secrets", secret)
    return data["ca.crt"]


def _trusted(release: Release) -> str:
    return release.cluster.api.get(API_SERVICE)["spec"].get("caBundle", "")


def test_a_deleted_certificate_is_made_anew_by_an_upgrade_and_the_new_one_is_trusted(release: Release) -> None:
    release.install("replicas=0")
    api = release.cluster.api
    before = api.get(release.secret)["data"]
    assert _trusted(release) == before["ca.crt"]
    api.delete(release.secret)
    release.upgrade("replicas=0")
    after = api.get(release.secret)["data"]
    assert not set(before.values()) & set(after.values())
    assert _trusted(release) == after["ca.crt"]


def test_the_authority_in_somebodys_secret_is_trusted_and_the_secret_is_left_alone(
    release: Release, authority: str
) -> None:
    release.install("replicas=0", OWN)
    assert _trusted(release) == authority
    assert not exists(release.cluster, release.secret)
    release.uninstall(hooks=False)
    assert exists(release.cluster, f"{release.core}/secrets/own")


def test_an_injected_authority_outlives_an_upgrade(release: Release, authority: str) -> None:
    release.install("replicas=0", OWN, INJECTED)
    assert _trusted(release) == ""
    release.cluster.api.patch(API_SERVICE, {"spec": {"caBundle": authority}})
    release.upgrade("replicas=0", "log.level=debug", OWN, INJECTED)
    assert _trusted(release) == authority


def test_a_secret_that_tells_no_authority_is_refused_before_anything_is_made(release: Release) -> None:
    assert 'no key ca.crt of a Secret "own" can be read from here' in release.refused(OWN)
    assert not exists(release.cluster, release.deployment)
    assert not exists(release.cluster, API_SERVICE)
