"""Answers for all our objects from one snapshot; one that cannot be computed does not stop the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aicost.bootstrap import Application
from aicost.crd.status.conditions import Statement
from aicost.entrypoints.controller.attempts import describe
from aicost.entrypoints.controller.publish import judging
from aicost.entrypoints.controller.publish.answers import Answers
from aicost.entrypoints.controller.publish.books import BookAnswers
from aicost.entrypoints.controller.publish.policies import PolicyAnswers
from aicost.entrypoints.controller.publish.saying import Answer
from aicost.entrypoints.controller.registry import Body
from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError

REPORTS, WORKLOADS = ("AICostReport", "ClusterAICostReport"), ("AIWorkload",)
BOOKS, POLICIES = "PriceBook", "CostLabelPolicy"
ANSWERED = (*REPORTS, *WORKLOADS, BOOKS, POLICIES)
"""Kinds that are answered in each round. Budgets have rounds of their own."""
Bodies = Mapping[str, Sequence[Body]]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An object whose status could not be computed.

    Attributes:
        error: why.
        statement: the one condition that says so; the figures stay as they are.
    """

    body: Body
    error: Exception
    statement: Statement


def answer_all(app: Application, state: State, bodies: Bodies, now_ms: int) -> Iterator[Answer | Unanswered]:
    """The status of each object but budgets, in the order of the kinds. Blocks: it reads the ledger.

    Args:
        app: the use cases.
        state: what the last rounds found.
        bodies: the objects by kind.
        now_ms: the moment that all answers are of.
    """
    try:
        reader = app.counted(app.stores.ledger.snapshot())
    except AicostError as error:
        for kind in (*REPORTS, *WORKLOADS):
            yield from (unanswered(body, error) for body in bodies.get(kind, ()))
    else:
        answers = Answers(app, state, reader, now_ms, bodies.get("AIWorkload", ()))
        for kinds, answer in ((REPORTS, answers.report), (WORKLOADS, answers.workload)):
            yield from (_answer(body, answer) for kind in kinds for body in bodies.get(kind, ()))
    books, policies = bodies.get(BOOKS, ()), bodies.get(POLICIES, ())
    yield from _answer_together(books, lambda: BookAnswers(books, app, state, now_ms))
    yield from _answer_together(policies, lambda: PolicyAnswers(policies, state, now_ms))


def _answer_together(
    bodies: Sequence[Body], look: Callable[[], BookAnswers | PolicyAnswers]
) -> Iterator[Answer | Unanswered]:
    """Objects that are judged together and need no ledger."""
    try:
        answers = look()
    except Exception as error:  # noqa: BLE001 -- they must not stop the others
        yield from (unanswered(body, error) for body in bodies)
    else:
        yield from (_answer(body, answers.answer) for body in bodies)


def _answer(body: Body, answer: Callable[[Body], Answer]) -> Answer | Unanswered:
    try:
        return answer(body)
    except Exception as error:  # noqa: BLE001 -- one object must not stop the others
        return unanswered(body, error)


def unanswered(body: Body, error: Exception) -> Unanswered:
    """What is said of an object whose status could not be computed."""
    expected = isinstance(error, AicostError)
    return Unanswered(body, error, judging.failed(body["kind"], describe(error), expected=expected))
