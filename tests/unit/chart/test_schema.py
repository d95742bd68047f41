"""The chart's schema takes what is right and names what is wrong."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

CHART = Path(__file__).parents[3] / "charts/aicost"
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def _values() -> dict[str, Any]:
    return yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))


def _with(path: str, value: Any) -> dict[str, Any]:
    values = _values()
    section, names = values, path.split(".")
    for name in names[:-1]:
        section = section[name]
    section[names[-1]] = value
    return values


def _problems(values: Any) -> list[tuple[str, str]]:
    return [(".".join(map(str, error.absolute_path)), error.message) for error in VALIDATOR.iter_errors(values)]


def _objects(schema: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    below = schema.get("properties", {}).items()
    return [(path, schema), *(one for name, inner in below for one in _objects(inner, f"{path}.{name}"))]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_defaults_are_accepted() -> None:
    assert _problems(_values()) == []


def test_the_values_of_the_demo_are_accepted() -> None:
    demo = yaml.safe_load((CHART.parents[1] / "hack/demo/values.yaml").read_text(encoding="utf-8"))
    closed = {**SCHEMA, "required": []}
    partial = [error for error in jsonschema.Draft7Validator(closed).iter_errors(demo) if error.validator != "required"]
    assert partial == []


def test_each_value_says_what_it_means() -> None:
    assert [path for path, schema in _objects(SCHEMA) if not schema.get("description")] == []


def test_names_of_ours_are_closed_and_those_of_kubernetes_are_open() -> None:
    is_open = {
        path for path, schema in _objects(SCHEMA) if schema.get("type") == "object" and "properties" not in schema
    }
    assert is_open == {
        ".admission.webhookAnnotations", ".affinity", ".agent.nodeSelector", ".global", ".ledger.storageOptions",
        ".ledger.secretOptions",
        ".metrics.prometheusRule.labels", ".metrics.serviceMonitor.labels", ".nodeSelector", ".podAnnotations",
        ".podLabels", ".queryApi.apiServiceAnnotations", ".resources.admission", ".resources.agent",
        ".resources.controller",
        ".resources.query", ".serviceAccount.annotations", ".telemetry.prometheus.hostMatchers",
            ".telemetry.prometheus.matchers",
    }  # fmt: skip
    closed = [schema for _, schema in _objects(SCHEMA) if "properties" in schema]
    assert len(closed) > 10
    assert all(schema["additionalProperties"] is False for schema in closed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("window.length", "15m"),
        ("replicas", 0),
        ("ledger.url", "s3://bucket/aicost"),
        ("ledger.storageOptions", {"AWS_REGION": "eu-central-1"}),
        ("persistence.size", "1.5Ti"),
        ("telemetry.prometheus.url", "https://mimir.example:443/prometheus"),
        ("telemetry.prometheus.secretKeys", ["token", "ca.crt"]),
        ("telemetry.scrape.namespaces", ["gpu-operator"]),
        ("resources.controller", {"claims": [{"name": "x"}], "limits": {"cpu": 2}}),
        ("tolerations", [{"key": "x", "operator": "Exists"}]),
        ("extraEnv", [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
        ("affinity", {"nodeAffinity": {}}),
        ("global", {"anything": 1}),
    ],
)
def test_values_that_people_set_are_accepted(path: str, value: Any) -> None:
    assert _problems(_with(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("window.length", "2h", "'2h' is not one of ['1h', '15m']"),
        ("window.settleSeconds", 4000, "4000 is greater than the maximum of 3600"),
        ("window.refreshSeconds", 0, "0 is less than the minimum of 1"),
        ("window.revisit", "3", "'3' is not of type 'integer'"),
        ("replicas", "two", "'two' is not of type 'integer'"),
        ("replicas", -1, "-1 is less than the minimum of 0"),
        ("telemetry.source", "dcgm", "'dcgm' is not one of ['auto', 'prometheus', 'scrape']"),
        ("telemetry.scrape.port", 70000, "70000 is greater than the maximum of 65535"),
        ("telemetry.prometheus.url", "prometheus:9090", "'prometheus:9090' does not match"),
        ("telemetry.prometheus.secretKeys", ["tokens"], "'tokens' is not one of"),
        ("telemetry.prometheus.matchers", {"cluster": 7}, "7 is not of type 'string'"),
        ("ledger.url", "bucket/aicost", "'bucket/aicost' does not match"),
        ("ledger.storageOptions", ["a"], "['a'] is not of type 'object'"),
        ("persistence.size", "20 GB", "'20 GB' does not match"),
        ("persistence.accessMode", "RWX", "'RWX' is not one of"),
        ("reports.rows", 201, "201 is greater than the maximum of 200"),
        ("queryApi.port", 0, "0 is less than the minimum of 1"),
        ("queryApi.caBundle", "LS0tLS1CRUdJTg==", "'LS0tLS1CRUdJTg==' does not match"),
        ("queryApi.apiServiceAnnotations", {"a/b": True}, "True is not of type 'string'"),
        ("rbac.aggregateOwners", "yes", "'yes' is not of type 'boolean'"),
        ("log.level", "trace", "'trace' is not one of ['debug', 'info', 'warning', 'error']"),
        ("image.tag", 1.5, "1.5 is not of type 'string'"),
        ("image.pullPolicy", "always", "'always' is not one of"),
        ("imagePullSecrets", [{"name": "x"}], "{'name': 'x'} is not of type 'string'"),
        ("extraEnv", [{"value": "x"}], "'name' is a required property"),
        ("cluster.id", 7, "7 is not of type 'string'"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(path: str, value: Any, told: str) -> None:
    (problem,) = _problems(_with(path, value))
    assert problem[0].startswith(path)
    assert told in problem[1]


@pytest.mark.parametrize("path", ["windows", "window.lenght", "telemetry.prometheus.token", "queryApi.prot"])
def test_a_misspelt_name_is_refused(path: str) -> None:
    ((_, told),) = _problems(_with(path, "x"))
    assert f"'{path.rpartition('.')[2]}' was unexpected" in told
