"""kopf follows our own resources: events in, the registry up to date, nothing written to the objects.

Only event handlers are used: others would keep their state in annotations or finalizers of people's objects.

kopf has a thread and an event loop of its own. In the main thread it would take over the process's signals, and at its
end it cancels every task that it does not know.
"""

import asyncio
import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import kopf

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.config import ClusterConfig
from aicost.adapters.kube.wire.resources import Resource
from aicost.domain.exact.windows import SECOND_MS, to_datetime
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Registry

GROUP, VERSION = "aicost.dev", "v1alpha1"
PLURALS = {
    "AIWorkload": "aiworkloads",
    "PriceBook": "pricebooks",
    "CostLabelPolicy": "costlabelpolicies",
    "AICostReport": "aicostreports",
    "ClusterAICostReport": "clusteraicostreports",
    "Budget": "budgets",
    "ClusterBudget": "clusterbudgets",
    "BudgetOverride": "budgetoverrides",
    "BudgetAction": "budgetactions",
    "BudgetGate": "budgetgates",
    "ProviderAccount": "provideraccounts",
}
"""Kind -> plural of the resources that the controller follows."""
_NAMESPACED = {"AIWorkload", "AICostReport", "Budget", "BudgetOverride", "BudgetAction", "BudgetGate"}
IDENTITY: Any = "aicost-controller"
"""Our name to kopf. Without one it asks for the user's name, and a container's user has none."""
RESTART_SECONDS = 5.0
STOP_SECONDS = 3.0
INSIST_SECONDS = 0.5
"""Between two cancellations of what is left of kopf once it is ending."""
LOGIN_SECONDS = 600
"""Credentials are read anew after this: a projected token is rotated while the old one still holds."""
REFUSED_PAUSE_SECONDS = 5.0
"""Between two logins: a server that refuses us is not asked without a pause."""
_Tell = Callable[[Mapping[str, Any]], None]


def resource_of(kind: str) -> Resource:
    """The resource of one of our kinds."""
    return Resource(GROUP, VERSION, PLURALS[kind], kind, namespaced=kind in _NAMESPACED)


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
    settings.process.ultimate_exiting_timeout = None  # it would kill the process some time after kopf has ended
    return settings


class Login:
    """Gives kopf the credentials that the rest of the controller uses.

    Args:
        config: how the API server is reached.
        loop: the loop that the credentials belong to.
    """

    def __init__(self, config: ClusterConfig, loop: asyncio.AbstractEventLoop) -> None:
        self._config, self._loop = config, loop
        self._last: float | None = None

    async def connection(self, **_: object) -> kopf.ConnectionInfo:
        """The connection as of now. kopf asks at its start, after ten minutes, and when the server refused it.

        It is never equal to an earlier one: kopf never again uses one that was refused, and a server that restarts
        refuses right ones for a moment.
        """
        if self._last is not None and time.monotonic() - self._last < REFUSED_PAUSE_SECONDS:
            await asyncio.sleep(REFUSED_PAUSE_SECONDS)
        self._last = time.monotonic()
        self._config.credentials.forget()
        asked = asyncio.run_coroutine_threadsafe(self._config.credentials.current(), self._loop)
        credential, trust = await asyncio.wrap_future(asked), self._config.trust
        certificate = credential.certificate
        return kopf.ConnectionInfo(
            server=self._config.server,
            ca_data=base64.b64encode(trust.authority) if trust.authority else None,
            insecure=not trust.verify,
            token=credential.token,
            certificate_data=base64.b64encode(certificate.certificate) if certificate else None,
            private_key_data=base64.b64encode(certificate.key) if certificate else None,
            default_namespace=self._config.namespace,
            expiration=to_datetime(now_ms() + LOGIN_SECONDS * SECOND_MS),
        )


class Following:
    """Keeps the registry up to date by kopf's watches, and starts kopf again when it ends."""

    def __init__(self, registry: Registry, config: ClusterConfig, attempts: Attempts) -> None:
        self._registry, self._config, self._attempts = registry, config, attempts

    async def run(self) -> None:
        """Follow until cancelled. kopf logs each attempt as an error; what ends it is told as a failed step."""
        logging.getLogger("kopf").setLevel(logging.CRITICAL)
        while True:
            await self._attempts.attempt("follow-own-resources", self._follow)
            await asyncio.sleep(RESTART_SECONDS)

    async def _follow(self) -> None:
        """One life of kopf; raises what ended it."""
        life = _Life(asyncio.get_running_loop(), self._config, self._tell)
        life.start()
        try:
            await life.ended
        finally:
            life.stop()
            await asyncio.to_thread(life.join, STOP_SECONDS)

    def _tell(self, event: Mapping[str, Any]) -> None:
        """One event of a watch, in our own loop."""
        if event["type"] == "DELETED":
            self._registry.drop(event["object"])
        else:
            self._registry.put(event["object"])


class _Life(threading.Thread):
    """kopf from its start to its end.

    Attributes:
        ended: done when kopf has ended, in the loop of whoever started it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, config: ClusterConfig, tell: _Tell) -> None:
        super().__init__(name="kopf", daemon=True)
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop, self._tell, self._stop_flag = loop, tell, threading.Event()
        self._login = Login(config, loop)

    def run(self) -> None:
        """The thread: kopf in a loop of its own."""
        try:
            asyncio.run(self._operate())
        except Exception as error:  # noqa: BLE001 -- handed on to whoever waits
            self._hand_on(self._end, error)
        else:
            self._hand_on(self._end, None)

    def stop(self) -> None:
        """Ask kopf to end."""
        self._stop_flag.set()

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None) if error is None else self.ended.set_exception(error)

    def _hand_on(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do something in the loop of whoever started us; where that has ended, nobody wants to know."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action, *arguments)

    async def _operate(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_ignore)
        insisting = asyncio.create_task(_insist(self._stop_flag, {asyncio.current_task()}))
        try:
            await kopf.operator(
                registry=self._handlers(),
                settings=kopf_settings(),
                identity=IDENTITY,
                standalone=True,
                clusterwide=True,
                stop_flag=self._stop_flag,
            )
        finally:
            insisting.cancel()
            self.stop()  # threads wait for the flag, and the end of the loop waits for them

    def _handlers(self) -> kopf.OperatorRegistry:
        async def end(**_: object) -> None:
            self.stop()

        handlers = kopf.OperatorRegistry()
        for plural in PLURALS.values():
            kopf.on.event(GROUP, VERSION, plural, registry=handlers, id=f"follow-{plural}")(self._handle)
        kopf.on.login(registry=handlers)(self._login.connection)
        kopf.on.cleanup(registry=handlers)(end)
        return handlers

    async def _handle(self, event: Mapping[str, Any], **_: object) -> None:
        self._hand_on(self._tell, {"type": event["type"], "object": dict(event["object"])})


async def _insist(ending: threading.Event, spared: set[asyncio.Task[Any] | None]) -> None:
    """Cancel what is left of kopf until nothing is: its watches may swallow a cancellation, and it waits for ever."""
    await asyncio.to_thread(ending.wait)
    spared = {*spared, asyncio.current_task()}
    while True:
        await asyncio.sleep(INSIST_SECONDS)
        for task in asyncio.all_tasks() - spared:
            task.cancel()


def _ignore(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """What nobody waits for in kopf's loop: its watches stumble over their own callbacks when it stops."""
    logging.getLogger("kopf").debug("ignored: %s", context.get("message"))
