"""Answers of a ledger that is read directly: no cluster, no server."""

from pathlib import Path

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.bootstrap import open_ledger
from aicost.domain.reporting.query import Report
from aicost.domain.reporting.question import Question
from aicost.ports.errors import InvalidRequest
from aicost.usecases.answer_question import answer, check_question


def ask_ledger(place: str, question: Question, now_ms: int, *, version: int | None = None) -> tuple[Report, ...]:
    """Answer from the ledger at a directory or URL, over all clusters that it knows.

    Args:
        place: the directory or URL.
        question: what is asked.
        now_ms: the present moment.
        version: answer from what was posted up to this version; None for all there is, the open window included.

    Raises:
        InvalidRequest: the question makes no sense, or there is no such directory or version.
        LedgerUnavailable: the ledger cannot be read.
    """
    check_question(question, now_ms)
    ledger = open_place(place)
    return answer(ledger.snapshot() if version is None else ledger.as_of(version), question, now_ms)


def open_place(place: str) -> DeltaLedger:
    """The ledger at a directory or URL.

    Raises:
        InvalidRequest: there is no such directory.
    """
    if "://" not in place and not Path(place).is_dir():
        raise InvalidRequest(f"ledger: {place!r} is no directory: name the directory or the URL that holds the ledger")
    return open_ledger(place)
