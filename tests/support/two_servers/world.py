"""A fleet's script written to a real API server, moment by moment, on a clock that the test holds."""

from collections.abc import Iterator
from typing import Any

from devcluster.api import Api, ApiError
from fleet import kubernetes
from fleet.kubernetes import Event
from fleet.script import Fleet, SimExporter, SimNode
from support.pipeline import exporter_notice

OURS = "/apis/aicost.dev/v1alpha1"
Object = dict[str, Any]
Written = tuple[str, str | None]
"""Uid and resource version of an object as it is now; None: it is gone."""


class World:
    """Writes objects as people, schedulers and kubelets do.

    Args:
        api: where.
        fleet: the script.
        begin_ms: the first moment of it.
    """

    def __init__(self, api: Api, fleet: Fleet, begin_ms: int) -> None:
        self._api, self._fleet, self._begin_ms = api, fleet, begin_ms
        self._bound: set[str] = set()

    def begin(self) -> None:
        """What is there at the beginning, and nothing of another test: namespaces, nodes and exporters."""
        self._clear()
        exporters = [(node, one) for node in self._fleet.nodes for one in node.exporters]
        spaces = {one.name for one in self._fleet.namespaces} | {one.namespace for one in self._fleet.pods}
        for name in sorted(spaces | {one.namespace for _, one in exporters}):
            self._space(name)
        for node in self._fleet.nodes:
            self._api.create("/api/v1/nodes", _new(kubernetes.node_object(node, self._begin_ms)))
        for node, exporter in exporters:
            self._exporter(node, exporter)

    def _clear(self) -> None:
        for one in self._api.get("/api/v1/pods")["items"]:
            meta = one["metadata"]
            self._api.request("DELETE", f"{_pods(meta['namespace'])}/{meta['name']}?gracePeriodSeconds=0")
        for one in self._api.get("/api/v1/nodes")["items"]:
            self._api.delete(f"/api/v1/nodes/{one['metadata']['name']}")
        for kind in ("clusteraicostreports", "aicostreports"):
            for one in self._api.get(f"{OURS}/{kind}")["items"]:
                meta = one["metadata"]
                space = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
                self._api.delete(f"{OURS}{space}/{kind}/{meta['name']}")

    def _space(self, name: str) -> None:
        """A namespace with the account that each pod needs."""
        for path, body in (
            ("/api/v1/namespaces", {"metadata": {"name": name}}),
            (f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}}),
        ):
            try:
                self._api.create(path, body)
            except ApiError as problem:
                if problem.status != 409:
                    raise

    def _exporter(self, node: SimNode, exporter: SimExporter) -> None:
        found = exporter_notice(node, exporter, self._begin_ms).object
        found["status"]["podIP"] = exporter.ip
        self.tell(Event(self._begin_ms, "ADDED", found))

    def events(self, from_ms: int, until_ms: int) -> Iterator[Event]:
        """What happens in a span, pods and nodes, in order."""
        gone = [
            Event(node.removed_ms, "DELETED", kubernetes.node_object(node, node.removed_ms) | {"kind": "Node"})
            for node in self._fleet.nodes
            if from_ms <= node.removed_ms < until_ms
        ]
        yield from sorted([*kubernetes.pod_events(self._fleet, from_ms, until_ms), *gone], key=lambda one: one.at_ms)

    def tell(self, event: Event) -> Written:
        """Write one event."""
        body, meta = event.object, event.object["metadata"]
        if body.get("kind") == "Node":
            gone = self._api.delete(f"/api/v1/nodes/{meta['name']}")
            return gone["details"]["uid"], None
        pods = _pods(meta["namespace"])
        path = f"{pods}/{meta['name']}"
        if event.type == "DELETED":
            gone = self._api.request("DELETE", f"{path}?gracePeriodSeconds=0")
            self._bound.discard(path)
            return gone["metadata"]["uid"], None
        if event.type == "ADDED":
            self._api.create(pods, _new(body))
        self._bind(path, body)
        done = self._api.patch(f"{path}/status", {"status": body["status"]})
        return done["metadata"]["uid"], done["metadata"]["resourceVersion"]

    def _bind(self, path: str, body: Object) -> None:
        """Bind a pod as its script says, once. The server keeps the moment of a condition that is there already."""
        node = body["spec"].get("nodeName")
        if node is None or path in self._bound:
            return
        scheduled = [one for one in body["status"]["conditions"] if one["type"] == "PodScheduled"]
        self._api.patch(f"{path}/status", {"status": {"conditions": scheduled}})
        name = {"metadata": {"name": body["metadata"]["name"]}}
        self._api.create(f"{path}/binding", {**name, "target": {"kind": "Node", "name": node}})
        self._bound.add(path)

    def stir(self, at_ms: int) -> list[Written]:
        """Something changes on a node and a pod, as it does all the time: whoever watches hears of it."""
        mark = {"metadata": {"annotations": {"example.com/heartbeat": str(at_ms)}}}
        exporter = self._fleet.nodes[0].exporters[0]
        paths = (
            f"/api/v1/nodes/{self._fleet.nodes[0].name}",
            f"/api/v1/namespaces/{exporter.namespace}/pods/{exporter.pod}",
        )
        done = [self._api.patch(path, mark)["metadata"] for path in paths]
        return [(one["uid"], one["resourceVersion"]) for one in done]


def _pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def _new(body: Object) -> Object:
    """An object as it is created: the server says who it is, and a pod is bound afterwards."""
    metadata = {key: text for key, text in body["metadata"].items() if key in {"name", "labels", "annotations"}}
    spec = {key: text for key, text in body["spec"].items() if key != "nodeName"}
    return {"metadata": metadata, "spec": spec, "status": body["status"]}
