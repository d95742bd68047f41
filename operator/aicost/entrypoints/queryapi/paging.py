"""Long answers in pages, as Kubernetes lists have them: `limit` rows at once, and `continue` for what follows.

All pages are of one answer. It is remembered for some minutes; where it is not (another replica is asked, or too many
were remembered since) it is made again for the same moment, and serves if it is the same to the last letter. Else the
token has expired, as Kubernetes calls it: 410, and the client lists again.
"""

import base64
import hashlib
import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aicost.crd.allocations.parameters import CHUNK, CONTINUE, LIMIT, read_single
from aicost.domain.exact.windows import MINUTE_MS
from aicost.entrypoints.queryapi.asking import Form, Pairs
from aicost.entrypoints.queryapi.statuses import Refusal

LONGEST_MS = 5 * MINUTE_MS
"""For so long a token is good, as in the API server."""
_BLOCK = 500
_MOST_BYTES = 64 << 20
_PAGING = frozenset({LIMIT, CHUNK, CONTINUE})
_EXPIRED = (
    "continue: this list has expired: it is kept for 5 minutes and ends with a restart; list again from the start"
)
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Token:
    """Where a list goes on.

    Attributes:
        at_ms: the moment that the answer is of.
        digest: of the whole answer.
        offset: rows that were told.
    """

    at_ms: int
    digest: str
    offset: int

    def written(self) -> str:
        """The token as clients carry it."""
        return base64.urlsafe_b64encode(json.dumps([self.at_ms, self.digest, self.offset]).encode()).decode()

    @classmethod
    def read(cls, text: str) -> "Token":
        """A token that a client brings.

        Raises:
            Refusal: it is none.
        """
        try:
            at_ms, digest, offset = json.loads(base64.urlsafe_b64decode(text))
        except (ValueError, TypeError) as problem:
            raise Refusal(HTTPStatus.BAD_REQUEST, "continue: this is no token of ours: list again") from problem
        if not (type(at_ms) is type(offset) is int and isinstance(digest, str) and offset >= 0):
            raise Refusal(HTTPStatus.BAD_REQUEST, "continue: this is no token of ours: list again")
        return cls(at_ms, digest, offset)


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of which answer is asked for.

    Attributes:
        question: path, parameters and form: a token of another one is good for nothing here.
        rows: how many; None for all.
        token: where to go on; None for the first one.
    """

    form: Form
    question: str
    rows: int | None
    token: Token | None


def page_of(path: str, pairs: Pairs, form: Form) -> Page:
    """The page that parameters ask for.

    Raises:
        Refusal, InvalidRequest: they make no sense.
    """
    name = CHUNK if form is Form.REPORT else LIMIT
    size, token = read_single(pairs, name) or "0", read_single(pairs, CONTINUE)
    if not (size.isascii() and size.isdecimal()):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{name}: {size[:40]!r} is no number of rows: write one such as 20")
    asked = sorted(pair for pair in pairs if pair[0] not in (_PAGING if form is not Form.REPORT else {CHUNK, CONTINUE}))
    question = json.dumps([path, form.name, asked])
    return Page(form, question, int(size) or None, Token.read(token) if token else None)


class Pages:
    """Answers that are handed out in pages. May be used from any thread."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._lock = threading.Lock()
        self._most = most_bytes
        self._kept: OrderedDict[tuple[str, str], _Answer] = OrderedDict()

    def answer(self, page: Page, now_ms: int, make: Callable[[int], Document]) -> Document:
        """One page.

        Args:
            page: which one.
            now_ms: the present moment.
            make: makes the whole answer of a moment; its errors are passed on.

        Raises:
            Refusal: 410 where the token has expired.
        """
        if page.token is None:
            document = make(now_ms)
            if page.rows is None or len(rows := _rows(page.form, document)) <= page.rows:
                return document
            answer = _Answer.of(page.form, document, rows)
            self._keep(page, answer)
            return answer.page(Token(now_ms, answer.digest, 0), page.rows)
        if not 0 <= now_ms - page.token.at_ms <= LONGEST_MS:
            raise Refusal(HTTPStatus.GONE, _EXPIRED)
        return self._again(page, page.token, make).page(page.token, page.rows)

    def _again(self, page: Page, token: Token, make: Callable[[int], Document]) -> "_Answer":
        with self._lock:
            known = self._kept.get((page.question, token.digest))
        if known is not None:
            return known
        document = make(token.at_ms)
        answer = _Answer.of(page.form, document, _rows(page.form, document))
        if answer.digest != token.digest:
            raise Refusal(HTTPStatus.GONE, _EXPIRED)
        self._keep(page, answer)
        return answer

    def _keep(self, page: Page, answer: "_Answer") -> None:
        with self._lock:
            self._kept[page.question, answer.digest] = answer
            while len(self._kept) > 1 and sum(one.size for one in self._kept.values()) > self._most:
                self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A whole answer, compressed.

    Attributes:
        head: all but the rows.
        blocks: the rows, `_BLOCK` in each.
    """

    form: Form
    head: Document
    blocks: tuple[bytes, ...]
    count: int
    digest: str

    @classmethod
    def of(cls, form: Form, document: Document, rows: Sequence[Any]) -> "_Answer":
        head = _with_rows(form, document, [])
        texts = [_json(rows[at : at + _BLOCK]) for at in range(0, len(rows), _BLOCK)]
        digest = hashlib.sha256(_json(head))
        for text in texts:
            digest.update(text)
        return cls(form, head, tuple(zlib.compress(text, 1) for text in texts), len(rows), digest.hexdigest()[:32])

    @property
    def size(self) -> int:
        """Bytes of the rows."""
        return sum(map(len, self.blocks))

    def page(self, token: Token, most: int | None) -> Document:
        """Rows from the token on, with the token of what follows."""
        end = self.count if most is None else min(self.count, token.offset + most)
        document = _with_rows(self.form, self.head, list(self._between(token.offset, end)))
        if end >= self.count:
            return document
        follows = Token(token.at_ms, self.digest, end).written()
        if self.form is Form.REPORT:
            return {**document, CONTINUE: follows}
        metadata = {**document["metadata"], CONTINUE: follows, "remainingItemCount": self.count - end}
        return {**document, "metadata": metadata}

    def _between(self, first: int, end: int) -> Iterator[Any]:
        for number in range(first // _BLOCK, -(-end // _BLOCK)):
            start = number * _BLOCK
            rows = json.loads(zlib.decompress(self.blocks[number]))
            yield from rows[max(0, first - start) : end - start]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


_FIELDS: Mapping[Form, str] = {Form.LIST: "items", Form.TABLE: "rows"}


def _rows(form: Form, document: Document) -> list[Any]:
    """All rows of an answer; those of a report with the place of their report."""
    if form in _FIELDS:
        return list(document[_FIELDS[form]])
    return [[place, row] for place, one in enumerate(document["reports"]) for row in one["rows"]]


def _with_rows(form: Form, document: Document, rows: Sequence[Any]) -> Document:
    """The answer with other rows."""
    if form in _FIELDS:
        return {**document, _FIELDS[form]: list(rows)}
    reports = [
        {**one, "rows": [row for at, row in rows if at == place]} for place, one in enumerate(document["reports"])
    ]
    return {**document, "reports": reports}
