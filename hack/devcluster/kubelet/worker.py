"""One pod on a node: its latest object, its way of reporting, and the end of its life. Subclasses do the running."""

import asyncio
import contextlib
import itertools
import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import aiohttp

from devcluster.api import ApiError, Object
from devcluster.host import clock
from devcluster.kubelet.client import KubeletClient
from devcluster.kubelet.config import KubeletConfig
from devcluster.kubelet.status import ContainerView, PodView, pod_status, waiting
from devcluster.kubelet.timeline import PREFIX, BadAnnotationError, clock_skew

__all__ = ["Host", "PodWorker"]

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5
_NOT_FOUND = 404


class Host(Protocol):
    """What a pod needs from the kubelet that runs it."""

    config: KubeletConfig
    client: KubeletClient

    def node(self, name: str) -> Object | None:
        """The node object, None when there is none."""

    async def awake(self, name: str) -> None:
        """Return as soon as the node exists and is not silent."""

    def take_address(self, wanted: str | None) -> str:
        """An address for a pod."""

    def give_address_back(self, address: str) -> None:
        """Release it."""

    def tell(self, pod: Object, kind: str, reason: str, message: str) -> None:
        """Post an Event about a pod."""


def _version(pod: Object) -> int:
    """Resource versions of one kind can be compared as numbers."""
    return int(pod["metadata"]["resourceVersion"])


class PodWorker(ABC):
    """Runs one pod from binding to deletion. ``pod`` is always the newest object that the watch has shown."""

    def __init__(self, host: Host, pod: Object) -> None:
        self.host = host
        self.pod = pod
        self.changed = asyncio.Event()
        self.host_ip = "127.0.0.1"
        self.pod_ip = ""
        self._written: Mapping[str, Any] | None = None
        self._task = asyncio.create_task(self._live())

    @property
    def path(self) -> str:
        """The pod's path in the API."""
        meta = self.pod["metadata"]
        return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"

    @property
    def annotations(self) -> Mapping[str, str]:
        """The pod's annotations."""
        return self.pod["metadata"].get("annotations") or {}

    @property
    def deleting(self) -> bool:
        """Whether somebody asked to delete it."""
        return "deletionTimestamp" in self.pod["metadata"]

    @property
    def ended(self) -> bool:
        """Whether it has reached a phase that it never leaves."""
        return self.pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}

    def update(self, pod: Object) -> None:
        """Take a newer object. The watch may be behind what our own writes were answered with."""
        if _version(pod) < _version(self.pod):
            return
        self.pod = pod
        self.changed.set()

    async def gone(self) -> None:
        """The object is gone: stop everything at once."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def now(self) -> datetime:
        """The time by the clock of the pod's node."""
        node = self.host.node(self.pod["spec"]["nodeName"]) or {"metadata": {}}
        try:
            skew = clock_skew(self.annotations, node["metadata"].get("annotations") or {})
        except BadAnnotationError:
            skew = 0.0
        return clock.now(skew)

    async def sleep(self, seconds: float | None) -> bool:
        """Wait for so long (None: for ever) or until the object changes; True when the time is over."""
        if self.deleting:
            return False
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return True
        self.changed.clear()
        return False

    async def _live(self) -> None:
        try:
            await self.host.awake(self.pod["spec"]["nodeName"])
            self._settle_address()
            while not (self.ended or self.deleting):
                await self._run_reporting_problems()
            while not self.deleting:
                await self.sleep(None)
            await self._end()
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("pod %s", self.path)
            raise
        finally:
            await self.clean_up()
            self.host.give_address_back(self.pod_ip)

    def _settle_address(self) -> None:
        node = self.host.node(self.pod["spec"]["nodeName"]) or {}
        addresses = node.get("status", {}).get("addresses", [])
        self.host_ip = next((entry["address"] for entry in addresses if entry["type"] == "InternalIP"), self.host_ip)
        wanted = self.annotations.get(PREFIX + "pod-ip") or self.pod.get("status", {}).get("podIP")
        self.pod_ip = self.host_ip if self.pod["spec"].get("hostNetwork") else self.host.take_address(wanted)

    async def _run_reporting_problems(self) -> None:
        """Run the pod; a script that cannot be read is shown in the pod's status, and read again when it changes."""
        try:
            await self.run()
        except BadAnnotationError as problem:
            views = [replace(view, state=waiting("CreateContainerConfigError", str(problem))) for view in self.views()]
            await self.report(PodView("Pending", views))
            await self.sleep(None)

    @abstractmethod
    async def run(self) -> None:
        """Run the pod until it ends by itself or is to be deleted; return whenever the object has changed."""

    @abstractmethod
    async def stop(self) -> PodView | None:
        """End the containers of a pod that is to be deleted; the last view, None if there is nothing to report."""

    async def clean_up(self) -> None:  # noqa: B027 -- most have nothing to release
        """Release what the pod held, however it ended."""

    def views(self, key: str = "containers") -> list[ContainerView]:
        """A fresh view of each container (or, by ``initContainers``, of each init container)."""
        return [ContainerView(spec["name"], spec["image"]) for spec in self.pod["spec"].get(key) or ()]

    @staticmethod
    def new_identity() -> str:
        """The id of one run of a container."""
        return uuid.uuid4().hex

    async def report(self, view: PodView) -> None:
        """Write the status unless it is what was written before."""
        status = pod_status(view, self.pod, self.host_ip, self.pod_ip, self.now())
        if status == self._written:
            return
        await self.host.awake(self.pod["spec"]["nodeName"])
        answer = await self._insist("status", lambda: self.host.client.patch_status(self.path, self._uid, status))
        self._written = status
        if answer and _version(answer) > _version(self.pod):
            self.pod = answer

    @property
    def _uid(self) -> str:
        return self.pod["metadata"]["uid"]

    async def _end(self) -> None:
        """Stop, report the terminal phase as kubelets do since 1.27, then remove the object."""
        view = None if self.ended else await self.stop()
        if view:
            await self.report(view)
        await self.host.awake(self.pod["spec"]["nodeName"])
        await self._insist("deletion", lambda: self.host.client.delete(self.path, self._uid))

    async def _insist(self, what: str, attempt: Any) -> Any:
        """Repeat a request until the server takes it; None when the object is gone."""
        for count in itertools.count(1):
            try:
                return await attempt()
            except ApiError as problem:
                if problem.status == _NOT_FOUND:
                    return None
                _log.warning("%s of %s, attempt %d: %s", what, self.path, count, problem)
            except (aiohttp.ClientError, TimeoutError) as problem:
                _log.warning("%s of %s, attempt %d: %r", what, self.path, count, problem)
            await asyncio.sleep(_RETRY_SECONDS)
        return None
