"""The live script: what is known of nodes and pods by now, with each pod's GPUs chosen as a device plugin does."""

import logging
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from fractions import Fraction

from fleet.activity import IDLE, Program
from fleet.annotations import ACTIVITY
from fleet.exporter.text import Exporter
from fleet.faults import FaultKind
from fleet.kubernetes import Object
from fleet.live import facts
from fleet.live.facts import ExporterLife
from fleet.script import Fleet, SimNode, SimPod

Sink = Callable[[SimPod, str], None]  # a pod as it is now, and the text of its program

SYSTEM = frozenset({"gpu-operator", "kube-system"})  # what holds a GPU there is an exporter or a diagnostic

_log = logging.getLogger(__name__)


class LiveFleet:
    """Follows nodes and pods and keeps the script of all that ever ran.

    Pods that wait for a GPU which another one has not yet been seen to release are tried again at each change.

    Args:
        sink: told about each pod whenever its part of the script changes.
        past: pods of before a restart with the text of their programs, by UID. They keep their GPUs.
        exporters: exporter pods of before a restart, by UID.
    """

    def __init__(
        self,
        sink: Sink,
        past: Mapping[str, tuple[SimPod, str]] | None = None,
        exporters: Mapping[str, ExporterLife] | None = None,
    ) -> None:
        self._sink = sink
        self._nodes: dict[str, Object] = {}
        self._removed: dict[str, int] = {}
        self._exporters = dict(exporters or {})
        self._waiting: dict[str, Object] = {}
        self._script = {uid: pod for uid, (pod, _) in (past or {}).items()}
        self._texts = {uid: text for uid, (_, text) in (past or {}).items()}
        self._views: dict[str, Exporter] = {}

    def node_changed(self, node: Object, seen_ms: int) -> None:
        """A node was added or changed."""
        name = node["metadata"]["name"]
        before, self._nodes[name] = self._nodes.get(name), node
        self._removed.pop(name, None)
        if before is None or before["metadata"].get("annotations") != node["metadata"].get("annotations"):
            self._views.clear()
        self._retry(seen_ms)

    def node_gone(self, node: Object, seen_ms: int) -> None:
        """A node was removed. What ran on it stays in the script."""
        self._removed[node["metadata"]["name"]] = seen_ms

    def pod_changed(self, pod: Object, seen_ms: int) -> None:
        """A pod was added or changed."""
        uid = pod["metadata"]["uid"]
        if facts.is_exporter(pod):
            self._exporter_changed(pod, seen_ms)
        elif uid in self._script:
            self._advance(pod, seen_ms)
        elif pod["spec"].get("nodeName") and facts.gpus_wanted(pod):
            self._waiting[uid] = pod
            self._retry(seen_ms)

    def pod_gone(self, pod: Object, seen_ms: int) -> None:
        """A pod's object was deleted."""
        uid = pod["metadata"]["uid"]
        self._waiting.pop(uid, None)
        self._exporter_gone(uid, seen_ms)
        self._ended(uid, seen_ms)

    def pods_listed(self, uids: AbstractSet[str], seen_ms: int) -> None:
        """All pods were listed; what is not among them was deleted unseen."""
        for uid in (set(self._script) | set(self._exporters)) - uids:
            self._exporter_gone(uid, seen_ms)
            self._ended(uid, seen_ms)

    def exporter_pods(self) -> dict[str, str]:
        """The exporters that run: pod UID to address."""
        running = {uid: life.pod for uid, life in self._exporters.items() if life.from_ms and life.to_ms is None}
        return {uid: pod["status"]["podIP"] for uid, pod in running.items() if pod["status"].get("podIP")}

    def exporter(self, uid: str) -> Exporter | None:
        """What the exporter pod of this UID shows; None when its node has no GPUs or makes no sense."""
        if uid not in self._views:
            name = self._exporters[uid].pod["spec"]["nodeName"]
            node = self._sim_node(name)
            if node is None:
                return None
            index = self._exporters_on(name).index(self._exporters[uid])
            self._views[uid] = Exporter(Fleet((node,), tuple(self._script.values())), node.name, index)
        return self._views[uid]

    def node_life(self, name: str) -> tuple[Object, list[ExporterLife], int | None] | None:
        """A node, its exporter pods in the order of the script, and when it was removed; None if it is not known."""
        known = name in self._nodes
        return (self._nodes[name], self._exporters_on(name), self._removed.get(name)) if known else None

    def script(self) -> Fleet:
        """The script so far, without prices."""
        nodes = (self._sim_node(name) for name in sorted(self._nodes))
        return Fleet(tuple(node for node in nodes if node is not None), tuple(self._script.values()))

    def _exporters_on(self, name: str) -> list[ExporterLife]:
        """All that ever were, in the order in which they were seen."""
        return [life for life in self._exporters.values() if life.pod["spec"]["nodeName"] == name]

    def _ended(self, uid: str, seen_ms: int) -> None:
        known = self._script.get(uid)
        if known is not None and known.deleted_ms is None:
            self._keep(replace(known, deleted_ms=seen_ms))
            self._retry(seen_ms)

    def _exporter_changed(self, pod: Object, seen_ms: int) -> None:
        if not pod["spec"].get("nodeName"):
            return
        known = self._exporters.get(pod["metadata"]["uid"], ExporterLife(pod, None, None))
        phase = pod.get("status", {}).get("phase")
        from_ms = seen_ms if known.from_ms is None and phase == "Running" else known.from_ms
        to_ms = seen_ms if known.to_ms is None and phase in facts.ENDED else known.to_ms
        self._exporters[pod["metadata"]["uid"]] = ExporterLife(pod, from_ms, to_ms)
        self._views.clear()

    def _exporter_gone(self, uid: str, seen_ms: int) -> None:
        life = self._exporters.get(uid)
        if life is not None and life.to_ms is None:
            self._exporters[uid] = life._replace(to_ms=seen_ms)
            self._views.clear()

    def _sim_node(self, name: str) -> SimNode | None:
        life = self.node_life(name)
        try:
            return None if life is None else facts.sim_node(life[0], life[1], removed_ms=life[2])
        except ValueError as error:
            _log.warning("node %s is not simulated: %s", name, error)
            return None

    def _retry(self, seen_ms: int) -> None:
        """Give GPUs to the pods that wait for them, oldest binding first."""
        for uid, pod in sorted(self._waiting.items(), key=lambda item: (facts.bound_ms(item[1]) or 0, item[0])):
            node = self._sim_node(pod["spec"]["nodeName"])
            gpus = self._free(node, facts.gpus_wanted(pod), seen_ms) if node else None
            if gpus is not None:
                del self._waiting[uid]
                self._admit(pod, gpus, seen_ms)

    def _free(self, node: SimNode, count: int, seen_ms: int) -> tuple[str, ...] | None:
        """The first free GPUs of a node; None while there are too few."""
        taken = {uuid for pod in self._script.values() if pod.ended_ms is None for uuid in pod.gpus}
        lost = [fault for fault in node.faults if fault.kind is FaultKind.LOST]
        whole = (gpu for gpu in node.gpus if not any(f.touches(seen_ms, exporter=-1, uuid=gpu.uuid) for f in lost))
        free = [gpu.uuid for gpu in whole if gpu.uuid not in taken]
        return tuple(free[:count]) if len(free) >= count else None

    def _admit(self, pod: Object, gpus: tuple[str, ...], seen_ms: int) -> None:
        metadata = pod["metadata"]
        text, activity, memory = _behaviour(pod)
        bound_ms = facts.bound_ms(pod)
        self._texts[metadata["uid"]] = text
        admitted = SimPod(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            node=pod["spec"]["nodeName"],
            gpus=gpus,
            bound_ms=seen_ms if bound_ms is None else bound_ms,
            labels=tuple(sorted((metadata.get("labels") or {}).items())),
            activity=activity,
            memory=memory,
            container=facts.gpu_container(pod),
            system=metadata["namespace"] in SYSTEM,
        )
        self._keep(admitted)
        self._advance(pod, seen_ms)

    def _advance(self, pod: Object, seen_ms: int) -> None:
        """Take over what the pod's status says now. What once was seen stays."""
        known = self._script[pod["metadata"]["uid"]]
        ahead_ms = facts.skew_ms(self._nodes[known.node]) if known.node in self._nodes else 0
        started = facts.started_ms(pod, ahead_ms) if known.started_ms is None else known.started_ms
        finished = facts.finished_ms(pod, ahead_ms, seen_ms) if known.finished_ms is None else known.finished_ms
        failed = pod.get("status", {}).get("phase") == "Failed"
        changed = replace(known, started_ms=started, finished_ms=finished, failed=failed)
        if changed != known:
            self._keep(changed)
        if known.finished_ms is None and finished is not None:
            self._retry(seen_ms)

    def _keep(self, pod: SimPod) -> None:
        self._script[pod.uid] = pod
        self._views.clear()
        self._sink(pod, self._texts[pod.uid])


def _behaviour(pod: Object) -> tuple[str, Program, Fraction]:
    """The text of a pod's program, the program, and its memory; a pod whose annotations make no sense is idle."""
    try:
        return facts.annotations(pod).get(ACTIVITY, "idle"), facts.program(pod), facts.memory(pod)
    except ValueError as error:
        _log.warning("pod %s/%s stays idle: %s", pod["metadata"]["namespace"], _name(pod), error)
        return "idle", IDLE, Fraction(1, 2)


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
