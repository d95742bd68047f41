"""The kubelet itself: it follows nodes and pods, and gives every bound pod a worker."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import aiohttp

from devcluster.api import ApiError, Object
from devcluster.host import clock
from devcluster.kubelet.addresses import Addresses
from devcluster.kubelet.claims import Provisioner
from devcluster.kubelet.client import KubeletClient
from devcluster.kubelet.config import KubeletConfig
from devcluster.kubelet.events import pod_event
from devcluster.kubelet.informer import follow
from devcluster.kubelet.local.pod import LocalPod
from devcluster.kubelet.scripted import ScriptedPod
from devcluster.kubelet.timeline import PREFIX

if TYPE_CHECKING:
    from devcluster.kubelet.worker import PodWorker

__all__ = ["Kubelet"]

_log = logging.getLogger(__name__)


class Kubelet:
    """Stands in for the kubelets of all nodes."""

    def __init__(self, config: KubeletConfig, client: KubeletClient) -> None:
        self.config = config
        self.client = client
        self._nodes: dict[str, Object] = {}
        self._nodes_changed = asyncio.Condition()
        self._addresses = Addresses(config.server)
        self._workers: dict[str, PodWorker] = {}
        self._provisioner = Provisioner(client, config.state / "claims")
        self._background: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Work until cancelled; then end every process that was started."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(follow(self.client, "/api/v1/nodes", "", self._node, self._node_gone))
                pods = "/api/v1/pods", "spec.nodeName!="
                group.create_task(follow(self.client, *pods, self._pod, self._pod_gone))
                claims = "/api/v1/persistentvolumeclaims", ""
                group.create_task(follow(self.client, *claims, self._claim, self._claim_gone))
        finally:
            await asyncio.gather(*(worker.gone() for worker in self._workers.values()), return_exceptions=True)

    def node(self, name: str) -> Object | None:
        """The node object, None when there is none."""
        return self._nodes.get(name)

    async def awake(self, name: str) -> None:
        """Return as soon as the node exists and is not silent."""
        if self._speaks(name):
            return
        async with self._nodes_changed:
            await self._nodes_changed.wait_for(lambda: self._speaks(name))

    def _speaks(self, name: str) -> bool:
        node = self._nodes.get(name)
        return node is not None and (node["metadata"].get("annotations") or {}).get(PREFIX + "silent") != "true"

    def take_address(self, wanted: str | None) -> str:
        """An address for a pod."""
        return self._addresses.take(wanted)

    def give_address_back(self, address: str) -> None:
        """Release it."""
        self._addresses.give_back(address)

    def tell(self, pod: Object, kind: str, reason: str, message: str) -> None:
        """Post an Event about a pod."""
        event = pod_event(pod, kind, reason, message, clock.now())
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/events"
        self._in_background(self._attempt(self.client.request("POST", path, event)))

    @staticmethod
    async def _attempt(work: Coroutine[Any, Any, Any]) -> None:
        """Do what matters little: a refusal is logged."""
        try:
            await work
        except (ApiError, aiohttp.ClientError, TimeoutError) as problem:
            _log.warning("%s", problem)

    def _claim(self, claim: Object) -> None:
        self._in_background(self._attempt(self._provisioner.provide(claim)))

    def _claim_gone(self, claim: Object) -> None:
        self._in_background(self._attempt(self._provisioner.remove(claim)))

    def _node(self, node: Object) -> None:
        self._nodes[node["metadata"]["name"]] = node
        self._in_background(self._tell_nodes_changed())

    def _node_gone(self, node: Object) -> None:
        self._nodes.pop(node["metadata"]["name"], None)

    async def _tell_nodes_changed(self) -> None:
        async with self._nodes_changed:
            self._nodes_changed.notify_all()

    def _pod(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if worker:
            worker.update(pod)
        else:
            self._workers[uid] = LocalPod(self, pod) if self._is_ours(pod) else ScriptedPod(self, pod)

    def _is_ours(self, pod: Object) -> bool:
        spec = pod["spec"]
        containers = [*spec["containers"], *(spec.get("initContainers") or ())]
        return any(self.config.entrypoint(container["image"]) for container in containers)

    def _pod_gone(self, pod: Object) -> None:
        worker = self._workers.pop(pod["metadata"]["uid"], None)
        if worker:
            self._in_background(worker.gone())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
