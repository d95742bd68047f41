"""Configuration, parsed once: one versioned YAML file, every key documented, unknown keys refused.

Secrets are never written here: settings name the files that hold them, which a Secret mounts.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema, model_validator

from aicost.adapters.notify.config import USUAL_SCHEMES, checked_base, checked_scheme
from aicost.adapters.pricing.http.config import check_url
from aicost.domain.attribution.resources.residents import Counting
from aicost.domain.ledger.rows import Component
from aicost.domain.policy.controllers import CONTROLLERS
from aicost.domain.policy.requests import PolicySnapshot
from aicost.ports.errors import InvalidRequest
from aicost.settings.ledger import LedgerSettings
from aicost.settings.section import Section
from aicost.settings.sharing import SharingSettings

CURRENT_VERSION: Literal[1] = 1


def _zone(name: str) -> str:
    """Check that the time zone is known."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone: write an IANA name such as Europe/Berlin or UTC") from error
    return name


class ClusterSettings(Section):
    """Which cluster this is."""

    id: str = Field("", description="Key of the cluster in each row. Empty: the UID of the namespace kube-system.")


class WindowSettings(Section):
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


class JournalSettings(Section):
    """The small local journal of lifetimes and samples."""

    path: str = Field("/var/lib/aicost/journal.sqlite", description="File of the journal, on the persistent volume.")
    retention_hours: int = Field(
        48, ge=2, le=24 * 31, description="Hours for which samples are kept after they were taken."
    )


class PrometheusSettings(Section):
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
    unit_speakers: tuple[str, ...] = Field(
        (),
        description=(
            "Namespaces whose targets, such as a gateway's, may count units for workloads of other namespaces. "
            "All others count for their own."
        ),
    )
    host_matchers: Mapping[str, str] = Field(
        default_factory=dict,
        description=(
            "Label matchers (name: value) of the kubelet's own series, such as job: kubelet: by these it is judged "
            "whether a workload is idle, and no pod should be able to forge them."
        ),
    )


class EngineSettings(Section):
    """Direct scrapes of engines that serve models, used where exporters are scraped directly."""

    enabled: bool = Field(
        default=True, description="Scrape the pods of AIWorkloads that name `spec.telemetry.port`: unit costs need it."
    )
    annotated: bool = Field(
        default=True,
        description=(
            'Scrape also pods with the annotations `prometheus.io/scrape: "true"` and `prometheus.io/port` that hold '
            "a GPU or run an engine that is known."
        ),
    )
    interval_seconds: int = Field(30, ge=1, le=120, description="Seconds between scrapes of engines.")
    timeout_seconds: int = Field(5, ge=1, le=60, description="Seconds to wait for one engine.")
    most: int = Field(1_000, ge=1, le=10_000, description="Pods that are scraped at the most.")


class ScrapeSettings(Section):
    """Direct scrapes of dcgm-exporter and of engines, used where there is no Prometheus."""

    interval_seconds: int = Field(15, ge=1, le=300, description="Seconds between scrapes.")
    timeout_seconds: int = Field(5, ge=1, le=60, description="Seconds to wait for one exporter.")
    namespaces: tuple[str, ...] = Field((), description="Namespaces in which exporters are looked for. Empty: all.")
    port: int = Field(9400, ge=1, le=65535, description="Port of an exporter pod that names none.")
    engines: EngineSettings = Field(EngineSettings(), description="Direct scrapes of engines.")


class TelemetrySettings(Section):
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


class ComponentSettings(Section):
    """What is counted beside the GPUs."""

    cpu: bool = Field(default=True, description="Charge the CPU of nodes to pods.")
    memory: bool = Field(default=True, description="Charge the memory of nodes to pods.")
    storage: bool = Field(default=True, description="Charge PersistentVolumeClaims to the pods that mount them.")
    each_pod: bool = Field(
        default=False,
        description=(
            "Keep rows of every pod. Otherwise pods without GPUs, without an AIWorkload and without cost labels of "
            "their own are summed by node and namespace."
        ),
    )

    @property
    def counting(self) -> Counting:
        """The same as the domain knows it."""
        wanted = {Component.CPU: self.cpu, Component.MEMORY: self.memory, Component.STORAGE: self.storage}
        return Counting(tuple(one for one, yes in wanted.items() if yes), each_pod=self.each_pod)


