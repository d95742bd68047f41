"""Publishes what our objects should say, and keeps the reports that nobody asked for."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import Conflict, NotFound
from aicost.bootstrap import Application
from aicost.entrypoints.controller.publish.answering import ANSWERED, answer_all
from aicost.entrypoints.controller.publish.automatic import missing_reports
from aicost.entrypoints.controller.publish.saying import Answer
from aicost.entrypoints.controller.publish.writer import AnswerWriter, warn
from aicost.entrypoints.controller.publish.writing import StatusPublisher
from aicost.entrypoints.controller.registry import Key, Registry
from aicost.entrypoints.controller.resources import resource_of
from aicost.entrypoints.controller.state import State
from aicost.entrypoints.controller.units.exporting import METRIC as UNIT_COST
from aicost.entrypoints.controller.units.exporting import unit_metrics
from aicost.ports.errors import AicostError, NotPermitted

_ENDING = "because it is being terminated"
"""How the API server says that a namespace takes no new objects any more."""


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
        self._writer, self._namespaces = AnswerWriter(statuses, app.metrics), namespaces

    async def publish(self) -> None:
        """Compute in a thread, write side by side."""
        bodies = {kind: self._registry.of_kind(kind) for kind in ANSWERED}
        answers = await asyncio.to_thread(lambda: list(answer_all(self._app, self._state, bodies, now_ms())))
        known = unit_metrics((one.body, one.status) for one in answers if isinstance(one, Answer))
        self._app.metrics.show_each(UNIT_COST, known)
        await self._writer.write_all(answers)
        self._writer.keep_only(answer.body for answer in answers)

    async def keep_reports(self) -> None:
        """Create the reports that are kept without anybody asking; those that are there stay as they are."""
        if not self._app.settings.reports.automatic:
            return
        there, namespaces = frozenset(self._registry), self._namespaces()
        for body in await asyncio.to_thread(missing_reports, self._app, there, namespaces, now_ms()):
            await self._create(body)

    async def _create(self, body: Mapping[str, Any]) -> None:
        """Create a report. One that came meanwhile is somebody's own and stays as it is."""
        key = Key.of(body)
        try:
            await self._client.create(resource_of(key.kind), body, key.namespace or None)
        except (NotFound, Conflict):
            return  # the namespace is gone, or somebody was faster
        except NotPermitted as error:
            if _ENDING not in str(error):
                warn(self._app.metrics, "report not created", key, error)
        except AicostError as error:
            warn(self._app.metrics, "report not created", key, error)
