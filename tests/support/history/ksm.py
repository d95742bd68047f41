"""What kube-state-metrics says of objects, as samples: written from its documents, and not from its reader here.

`State(fleet)` shows a fleet script scrape by scrape; `samples(...)` gives all samples of a span.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fleet import kubernetes
from fleet.script import Fleet
from fleet.series import Sample

Shown = tuple[str, dict[str, str], float]
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
TARGET = {
    "job": "kube-state-metrics",
    "instance": "10.1.2.3:8080",
    "namespace": "monitoring",
    "pod": "ksm-0",
    "container": "ksm",
    "node": "infra-0",
    "service": "kube-state-metrics",
}


def label_name(prefix: str, key: str) -> str:
    """The name of a label (or annotation) of an object."""
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    snake = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain).lower()
    return f"{prefix}_{snake}"


def resource_name(name: str) -> str:
    """The value of the label `resource`."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


@dataclass(frozen=True)
class State:
    """One kube-state-metrics over a fleet.

    Attributes:
        honor: its own labels win over those of the target.
        labels: which labels are allowed; `*` for all.
        without: metrics that are not exposed.
        replicas: how many of it are scraped.
        away: spans in which it does not answer.
        extra: labels of the target.
        more: what it shows beside the fleet at a moment: (metric, labels, value).
    """

    fleet: Fleet
    honor: bool = True
    labels: str | tuple[str, ...] = "*"
    without: tuple[str, ...] = ()
    replicas: int = 1
    away: tuple[tuple[int, int], ...] = ()
    extra: dict[str, str] = field(default_factory=dict)
    more: Callable[[int], Iterable[Shown]] = lambda _: ()

    def samples(self, from_ms: int, to_ms: int, interval_ms: int = 30_000) -> Iterator[Sample]:
        """All samples of scrapes in a span."""
        for at_ms in range(from_ms, to_ms, interval_ms):
            if not any(begin <= at_ms < end for begin, end in self.away):
                yield from self.scrape(at_ms)

    def scrape(self, at_ms: int) -> Iterator[Sample]:
        for name, labels, value in self._rows(at_ms):
            if name not in self.without:
                for replica in range(self.replicas):
                    yield Sample(name, self._stored(labels, replica), at_ms, float(value))

    def _stored(self, labels: dict[str, str], replica: int) -> dict[str, str]:
        target = TARGET | {"instance": f"10.1.2.{3 + replica}:8080"} | self.extra
        if self.honor:
            return {name: value for name, value in (target | labels).items() if value}
        moved = {f"exported_{name}": value for name, value in labels.items() if name in target}
        kept = {name: value for name, value in labels.items() if name not in target}
        return {name: value for name, value in (kept | moved | target).items() if value}

    def _rows(self, at_ms: int) -> Iterator[Shown]:
        yield "kube_state_metrics_build_info", {"version": "v2.15.0"}, 1
        for namespace in self.fleet.namespaces:
            of = {"namespace": namespace.name}
            yield "kube_namespace_created", of, 1
            yield "kube_namespace_labels", of | self._labels("label", dict(namespace.labels)), 1
        for node in self.fleet.nodes:
            if node.booted_ms <= at_ms < node.removed_ms:
                yield from self._node(kubernetes.node_object(node, at_ms))
        for pod in self.fleet.pods:
            found = kubernetes.pod_object(self.fleet, pod, at_ms)
            if found is not None:
                yield from self._pod(found)
        yield from self._owners()
        yield from self.more(at_ms)

    def _node(self, node: dict[str, Any]) -> Iterator[Shown]:
        metadata, of = node["metadata"], {"node": node["metadata"]["name"]}
        yield "kube_node_info", of | {"provider_id": node["spec"]["providerID"], "kubelet_version": "v1.34.0"}, 1
        yield "kube_node_created", of, _seconds(metadata["creationTimestamp"])
        yield "kube_node_labels", of | self._labels("label", metadata["labels"]), 1
        for metric in ("capacity", "allocatable"):
            for name, text in node["status"][metric].items():
                resource, unit, value = _quantity(name, text)
                yield f"kube_node_status_{metric}", of | {"resource": resource, "unit": unit}, value

    def _pod(self, pod: dict[str, Any]) -> Iterator[Shown]:
        metadata, spec, status = pod["metadata"], pod["spec"], pod["status"]
        of = {"namespace": metadata["namespace"], "pod": metadata["name"], "uid": metadata["uid"]}
        owner = (metadata.get("ownerReferences") or [None])[0]
        kind, name = (owner["kind"], owner["name"]) if owner else ("<none>", "<none>")
        info = {"node": spec.get("nodeName", ""), "created_by_kind": kind, "created_by_name": name}
        yield "kube_pod_info", of | info | {"host_ip": "10.0.0.1", "priority_class": ""}, 1
        yield "kube_pod_owner", of | {"owner_kind": kind, "owner_name": name, "owner_is_controller": "true"}, 1
        yield "kube_pod_created", of, _seconds(metadata["creationTimestamp"])
        yield "kube_pod_labels", of | self._labels("label", metadata["labels"]), 1
        for phase in PHASES:
            yield "kube_pod_status_phase", of | {"phase": phase}, float(status["phase"] == phase)
        scheduled = next((one for one in status["conditions"] if one["type"] == "PodScheduled"), None)
        if scheduled:
            yield "kube_pod_status_scheduled_time", of, _seconds(scheduled["lastTransitionTime"])
            yield "kube_pod_start_time", of, _seconds(status["startTime"])
        ends = [
            _seconds(one["state"]["terminated"]["finishedAt"])
            for one in status.get("containerStatuses", ())
            if "terminated" in one["state"]
        ]
        if ends:
            yield "kube_pod_completion_time", of, max(ends)
        for container in spec["containers"]:
            inside = of | {"container": container["name"]}
            yield "kube_pod_container_info", inside | {"image": container["image"], "image_spec": container["image"]}, 1
            for resource, text in container["resources"].get("requests", {}).items():
                written, unit, value = _quantity(resource, text)
                asked = {"resource": written, "unit": unit, "node": spec.get("nodeName", "")}
                yield "kube_pod_container_resource_requests", inside | asked, value

    def _owners(self) -> Iterator[Shown]:
        metrics = {"ReplicaSet": ("kube_replicaset_owner", "replicaset"), "Job": ("kube_job_owner", "job_name")}
        for owner in kubernetes.owner_objects(self.fleet):
            if owner["kind"] in metrics:
                metric, label = metrics[owner["kind"]]
                above = (owner["metadata"].get("ownerReferences") or [{"kind": "<none>", "name": "<none>"}])[0]
                named = {"owner_kind": above["kind"], "owner_name": above["name"], "owner_is_controller": "true"}
                yield (
                    metric,
                    {"namespace": owner["metadata"]["namespace"], label: owner["metadata"]["name"]} | named,
                    1,
                )

    def _labels(self, prefix: str, labels: dict[str, str]) -> dict[str, str]:
        allowed = labels if self.labels == "*" else {key: labels[key] for key in self.labels if key in labels}
        return {label_name(prefix, key): value for key, value in allowed.items()}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _quantity(name: str, text: str) -> tuple[str, str, float]:
    if text.endswith("Gi"):
        return resource_name(name), "byte", float(text[:-2]) * 2**30
    unit = "core" if name == "cpu" else "integer"
    return resource_name(name), unit, float(text)
