"""Names that kube-state-metrics bent to fit Prometheus, bent back.

A label's key becomes `label_` and the key with `_` for all that is no letter, digit or `_`, in snake case: both
`app.kubernetes.io/name` and `app_kubernetes.io-name` are `label_app_kubernetes_io_name`. So only keys that are known
can be told for sure; any other is kept as it is written. Resources are bent likewise, their case is kept.
"""

import re
from collections.abc import Iterable, Mapping

from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension
from aicost.domain.inventory.accelerators import RESOURCES
from aicost.domain.inventory.gpu_models import MEMORY_LABELS, MODEL_LABELS
from aicost.domain.inventory.node_labels import CAPACITY_LABELS, INSTANCE_TYPE_LABELS, REGION_LABELS, ZONE_LABELS
from aicost.domain.inventory.sharing import COUNT_LABELS
from aicost.domain.workloads.queues import QUEUE_LABELS

_INVALID = re.compile(r"[^a-zA-Z0-9_]")
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_SEPARATORS = {"nvidia.com/mig-": "."}
"""What stood for `_` in the rest of a resource whose start is known; `-` elsewhere."""

_DIMENSIONS = tuple(f"{LABEL_PREFIX}{dimension.value}" for dimension in Dimension)
_OF_NODES = (
    *INSTANCE_TYPE_LABELS,
    *REGION_LABELS,
    *ZONE_LABELS,
    *(key for key, _ in CAPACITY_LABELS),
    *MODEL_LABELS,
    *MEMORY_LABELS,
    *COUNT_LABELS,
    "kubernetes.io/hostname",
    "nvidia.com/gpu.sharing-strategy",
    "nvidia.com/gpu.replicas",
    "nvidia.com/mig.config.state",
    "nvidia.com/gpu.slices.gi",
    "cloud.google.com/gke-gpu-sharing-strategy",
    "cloud.google.com/gke-gpu-partition-size",
    "cloud.google.com/gke-max-shared-clients-per-gpu",
    "cloud.google.com/gke-nodepool",
    "cloud.google.com/reservation-name",
    "karpenter.k8s.aws/capacity-reservation-id",
    "karpenter.sh/nodepool",
    "kubernetes.azure.com/agentpool",
    "eks.amazonaws.com/nodegroup",
)
_COMMON = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "kubernetes.io/metadata.name",
    "k8s-app",
    "job-name",
    "batch.kubernetes.io/job-name",
    "ray.io/cluster",
    "training.kubeflow.org/job-name",
    "jobset.sigs.k8s.io/jobset-name",
    "leaderworkerset.sigs.k8s.io/name",
    "serving.kserve.io/inferenceservice",
    "pod-template-hash",
    "cost-center",
    "workload-type",
    "customer-segment",
)
WELL_KNOWN = (*_DIMENSIONS, *_OF_NODES, *QUEUE_LABELS, *_COMMON)
"""Keys that are bent back, the first of those that look alike."""


def bent(key: str) -> str:
    """A label's key as kube-state-metrics writes it, without its prefix."""
    return _HUMP.sub(r"\1_\2", _INVALID.sub("_", key)).lower()


class LabelKeys:
    """Which key a label of a series was.

    Args:
        more: further keys that matter, such as those that policies and selectors name.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._keys: dict[str, str] = {}
        for key in (*WELL_KNOWN, *more):
            self._keys.setdefault(bent(key), key)

    def read(self, labels: Mapping[str, str], prefix: str = "label_") -> dict[str, str]:
        """The labels (or annotations) that a series of kube-state-metrics carries, by the best key for each."""
        found = {}
        for name, value in labels.items():
            if name.startswith(prefix) and value:
                written = name.removeprefix(prefix)
                found[self._keys.get(written, written)] = value
        return found


def resource_of(written: str) -> str:
    """The extended resource that a label `resource` stands for; the text itself where it is no accelerator's."""
    for line in RESOURCES:
        name = _INVALID.sub("_", line.name)
        if written == name:
            return line.name
    for line in RESOURCES:
        name = _INVALID.sub("_", line.name)
        if line.prefix and written.startswith(name):
            return line.name + written.removeprefix(name).replace("_", _SEPARATORS.get(line.name, "-"))
    return written


def resource_pattern() -> str:
    """A regular expression for the label `resource` of all accelerators."""
    return "|".join(_INVALID.sub("_", line.name) + (".*" if line.prefix else "") for line in RESOURCES)
