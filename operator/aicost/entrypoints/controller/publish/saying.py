"""What all answers say alike: how fresh they are, and the conditions as they are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.bootstrap import Application
from aicost.crd.convert.parsing import SpecProblem
from aicost.crd.status.conditions import Statement, conditions
from aicost.crd.status.reports import Freshness
from aicost.domain.exact.windows import SECOND_MS
from aicost.entrypoints.controller.publish import judging
from aicost.entrypoints.controller.registry import Body
from aicost.entrypoints.controller.state import State


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of one object.

    Attributes:
        body: the object as last seen.
        statements: what its conditions say, for Events.
        mark: what has to be written at once when it changes; everything else waits for its turn.
    """

    body: Body
    status: Mapping[str, Any]
    statements: tuple[Statement, ...]
    mark: object = None


def generation_of(body: Body) -> int:
    """Generation of the spec."""
    return int(body["metadata"].get("generation", 0))


def stated(body: Body, statements: Sequence[Statement], now_ms: int) -> list[dict[str, Any]]:
    """Statements as conditions of an object, with the moments since when they hold."""
    before = (body.get("status") or {}).get("conditions") or []
    return conditions(statements, before, generation_of(body), now_ms)


def freshness(body: Body, state: State, now_ms: int) -> Freshness:
    """What a status says of its age."""
    last = state.last_closed
    return Freshness(generation_of(body), now_ms, last.end_ms if last else None)


def fresh(app: Application, state: State, now_ms: int) -> Statement:
    """DataFresh: how far the ledger has come."""
    problem, epoch_ms = state.problems.get("close", ""), app.stores.inventory.epoch_ms
    settle_ms = app.settings.window.settle_seconds * SECOND_MS
    return judging.fresh(judging.Progress(app.grid, settle_ms, epoch_ms, state.last_closed, problem), now_ms)


def refused(body: Body, problems: Sequence[SpecProblem], now_ms: int) -> Answer:
    """An object that cannot be read: it says why, and keeps nothing that it does not know."""
    statements = judging.refused(problems)
    status = {"observedGeneration": generation_of(body), "conditions": stated(body, statements, now_ms)}
    return Answer(body, status, statements)
