"""Questions to an API that bills: read-only, patient, and silent about the key.

The key is read anew for each question, is sent to the one address that was named, and stands in no message, also where
an answer repeats it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import urllib3

from aicost.adapters.pricing.bills.keys import AccountKey
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable

_ATTEMPTS = 6
_LONGEST_WAIT_S = 120.0
_LARGEST_BYTES = 32 * 2**20
_CHUNK = 1 << 16
Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Wire:
    """One address that is asked with one key.

    Attributes:
        url: what is asked, without parameters.
        key: that of an administrator.
        key_header: header and beginning of the value that carries the key.
        headers: others that it wants.
        timeout_s: patience for one answer.
        wait: how time passes between tries.
    """

    url: str
    key: AccountKey
    key_header: tuple[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 30.0
    wait: Callable[[float], None] = time.sleep
    _http: urllib3.PoolManager = field(init=False)

    def __post_init__(self) -> None:
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=self.timeout_s))
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise InvalidRequest(f"{self.url}: write an address that begins with https://")

    def get(self, asked: Pairs) -> bytes:
        """The body of an answer; a busy server is asked again, as late as it says.

        Raises:
            SourceUnavailable: no answer after several tries.
            NotPermitted: the key is none, or may not read costs.
            InvalidAnswer: this is no such API.
            InvalidRequest: there is no key.
        """
        said = ""
        for attempt in range(_ATTEMPTS):
            status, body, retry_after = self._ask(f"{self.url}?{urlencode(asked)}")
            if status == 200:
                return body
            self._check(status, body)
            said = f"{status}: {self._said(body)}"
            if attempt + 1 < _ATTEMPTS:
                self.wait(min(_LONGEST_WAIT_S, retry_after if retry_after is not None else 2.0**attempt))
        raise SourceUnavailable(f"{self.url} answered {_ATTEMPTS} times {said}")

    def _check(self, status: int, body: bytes) -> None:
        """Whether it is worth to ask again."""
        if status in {401, 403}:
            fix = f"the key in {self.key} must be one of an administrator"
            raise NotPermitted(f"{self.url} answered {status}: {fix}")
        if status not in {408, 429} and status < 500:
            raise InvalidAnswer(f"{self.url} answered {status}: {self._said(body)}")

    def _ask(self, url: str) -> tuple[int, bytes, float | None]:
        name, begin = self.key_header
        headers = {**self.headers, name: f"{begin}{self.key.read()}", "User-Agent": "aicost"}
        deadline = time.monotonic() + self.timeout_s
        try:
            answer = self._http.request("GET", url, headers=headers, preload_content=False, redirect=False)
            try:
                return (
                    answer.status,
                    _body(answer, self.url, deadline),
                    _seconds(answer.headers.get("Retry-After", "")),
                )
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            return 599, type(error.__cause__ or error).__name__.encode(), None

    def _said(self, body: bytes) -> str:
        """The beginning of an answer, without the key: some repeat what they were asked with."""
        return repr(body.replace(self.key.read().encode(), b"[key]")[:120].decode("utf-8", errors="replace"))


def _body(answer: urllib3.BaseHTTPResponse, url: str, deadline: float) -> bytes:
    """The whole body, never more than the limit and never longer than the deadline."""
    body = bytearray()
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > _LARGEST_BYTES:
            raise InvalidAnswer(f"{url} answers with more than {_LARGEST_BYTES >> 20} MiB on one page")
        if time.monotonic() > deadline:
            raise SourceUnavailable(f"{url} takes too long for one page")
    return bytes(body)


def _seconds(text: str) -> float | None:
    """Seconds to wait; a date is not read, and counts as nothing said."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
