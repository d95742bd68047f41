"""The one resource: from a request to a question, and from reports to an answer."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from aicost.crd.allocations.document import report_document
from aicost.crd.allocations.listing import list_document, table_document
from aicost.crd.allocations.parameters import FORMAT, PARAMETERS, REPORT_FORMAT, read_parameters
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.question import NAMESPACE, Question
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.discovery import EVERYWHERE, IN_A_NAMESPACE
from aicost.entrypoints.queryapi.statuses import Refusal
from aicost.ports.ledger import LedgerSource
from aicost.usecases.answer_question import answer, check_question

MOST_ROWS = 10_000
"""Rows of one answer; the rest is one row `other`."""
_WITHIN, _ACROSS = ("controller",), (NAMESPACE, "controller")
_IGNORED = frozenset(
    {"timeout", "timeoutSeconds", "pretty", "includeObject", "resourceVersion", "resourceVersionMatch", "continue"}
    | {"allowWatchBookmarks", "sendInitialEvents"}
)
"""What Kubernetes clients send and what means nothing here."""
_SELECTORS = frozenset({"labelSelector", "fieldSelector"})


@dataclass(frozen=True, slots=True)
class Counter:
    """Where questions are answered.

    Attributes:
        ledger: where the answers come from.
        cluster: gives the key of this cluster; rows of another one are nobody's business here.
        desk: the threads that read the ledger.
        now_ms: the clock.
    """

    ledger: LedgerSource
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]

    async def across(self, request: web.Request) -> web.Response:
        """Allocations of all namespaces. The API server let in only who may list them everywhere."""
        return await self._serve(request, EVERYWHERE, None)

    async def within(self, request: web.Request) -> web.Response:
        """Allocations of one namespace: the one in the path, whatever the parameters say."""
        namespace = request.match_info["namespace"]
        return await self._serve(request, IN_A_NAMESPACE.format(namespace=namespace), namespace)

    async def _serve(self, request: web.Request, path: str, namespace: str | None) -> web.Response:
        # 1. The path that was authorised is the path that is served, letter by letter.
        if request.raw_path.partition("?")[0] != path:
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is nothing at {request.raw_path[:200]}")
        # 2. What is asked, and how it is to be answered.
        pairs = list(request.query.items())
        _check_names(pairs)
        form = _form(pairs, request.headers.get("Accept", ""))
        keys = _ACROSS if namespace is None else _WITHIN
        question = read_parameters(pairs, namespace=namespace, group_by=keys, most_rows=MOST_ROWS)
        now_ms = self.now_ms()
        check_question(question, now_ms)
        # 3. Read the ledger and write the answer in a thread.
        cluster = await self.cluster()
        body = await self.desk.run(lambda: self._body(question, cluster, now_ms, form))
        return web.Response(body=body, content_type="application/json")

    def _body(self, question: Question, cluster: str, now_ms: int, form: "Form") -> bytes:
        reports = answer(self.ledger.snapshot(), question, now_ms, cluster=cluster)
        return json.dumps(form(reports, question.namespace, now_ms), ensure_ascii=False).encode()


Form = Callable[[Sequence[Report], str | None, int], dict[str, Any]]


def _as_report(reports: Sequence[Report], _namespace: str | None, now_ms: int) -> dict[str, Any]:
    return report_document(reports, now_ms)


def _as_table(reports: Sequence[Report], namespace: str | None, _now_ms: int) -> dict[str, Any]:
    return table_document(reports, namespace)


def _as_list(reports: Sequence[Report], namespace: str | None, _now_ms: int) -> dict[str, Any]:
    return list_document(reports, namespace)


def _check_names(pairs: Sequence[tuple[str, str]]) -> None:
    """Refuse what would change the answer if it were understood."""
    for name, value in pairs:
        if name == "watch" and value not in {"0", "false"}:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "allocations cannot be watched: list them again")
        if name in _SELECTORS and value:
            message = f"{name}: {value[:80]!r} selects objects, and allocations are none: use filter=KEY=VALUE"
            raise Refusal(HTTPStatus.BAD_REQUEST, message)
        if name not in PARAMETERS and name not in _IGNORED | _SELECTORS | {"watch"}:
            known = ", ".join(PARAMETERS)
            raise Refusal(HTTPStatus.BAD_REQUEST, f"{name[:80]!r} is no parameter: use {known}")


def _form(pairs: Sequence[tuple[str, str]], accept: str) -> Form:
    """The form of the answer: by parameter, else by the first media type that we can give."""
    named = [value for name, value in pairs if name == FORMAT]
    if named:
        if named != [REPORT_FORMAT]:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"format: {named[0][:40]!r} is no format: use {REPORT_FORMAT}")
        return _as_report
    for media in accept.split(",") if accept else ["*/*"]:
        kind, *parameters = (part.strip() for part in media.split(";"))
        form = _by_media(kind, dict(part.partition("=")[::2] for part in parameters))
        if form is not None:
            return form
    raise Refusal(HTTPStatus.NOT_ACCEPTABLE, f"Accept: {accept[:120]!r}: answers are application/json")


def _by_media(kind: str, parameters: dict[str, str]) -> Form | None:
    if kind not in {"application/json", "application/*", "*/*"}:
        return None
    shape = parameters.get("as")
    if shape is None:
        return _as_list
    is_table = (shape, parameters.get("g"), parameters.get("v")) == ("Table", "meta.k8s.io", "v1")
    return _as_table if is_table else None
