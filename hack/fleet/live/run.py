"""Live mode as a program: follow the cluster, serve its exporters, keep the record."""

import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from fleet.clocks import Clock
from fleet.kubernetes import Object
from fleet.live.client import Connection, Follower, access
from fleet.live.cluster import LiveFleet
from fleet.live.record import Record, past, past_exporters
from fleet.live.serve import Exporters
from fleet.script import SimPod

RETRY_SECONDS = 5

_log = logging.getLogger(__name__)


class Live:
    """Joins the watches, the script, the servers and the record.

    Args:
        clock: the time of scrapes and of what the watch reports.
        record: where the truth is written; None writes none.
    """

    def __init__(self, clock: Clock, record: Path | None) -> None:
        self._clock = clock
        self._record = None if record is None else Record(record)
        before = (past(record), past_exporters(record)) if record is not None else (None, None)
        self.fleet = LiveFleet(self._note, *before)
        self._exporters = Exporters(self.fleet.exporter, clock)
        self._dirty = asyncio.Event()

    async def run(self, kubeconfig: Path) -> None:
        """Work until cancelled."""
        async with Connection(access(kubeconfig)) as connection:
            nodes = Follower(connection, "/api/v1/nodes", self._nodes_listed, self._node)
            pods = Follower(connection, "/api/v1/pods", self._pods_listed, self._pod)
            namespaces = Follower(connection, "/api/v1/namespaces", self._namespaces_listed, self._namespace)
            try:
                await asyncio.gather(nodes.run(), pods.run(), namespaces.run(), self._serve())
            finally:
                await self._exporters.close()

    async def _serve(self) -> None:
        """Follow the exporter pods; try again now and then, as an address may have been taken."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS):
                    await self._dirty.wait()
            self._dirty.clear()
            await self._exporters.reconcile(self.fleet.exporter_pods())

    def _nodes_listed(self, nodes: list[Object]) -> None:
        for node in nodes:
            self._node("ADDED", node)

    def _node(self, kind: str, node: Object) -> None:
        react = self.fleet.node_gone if kind == "DELETED" else self.fleet.node_changed
        react(node, self._clock())
        self._note_node(node["metadata"]["name"])

    def _pods_listed(self, pods: list[Object]) -> None:
        self.fleet.pods_listed({pod["metadata"]["uid"] for pod in pods}, self._clock())
        for pod in pods:
            self._pod("ADDED", pod)

    def _pod(self, kind: str, pod: Object) -> None:
        react = self.fleet.pod_gone if kind == "DELETED" else self.fleet.pod_changed
        react(pod, self._clock())
        self._dirty.set()
        if pod["spec"].get("nodeName"):
            self._note_node(pod["spec"]["nodeName"])

    def _namespaces_listed(self, namespaces: list[Object]) -> None:
        for namespace in namespaces:
            self._namespace("ADDED", namespace)

    def _namespace(self, kind: str, namespace: Object) -> None:
        if self._record is not None and kind != "DELETED":
            self._record.namespace(namespace)

    def _note(self, pod: SimPod, text: str) -> None:
        """Tell the record and the person who watches about one pod."""
        if self._record is not None:
            self._record.pod(pod, text)
        state = "ended" if pod.ended_ms is not None else "runs" if pod.started_ms is not None else "holds"
        _log.info("%s/%s %s %d GPU on %s, activity %s", pod.namespace, pod.name, state, len(pod.gpus), pod.node, text)

    def _note_node(self, name: str) -> None:
        known = self.fleet.node_life(name)
        if self._record is not None and known is not None:
            self._record.node(*known)


def run(kubeconfig: Path, record: Path | None, clock: Clock) -> None:
    """Run live mode until interrupted."""
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_main(kubeconfig, record, clock))


async def _main(kubeconfig: Path, record: Path | None, clock: Clock) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await Live(clock, record).run(kubeconfig)
