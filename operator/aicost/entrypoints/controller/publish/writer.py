"""Writes answers side by side; one that cannot be written does not hold up the others."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from aicost.adapters.kube.wire.errors import Conflict, NotFound, Rejected
from aicost.entrypoints.controller.attempts import describe
from aicost.entrypoints.controller.publish.answering import Unanswered
from aicost.entrypoints.controller.publish.saying import Answer
from aicost.entrypoints.controller.publish.writing import StatusPublisher, target_of
from aicost.entrypoints.controller.registry import Body, Key
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import FIELDS, line
from aicost.telemetry.metrics import Metrics

IN_FLIGHT = 8
_log = logging.getLogger("aicost.publish")


class AnswerWriter:
    """Writes the answers of one round after the other.

    Args:
        statuses: writes one status.
        metrics: our own metrics.
    """

    def __init__(self, statuses: StatusPublisher, metrics: Metrics) -> None:
        self._statuses, self._metrics = statuses, metrics
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._failing: dict[Key, str] = {}
        self._unwritten: dict[Key, str] = {}

    async def write_all(self, answers: Sequence[Answer | Unanswered]) -> frozenset[Key]:
        """Write what is due.

        Returns:
            Objects whose status could not be written.
        """
        written = await asyncio.gather(*(self._write(answer) for answer in answers))
        return frozenset(Key.of(answer.body) for answer, good in zip(answers, written, strict=True) if not good)

    def keep_only(self, there: Iterable[Body]) -> None:
        """Forget objects that are no longer there: they take no memory."""
        bodies = list(there)
        self._statuses.forget_others({target_of(body) for body in bodies})
        kept = {Key.of(body) for body in bodies}
        for told in (self._failing, self._unwritten):
            for key in told.keys() - kept:
                del told[key]

    async def _write(self, answer: Answer | Unanswered) -> bool:
        """Write one; False if that failed."""
        key = Key.of(answer.body)
        async with self._slots:
            try:
                if isinstance(answer, Unanswered):
                    self._note_failure(key, answer.error)
                    written = await self._statuses.write_failure(answer)
                else:
                    self._failing.pop(key, None)
                    written = await self._statuses.write(answer)
            except (NotFound, Conflict):
                self._statuses.forget(target_of(answer.body))  # it went, or came anew: the next round knows
            except Rejected as error:
                self._statuses.forget(target_of(answer.body))
                self._note_unwritten("status refused by the API server", key, error)
            except AicostError as error:
                self._note_unwritten("status not written", key, error)
            else:
                self._unwritten.pop(key, None)
                if written:
                    self._metrics.count("aicost_reports_written_total", kind=key.kind)
                return True
        return False

    def _note_unwritten(self, message: str, key: Key, error: AicostError) -> None:
        """Count it; log it when it is new: an API server may be away for hours."""
        if self._unwritten.get(key) == str(error):
            self._metrics.count("aicost_failures_total", step="publish", reason=type(error).__name__)
            return
        self._unwritten[key] = str(error)
        warn(self._metrics, message, key, error)

    def _note_failure(self, key: Key, error: Exception) -> None:
        """Count it; log it when it is new, a bug with its traceback."""
        text = describe(error)
        self._metrics.count("aicost_failures_total", step="answer", reason=type(error).__name__)
        if self._failing.get(key) == text:
            return
        self._failing[key] = text
        bug = None if isinstance(error, AicostError) else error
        fields = {"object": str(key), "error": text}
        _log.error("no answer for an object", exc_info=bug, extra={FIELDS: fields})


def warn(metrics: Metrics, message: str, key: Key, error: AicostError) -> None:
    """Count and log what could not be published."""
    metrics.count("aicost_failures_total", step="publish", reason=type(error).__name__)
    line(_log, logging.WARNING, message, object=str(key), error=str(error))
