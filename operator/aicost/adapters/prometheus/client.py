"""One request to the HTTP API, with bounds on time and size and every failure in our own words."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urlencode

import urllib3

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration
from aicost.adapters.prometheus.replies import Configuration, Envelope, envelope, whole
from aicost.ports.errors import InvalidAnswer, NotPermitted, SourceUnavailable

T = TypeVar("T")
_CHUNK = 1 << 20
_TOO_MUCH = 422
_FORM = "application/x-www-form-urlencoded"
_READ = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Read-Version": "0.1.0",
}
_CHUNKS = "application/x-streamed-protobuf"
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

    def configuration(self) -> str:
        """The configuration that the server runs with, as YAML; errors as of `query`."""
        url = f"{self._config.api}/status/config"
        return whole(url, _judged(url, *self._ask("GET", url)), Configuration).yaml

    def read(self, body: bytes, most: int) -> Iterator[bytes]:
        """The pieces of an answer to a remote read, as they come.

        Args:
            body: the question.
            most: bytes above which the answer is too much.

        Raises:
            TooMuchAsked, SourceUnavailable: as of `query`; also after some pieces.
            InvalidAnswer: the server does not answer such questions.
        """
        url = f"{self._config.api}/read"
        with self._asked("POST", url, body, _READ) as (response, waited):
            kind = response.headers.get("Content-Type", "")
            if response.status != 200 or not kind.startswith(_CHUNKS):
                raise InvalidAnswer(f"{url} answered {response.status} with {kind!r}, which is not {_CHUNKS!r}")
            yield from self._pieces(url, response, most, waited)

    def close(self) -> None:
        """Close all connections."""
        self._http.clear()

    def _ask(self, method: str, url: str, form: str | None = None) -> tuple[int, bytes]:
        headers = {"Content-Type": _FORM} if form else {}
        with self._asked(method, url, form, headers) as (response, waited):
            pieces = self._pieces(url, response, self._config.max_reply_bytes, waited)
            return response.status, b"".join(pieces)

    @contextmanager
    def _asked(
        self, method: str, url: str, body: str | bytes | None, headers: Mapping[str, str]
    ) -> Iterator[tuple[urllib3.BaseHTTPResponse, float]]:
        """An answer that has begun, and the seconds it took to."""
        since = time.monotonic()
        try:
            response = self._http.request(
                method,
                url,
                body=body,
                headers={**self._config.headers(), **headers},
                preload_content=False,
                redirect=False,
            )
            try:
                yield response, time.monotonic() - since
            finally:
                response.close()
        except urllib3.exceptions.HTTPError as error:
            raise SourceUnavailable(f"{url} did not answer as it should: {_reason(error)}") from error

    def _pieces(self, url: str, response: urllib3.BaseHTTPResponse, most: int, waited: float) -> Iterator[bytes]:
        """The whole body, never more than the limit; never waited for longer than the server is given."""
        size, since = 0, time.monotonic()
        while piece := response.read1(_CHUNK):
            size += len(piece)
            waited += time.monotonic() - since
            if size > most:
                raise TooMuchAsked(f"{url} answers with more than {most} bytes at once")
            if waited > self._config.timeout_s:
                raise SourceUnavailable(f"{url} took longer than {self._config.timeout_s:g} s to answer")
            yield piece
            since = time.monotonic()


def ahead(answers: Iterator[T]) -> Iterator[T]:
    """The same answers and failures in the same order, one of them ahead: the server and we work at the same time.

    No more than one, since each may be large.
    """
    with ThreadPoolExecutor(1, "prometheus") as asking:
        following = asking.submit(next, answers, None)
        while (answer := following.result()) is not None:
            following = asking.submit(next, answers, None)
            yield answer


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