class HttpPriceSettings(Section):
    """A URL that publishes PriceBooks: they are kept in the cluster as it shows them."""

    url: str = Field(
        "",
        description=(
            "Address that answers with PriceBooks, in YAML or JSON; https, or http on the loopback. Empty: none."
        ),
    )
    token_file: str = Field("", description="File that a Secret mounts with a bearer token, read at each request.")
    ca_file: str = Field("", description="Certificates that the server is checked against. Empty: the system's own.")
    interval_seconds: int = Field(3600, ge=10, le=86400, description="Seconds between readings.")
    timeout_seconds: int = Field(10, ge=1, le=600, description="Seconds that one answer may take in all.")
    max_bytes: int = Field(4_194_304, ge=1, le=67_108_864, description="Bytes above which an answer is refused.")
    allow_http: bool = Field(default=False, description="Read without TLS from elsewhere than the loopback.")
    stale_after_seconds: int = Field(
        86400, ge=60, le=31_536_000, description="Seconds without a reading after which the prices are called stale."
    )

    @model_validator(mode="after")
    def _address_is_fit(self) -> "HttpPriceSettings":
        """Look at the address before anything is read: it is never shown whole, it may hold a secret."""
        if self.url:
            try:
                check_url(self.url, allow_http=self.allow_http)
            except InvalidRequest as problem:
                raise ValueError(str(problem)) from None
        return self


class PriceSettings(Section):
    """Where prices come from, beside the PriceBooks of the cluster."""

    http: HttpPriceSettings = Field(HttpPriceSettings(), description="A URL that publishes PriceBooks.")

    starter_file: str = Field(
        "", description="Manifest of a PriceBook of list prices to keep in the cluster. Empty: none is kept."
    )


class ReportSettings(Section):
    """Reports that are kept without anybody asking."""

    automatic: bool = Field(
        default=True,
        description=(
            "Keep a report `month-to-date` in each namespace with AI cost, and cluster-wide ones by team and by model."
        ),
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="Time zone in which a month begins.")
    rows: int = Field(50, ge=1, le=200, description="Rows of an automatic report; the rest is one row `other`.")


class ServerSettings(Section):
    """What the controller listens on."""

    host: str = Field("", description="Address to listen on. Empty: all addresses of the pod.")
    metrics_port: int = Field(8080, ge=0, le=65535, description="Port of /metrics, /healthz and /readyz.")
    query_port: int = Field(8443, ge=0, le=65535, description="Port of the query API behind the API server.")
    query_callers: Literal["front-proxy", "users"] = Field(
        "front-proxy",
        description=(
            "Who asks the query API: the API server's front proxy, which has authorised what it forwards; or users "
            "themselves, by their token or certificate, where there is no APIService: TokenReview says who they are, "
            "SubjectAccessReview what they may."
        ),
    )
    certificate_dir: str = Field(
        "/etc/aicost/tls", description="Folder with tls.crt and tls.key of the query API. Absent: the query API is off."
    )


class AdmissionSettings(Section):
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


_NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"


class RouteSettings(Section):
    """One place that budgets tell something."""

    name: str = Field(max_length=63, description="Name by which budgets name the route.")
    kind: Literal["cloudevents", "apprise"] = Field(
        "cloudevents", description="CloudEvents by HTTP, or a service that Apprise speaks with."
    )
    url_file: str = Field(description="File that a Secret mounts with the URL, read again for each message.")
    token_file: str = Field("", description="File that a Secret mounts with a bearer token, for CloudEvents.")
    namespaces: tuple[str, ...] = Field(
        (), description="Namespaces, as patterns, whose budgets may name the route. Empty: all."
    )
    teams: tuple[str, ...] = Field((), description="Budgets of these teams are told here where they name nothing.")
    finops: bool = Field(default=False, description="Told what nobody acknowledged, and what has no owner.")
    min_urgency: Literal["info", "warning", "critical"] = Field(
        "info", description="What is less urgent is not sent here."
    )

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> "RouteSettings":
        """Look at the whole route: a value on its own is shown in the message, and it may be an address by mistake."""
        if not re.fullmatch(_NAME, self.name):
            raise ValueError(
                f"name {self.name!r}: write lower-case letters, digits, dashes and dots, for example finops-chat"
            )
        for key, path in (("urlFile", self.url_file), ("tokenFile", self.token_file or "/")):
            if not path.startswith("/"):
                raise ValueError(
                    f"{key} of route {self.name!r} is no path: write URL or token into a file that a Secret mounts, "
                    f"and name that, for example /etc/aicost/notify/{self.name}/url"
                )
        if self.token_file and self.kind == "apprise":
            raise ValueError(
                f"tokenFile of route {self.name!r} is for kind cloudevents: a URL of Apprise holds its own"
            )
        return self


