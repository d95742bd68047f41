"""Whose certificate the query API shows, and whom the API server is told to trust."""

import base64
from typing import Any

import pytest

AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
OWN = {"certificateSecretName": "own"}
INJECTED = {"cert-manager.io/inject-ca-from": "aicost-system/query"}


@pytest.fixture
def rendered(helm, of_kind, deployment_of):
    """Secrets of the chart, the Secret that the pod mounts, and the APIService."""

    def render(query: dict[str, Any]) -> tuple[list[Any], str, dict[str, Any]]:
        documents = helm.render(values={"queryApi": query})
        deployment, (service,) = deployment_of(documents), of_kind(documents, "APIService")
        volumes = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["volumes"]}
        return of_kind(documents, "Secret"), volumes["tls"]["secret"]["secretName"], service

    return render


def test_the_chart_makes_a_certificate_and_has_its_authority_trusted(rendered) -> None:
    (secret,), mounted, service = rendered({})
    assert mounted == secret["metadata"]["name"] == "aicost-query-tls"
    assert service["spec"]["caBundle"] == secret["data"]["ca.crt"]
    assert "annotations" not in service["metadata"]


def test_a_secret_of_ones_own_is_mounted_and_its_named_authority_trusted(rendered) -> None:
    secrets, mounted, service = rendered({**OWN, "caBundle": AUTHORITY})
    assert (secrets, mounted) == ([], "own")
    assert base64.b64decode(service["spec"]["caBundle"]).decode() == AUTHORITY


def test_an_authority_that_is_injected_is_left_to_who_injects_it(rendered) -> None:
    """A caBundle in the chart would be put back at each upgrade."""
    secrets, mounted, service = rendered({**OWN, "apiServiceAnnotations": INJECTED})
    assert (secrets, mounted) == ([], "own")
    assert "caBundle" not in service["spec"]
    assert service["metadata"]["annotations"] == INJECTED


def test_two_renders_are_the_same_where_the_certificate_is_somebody_elses(helm) -> None:
    """What tools compare that render without a cluster. The other values keep Helm from being asked only once."""
    values = {"queryApi": {**OWN, "caBundle": AUTHORITY}}
    again = {**values, "global": {"again": True}}
    assert helm.render(values=values) == helm.render(values=again)
    assert helm.render() != helm.render(values={"global": {"again": True}}), "a made certificate differs each time"
