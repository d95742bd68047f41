"""Keeps an eye on whether the API server asks the webhook: from outside nobody would notice that it does not."""

import asyncio
import logging
from dataclasses import dataclass

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.probe import probe_webhook
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.state import State
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

TRY_SECONDS = 30.0
_log = logging.getLogger("aicost.enforcement")


@dataclass(slots=True)
class WebhookProbe:
    """Tries again and again; what it finds stands in `state.labels.webhook` and in a metric.

    Attributes:
        namespace: the release's own.
    """

    client: KubeClient
    namespace: str
    registry: Registry
    state: State
    metrics: Metrics

    async def run(self) -> None:
        """Try until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(TRY_SECONDS)

    async def look(self) -> None:
        """Try once; a change is answered soon."""
        before, found = self.state.labels.webhook, await probe_webhook(self.client, self.namespace)
        self.metrics.show("aicost_enforcement_active", float(not found.problem), engine="webhook")
        if found == before:
            return
        self.state.labels.webhook = found
        self.registry.changed.set()
        level = logging.WARNING if found.problem else logging.INFO
        line(_log, level, "webhook tried", problem=found.problem, revision=found.revision)
