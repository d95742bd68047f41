"""The values of the chart: read from values.yaml with the comment above each, and what each may be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from references.settings_fields import setting_fields

_SIZE = {"pattern": "^[1-9][0-9]*(\\.[0-9]+)?(Mi|Gi|Ti|Pi|M|G|T|P)$", "examples": ["20Gi", "1.5Ti"]}
_STORE = {"pattern": "^$|^[a-z][a-z0-9+.-]*://.+", "examples": ["s3://bucket/aicost", "gs://bucket/aicost"]}
_WEB = {"pattern": "^$|^https?://.+", "examples": ["http://prometheus-operated.monitoring:9090"]}
_FOLDER = {"pattern": "^/[^:]+$", "examples": ["/var/lib/aicost-agent"]}
_AUTHORITY = {"pattern": "^$|^-----BEGIN CERTIFICATE-----\\n"}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_NAMES = {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 1}}
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_SECRET_KEYS = ["token", "password", "ca.crt", "tls.crt", "tls.key"]
_NAME = {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
_KEY = {"type": "string", "pattern": "^[-._a-zA-Z0-9]+$"}
_SCHEME = {"type": "string", "pattern": "^[a-z0-9]{1,32}$"}
_ROUTE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "secretName"],
    "properties": {
        "name": _NAME,
        "kind": {"enum": ["cloudevents", "apprise"]},
        "secretName": {"type": "string", "minLength": 1},
        "secretKey": _KEY,
        "tokenKey": _KEY,
        "namespaces": _NAMES,
        "teams": _NAMES,
        "finops": {"type": "boolean"},
        "minUrgency": {"enum": ["info", "warning", "critical"]},
    },
}
_SECTION = "object with values of its own"

OWN: Mapping[str, Mapping[str, Any]] = {
    "image.repository": {"type": "string", "minLength": 1},
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "imagePullSecrets": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "replicas": {"type": "integer", "minimum": 0, "maximum": 9},
    "ledger.url": {"type": "string", **_STORE},
    "ledger.secretOptions": _TEXTS,
    "ledger.retentionDays": {"type": "integer", "minimum": 0, "maximum": 36500},
    "journal.size": {"type": "string", **_SIZE, "pattern": f"^$|{_SIZE['pattern']}"},
    "persistence.size": {"type": "string", **_SIZE},
    "persistence.accessMode": {"enum": ["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"]},
    "telemetry.prometheus.url": {"type": "string", **_WEB},
    "telemetry.prometheus.secretKeys": {"type": "array", "uniqueItems": True, "items": {"enum": _SECRET_KEYS}},
    "prices.http.url": {"type": "string", **_WEB},
    "prices.http.secretKeys": {"type": "array", "uniqueItems": True, "items": {"enum": ["token", "ca.crt"]}},
    "providerAccounts.secretNames": _NAMES,
    "queryApi.port": _PORT,
    "queryApi.certificateDays": {"type": "integer", "minimum": 1, "maximum": 36500},
    "queryApi.caBundle": {"type": "string", **_AUTHORITY},
    "queryApi.apiServiceAnnotations": _TEXTS,
    "queryApi.clients": {"type": "array", "items": {"type": "object", "required": ["kind", "name"]}},
    "agent.port": _PORT,
    "agent.intervalSeconds": {"type": "integer", "minimum": 1, "maximum": 60},
    "agent.driverFolder": {"type": "string", **_FOLDER, "pattern": "^$|^/"},
    "agent.nodeSelector": _TEXTS,
    "agent.tolerations": _OBJECTS,
    "agent.stateFolder": {"type": "string", **_FOLDER},
    "agent.podLogsFolder": {"type": "string", **_FOLDER},
    "agent.podResourcesFolder": {"type": "string", **_FOLDER},
    "guards.controllers": {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
    "admission.replicas": {"type": "integer", "minimum": 0, "maximum": 9},
    "admission.port": _PORT,
    "admission.metricsPort": _PORT,
    "admission.timeoutSeconds.validate": {"type": "integer", "minimum": 1, "maximum": 3},
    "admission.timeoutSeconds.mutate": {"type": "integer", "minimum": 1, "maximum": 3},
    "admission.controllers": _NAMES,
    "admission.excludedNamespaces": _NAMES,
    "admission.listNamespaces": _NAMES,
    "admission.caBundle": {"type": "string", **_AUTHORITY},
    "admission.webhookAnnotations": _TEXTS,
    "notifications.routes": {"type": "array", "items": _ROUTE},
    "notifications.allowedSchemes": {"type": "array", "uniqueItems": True, "items": _SCHEME},
    "notifications.runbookBase": {"type": "string", "pattern": r"^(https?://[^\s?#]+/|[\w./-]+/)?$"},
    "metrics.port": _PORT,
    "metrics.prometheusRule.labels": _TEXTS,
    "metrics.serviceMonitor.labels": _TEXTS,
    "serviceAccount.annotations": _TEXTS,
    "resources.controller": {"type": "object"},
    "resources.query": {"type": "object"},
    "resources.admission": {"type": "object"},
    "resources.agent": {"type": "object"},
    "podAnnotations": _TEXTS,
    "podLabels": _TEXTS,
    "nodeSelector": _TEXTS,
    "tolerations": _OBJECTS,
    "affinity": {"type": "object"},
    "extraEnv": {"type": "array", "items": {"type": "object", "required": ["name"]}},
}
"""What the chart alone knows, or knows more narrowly than the settings. What is Kubernetes' own stays open."""

