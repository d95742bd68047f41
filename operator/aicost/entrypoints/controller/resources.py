"""kopf follows our own resources: events in, the registry up to date, nothing written to the objects.

Only event handlers are used: others would keep their state in annotations or finalizers of people's objects.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import kopf

from aicost.entrypoints.controller.registry import Registry

GROUP, VERSION = "aicost.dev", "v1alpha1"
PLURALS = {
    "AIWorkload": "aiworkloads",
    "PriceBook": "pricebooks",
    "AICostReport": "aicostreports",
    "ClusterAICostReport": "clusteraicostreports",
    "Budget": "budgets",
    "ClusterBudget": "clusterbudgets",
}
"""Kind -> plural of the resources that the controller follows."""
IDENTITY: Any = "aicost-controller"
"""Our name to kopf. Without one it asks for the user's name, and a container's user has none."""


def follow(registry: Registry) -> kopf.OperatorRegistry:
    """A kopf registry whose handlers keep ours up to date."""
    handlers = kopf.OperatorRegistry()
    for plural in PLURALS.values():
        kopf.on.event(GROUP, VERSION, plural, registry=handlers, id=f"follow-{plural}")(_handler(registry))
    return handlers


def _handler(registry: Registry) -> Any:
    """What is done with one event."""

    async def handle(event: Mapping[str, Any], **_: object) -> None:
        body = dict(event["object"])
        if event["type"] == "DELETED":
            registry.drop(body)
        else:
            registry.put(body)

    return handle


def kopf_settings() -> kopf.OperatorSettings:
    """Settings that leave no trace in objects, survive restarts of the API server and never block others."""
    settings = kopf.OperatorSettings()
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP, v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP, v1=False)
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.posting.level = logging.CRITICAL
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 600
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.queueing.idle_timeout = 1
    settings.process.ultimate_exiting_timeout = 20
    return settings


async def run_kopf(registry: Registry, login: Any, stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Run kopf until asked to stop.

    Args:
        registry: what to keep up to date.
        login: gives kopf the credentials that the rest of the controller uses.
        stop: set to end it.
        ready: set by kopf once it runs.
    """
    handlers = follow(registry)
    kopf.on.login(registry=handlers)(login)
    await kopf.operator(
        registry=handlers,
        settings=kopf_settings(),
        identity=IDENTITY,
        standalone=True,
        clusterwide=True,
        stop_flag=stop,
        ready_flag=ready,
    )
