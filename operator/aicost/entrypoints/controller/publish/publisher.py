"""Publishes what our objects should say, and keeps the reports that nobody asked for."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import Conflict, NotFound, Rejected
from aicost.bootstrap import Application
from aicost.entrypoints.controller.attempts import describe
from aicost.entrypoints.controller.publish.answering import Unanswered, answer_all
from aicost.entrypoints.controller.publish.answers import Answer
from aicost.entrypoints.controller.publish.automatic import missing_reports
from aicost.entrypoints.controller.publish.writing import StatusPublisher, target_of
from aicost.entrypoints.controller.registry import Key, Registry
from aicost.entrypoints.controller.resources import PLURALS, resource_of
from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError, NotPermitted
from aicost.telemetry.logs import FIELDS, line

IN_FLIGHT = 8
_ENDING = "because it is being terminated"
"""How the API server says that a namespace takes no new objects any more."""
_log = logging.getLogger("aicost.publish")


class Publisher:
    """Publishes all our objects; an object that cannot be answered or written does not hold up the others.

    Args:
        client: an open client.
        registry: our objects.
        app: the use cases.
        state: what the last rounds found.
        statuses: writes one status.
        namespaces: names of the namespaces that are there now.
    """

    def __init__(
        self,
        client: KubeClient,
        registry: Registry,
        app: Application,
        state: State,
        statuses: StatusPublisher,
        *,
        namespaces: Callable[[], frozenset[str]],
    ) -> None:
        self._client, self._registry, self._app, self._state = client, registry, app, state
        self._statuses, self._namespaces = statuses, namespaces
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._failing: dict[Key, str] = {}

    async def publish(self) -> None:
        """Compute in a thread, write side by side."""
        bodies = {kind: self._registry.of_kind(kind) for kind in PLURALS}
        answers = await asyncio.to_thread(lambda: list(answer_all(self._app, self._state, bodies, now_ms())))
        await asyncio.gather(*(self._write(answer) for answer in answers))
        self._statuses.forget_others({target_of(answer.body) for answer in answers})
        self._failing = {key: text for key, text in self._failing.items() if key in self._registry}

    async def keep_reports(self) -> None:
        """Create the reports that are kept without anybody asking; those that are there stay as they are."""
        if not self._app.settings.reports.automatic:
            return
        there, namespaces = frozenset(self._registry), self._namespaces()
        for body in await asyncio.to_thread(missing_reports, self._app, there, namespaces, now_ms()):
            await self._create(body)

    async def _write(self, answer: Answer | Unanswered) -> None:
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
                self._warn("status refused by the API server", key, error)
            except AicostError as error:
                self._warn("status not written", key, error)
            else:
                if written:
                    self._app.metrics.count("aicost_reports_written_total", kind=key.kind)

    def _note_failure(self, key: Key, error: Exception) -> None:
        """Count it; log it when it is new, a bug with its traceback."""
        text = describe(error)
        self._app.metrics.count("aicost_failures_total", step="answer", reason=type(error).__name__)
        if self._failing.get(key) == text:
            return
        self._failing[key] = text
        bug = None if isinstance(error, AicostError) else error
        fields = {"object": str(key), "error": text}
        _log.error("no answer for an object", exc_info=bug, extra={FIELDS: fields})

    async def _create(self, body: Mapping[str, Any]) -> None:
        """Create a report. One that came meanwhile is somebody's own and stays as it is."""
        key = Key.of(body)
        try:
            await self._client.create(resource_of(key.kind), body, key.namespace or None)
        except (NotFound, Conflict):
            return  # the namespace is gone, or somebody was faster
        except NotPermitted as error:
            if _ENDING not in str(error):
                self._warn("report not created", key, error)
        except AicostError as error:
            self._warn("report not created", key, error)

    def _warn(self, message: str, key: Key, error: AicostError) -> None:
        self._app.metrics.count("aicost_failures_total", step="publish", reason=type(error).__name__)
        line(_log, logging.WARNING, message, object=str(key), error=str(error))
