"""What the kubelet's series say of a fleet's pods, as samples."""

from collections.abc import Iterator

from fleet.script import Fleet
from fleet.series import Sample

METRIC = "container_memory_working_set_bytes"


def samples(fleet: Fleet, from_ms: int, to_ms: int, interval_ms: int = 30_000) -> Iterator[Sample]:
    """One series for each container that runs, and the two of each pod that are no container."""
    for at_ms in range(from_ms, to_ms, interval_ms):
        for pod in fleet.pods:
            if pod.running is None or not pod.running[0] <= at_ms < pod.running[1]:
                continue
            group = f"/kubepods.slice/kubepods-pod{pod.uid.replace('-', '_')}.slice"
            of = {"namespace": pod.namespace, "pod": pod.name, "node": pod.node, "instance": f"{pod.node}:10250"}
            of |= {"job": "kubelet", "metrics_path": "/metrics/cadvisor"}
            inside = {"container": pod.container, "image": pod.image, "id": f"{group}/cri-containerd-c1.scope"}
            yield Sample(METRIC, of | inside, at_ms, 2.0**30)
            yield Sample(METRIC, of | {"id": group}, at_ms, 2.0**30)
            yield Sample(METRIC, of | {"container": "POD", "id": f"{group}/pause"}, at_ms, 2.0**20)
