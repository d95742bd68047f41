"""What price books should say: usable entries, nodes priced, and nodes that nothing prices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aicost.bootstrap import Application
from aicost.crd.convert.books import price_book
from aicost.crd.convert.parsing import Converted
from aicost.crd.status.books import book_status
from aicost.crd.status.conditions import Statement, conditions
from aicost.crd.status.reports import Freshness
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import PriceBook
from aicost.domain.pricing.defects import BookDefect, DefectKind, find_defects
from aicost.entrypoints.controller.publish import judging
from aicost.entrypoints.controller.publish.answers import Answer
from aicost.entrypoints.controller.registry import Body
from aicost.entrypoints.controller.state import State


def accepted_books(bodies: Sequence[Body]) -> tuple[PriceBook, ...]:
    """The books as far as they are usable."""
    return tuple(read.value for read in map(price_book, bodies) if read.value is not None)


def book_answers(bodies: Sequence[Body], app: Application, state: State, now_ms: int) -> Iterator[Answer]:
    """The status of each price book."""
    reads = [price_book(body) for body in bodies]
    defects = find_defects([read.value for read in reads if read.value is not None])
    nodes = _gpu_nodes(app, now_ms)
    chosen = _chosen_books(state)
    for body, read in zip(bodies, reads, strict=True):
        yield _answer(body, read, defects, nodes, chosen, state, now_ms)


def _answer(
    body: Body,
    read: Converted[PriceBook],
    defects: Sequence[BookDefect],
    nodes: Mapping[str, NodeFacts],
    chosen: Mapping[str, str],
    state: State,
    now_ms: int,
) -> Answer:
    name = str(body["metadata"]["name"])
    own = [defect for defect in defects if defect.book == name]
    problems = [str(problem) for problem in read.problems]
    problems += [defect.message for defect in own if defect.kind is not DefectKind.OVERLAP]
    priced = sum(book == name for book in chosen.values())
    unpriced = state.statement.unpriced if state.statement else ()
    statements = (
        judging.accepted(problems),
        judging.overlapping([defect.message for defect in own if defect.kind is DefectKind.OVERLAP]),
        judging.nodes_priced(priced, unpriced),
    )
    stated = _conditions(body, statements, now_ms)
    if read.value is None:
        return Answer(body, {"conditions": stated}, statements)
    status = book_status(
        read.value,
        nodes_priced=priced,
        unpriced=[nodes[one.node] for one in unpriced if one.node in nodes],
        freshness=Freshness(body["metadata"].get("generation", 0), now_ms, None),
        conditions=stated,
    )
    return Answer(body, status, statements)


def _conditions(body: Body, statements: Sequence[Statement], now_ms: int) -> list[dict[str, Any]]:
    before = (body.get("status") or {}).get("conditions") or []
    return conditions(statements, before, body["metadata"].get("generation", 0), now_ms)


def _gpu_nodes(app: Application, now_ms: int) -> Mapping[str, NodeFacts]:
    """Nodes with GPUs that are there now, by name."""
    facts = app.stores.inventory.facts(Window(now_ms, now_ms + 1))
    return {record.facts.name: record.facts for record in facts.nodes if record.facts.gpus}


def _chosen_books(state: State) -> Mapping[str, str]:
    """Node -> the book whose entry prices it now."""
    if state.statement is None:
        return {}
    last = {uid: decisions[-1].chosen for uid, decisions in state.statement.decisions.items() if decisions}
    return {uid: quote.book for uid, quote in last.items() if quote is not None}
