"""One request to the HTTP API, with bounds on time and size and every failure in our own words."""

import time
from typing import TypeVar
from urllib.parse import urlencode

import urllib3

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration
from aicost.adapters.prometheus.replies import Envelope, envelope, whole
from aicost.ports.errors import InvalidAnswer, NotPermitted, SourceUnavailable

T = TypeVar("T")
_CHUNK = 1 << 20
_TOO_MUCH = 422
_FORM = "application/x-www-form-urlencoded"
_CREDENTIALS = "set prometheus.bearer_token_file, or username and password_file, or tenant"


class TooMuchAsked(SourceUnavailable):
    """The answer would be too large, for the server or for us: ask for less at once."""


class PrometheusClient:
    """Speaks with one Prometheus-compatible server."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._config = config
        self._http = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=min(10.0, config.timeout_s), read=config.timeout_s),
            ssl_context=config.tls() if config.url.startswith("https") else None,
        )

    def query(self, promql: str, at_ms: int | None, kind: type[T]) -> T:
        """Ask an instant query; at the server's own now where no time is given.

        Raises:
            TooMuchAsked: for the server (422) or for the limit of one reply.
            SourceUnavailable: no answer, or less than was asked.
            NotPermitted: credentials are missing or wrong.
            InvalidAnswer: this is no Prometheus API.
        """
        # In whole milliseconds: a fraction of a second is no duration for Prometheus.
        form = {"query": promql, "timeout": duration(max(1, round(self._config.timeout_s * 1_000)))}
        if at_ms is not None:
            form["time"] = f"{at_ms / 1_000:.3f}"
        url = f"{self._config.api}/query"
        status, body = self._ask("POST", url, urlencode(form))
        return whole(url, _judged(url, status, body), kind)

    def metadata(self, metric: str) -> bytes | None:
        """What the server knows of a metric, None where it keeps no such thing."""
        url = f"{self._config.api}/metadata"
        status, body = self._ask("GET", f"{url}?{urlencode({'metric': metric})}")
        if status in {400, 404, 405, 501}:
            return None
        found = _judged(url, status, body)
        return bytes(found.data) if found.status == "success" else None

    def close(self) -> None:
        """Close all connections."""
        self._http.clear()

    def _ask(self, method: str, url: str, form: str | None = None) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._config.timeout_s
        try:
            headers = self._config.headers() | ({"Content-Type": _FORM} if form else {})
            response = self._http.request(
                method, url, body=form, headers=headers, preload_content=False, redirect=False
            )
            try:
                return response.status, self._body(url, response, deadline)
            finally:
                response.close()
        except urllib3.exceptions.HTTPError as error:
            raise SourceUnavailable(f"{url} did not answer as it should: {_reason(error)}") from error

    def _body(self, url: str, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """Read the whole body, never more than the limit and never longer than the deadline."""
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > self._config.max_reply_bytes:
                raise TooMuchAsked(f"{url} answers with more than {self._config.max_reply_bytes} bytes at once")
            if time.monotonic() > deadline:
                raise SourceUnavailable(f"{url} took longer than {self._config.timeout_s:g} s to answer")
        return bytes(body)


def _judged(url: str, status: int, body: bytes) -> Envelope:
    """The answer's frame, if its status lets us read it."""
    if status == 200:
        return envelope(url, body)
    said = _said(url, body)
    if status == _TOO_MUCH:
        raise TooMuchAsked(f"{url} refuses to load so many samples: {said}")
    if status in {401, 403}:
        raise NotPermitted(f"{url} answered {status}, {said}: {_CREDENTIALS}")
    if status in {408, 429} or status >= 500:
        raise SourceUnavailable(f"{url} answered {status}: {said}")
    if 300 <= status < 400:
        raise InvalidAnswer(f"{url} answered {status}, a redirect (to a login page?): give the final address")
    raise InvalidAnswer(f"{url} answered {status}: {said}; check prometheus.url and its path prefix")


def _said(url: str, body: bytes) -> str:
    """The error of an answer in its own words."""
    try:
        found = envelope(url, body)
    except InvalidAnswer:
        return repr(body.strip()[:80].decode("utf-8", errors="replace"))
    return f"{found.error_type} {found.error}".strip()


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = error.__cause__ or error
    hint = "; set prometheus.ca_file to the authority that signed it" if "CERTIFICATE_VERIFY" in str(error) else ""
    return f"{type(cause).__name__}: {cause}{hint}"