class NotificationSettings(Section):
    """Whom budgets tell, and how."""

    routes: Annotated[
        tuple[RouteSettings, ...], WithJsonSchema({"type": "array", "items": {"type": "object"}, "default": []})
    ] = Field(
        (),
        description=(
            "Places to tell. Each has `name`, `kind` (`cloudevents` or `apprise`) and `urlFile` (a file that a Secret "
            "mounts, read again for each message; an address itself is refused), and may have `tokenFile` (a bearer "
            "token, for cloudevents), `namespaces` (patterns of those whose budgets may name it; empty: all), `teams` "
            "(whose budgets are told here where they name nothing), `finops` (told what nobody acknowledged, and what "
            "has no owner) and `minUrgency` (`info`, `warning` or `critical`)."
        ),
    )
    timeout_seconds: int = Field(10, ge=1, le=60, description="Seconds that one message may take in all.")
    allow_http: bool = Field(default=False, description="Let messages go out without TLS.")
    allowed_schemes: tuple[Annotated[str, AfterValidator(checked_scheme)], ...] = Field(
        USUAL_SCHEMES, description="Services that Apprise may speak with, by the scheme of its URLs."
    )
    runbook_base: Annotated[str, AfterValidator(checked_base)] = Field(
        "",
        description="What stands before `docs/runbooks/` in messages, such as https://wiki.example/aicost/.",
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> "NotificationSettings":
        """Two routes of one name could not be told apart."""
        names = [route.name for route in self.routes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"routes: two are called {twice[0]!r}: give one of them another name")
        return self


class BudgetSettings(Section):
    """How budgets are kept."""

    enforcement: bool = Field(
        default=True,
        description=("Let budgets in mode Enforce act. Off: they only advise, and what they did before is undone."),
    )
    interval_seconds: int = Field(15, ge=1, le=60, description="Seconds between evaluations of all budgets.")
    gate_life_seconds: int = Field(
        1800,
        ge=30,
        le=86400,
        description=(
            "For so long new work stays refused if the controller ended for good; while it runs it renews this."
        ),
    )


class LeaderSettings(Section):
    """Leader election by a Lease."""

    enabled: bool = Field(default=True, description="Take a Lease before writing anything.")
    name: str = Field("aicost-controller", description="Name of the Lease.")
    namespace: str = Field("", description="Namespace of the Lease. Empty: the controller's own.")


class PrivacySettings(Section):
    """What is not stored as it was said."""

    customer_key_file: str = Field(
        "",
        description="File that a Secret mounts with a key: customers are stored under ids made with it. Empty: by name",
    )


class Settings(Section):
    """All settings of the controller."""

    version: Literal[1] = Field(CURRENT_VERSION, description="Version of this file's format.")
    cluster: ClusterSettings = Field(ClusterSettings(), description="Which cluster this is.")
    window: WindowSettings = Field(WindowSettings(), description="Billing windows.")
    ledger: LedgerSettings = Field(LedgerSettings(), description="Where amounts are kept.")
    journal: JournalSettings = Field(JournalSettings(), description="Local journal of lifetimes and samples.")
    telemetry: TelemetrySettings = Field(TelemetrySettings(), description="Where samples of GPUs come from.")
    components: ComponentSettings = Field(ComponentSettings(), description="What is counted beside the GPUs.")
    sharing: SharingSettings = Field(SharingSettings(), description="How GPUs that pods share are split.")
    prices: PriceSettings = Field(PriceSettings(), description="Where prices come from.")
    reports: ReportSettings = Field(ReportSettings(), description="Reports kept without anybody asking.")
    server: ServerSettings = Field(ServerSettings(), description="What the controller listens on.")
    leader: LeaderSettings = Field(LeaderSettings(), description="Leader election.")
    admission: AdmissionSettings = Field(AdmissionSettings(), description="Who judges labels at admission.")
    budgets: BudgetSettings = Field(BudgetSettings(), description="How budgets are kept.")
    notifications: NotificationSettings = Field(NotificationSettings(), description="Whom budgets tell, and how.")
    privacy: PrivacySettings = Field(PrivacySettings(), description="What is not stored as it was said.")
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
    if error["type"] == "extra_forbidden":  # whose value is not shown: it may be a secret that belongs into a file
        return f"{field}: there is no such key; take it out"
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
