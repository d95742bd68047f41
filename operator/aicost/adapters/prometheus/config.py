"""How to reach a Prometheus and who we are to it."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from aicost.domain.sampling.series import COUNTERS, OF_PODS, Signal
from aicost.ports.errors import InvalidRequest

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_API = "/api/v1"


@dataclass(frozen=True, slots=True)
class PrometheusConfig:
    """A Prometheus-compatible HTTP API: Prometheus, Thanos, Mimir, VictoriaMetrics.

    Files of secrets are read again at each request, so they can be rotated.

    Attributes:
        url: base address with any path prefix, without `/api/v1`.
        interval_ms: time between two scrapes of the exporters.
        bearer_token, bearer_token_file: a token, or where it is.
        username, password, password_file: basic authentication.
        ca_file: certificates that the server is checked against; the system's own where None.
        cert_file, key_file: our own certificate, where the server asks for one.
        insecure: accept any certificate of the server.
        tenant: value of the tenant header, for stores that keep several tenants apart.
        tenant_header: name of that header.
        matchers: labels that all series must have (`cluster` in a store of many clusters).
        signals: what to fetch; more signals are more samples.
        timeout_s: longest time that one answer may take in all.
        max_reply_bytes: size above which one answer is refused and asked for in smaller parts.
        chunk_ms: longest time asked for at once.
    """

    url: str
    interval_ms: int = 15_000
    bearer_token: str | None = field(default=None, repr=False)
    bearer_token_file: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure: bool = False
    tenant: str | None = None
    tenant_header: str = "X-Scope-OrgID"
    matchers: Mapping[str, str] = field(default_factory=dict)
    signals: tuple[Signal, ...] = (
        Signal.ENGINE_ACTIVE,
        Signal.GPU_UTIL,
        Signal.SM_ACTIVE,
        Signal.DRAM_ACTIVE,
        Signal.MEMORY_USED,
        Signal.ENERGY,
        *sorted(OF_PODS | COUNTERS),
    )
    timeout_s: float = 30.0
    max_reply_bytes: int = 128_000_000
    chunk_ms: int = 1_200_000

    def __post_init__(self) -> None:
        _check_url(self.url)
        _check_identity(self)
        _check_labels(self)
        for name in ("interval_ms", "timeout_s", "max_reply_bytes", "chunk_ms"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "it must be above 0")

    @property
    def api(self) -> str:
        """Base address of the API."""
        return self.url.rstrip("/") + _API

    def headers(self) -> dict[str, str]:
        """Headers that say who we are.

        Raises:
            InvalidRequest: a file of a secret cannot be read.
        """
        headers = {"Accept-Encoding": "identity" if is_near(self.url) else "gzip"}
        token = self.bearer_token or _secret("bearer_token_file", self.bearer_token_file)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if self.username:
            password = self.password or _secret("password_file", self.password_file)
            headers |= urllib3.make_headers(basic_auth=f"{self.username}:{password or ''}")
        if self.tenant:
            headers[self.tenant_header] = self.tenant
        return headers

    def tls(self) -> ssl.SSLContext:
        """The TLS settings.

        Raises:
            InvalidRequest: a certificate file cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise _invalid("ca_file", self.ca_file, f"it cannot be read as PEM certificates ({error})") from error
        if self.insecure:  # a person chose this: a warning at each request would say nothing new
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert_file:
            try:
                context.load_cert_chain(self.cert_file, self.key_file)
            except (OSError, ssl.SSLError) as error:
                raise _invalid("cert_file", self.cert_file, f"certificate and key do not load ({error})") from error
        return context


def is_near(url: str) -> bool:
    """Whether a server is on this machine or a Service of this cluster: packing costs more than it saves there."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or "svc" in host.split(".")


def _invalid(name: str, value: object, fix: str) -> InvalidRequest:
    return InvalidRequest(f"prometheus.{name} {str(value)!r}: {fix}")


def _require(condition: bool, name: str, value: object, fix: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise _invalid(name, value, fix)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise _invalid("url", url, "write it like http://prometheus.monitoring.svc:9090") from None
    _require(valid, "url", url, "write it like http://prometheus.monitoring.svc:9090")
    if parts.username or parts.password:
        raise InvalidRequest("prometheus.url holds credentials: put them into username and password_file")
    _require(not (parts.query or parts.fragment), "url", url, "leave out what follows ? or #")
    _require(_API not in parts.path, "url", url, f"leave out {_API} and what follows: it is added")


def _check_identity(config: PrometheusConfig) -> None:
    ways = [config.bearer_token, config.bearer_token_file, config.username]
    if sum(way is not None for way in ways) > 1:
        raise InvalidRequest("prometheus: give one of bearer_token, bearer_token_file and username, not several")
    if config.username is None and (config.password or config.password_file):
        raise InvalidRequest("prometheus.username is missing: a password alone says nothing")
    if config.username is not None and not (config.password or config.password_file):
        raise InvalidRequest(f"prometheus.password_file is missing for username {config.username!r}")
    if config.key_file and not config.cert_file:
        raise InvalidRequest("prometheus.cert_file is missing: a key alone says nothing")


def _check_labels(config: PrometheusConfig) -> None:
    for name in config.matchers:
        _require(
            _LABEL_NAME.fullmatch(name) is not None, "matchers", name, "a label's name has letters, digits and _ only"
        )
    header = config.tenant_header
    _require(_HEADER_NAME.fullmatch(header) is not None, "tenant_header", header, "use letters, digits and -")
    for name, text in (("tenant", config.tenant), ("bearer_token", config.bearer_token)):
        if text is not None and not (text.isascii() and text.isprintable() and text):
            raise InvalidRequest(f"prometheus.{name} has characters that a header cannot carry, or none")


def _secret(name: str, path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(name, path, f"it cannot be read ({error})") from error
    _require(bool(text) and text.isascii() and text.isprintable(), name, path, "it must hold one line of plain text")
    return text