_KEPT = ("type", "enum", "minimum", "maximum", "items", "additionalProperties")
_TYPES = {bool: "boolean", int: "integer", str: "string"}


class Undocumented(Exception):
    """A value without a comment above it, or of a shape that nothing describes."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the chart.

    Attributes:
        path: with dots, as `--set` takes it.
        schema: JSON schema, without its description.
        description: the comment above it.
    """

    path: str
    default: Any
    schema: Mapping[str, Any]
    description: str


def values(path: Path) -> tuple[Value, ...]:
    """All values of a values.yaml in its order.

    Raises:
        Undocumented: a value has no comment, or its schema cannot be told.
    """
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    known = _from_settings()
    return tuple(
        Value(at, default, _schema(at, default, known), _comment(lines, line, at))
        for at, default, line in _leaves(yaml.compose(text), yaml.safe_load(text), "", known)
    )


def _from_settings() -> dict[str, Mapping[str, Any]]:
    """Value path -> what the settings allow."""
    found = {}
    for field in setting_fields():
        if field.value:
            found[field.value] = {key: field.schema[key] for key in _KEPT if key in field.schema}
    return found


def _leaves(
    node: yaml.Node, document: Mapping[str, Any], prefix: str, known: Mapping[str, Any]
) -> Iterator[tuple[str, Any, int]]:
    """Path, default and line of each value. A map that a schema describes whole is a value."""
    assert isinstance(node, yaml.MappingNode)
    for key, inner in node.value:
        path, default = f"{prefix}{key.value}", document[key.value]
        if isinstance(default, dict) and path not in OWN and path not in known:
            yield from _leaves(inner, default, f"{path}.", known)
        else:
            yield path, default, key.start_mark.line


def _schema(path: str, default: Any, known: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    schema = OWN.get(path) or known.get(path)
    if schema:
        return schema
    if type(default) not in _TYPES:
        raise Undocumented(f"values.yaml: {path} is {_SECTION}: describe it in OWN of {__name__}")
    return {"type": _TYPES[type(default)]}


def _comment(lines: Sequence[str], line: int, path: str) -> str:
    """The lines of comment directly above."""
    words: list[str] = []
    while line and lines[line - 1].strip().startswith("#"):
        line -= 1
        words.insert(0, lines[line].strip().removeprefix("#").strip())
    if not words:
        raise Undocumented(f"values.yaml: {path} has no comment above it that says what it means")
    return " ".join(words)
