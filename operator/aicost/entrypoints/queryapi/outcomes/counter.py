"""Outcomes: statements from a request to the disk, and what was stated back to those who ask."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from aicost.crd.allocations.parameters import read_limit, read_single
from aicost.crd.outcomes.document import outcome_document, posted_document
from aicost.crd.outcomes.listing import outcome_list, outcome_table
from aicost.crd.outcomes.resource import OUTCOMES
from aicost.domain.exact.windows import DAY_MS, MINUTE_MS
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.spans import parse_span
from aicost.domain.serving.outcomes.posted import MOST_REASONS, OLDEST_DAYS, WHO, Statement
from aicost.entrypoints.queryapi.asking import Form, check_names, check_path, form_of, pairs_of
from aicost.entrypoints.queryapi.desk import Desk
from aicost.entrypoints.queryapi.outcomes.pacing import Pace
from aicost.entrypoints.queryapi.outcomes.taking import body_of, statements_of
from aicost.entrypoints.queryapi.outcomes.together import Together
from aicost.entrypoints.queryapi.scopes import Scope, namespace_of, whole_cluster
from aicost.entrypoints.queryapi.statuses import Refusal
from aicost.ports.errors import InvalidRequest
from aicost.ports.measured.outcomes import OutcomeReader, OutcomeWriter

MOST_ROWS = 10_000
"""Lines of one answer."""
_SPAN = "7d"
_MOST_NAMESPACES = 10_000
_ON_CREATE = ("fieldManager", "fieldValidation")
"""What Kubernetes clients may send with a POST and what means nothing here; a dry run would."""
_KNOWN_MS = 10 * MINUTE_MS
"""For so long the reasons of a namespace are remembered before they are read again."""


class OutcomeStore(OutcomeReader, OutcomeWriter, Protocol):
    """Where statements are kept and read."""


@dataclass(slots=True)
class OutcomeCounter:
    """Where statements are taken and told.

    Attributes:
        store: where they are kept.
        customer: what a customer is called there: an id where the settings want it.
        writers: the one thread that writes.
        pace: how much a namespace may post.
        cluster, desk, now_ms: as of `Counter`.
    """

    store: OutcomeStore
    cluster: Callable[[], Awaitable[str]]
    desk: Desk
    now_ms: Callable[[], int]
    customer: Callable[[str], str] = str
    writers: Desk = field(default_factory=lambda: Desk(workers=1, waiting=8))
    pace: Pace = field(default_factory=Pace)
    _together: Together = field(init=False)
    _reasons: dict[str, tuple[int, set[str]]] = field(default_factory=dict)
    _posted_ms: int = 0

    def __post_init__(self) -> None:
        self._together = Together(self._keep)

    async def post(self, request: web.Request) -> web.Response:
        """Take statements about the namespace in the path; when they are answered they are on the disk."""
        # 1. Where to, and all that was sent.
        scope = namespace_of(request, OUTCOMES.plural)
        check_path(request, scope.path)
        check_names(pairs_of(request, {}), _ON_CREATE, OUTCOMES.plural, "the body")
        body, now_ms, namespace = await body_of(request), self.now_ms(), str(scope.namespace)
        # 2. Read it, and whether so much may come, with so many reasons.
        stated = await self.desk.run(lambda: statements_of(body, namespace, now_ms))
        self.pace.take(namespace, len(stated), now_ms)
        await self._check_reasons(namespace, stated, now_ms)
        # 3. Keep it, then answer.
        await self._together.keep([self._concealed(one) for one in stated])
        return web.json_response(posted_document(namespace, len(stated), now_ms), status=HTTPStatus.CREATED)

    async def across(self, request: web.Request) -> web.Response:
        """What was stated in all namespaces. The API server let in only who may see them."""
        return await self._tell(request, whole_cluster(OUTCOMES.plural))

    async def within(self, request: web.Request) -> web.Response:
        """What was stated in the namespace in the path, and nothing of another one."""
        return await self._tell(request, namespace_of(request, OUTCOMES.plural))

    def close(self) -> None:
        """Write nothing more."""
        self.writers.close()

    async def _tell(self, request: web.Request, scope: Scope) -> web.Response:
        check_path(request, scope.path)
        pairs = pairs_of(request, OUTCOMES.parameters)
        check_names(pairs, OUTCOMES.parameters, OUTCOMES.plural, "jq on the answer")
        form, now_ms = form_of(pairs, request.headers.get("Accept", "")), self.now_ms()
        rows = read_limit(pairs, MOST_ROWS)
        try:
            span = parse_span(read_single(pairs, "window") or _SPAN, now_ms, read_single(pairs, "timeZone") or "UTC")
        except ValueError as problem:
            raise InvalidRequest(str(problem)) from problem
        who = _who(read_single(pairs, "by"))
        cluster = await self.cluster()

        def work() -> bytes:
            sums = self.store.sums(cluster, [span], namespace=scope.namespace, who=who)
            return json.dumps(_FORMS[form](outcome_document(sums, span, scope.namespace, now_ms, rows))).encode()

        return web.Response(body=await self.desk.run(work), content_type="application/json")

    async def _keep(self, statements: Sequence[Statement]) -> None:
        """Each commit is later than the one before it, whatever the clock says."""
        cluster = await self.cluster()
        self._posted_ms = posted_ms = max(self.now_ms(), self._posted_ms + 1)
        await self.writers.run(lambda: self.store.post(cluster, statements, posted_ms))

    async def _check_reasons(self, namespace: str, stated: Sequence[Statement], now_ms: int) -> None:
        """A namespace has so many reasons and no more: they are kinds of failures, not single ones."""
        at_ms, known = self._reasons.get(namespace, (None, set[str]()))
        if at_ms is None or not 0 <= now_ms - at_ms < _KNOWN_MS:
            cluster, since_ms = await self.cluster(), now_ms - OLDEST_DAYS * DAY_MS
            known = set(await self.desk.run(lambda: self.store.reasons(cluster, namespace, since_ms)))
            self._reasons[namespace] = (now_ms, known)
            while len(self._reasons) > _MOST_NAMESPACES:
                del self._reasons[next(iter(self._reasons))]
        for number, one in enumerate(stated):
            if one.reason not in known and len(known) >= MOST_REASONS:
                raise Refusal(
                    HTTPStatus.BAD_REQUEST,
                    f"items[{number}].reason: {one.reason!r}: namespace {namespace} has {len(known)} reasons already: "
                    "use one of them, such as the kinds that kubectl get outcomes shows",
                )
            known.add(one.reason)

    def _concealed(self, one: Statement) -> Statement:
        return replace(one, customer=self.customer(one.customer)) if one.customer else one


def _who(text: str | None) -> Dimension | None:
    if text is None:
        return None
    if text not in WHO:
        raise InvalidRequest(f"by: {text[:40]!r} is nobody whom statements name: use {', '.join(WHO)}")
    return Dimension(text)


_FORMS: Mapping[Form, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    Form.REPORT: lambda document: document,
    Form.TABLE: outcome_table,
    Form.LIST: outcome_list,
}
