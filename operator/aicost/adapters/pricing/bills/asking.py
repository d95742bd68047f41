"""The cost APIs of model providers: whole pages of days, asked for patiently.

What is asked is read-only. The key is read anew for each question, is sent to the one address that was named, and
stands in no message, also where an answer repeats it.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from aicost.adapters.pricing.bills.keys import AccountKey
from aicost.adapters.pricing.bills.pages import ANTHROPIC, OPENAI, read_pages
from aicost.domain.exact.windows import SECOND_MS, Window, to_rfc3339
from aicost.domain.thirdparty.lines import SpendLine
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable

_ATTEMPTS = 6
_LONGEST_WAIT_S = 120.0
_MOST_PAGES = 2_000
_LARGEST_BYTES = 32 * 2**20
_CHUNK = 1 << 16
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CostApi:
    """How one provider is asked.

    Attributes:
        base: its usual address.
        path: of the costs by day.
        key_header: header and beginning of the value that carries the key.
        headers: others that it wants.
        question: span -> parameters.
    """

    base: str
    path: str
    key_header: tuple[str, str]
    headers: Mapping[str, str]
    question: Callable[[Window], Pairs]


def _anthropic(span: Window) -> Pairs:
    groups = [("group_by[]", name) for name in ("workspace_id", "description")]
    times = [("starting_at", to_rfc3339(span.start_ms)), ("ending_at", to_rfc3339(span.end_ms))]
    return [*times, ("bucket_width", "1d"), ("limit", "31"), *groups]


def _openai(span: Window) -> Pairs:
    groups = [("group_by[]", name) for name in ("project_id", "line_item")]
    times = [("start_time", str(span.start_ms // SECOND_MS)), ("end_time", str(span.end_ms // SECOND_MS))]
    return [*times, ("bucket_width", "1d"), ("limit", "180"), *groups]


APIS: Mapping[str, CostApi] = {
    ANTHROPIC: CostApi(
        "https://api.anthropic.com",
        "/v1/organizations/cost_report",
        ("x-api-key", ""),
        {"anthropic-version": "2023-06-01"},
        _anthropic,
    ),
    OPENAI: CostApi(
        "https://api.openai.com/v1", "/organization/costs", ("Authorization", "Bearer "), {}, _openai
    ),
}  # fmt: skip


@dataclass(slots=True)
class CostReader:
    """Asks one provider.

    Attributes:
        provider: one of `APIS`.
        key: that of an administrator.
        base: another address, such as that of a proxy; None for the provider's own.
        timeout_s: patience for one answer.
        wait: how time passes between tries.
    """

    provider: str
    key: AccountKey
    base: str | None = None
    timeout_s: float = 30.0
    wait: Callable[[float], None] = time.sleep
    _http: urllib3.PoolManager = field(init=False)

    def __post_init__(self) -> None:
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=self.timeout_s))
        if urlsplit(self._url).scheme not in {"http", "https"}:
            raise InvalidRequest(f"{self._url}: write an address that begins with https://")

    def lines(self, days: Window) -> tuple[SpendLine, ...]:
        """The lines of whole days in UTC, all pages of them.

        Raises:
            SourceUnavailable: no answer after several tries, or pages without an end.
            NotPermitted: the key is none, or may not read costs.
            InvalidAnswer: this is no such API.
            InvalidRequest: there is no key.
        """
        buckets = [bucket for page in self._pages(days) for bucket in page]
        try:
            return read_pages(buckets, self._url)[1] if buckets else ()
        except InvalidRequest as problem:
            raise InvalidAnswer(str(problem)) from problem

    @property
    def _api(self) -> CostApi:
        return APIS[self.provider]

    @property
    def _url(self) -> str:
        return f"{(self.base or self._api.base).rstrip('/')}{self._api.path}"

    def _pages(self, days: Window) -> Iterator[list[Mapping[str, Any]]]:
        cursor, seen = "", set[str]()
        for _ in range(_MOST_PAGES):
            asked = [*self._api.question(days), *([("page", cursor)] if cursor else [])]
            found = self._page(asked)
            yield found["data"]
            if not found.get("has_more"):
                return
            cursor = str(found.get("next_page") or "")
            if not cursor or cursor in seen:
                raise InvalidAnswer(f"{self._url} says that there is more and does not say where")
            seen.add(cursor)
        raise SourceUnavailable(f"{self._url} has more than {_MOST_PAGES} pages for this time: ask for less of it")

    def _page(self, asked: Pairs) -> Mapping[str, Any]:
        body = self._patiently(f"{self._url}?{urlencode(asked)}")
        page = _page_in(body)
        if page is None:
            raise InvalidAnswer(f"{self._url} answers with no page of costs: check the address")
        return page

    def _patiently(self, url: str) -> bytes:
        """Ask again where the provider is busy, as late as it says."""
        said = ""
        for attempt in range(_ATTEMPTS):
            status, body, retry_after = self._ask(url)
            if status == 200:
                return body
            self._check(status, body)
            said = f"{status}: {self._said(body)}"
            if attempt + 1 < _ATTEMPTS:
                self.wait(min(_LONGEST_WAIT_S, retry_after if retry_after is not None else 2.0**attempt))
        raise SourceUnavailable(f"{self._url} answered {_ATTEMPTS} times {said}")

    def _check(self, status: int, body: bytes) -> None:
        """Whether it is worth to ask again."""
        if status in {401, 403}:
            fix = f"the key in {self.key} must be one of an administrator"
            raise NotPermitted(f"{self._url} answered {status}: {fix}")
        if status not in {408, 429} and status < 500:
            raise InvalidAnswer(f"{self._url} answered {status}: {self._said(body)}")

    def _ask(self, url: str) -> tuple[int, bytes, float | None]:
        name, begin = self._api.key_header
        headers = {**self._api.headers, name: f"{begin}{self.key.read()}", "User-Agent": "aicost"}
        deadline = time.monotonic() + self.timeout_s
        try:
            answer = self._http.request("GET", url, headers=headers, preload_content=False, redirect=False)
            try:
                return (
                    answer.status,
                    _body(answer, self._url, deadline),
                    _seconds(answer.headers.get("Retry-After", "")),
                )
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            return 599, type(error.__cause__ or error).__name__.encode(), None

    def _said(self, body: bytes) -> str:
        """The beginning of an answer, without the key: some repeat what they were asked with."""
        return repr(body.replace(self.key.read().encode(), b"[key]")[:120].decode("utf-8", errors="replace"))


def _page_in(body: bytes) -> Mapping[str, Any] | None:
    """A page; None for what is none."""
    try:
        found = json.loads(body, parse_float=Decimal)
        is_page = all(isinstance(bucket["results"], list) for bucket in found["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return dict(found) if is_page else None


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
