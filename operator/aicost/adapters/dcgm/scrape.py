"""Asks exporters and engines for their metrics, all at once, with bounds on time and size."""

import ssl
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import urllib3

from aicost.adapters.dcgm.exposition import Exposition, Keeps, keep_all, parse
from aicost.domain.sampling.dialects import PROMQL_NAMES
from aicost.domain.sampling.scrapes import Scrape, ScrapeTarget
from aicost.ports.errors import AicostError, InvalidAnswer, NotPermitted, SourceUnavailable

_CHUNK = 1 << 16
_ACCEPT = {"Accept": "text/plain;version=0.0.4"}
"""The text format and no other: some answer in another one where nothing is said."""
_NOTHING = (
    "{} shows no GPU metric: its field list must hold DCGM_FI_PROF_GR_ENGINE_ACTIVE or DCGM_FI_DEV_GPU_UTIL, and the "
    "node needs a working driver"
)


@dataclass(frozen=True, slots=True)
class ScrapeConfig:
    """How exporters are asked.

    Attributes:
        timeout_s: longest time that one answer may take in all.
        max_bytes: size above which an answer is refused; a node of 16 GPUs shows about 300 kB.
        workers: exporters asked at the same time.
        ca_file: certificates that HTTPS exporters are checked against; the system's own where None.
        insecure: accept any certificate.
    """

    timeout_s: float = 5.0
    max_bytes: int = 10_000_000
    workers: int = 16
    ca_file: Path | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of an answer.

    Attributes:
        names: families.
        keeps: which of their series.
        usual: where such metrics are mostly found, for people.
        nothing: what is wrong with an answer that has none of it, with `{}` for the address; empty: nothing is.
    """

    names: Collection[str] = PROMQL_NAMES
    keeps: Keeps = keep_all
    usual: str = ":9400/metrics"
    nothing: str = _NOTHING


GPUS = Wanted()


class Scraper:
    """Scrapes exporters directly, without a Prometheus."""

    def __init__(self, clock: Callable[[], int], config: ScrapeConfig | None = None, wanted: Wanted = GPUS) -> None:
        self._clock, self._wanted = clock, wanted
        self._config = config or ScrapeConfig()
        self._http = urllib3.PoolManager(
            num_pools=256,
            maxsize=1,
            retries=False,
            timeout=urllib3.Timeout(connect=self._config.timeout_s, read=self._config.timeout_s),
            ssl_context=_tls(self._config),
        )

    def scrape_all(self, targets: Sequence[ScrapeTarget]) -> tuple[Scrape, ...]:
        """Ask all targets at the same time; one that fails says so in its own scrape, the others go on."""
        with ThreadPoolExecutor(self._config.workers, thread_name_prefix="scrape") as pool:
            return tuple(pool.map(self.scrape, targets))

    def scrape(self, target: ScrapeTarget) -> Scrape:
        """Ask one target; what went wrong is the scrape's `error`."""
        at_ms = self._clock()
        try:
            found = self._read(target)
        except AicostError as error:
            return Scrape(target, at_ms, error=str(error))
        skew = None if found.latest_stamp_ms is None else found.latest_stamp_ms - at_ms
        empty = None if found.readings or not self._wanted.nothing else self._wanted.nothing.format(target.url)
        return Scrape(target, at_ms, found.readings, found.defects, skew, empty, found.foreign)

    def close(self) -> None:
        """Close all connections."""
        self._http.clear()

    def _read(self, target: ScrapeTarget) -> Exposition:
        """Fetch and parse.

        Raises:
            SourceUnavailable: no answer in time, half an answer, or a status that says so.
            NotPermitted: the exporter asks for credentials.
            InvalidAnswer: too large, or a web page.
        """
        try:
            wanted = self._wanted
            return parse(self._fetch(target.url), wanted.names, wanted.keeps, wanted.usual)
        except InvalidAnswer as error:
            raise InvalidAnswer(f"{target.url}: {error}") from error

    def _fetch(self, url: str) -> bytes:
        deadline = time.monotonic() + self._config.timeout_s
        try:
            response = self._http.request("GET", url, headers=_ACCEPT, preload_content=False, redirect=False)
            try:
                _check_status(url, response)
                return self._body(url, response, deadline)
            finally:
                response.close()
        except urllib3.exceptions.HTTPError as error:
            raise SourceUnavailable(f"{url} did not answer as it should: {_reason(error)}") from error

    def _body(self, url: str, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """Read the whole body, never more than the limit and never longer than the deadline."""
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > self._config.max_bytes:
                raise InvalidAnswer(f"the answer is larger than the limit of {self._config.max_bytes} bytes")
            if time.monotonic() > deadline:
                raise SourceUnavailable(f"{url} took longer than {self._config.timeout_s:g} s to answer")
        return bytes(body)


def _check_status(url: str, response: urllib3.BaseHTTPResponse) -> None:
    status = response.status
    if status in {401, 403}:
        raise NotPermitted(f"{url} answered {status}: it wants credentials, scrape it through a Prometheus")
    if 300 <= status < 400:
        raise InvalidAnswer(f"it redirects to {response.headers.get('Location', 'nowhere')!r}: give the final URL")
    if status != 200:
        raise SourceUnavailable(f"{url} answered {status} {response.reason or ''}".rstrip())


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}"


def _tls(config: ScrapeConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.ca_file)
    if config.insecure:  # a person chose this: a warning at each request would say nothing new
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
