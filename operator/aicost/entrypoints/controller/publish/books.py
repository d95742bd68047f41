"""What price books should say: usable entries, nodes priced, and nodes that nothing prices."""

from collections.abc import Mapping, Sequence

from aicost.bootstrap import Application
from aicost.crd.convert.books import price_book
from aicost.crd.convert.parsing import Converted
from aicost.crd.status.books import book_status
from aicost.crd.status.conditions import Statement
from aicost.crd.status.reports import Freshness
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook
from aicost.domain.pricing.defects import BookDefect, DefectKind, find_defects
from aicost.entrypoints.controller.prices.published import HTTP, PRICE_SOURCE
from aicost.entrypoints.controller.publish import judging
from aicost.entrypoints.controller.publish.saying import Answer, generation_of, stated
from aicost.entrypoints.controller.registry import Body, read_each
from aicost.entrypoints.controller.state import State


class BookAnswers:
    """Computes the status of price books, from one look at the nodes."""

    def __init__(self, bodies: Sequence[Body], app: Application, state: State, now_ms: int) -> None:
        self._state, self._now_ms = state, now_ms
        self._stale_ms = app.settings.prices.http.stale_after_seconds * SECOND_MS
        self._defects = find_defects(read_each(bodies, price_book))
        self._nodes = _gpu_nodes(app, now_ms)
        self._chosen = _chosen_books(state)

    def answer(self, body: Body) -> Answer:
        """A PriceBook."""
        read, name = price_book(body), str(body["metadata"]["name"])
        own = [defect for defect in self._defects if defect.book == name]
        unpriced = self._state.statement.unpriced if self._state.statement else ()
        priced = sum(book == name for book in self._chosen.values())
        statements = (
            *self._source(body),
            judging.accepted(_problems(read, own)),
            judging.overlapping([defect.message for defect in own if defect.kind is DefectKind.OVERLAP]),
            judging.nodes_priced(priced, len(self._chosen), unpriced),
        )
        said = stated(body, statements, self._now_ms)
        if read.value is None:
            return Answer(body, {"conditions": said}, statements)
        status = book_status(
            read.value,
            nodes_priced=priced,
            unpriced=[self._nodes[one.node] for one in unpriced if one.node in self._nodes],
            freshness=Freshness(generation_of(body), self._now_ms, None),
            conditions=said,
        )
        return Answer(body, status, statements)

    def _source(self, body: Body) -> tuple[Statement, ...]:
        """What a book that was read from a URL says of that."""
        if (body["metadata"].get("labels") or {}).get(PRICE_SOURCE) != HTTP:
            return ()
        return (judging.price_source(self._state.prices, self._stale_ms, self._now_ms),)


def _problems(read: Converted[PriceBook], defects: Sequence[BookDefect]) -> list[str]:
    """What makes entries unusable."""
    found = [str(problem) for problem in read.problems]
    return found + [defect.message for defect in defects if defect.kind is not DefectKind.OVERLAP]


def _gpu_nodes(app: Application, now_ms: int) -> Mapping[str, NodeFacts]:
    """Nodes with GPUs that are there now, by name."""
    facts = app.stores.inventory.facts(Window(now_ms, now_ms + 1))
    return {record.facts.name: record.facts for record in facts.nodes if record.facts.gpus}


def _chosen_books(state: State) -> Mapping[str, str]:
    """Node with GPUs -> the book whose entry prices it now."""
    if state.statement is None:
        return {}
    last = {uid: decisions[-1].chosen for uid, decisions in state.statement.decisions.items() if decisions}
    return {uid: quote.book for uid, quote in last.items() if quote is not None and quote.gpu_hour_nanos_num}
