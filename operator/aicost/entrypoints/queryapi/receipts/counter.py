"""Receipts: from a request to the ledger and the inputs beside it, and to an answer without others' names."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from aicost.crd.receipts.document import receipt_document
from aicost.crd.receipts.redacting import Sees, without_others
from aicost.domain.exact.windows import Window
from aicost.domain.receipts.receipt import Receipt, WindowReceipt
from aicost.domain.receipts.subjects import Subject
from aicost.domain.reporting.question import TEAM
from aicost.entrypoints.queryapi.asking import Form, Pairs, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.paging import Page, Pages, page_of
from aicost.entrypoints.queryapi.receipts.asking import Wanted, read_wanted
from aicost.entrypoints.queryapi.receipts.listing import receipt_list, receipt_table
from aicost.entrypoints.queryapi.receipts.resource import MOST_WINDOWS, RECEIPTS
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, team_of, whole_cluster
from aicost.entrypoints.queryapi.statuses import Refusal
from aicost.ports.errors import InputsDamaged, InvalidRequest, ReplayFailed
from aicost.ports.ledger import LedgerReader
from aicost.telemetry.logs import line

_PLURAL = RECEIPTS.plural
_log = logging.getLogger("aicost.query")


class Explaining(Protocol):
    """One moment of a ledger, and who explains its figures."""

    @property
    def reader(self) -> LedgerReader:
        """The ledger."""

    def explain(self, cluster: str, subject: Subject, span: Window, detail: Window | None) -> Receipt:
        """The receipt; errors as of `ExplainCost`."""


@dataclass(frozen=True, slots=True)
class ReceiptCounter:
    """Where receipts are made.

    Attributes:
        now: the ledger as it is now.
        desk: threads of its own: computing again takes longer than reading, and must not hold up readers.
        cluster, now_ms, pages: as of `Counter`.
    """

    now: Callable[[], Explaining]
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]
    pages: Pages = field(default_factory=Pages)

    async def across(self, request: web.Request) -> web.Response:
        """Of anything. The API server let in only who may see all namespaces."""
        return await self._serve(request, whole_cluster(_PLURAL))

    async def within(self, request: web.Request) -> web.Response:
        """Of a pod or a workload of the namespace in the path; no other namespace has a name in it."""
        return await self._serve(request, namespace_of(request, _PLURAL))

    async def of_team(self, request: web.Request) -> web.Response:
        """Of a pod or a workload of the team in the path; no other pod has a name in it."""
        return await self._serve(request, team_of(request, _PLURAL))

    async def _serve(self, request: web.Request, scope: Scope) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, scope.path)
        pairs = pairs_of(request, RECEIPTS.parameters)
        check_names(pairs, RECEIPTS.parameters, _PLURAL, "pod=NAME")
        form, now_ms = form_of(pairs, request.headers.get("Accept", "")), self.now_ms()
        page, wanted = _page(scope, pairs, form), read_wanted(pairs, scope, now_ms)
        # 2. Compute it again in a thread, and write the answer.
        cluster = await self.cluster()
        body = await self.desk.run(lambda: self._body(wanted, scope, cluster, now_ms, page))
        return web.Response(body=body, content_type="application/json")

    def _body(self, wanted: Wanted, scope: Scope, cluster: str, now_ms: int, page: Page) -> bytes:
        document = self.pages.answer(page, now_ms, lambda at_ms: self._whole(wanted, scope, cluster, at_ms, page.form))
        return json.dumps(document, ensure_ascii=False).encode()

    def _whole(self, wanted: Wanted, scope: Scope, cluster: str, now_ms: int, form: Form) -> dict[str, Any]:
        ledger = self.now()
        _check_size(ledger.reader, wanted.span, cluster)
        receipt = _told(ledger, wanted, scope, cluster)
        document = receipt_document(receipt, now_ms)
        if scope.filters:
            document = without_others(document, _sees(receipt, scope))
        return dict(_FORMS[form](document))


def _page(scope: Scope, pairs: Pairs, form: Form) -> Page:
    """A receipt as a document is told as a whole."""
    kept = [] if form is Form.REPORT else pairs
    return page_of(scope.path, kept, form)


def _check_size(reader: LedgerReader, span: Window, cluster: str) -> None:
    count = len(reader.windows(span, cluster=cluster))
    if count > MOST_WINDOWS:
        raise InvalidRequest(
            f"window: {span} has {count} billing windows, and each is computed again: ask for at most {MOST_WINDOWS}, "
            "or use `aicost explain --ledger`"
        )


def _told(ledger: Explaining, wanted: Wanted, scope: Scope, cluster: str) -> Receipt:
    """The receipt; what went wrong with it is told in full to those alone who may see all it may name."""
    try:
        return _explained(ledger, wanted, scope, cluster)
    except (InputsDamaged, ReplayFailed) as problem:
        if not scope.filters:
            raise
        line(_log, logging.WARNING, "receipt failed", subject=str(wanted.subject), error=str(problem))
        message = f"{wanted.subject} could not be computed again; the log of aicost query says why"
        raise Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, message) from problem


def _explained(ledger: Explaining, wanted: Wanted, scope: Scope, cluster: str) -> Receipt:
    """The receipt, as far as it is the scope's."""
    subject = wanted.subject
    if scope.team is None:
        return ledger.explain(cluster, subject, wanted.span, wanted.detail)
    nothing = InvalidRequest(f"{subject}: the ledger has no row of it in {wanted.span} that team {scope.team} owes")
    try:
        receipt = ledger.explain(cluster, subject, wanted.span, wanted.detail)
    except InvalidRequest:  # its message may name pods of other teams
        raise nothing from None
    own = replace(receipt, windows=_of_team(receipt.windows, scope.team), open=_of_team(receipt.open, scope.team))
    if not own.windows and not own.open:
        raise nothing
    return own


def _of_team(windows: Any, team: str) -> tuple[WindowReceipt, ...]:
    """The windows in which the team alone owes all of it."""
    return tuple(
        one for one in windows if one.rows and all(row.holder.dimensions.get(TEAM) == team for row in one.rows)
    )


def _sees(receipt: Receipt, scope: Scope) -> Sees:
    """Whose names may be told: all pods of a namespace; of a team those that the receipt is about."""
    if scope.namespace is not None:
        prefix = f"{scope.namespace}/"
        return lambda name: name.startswith(prefix) or name == scope.namespace
    mine = {f"{row.holder.namespace}/{row.holder.pod}" for one in (*receipt.windows, *receipt.open) for row in one.rows}
    return mine.__contains__


_FORMS: Mapping[Form, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    Form.REPORT: lambda document: document,
    Form.TABLE: receipt_table,
    Form.LIST: receipt_list,
}
