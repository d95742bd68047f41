"""The settings file that the chart writes is one that the product reads, and says what the values say."""

from typing import Any

import pytest
import yaml

from aicost.domain.policy.controllers import CONTROLLERS
from aicost.settings import Settings, parse_settings

SYSTEM = Settings().admission.system_namespaces
DERIVED_FROM_THE_RELEASE = {
    "prices": {"starterFile": "/etc/aicost/starter-prices.yaml"},
    "leader": {"name": "aicost-controller", "namespace": "aicost-system"},
    "admission": {"namespace": "aicost-system", "systemNamespaces": [*SYSTEM, "aicost-system"]},
}


@pytest.fixture
def settings(helm, of_kind):
    def read(values: Any = None) -> Settings:
        (config,) = of_kind(helm.render(values=values), "ConfigMap")
        return parse_settings(yaml.safe_load(config["data"]["settings.yaml"]))

    return read


def test_an_install_without_values_runs_with_the_documented_settings(settings) -> None:
    assert settings() == parse_settings(DERIVED_FROM_THE_RELEASE)


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"cluster": {"id": "prod-1"}}, {"cluster": {"id": "prod-1"}}),
        ({"cluster": {"id": "0123"}}, {"cluster": {"id": "0123"}}),
        ({"cluster": {"id": "on"}}, {"cluster": {"id": "on"}}),
        ({"cluster": {"id": 'quo"ted: #x'}}, {"cluster": {"id": 'quo"ted: #x'}}),
        ({"window": {"length": "15m", "revisit": 7}}, {"window": {"length": "15m", "revisit": 7}}),
        ({"window": {"settleSeconds": 0}}, {"window": {"settleSeconds": 0}}),
        ({"journal": {"retentionHours": 744}}, {"journal": {"retentionHours": 744}}),
        (
            {"ledger": {"url": "s3://bucket/a b", "storageOptions": {"AWS_REGION": "eu", "allow_http": "true"}}},
            {"ledger": {"url": "s3://bucket/a b", "storageOptions": {"AWS_REGION": "eu", "allow_http": "true"}}},
        ),
        (
            {"replicas": 2, "persistence": {"accessMode": "ReadWriteMany"}},
            {"journal": {"path": "/var/lib/aicost-journal/journal.sqlite"}},
        ),
        (
            {"telemetry": {"source": "prometheus", "intervalSeconds": 60, "prometheus": {"url": "http://p:9090"}}},
            {"telemetry": {"source": "prometheus", "intervalSeconds": 60, "prometheus": {"url": "http://p:9090"}}},
        ),
        (
            {"telemetry": {"prometheus": {"tenant": "0x1", "matchers": {"cluster": "no"}, "timeoutSeconds": 1}}},
            {"telemetry": {"prometheus": {"tenant": "0x1", "matchers": {"cluster": "no"}, "timeoutSeconds": 1}}},
        ),
        (
            {"telemetry": {"prometheus": {"secretName": "s", "secretKeys": ["token", "ca.crt"]}}},
            {
                "telemetry": {
                    "prometheus": {
                        "bearerTokenFile": "/etc/aicost/prometheus/token",
                        "caFile": "/etc/aicost/prometheus/ca.crt",
                    }
                }
            },
        ),
        (
            {
                "telemetry": {
                    "prometheus": {
                        "secretName": "s",
                        "secretKeys": ["password", "tls.crt", "tls.key"],
                        "basicUser": "reader",
                        "insecureSkipVerify": True,
                    }
                }
            },
            {
                "telemetry": {
                    "prometheus": {
                        "basicUser": "reader",
                        "basicPasswordFile": "/etc/aicost/prometheus/password",
                        "clientCertFile": "/etc/aicost/prometheus/tls.crt",
                        "clientKeyFile": "/etc/aicost/prometheus/tls.key",
                        "insecureSkipVerify": True,
                    }
                }
            },
        ),
        (
            {"telemetry": {"scrape": {"namespaces": ["gpu", "on"], "port": 9401, "intervalSeconds": 300}}},
            {"telemetry": {"scrape": {"namespaces": ["gpu", "on"], "port": 9401, "intervalSeconds": 300}}},
        ),
        ({"prices": {"starter": False}}, {"prices": {"starterFile": ""}}),
        (
            {"reports": {"automatic": False, "timeZone": "Asia/Kolkata", "rows": 200}},
            {"reports": {"automatic": False, "timeZone": "Asia/Kolkata", "rows": 200}},
        ),
        ({"queryApi": {"enabled": False}}, {"server": {"certificateDir": ""}}),
        ({"queryApi": {"port": 9443}, "metrics": {"port": 9090}}, {"server": {"queryPort": 9443, "metricsPort": 9090}}),
        (
            {
                "admission": {
                    "engine": "webhook",
                    "port": 10250,
                    "metricsPort": 9090,
                    "controllers": ["system:serviceaccount:ray:operator"],
                    "excludedNamespaces": ["gpu-operator"],
                    "certificateSecretName": "own",
                    "caBundle": "-----BEGIN CERTIFICATE-----\n",
                },
                "guards": {"controllers": ["system:serviceaccount:jobs:operator"]},
            },
            {
                "admission": {
                    "engine": "webhook",
                    "port": 10250,
                    "metricsPort": 9090,
                    "controllers": [
                        *CONTROLLERS,
                        "system:serviceaccount:ray:operator",
                        "system:serviceaccount:jobs:operator",
                    ],
                    "systemNamespaces": [*SYSTEM, "aicost-system", "gpu-operator"],
                    "certificateDir": "/etc/aicost/admission-tls",
                }
            },
        ),
        ({"admission": {"enabled": False}}, {"admission": {"enabled": False}}),
        ({"log": {"level": "error", "format": "text"}}, {"logLevel": "error", "logFormat": "text"}),
    ],
    ids=str,
)
def test_values_change_the_settings_that_they_name_and_no_other(settings, values, changed) -> None:
    derived = {**DERIVED_FROM_THE_RELEASE, **changed}
    admission = {**DERIVED_FROM_THE_RELEASE["admission"], **changed.get("admission", {})}
    assert settings(values) == parse_settings({**derived, "admission": admission})


def test_the_starter_book_is_mounted_as_it_was_generated(helm, of_kind) -> None:
    (config,) = of_kind(helm.render(), "ConfigMap")
    book = yaml.safe_load(config["data"]["starter-prices.yaml"])
    assert (book["kind"], book["spec"]["listPrices"]) == ("PriceBook", True)
    (without,) = of_kind(helm.render("prices.starter=false"), "ConfigMap")
    assert "starter-prices.yaml" not in without["data"]
