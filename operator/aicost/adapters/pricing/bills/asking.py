"""The cost APIs of model providers: whole pages of days."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aicost.adapters.pricing.bills.keys import AccountKey
from aicost.adapters.pricing.bills.pages import ANTHROPIC, OPENAI, read_pages
from aicost.adapters.pricing.bills.wire import Pairs, Wire
from aicost.domain.exact.windows import SECOND_MS, Window, to_rfc3339
from aicost.domain.thirdparty.lines import SpendLine
from aicost.ports.errors import InvalidAnswer, InvalidRequest, SourceUnavailable

_MOST_PAGES = 2_000


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
    _wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        api = APIS[self.provider]
        url = f"{(self.base or api.base).rstrip('/')}{api.path}"
        self._wire = Wire(url, self.key, api.key_header, api.headers, self.timeout_s, self.wait)

    @property
    def notes(self) -> Sequence[str]:
        """Nothing is left out."""
        return ()

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
            return read_pages(buckets, self._wire.url)[1] if buckets else ()
        except InvalidRequest as problem:
            raise InvalidAnswer(str(problem)) from problem

    def _pages(self, days: Window) -> Iterator[list[Mapping[str, Any]]]:
        cursor, seen = "", set[str]()
        for _ in range(_MOST_PAGES):
            asked = [*APIS[self.provider].question(days), *([("page", cursor)] if cursor else [])]
            found = self._page(asked)
            yield found["data"]
            if not found.get("has_more"):
                return
            cursor = str(found.get("next_page") or "")
            if not cursor or cursor in seen:
                raise InvalidAnswer(f"{self._wire.url} says that there is more and does not say where")
            seen.add(cursor)
        raise SourceUnavailable(f"{self._wire.url} has more than {_MOST_PAGES} pages for this time: ask for less of it")

    def _page(self, asked: Pairs) -> Mapping[str, Any]:
        page = _page_in(self._wire.get(asked))
        if page is None:
            raise InvalidAnswer(f"{self._wire.url} answers with no page of costs: check the address")
        return page


def _page_in(body: bytes) -> Mapping[str, Any] | None:
    """A page; None for what is none."""
    try:
        found = json.loads(body, parse_float=Decimal)
        is_page = all(isinstance(bucket["results"], list) for bucket in found["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return dict(found) if is_page else None
