"""Configuration, parsed once: one versioned YAML file, every key documented, unknown keys refused.

Secrets are never written here: settings name the files that hold them, which a Secret mounts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from aicost.domain.policy.controllers import CONTROLLERS
from aicost.domain.policy.requests import PolicySnapshot
from aicost.ports.errors import InvalidRequest

CURRENT_VERSION: Literal[1] = 1


def _zone(name: str) -> str:
    """Check that the time zone is known."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone: write an IANA name such as Europe/Berlin or UTC") from error
    return name


class _Section(BaseModel):
    """A part of the settings: camelCase in the file, unknown keys refused, never changed once read."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ClusterSettings(_Section):
    """Which cluster this is."""

    id: str = Field("", description="Key of the cluster in each row. Empty: the UID of the namespace kube-system.")


class WindowSettings(_Section):
    """Billing windows."""

    length: Literal["1h", "15m"] = Field("1h", description="Length of a billing window, aligned in UTC.")
    settle_seconds: int = Field(
        120, ge=0, le=3600, description="Seconds to wait after a window's end before it is closed."
    )
    refresh_seconds: int = Field(60, ge=1, le=3600, description="Seconds between computations of the open window.")
    revisit: int = Field(
        3,
        ge=0,
        le=168,
        description="Closed windows to compute again for late data; what changed is posted as a difference.",
    )

    @property
    def length_ms(self) -> int:
        """Length in milliseconds."""
        return {"1h": 3_600_000, "15m": 900_000}[self.length]


class LedgerSettings(_Section):
    """Where amounts are kept."""

    url: str = Field(
        "/var/lib/aicost/ledger", description="Directory on the persistent volume, or URL of an object store."
    )
    storage_options: Mapping[str, str] = Field(
        default_factory=dict, description="Options of the object store; credentials come from the environment."
    )


class JournalSettings(_Section):
    """The small local journal of lifetimes and samples."""

    path: str = Field("/var/lib/aicost/journal.sqlite", description="File of the journal, on the persistent volume.")
    retention_hours: int = Field(
        48, ge=2, le=24 * 31, description="Hours for which samples are kept after they were taken."
    )


class PrometheusSettings(_Section):
    """A Prometheus-compatible HTTP API."""

    url: str = Field(
        "", description="Base URL, such as http://prometheus-operated.monitoring:9090. Empty: found by itself."
    )
    bearer_token_file: str = Field("", description="File with a bearer token, read again when it changes.")
    basic_user: str = Field("", description="User name of basic authentication.")
    basic_password_file: str = Field("", description="File with the password of basic authentication.")
    ca_file: str = Field("", description="Certificate authority of the server, PEM.")
    client_cert_file: str = Field("", description="Client certificate, PEM.")
    client_key_file: str = Field("", description="Key of the client certificate, PEM.")
    insecure_skip_verify: bool = Field(
        default=False, description="Do not check the server's certificate. For tests only."
    )
    tenant: str = Field("", description="Tenant to ask for, sent in the tenant header.")
    tenant_header: str = Field("X-Scope-OrgID", description="Name of the tenant header.")
    matchers: Mapping[str, str] = Field(
        default_factory=dict, description="Extra label matchers (name: value) where one server holds many clusters."
    )
    timeout_seconds: int = Field(30, ge=1, le=600, description="Seconds to wait for one answer.")


class ScrapeSettings(_Section):
    """Direct scrapes of dcgm-exporter, used where there is no Prometheus."""

    interval_seconds: int = Field(15, ge=1, le=300, description="Seconds between scrapes.")
    timeout_seconds: int = Field(5, ge=1, le=60, description="Seconds to wait for one exporter.")
    namespaces: tuple[str, ...] = Field((), description="Namespaces in which exporters are looked for. Empty: all.")
    port: int = Field(9400, ge=1, le=65535, description="Port of an exporter pod that names none.")


class TelemetrySettings(_Section):
    """Where samples of GPUs come from."""

    source: Literal["auto", "prometheus", "scrape"] = Field(
        "auto", description="auto: a Prometheus that has GPU series, else direct scrapes of dcgm-exporter."
    )
    interval_seconds: int = Field(
        30, ge=1, le=600, description="Seconds between samples in Prometheus, where the series do not tell."
    )
    collection_seconds: int = Field(
        30,
        ge=1,
        le=300,
        description="Seconds between collections of the exporters (`--collect-interval`): how old a sample may be.",
    )
    prometheus: PrometheusSettings = Field(PrometheusSettings(), description="The Prometheus-compatible API.")
    scrape: ScrapeSettings = Field(ScrapeSettings(), description="Direct scrapes.")


class PriceSettings(_Section):
    """Where prices come from, beside the PriceBooks of the cluster."""

    starter_file: str = Field(
        "", description="Manifest of a PriceBook of list prices to keep in the cluster. Empty: none is kept."
    )


class ReportSettings(_Section):
    """Reports that are kept without anybody asking."""

    automatic: bool = Field(
        default=True,
        description=(
            "Keep a report `month-to-date` in each namespace with AI cost, and cluster-wide ones by team and by model."
        ),
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="Time zone in which a month begins.")
    rows: int = Field(50, ge=1, le=200, description="Rows of an automatic report; the rest is one row `other`.")


class ServerSettings(_Section):
    """What the controller listens on."""

    host: str = Field("", description="Address to listen on. Empty: all addresses of the pod.")
    metrics_port: int = Field(8080, ge=0, le=65535, description="Port of /metrics, /healthz and /readyz.")
    query_port: int = Field(8443, ge=0, le=65535, description="Port of the query API behind the API server.")
    certificate_dir: str = Field(
        "/etc/aicost/tls", description="Folder with tls.crt and tls.key of the query API. Absent: the query API is off."
    )


class AdmissionSettings(_Section):
    """Who judges labels at admission, and the webhook that does: `aicost admission`."""

    enabled: bool = Field(default=True, description="Judge objects by CostLabelPolicies when they are made.")
    engine: Literal["auto", "webhook", "vap"] = Field(
        "auto",
        description=(
            "Who judges: the webhook, policies in the API server (vap), or auto: the webhook, and the API server "
            "while the webhook does not answer."
        ),
    )
    guards: bool = Field(
        default=True,
        description="Keep policies in the API server that refuse another team's name, whatever engine judges.",
    )
    port: int = Field(9443, ge=0, le=65535, description="Port of the webhook.")
    metrics_port: int = Field(8080, ge=0, le=65535, description="Port of the webhook's /metrics, /healthz and /readyz.")
    certificate_dir: str = Field(
        "",
        description="Folder with tls.crt and tls.key of the webhook. Empty: made, kept in `secret` and renewed by it.",
    )
    secret: str = Field("aicost-admission-tls", description="Secret in which the webhook keeps its own certificate.")
    service: str = Field("aicost-admission", description="Service by which the API server reaches the webhook.")
    configuration: str = Field("aicost", description="Name of the two webhook configurations, whose trust it keeps.")
    namespace: str = Field("", description="Namespace of Secret and Service. Empty: the pod's own.")
    controllers: tuple[str, ...] = Field(
        CONTROLLERS,
        description="User names that make pods for owners: their pods are not judged again, their owners were.",
    )
    system_namespaces: tuple[str, ...] = Field(
        PolicySnapshot().system_namespaces, description="Namespaces, as patterns, whose objects are never judged."
    )


class LeaderSettings(_Section):
    """Leader election by a Lease."""

    enabled: bool = Field(default=True, description="Take a Lease before writing anything.")
    name: str = Field("aicost-controller", description="Name of the Lease.")
    namespace: str = Field("", description="Namespace of the Lease. Empty: the controller's own.")


class Settings(_Section):
    """All settings of the controller."""

    version: Literal[1] = Field(CURRENT_VERSION, description="Version of this file's format.")
    cluster: ClusterSettings = Field(ClusterSettings(), description="Which cluster this is.")
    window: WindowSettings = Field(WindowSettings(), description="Billing windows.")
    ledger: LedgerSettings = Field(LedgerSettings(), description="Where amounts are kept.")
    journal: JournalSettings = Field(JournalSettings(), description="Local journal of lifetimes and samples.")
    telemetry: TelemetrySettings = Field(TelemetrySettings(), description="Where samples of GPUs come from.")
    prices: PriceSettings = Field(PriceSettings(), description="Where prices come from.")
    reports: ReportSettings = Field(ReportSettings(), description="Reports kept without anybody asking.")
    server: ServerSettings = Field(ServerSettings(), description="What the controller listens on.")
    leader: LeaderSettings = Field(LeaderSettings(), description="Leader election.")
    admission: AdmissionSettings = Field(AdmissionSettings(), description="Who judges labels at admission.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe lines to log.")
    log_format: Literal["json", "text"] = Field("json", description="Format of log lines.")

    @model_validator(mode="after")
    def _one_source(self) -> "Settings":
        """A Prometheus that is named and not to be used is a mistake."""
        telemetry = self.telemetry
        if telemetry.source == "scrape" and telemetry.prometheus.url:
            raise ValueError(
                f"telemetry.prometheus.url {telemetry.prometheus.url!r} and telemetry.source 'scrape' contradict each "
                "other: take one of them out"
            )
        return self

    @model_validator(mode="after")
    def _retention_covers_revisits(self) -> "Settings":
        """Samples must outlive the windows that are computed again."""
        needed = (self.window.revisit + 2) * self.window.length_ms
        if self.journal.retention_hours * 3_600_000 < needed:
            raise ValueError(
                f"journal.retentionHours {self.journal.retention_hours} is too short: window.revisit "
                f"{self.window.revisit} needs samples of {-(-needed // 3_600_000)} hours"
            )
        return self


def parse_settings(document: Any) -> Settings:
    """Check a parsed document.

    Raises:
        InvalidRequest: names each field, its value and what is wrong with it.
    """
    try:
        return Settings.model_validate(document or {})
    except ValidationError as error:
        problems = "; ".join(_problem(one) for one in error.errors())
        raise InvalidRequest(f"settings: {problems}") from error


def _problem(error: Mapping[str, Any]) -> str:
    """One problem for people: the field, the value and what would be right."""
    field = ".".join(str(part) for part in error["loc"]) or "settings"
    value = error.get("input")
    shown = f" {value!r}" if isinstance(value, str | int | float | bool) else ""
    return f"{field}{shown}: {error['msg'].removeprefix('Value error, ')}"


def load_settings(path: Path | None) -> Settings:
    """Read the settings file; without one, everything is as documented.

    Raises:
        InvalidRequest: the file cannot be read or is wrong.
    """
    if path is None:
        return Settings()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"settings file {path}: {error.strerror}; name another one with --config") from error
    except yaml.YAMLError as error:
        raise InvalidRequest(f"settings file {path} is not YAML: {error}") from error
    return parse_settings(document)
