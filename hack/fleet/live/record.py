"""The record of a live fleet: JSON lines from which the true bill is computed later.

One line per change of a node (`"kind": "node"`, the parts of its object that the script needs) or of a pod (`"kind":
"pod"`: its GPUs, its life, and the text of its activity program). The last line of a UID counts. A line that a crash
cut off is ignored.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from fleet.kubernetes import Object
from fleet.live import facts
from fleet.live.facts import ExporterLife
from fleet.script import Fleet, Price, SimNamespace, SimPod
from fleet.spec import parse

_LIFE = ("bound_ms", "started_ms", "finished_ms", "deleted_ms")
_NAMES = ("namespace", "name", "uid", "node", "container", "failed", "system")


@dataclass(slots=True)
class Record:
    """A file that only grows."""

    path: Path
    _last: dict[str, str] = field(default_factory=dict)

    def node(self, node: Object, exporters: list[ExporterLife], removed_ms: int | None = None) -> None:
        """Note a node, the exporter pods that ever ran on it, and when it was removed."""
        lives = [(_trim(life.pod), life.from_ms, life.to_ms) for life in exporters]
        self._write(
            node["metadata"]["name"],
            {"kind": "node", "node": _trim(node), "exporters": lives, "removed_ms": removed_ms},
        )

    def namespace(self, item: Object) -> None:
        """Note a namespace and its labels."""
        metadata = item["metadata"]
        line = {"kind": "namespace", "name": metadata["name"], "labels": metadata.get("labels") or {}}
        self._write(f"namespace/{metadata['name']}", line)

    def pod(self, pod: SimPod, activity: str) -> None:
        """Note a pod as it is now."""
        line: dict[str, Any] = {name: getattr(pod, name) for name in _NAMES + _LIFE}
        more = {"gpus": pod.gpus, "labels": dict(pod.labels), "activity": activity, "memory": str(pod.memory)}
        self._write(pod.uid, {"kind": "pod"} | line | more)

    def _write(self, key: str, line: dict[str, Any]) -> None:
        text = json.dumps(line)
        if self._last.get(key) != text:
            self._last[key] = text
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")


def load(path: Path, prices: Mapping[str, Price | None] | None = None) -> Fleet:
    """The script that a record tells.

    Args:
        path: the record.
        prices: the price of each instance type; a type that is missing has none.
    """
    nodes: dict[str, Any] = {}
    pods: dict[str, SimPod] = {}
    namespaces: dict[str, SimNamespace] = {}
    for line in _lines(path):
        if line["kind"] == "node":
            labels = line["node"]["metadata"].get("labels") or {}
            lives = [ExporterLife(*life) for life in line["exporters"]]
            price = (prices or {}).get(labels.get("node.kubernetes.io/instance-type", ""))
            nodes[line["node"]["metadata"]["name"]] = facts.sim_node(line["node"], lives, price, line["removed_ms"])
        elif line["kind"] == "namespace":
            namespaces[line["name"]] = SimNamespace(line["name"], tuple(line["labels"].items()))
        else:
            pods[line["uid"]] = _pod(line)
    found = tuple(node for node in nodes.values() if node is not None)
    return Fleet(found, tuple(pods.values()), tuple(namespaces.values()))


def past(path: Path) -> dict[str, tuple[SimPod, str]]:
    """The pods of a record with the text of their programs, by UID; empty if there is no record yet."""
    return {line["uid"]: (_pod(line), line["activity"]) for line in _lines(path) if line["kind"] == "pod"}


def past_exporters(path: Path) -> dict[str, ExporterLife]:
    """The exporter pods of a record, by UID."""
    noted = (life for line in _lines(path) if line["kind"] == "node" for life in line["exporters"])
    return {life[0]["metadata"]["uid"]: ExporterLife(*life) for life in noted}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(text)
        except ValueError:
            continue


def _pod(line: Mapping[str, Any]) -> SimPod:
    return SimPod(
        **{name: line[name] for name in _NAMES + _LIFE},
        gpus=tuple(line["gpus"]),
        labels=tuple(line["labels"].items()),
        activity=parse(line["activity"]),
        memory=Fraction(line["memory"]),
    )


def _trim(item: Object) -> Object:
    """What the script needs of an object."""
    kept = ("name", "namespace", "uid", "labels", "annotations", "creationTimestamp")
    metadata = {name: item["metadata"][name] for name in kept if name in item["metadata"]}
    kept_spec = {name: item["spec"][name] for name in ("nodeName",) if name in item.get("spec", {})}
    return {"metadata": metadata, "spec": kept_spec, "status": {"podIP": item.get("status", {}).get("podIP", "")}}
