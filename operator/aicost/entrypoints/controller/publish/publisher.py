"""Writes what our objects should say: statuses by server-side apply, Events when something turned bad, own reports."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.events import EventPoster, Happening, Regarding, Severity
from aicost.adapters.kube.status import StatusWriter, Target
from aicost.adapters.kube.wire.errors import Conflict, NotFound
from aicost.adapters.kube.wire.resources import Resource
from aicost.bootstrap import Application
from aicost.crd.fields.conditions import ConditionStatus
from aicost.entrypoints.controller.publish.answers import Answer, Answers
from aicost.entrypoints.controller.publish.automatic import missing_reports
from aicost.entrypoints.controller.publish.books import book_answers
from aicost.entrypoints.controller.registry import Key, Registry
from aicost.entrypoints.controller.resources import GROUP, PLURALS, VERSION
from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

FIELD_MANAGER = "aicost-controller"
VOLATILE = ("updatedAt", "asOf", "lastTransitionTime")
"""Fields whose change alone is no reason to write a status."""
IN_FLIGHT = 8
_log = logging.getLogger("aicost.publish")


class Publisher:
    """Publishes all our objects; an object that cannot be written does not hold up the others."""

    def __init__(self, client: KubeClient, registry: Registry, app: Application, state: State, identity: str) -> None:
        self._client, self._registry, self._app, self._state = client, registry, app, state
        self._writer = StatusWriter(client, FIELD_MANAGER, now_ms)
        self._events = EventPoster(client, (FIELD_MANAGER, identity), now_ms)
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    async def publish(self) -> None:
        """Compute in a thread, write side by side."""
        answers = await asyncio.to_thread(lambda: list(self._answers(now_ms())))
        await asyncio.gather(*(self._write(answer) for answer in answers))

    async def keep_reports(self) -> None:
        """Create the reports that are kept without anybody asking; those that are there stay as they are."""
        if self._app.settings.reports.automatic:
            bodies = await asyncio.to_thread(missing_reports, self._app, self._registry, now_ms())
            for body in bodies:
                await self._create(body)

    def _answers(self, at_ms: int) -> Iterator[Answer]:
        """Statuses of all objects from one snapshot. Runs in a thread."""
        answers = Answers(self._app, self._state, at_ms)
        for kind in ("AICostReport", "ClusterAICostReport"):
            yield from (answers.report(body) for body in self._registry.of_kind(kind))
        yield from answers.workloads(self._registry.of_kind("AIWorkload"))
        for kind in ("Budget", "ClusterBudget"):
            yield from (answers.budget(body) for body in self._registry.of_kind(kind))
        yield from book_answers(self._registry.of_kind("PriceBook"), self._app, self._state, at_ms)

    async def _write(self, answer: Answer) -> None:
        key = Key.of(answer.body)
        uid = str(answer.body["metadata"]["uid"])
        target = Target(resource_of(key.kind), key.name, key.namespace or None, uid)
        async with self._slots:
            try:
                if await self._writer.write(target, answer.status, VOLATILE):
                    self._app.metrics.count("aicost_reports_written_total", kind=key.kind)
            except (NotFound, Conflict):
                self._writer.forget(target)  # it went, or came anew: the next round knows
            except AicostError as error:
                line(_log, logging.WARNING, "status not written", object=str(key), error=str(error))
            else:
                await self._tell(key, uid, answer)

    async def _tell(self, key: Key, uid: str, answer: Answer) -> None:
        """An Event for each condition that turned to the bad since the status was last written."""
        for statement in newly_false(answer):
            regarding = Regarding(f"{GROUP}/{VERSION}", key.kind, key.name, key.namespace, uid)
            happening = Happening(regarding, str(statement.reason), statement.message, Severity.WARNING)
            await self._events.post(happening)

    async def _create(self, body: Mapping[str, Any]) -> None:
        key = Key.of(body)
        try:
            await self._client.apply(
                resource_of(key.kind), key.name, body, key.namespace or None, field_manager=FIELD_MANAGER, force=False
            )
        except (NotFound, Conflict):
            return  # the namespace is going, or somebody was faster
        except AicostError as error:
            line(_log, logging.WARNING, "report not created", object=str(key), error=str(error))


def newly_false(answer: Answer) -> Sequence[Any]:
    """Statements that say False where the object does not say so yet. Enforcing is false by design."""
    before = {one["type"]: one["status"] for one in (answer.body.get("status") or {}).get("conditions") or ()}
    return [
        statement
        for statement in answer.statements
        if statement.status is ConditionStatus.FALSE
        and before.get(statement.type.value) != "False"
        and statement.type.value not in {"Enforcing", "Overlapping"}
    ]


def resource_of(kind: str) -> Resource:
    """The resource of one of our kinds."""
    return Resource(GROUP, VERSION, PLURALS[kind], kind, namespaced=kind in {"AIWorkload", "AICostReport", "Budget"})
