"""Work that may fail and is tried again: what went wrong is logged, counted and remembered, and nothing else stops."""

import logging
import time
from collections.abc import Awaitable, Callable

from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import FIELDS, line
from aicost.telemetry.metrics import Metrics

_log = logging.getLogger("aicost.steps")


class Attempts:
    """Does steps; whoever calls does one again in its own time.

    Expected bad news is a line of the log, a bug is a line with its traceback. Both are told once while they last.
    """

    def __init__(self, state: State, metrics: Metrics) -> None:
        self._state, self._metrics = state, metrics

    async def attempt(self, step: str, action: Callable[[], Awaitable[None]]) -> bool:
        """Do one step; False if it failed."""
        began = time.monotonic()
        try:
            await action()
        except AicostError as error:
            self.failed(step, error)
            return False
        except Exception as error:  # noqa: BLE001 -- a bug in one step must not end the others
            self.failed(step, error, unexpected=True)
            return False
        finally:
            self._metrics.show("aicost_compute_seconds", time.monotonic() - began, step=step)
        self._state.problems.pop(step, None)
        return True

    def failed(self, step: str, error: Exception, *, unexpected: bool = False) -> None:
        """Remember, count, and log what is new."""
        text = describe(error)
        self._metrics.count("aicost_failures_total", step=step, reason=type(error).__name__)
        if self._state.problems.get(step) == text:
            return
        self._state.problems[step] = text
        if unexpected:
            message = "step failed by a bug and is tried again"
            _log.error(message, exc_info=error, extra={FIELDS: {"step": step, "error": text}})
        else:
            line(_log, logging.WARNING, "step failed and is tried again", step=step, error=text)


def describe(error: Exception) -> str:
    """An error for people: expected ones are fit for them as they are, others need their name."""
    return str(error) if isinstance(error, AicostError) else f"{type(error).__name__}: {error}"
