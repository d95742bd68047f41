"""Statements: from a request to the ledger and to an answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.allocations.parameters import read_single
from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, team_of, whole_cluster
from aicost.entrypoints.queryapi.statements.listing import statement_list, statement_table
from aicost.entrypoints.queryapi.statements.parameters import read_statement
from aicost.entrypoints.queryapi.statements.resource import STATEMENTS
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader, LedgerSource
from aicost.usecases.build_statement import Earlier, StatementRequest, build_statement, check_request
from aicost.usecases.economics.spend.with_accounts import with_accounts

_PLURAL = STATEMENTS.plural


class DatedLedger(LedgerSource, Protocol):
    """A ledger that knows how it stood before."""

    def as_of(self, version: int) -> LedgerReader:
        """What was posted up to a version; `InvalidRequest` where that is not known."""

    def version_at(self, at_ms: int) -> int | None:
        """The newest version at a moment; None before the first."""


@dataclass(frozen=True, slots=True)
class StatementCounter:
    """Where statements are made; attributes as of `Counter`."""

    ledger: DatedLedger
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]
    counted: Callable[[LedgerReader, str], LedgerReader] = with_accounts

    async def across(self, request: web.Request) -> web.Response:
        """Of any payer or of all, with the ledger's total. The API server let in only who may see all namespaces."""
        return await self._serve(request, whole_cluster(_PLURAL))

    async def within(self, request: web.Request) -> web.Response:
        """Of the namespace in the path, with closed books: no row of others is read."""
        return await self._serve(request, namespace_of(request, _PLURAL))

    async def of_team(self, request: web.Request) -> web.Response:
        """Of the team in the path, with closed books as well."""
        return await self._serve(request, team_of(request, _PLURAL))

    async def _serve(self, request: web.Request, scope: Scope) -> web.Response:
        # 1. What is asked, and how it is to be answered.
        check_path(request, scope.path)
        pairs = pairs_of(request, STATEMENTS.parameters)
        check_names(pairs, STATEMENTS.parameters, _PLURAL, "payer=KEY=VALUE")
        form, now_ms = form_of(pairs, request.headers.get("Accept", "")), self.now_ms()
        wanted, since = read_statement(pairs, scope), read_single(pairs, "since")
        check_request(wanted, now_ms)
        # 2. Read the ledger and write the answer in a thread.
        cluster = await self.cluster()
        body = await self.desk.run(lambda: self._body(wanted, since, cluster, now_ms, form))
        return web.Response(body=body, content_type="application/json")

    def _body(self, wanted: StatementRequest, since: str | None, cluster: str, now_ms: int, form: Form) -> bytes:
        snapshot, version = self._now()
        reader = self.counted(snapshot, cluster)
        earlier = None if since is None else self._earlier(since, cluster)
        marks: tuple[Mapping[str, Any], ...] = ({"place": API_VERSION.partition("/")[0], "version": version},)
        document = build_statement(reader, wanted, now_ms, cluster=cluster, earlier=earlier, ledgers=marks)
        return json.dumps(_FORMS[form](document, wanted), ensure_ascii=False).encode()

    def _now(self) -> tuple[LedgerReader, int | None]:
        """The ledger at one moment, and its version then."""
        before = self.ledger.version()
        while True:
            snapshot, after = self.ledger.snapshot(), self.ledger.version()
            if after == before:
                return snapshot, after
            before = after

    def _earlier(self, since: str, cluster: str) -> Earlier:
        version = self._version(since)
        if version is None:
            raise InvalidRequest(f"since: {since[:40]!r}: the ledger was empty then: leave it out")
        try:
            return Earlier(self.counted(self.ledger.as_of(version), cluster), (version,))
        except InvalidRequest as problem:  # where the ledger lies is not for everybody
            message = (
                f"since: version {version} is not known any more, or not yet: the newest is {self.ledger.version()}"
            )
            raise InvalidRequest(message) from problem

    def _version(self, since: str) -> int | None:
        if since.isascii() and since.isdecimal() and len(since) < 19:
            return int(since)
        try:
            at_ms = from_rfc3339(since)
        except ValueError as problem:
            raise InvalidRequest(
                f"since: {since[:40]!r} is no version and no moment: write 1412 or 2026-11-03T08:00:00Z"
            ) from problem
        return self.ledger.version_at(at_ms)


_Write = Callable[[Mapping[str, Any], StatementRequest], Mapping[str, Any]]
_FORMS: Mapping[Form, _Write] = {
    Form.REPORT: lambda document, _: document,
    Form.TABLE: statement_table,
    Form.LIST: statement_list,
}
