"""The keys of the settings file, flat, as the pydantic models state them; and which chart value sets each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aicost.settings import Settings

SAME = (
    "cluster.id",
    "window.length",
    "window.settleSeconds",
    "window.refreshSeconds",
    "window.revisit",
    "ledger.url",
    "ledger.storageOptions",
    "ledger.retentionDays",
    "ledger.countAccounts",
    "ledger.inputs.keep",
    "ledger.inputs.retentionDays",
    "journal.retentionHours",
    "telemetry.source",
    "telemetry.intervalSeconds",
    "telemetry.collectionSeconds",
    "telemetry.prometheus.url",
    "telemetry.prometheus.basicUser",
    "telemetry.prometheus.insecureSkipVerify",
    "telemetry.prometheus.tenant",
    "telemetry.prometheus.tenantHeader",
    "telemetry.prometheus.matchers",
    "telemetry.prometheus.timeoutSeconds",
    "telemetry.prometheus.unitSpeakers",
    "telemetry.prometheus.hostMatchers",
    "telemetry.scrape.intervalSeconds",
    "telemetry.scrape.timeoutSeconds",
    "telemetry.scrape.namespaces",
    "telemetry.scrape.port",
    "telemetry.scrape.engines.enabled",
    "telemetry.scrape.engines.annotated",
    "telemetry.scrape.engines.intervalSeconds",
    "telemetry.scrape.engines.timeoutSeconds",
    "telemetry.scrape.engines.most",
    "components.cpu",
    "components.memory",
    "components.storage",
    "components.eachPod",
    "sharing.split",
    "sharing.slots",
    "sharing.nodes",
    "prices.http.url",
    "prices.http.intervalSeconds",
    "prices.http.timeoutSeconds",
    "prices.http.maxBytes",
    "prices.http.allowHttp",
    "prices.http.staleAfterSeconds",
    "reports.automatic",
    "reports.timeZone",
    "reports.rows",
    "admission.enabled",
    "admission.engine",
    "admission.port",
    "admission.metricsPort",
    "budgets.enforcement",
    "budgets.intervalSeconds",
    "budgets.gateLifeSeconds",
    "notifications.timeoutSeconds",
    "notifications.allowHttp",
    "notifications.allowedSchemes",
    "notifications.runbookBase",
)
"""Settings that a chart value of the same path sets."""

RENAMED = {
    "admission.guards": "guards.enabled",
    "server.metricsPort": "metrics.port",
    "server.queryPort": "queryApi.port",
    "logLevel": "log.level",
    "logFormat": "log.format",
}
"""Settings that a chart value of another path sets."""

DERIVED = {
    "version": "fixed: 1",
    "telemetry.prometheus.bearerTokenFile": "key `token` in `telemetry.prometheus.secretKeys`",
    "telemetry.prometheus.basicPasswordFile": "key `password` in `telemetry.prometheus.secretKeys`",
    "telemetry.prometheus.caFile": "key `ca.crt` in `telemetry.prometheus.secretKeys`",
    "telemetry.prometheus.clientCertFile": "key `tls.crt` in `telemetry.prometheus.secretKeys`",
    "telemetry.prometheus.clientKeyFile": "key `tls.key` in `telemetry.prometheus.secretKeys`",
    "prices.starterFile": "`prices.starter`",
    "prices.http.tokenFile": "key `token` in `prices.http.secretKeys`",
    "prices.http.caFile": "key `ca.crt` in `prices.http.secretKeys`",
    "ledger.storageOptionFiles": "`ledger.secretName` and `ledger.secretOptions`",
    "privacy.customerKeyFile": "`privacy.customerKeySecretName`",
    "server.certificateDir": "`queryApi.enabled`",
    "server.queryCallers": "`queryApi.apiService`",
    "journal.path": "fixed: on the volume, or in a pod of its own where `replicas` is above 1",
    "admission.certificateDir": "`admission.certificateSecretName`",
    "admission.secret": "the name of the release",
    "admission.service": "the name of the release",
    "admission.configuration": "the name of the release",
    "admission.namespace": "the namespace of the release",
    "admission.controllers": "controllers of Kubernetes, `admission.controllers` and `guards.controllers`",
    "admission.systemNamespaces": "those of Kubernetes, the release's and `admission.excludedNamespaces`",
    "notifications.routes": "`notifications.routes`, whose Secrets it mounts",
    "leader.name": "the name of the release",
    "leader.namespace": "the namespace of the release",
}
"""Settings that the chart makes from something else."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One key of the settings file.

    Attributes:
        path: camelCase, with dots, as in the file.
        schema: its JSON schema, references resolved.
        description: what it means.
    """

    path: str
    schema: Mapping[str, Any]
    description: str

    @property
    def default(self) -> Any:
        """What holds where the key is absent. A schema leaves out defaults that a factory makes: they are empty."""
        empty: Any = {} if self.schema.get("type") == "object" else ""
        return self.schema.get("default", empty)

    @property
    def value(self) -> str | None:
        """Path of the chart value that sets it as it is, None where there is none."""
        return self.path if self.path in SAME else RENAMED.get(self.path)


def setting_fields() -> tuple[SettingField, ...]:
    """All keys of the file in the order of the models."""
    whole = Settings.model_json_schema(by_alias=True)
    return tuple(_fields(whole, whole.get("$defs", {}), ""))


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> Iterator[SettingField]:
    for name, field in schema["properties"].items():
        path = f"{prefix}{name}"
        if "$ref" in field:
            yield from _fields(definitions[field["$ref"].rpartition("/")[2]], definitions, f"{path}.")
        else:
            yield SettingField(path, field, field["description"])
