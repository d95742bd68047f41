"""Who owned a pod, link by link, by what kube-state-metrics told of ReplicaSets and Jobs."""

from collections.abc import Mapping

from aicost.adapters.prometheus.history.asking import Asker
from aicost.adapters.prometheus.history.keys import LabelKeys
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.pods import OwnerFacts

_API_VERSIONS = {
    "ReplicaSet": "apps/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "ReplicationController": "v1",
    "Node": "v1",
    "JobSet": "jobset.x-k8s.io/v1alpha2",
    "RayCluster": "ray.io/v1",
    "RayJob": "ray.io/v1",
    "RayService": "ray.io/v1",
    "PyTorchJob": "kubeflow.org/v1",
    "TrainJob": "trainer.kubeflow.org/v1alpha1",
    "LeaderWorkerSet": "leaderworkerset.x-k8s.io/v1",
    "InferenceService": "serving.kserve.io/v1beta1",
    "Workflow": "argoproj.io/v1alpha1",
    "Rollout": "argoproj.io/v1alpha1",
}
"""Series name a kind alone; these are the groups that kinds of this name have."""
_ABOVE = {"ReplicaSet": ("kube_replicaset_owner", "replicaset"), "Job": ("kube_job_owner", "job_name")}
_LABELLED = {
    "ReplicaSet": ("kube_replicaset_labels", "replicaset"),
    "Deployment": ("kube_deployment_labels", "deployment"),
    "StatefulSet": ("kube_statefulset_labels", "statefulset"),
    "DaemonSet": ("kube_daemonset_labels", "daemonset"),
    "Job": ("kube_job_labels", "job_name"),
    "CronJob": ("kube_cronjob_labels", "cronjob"),
}
_MAX_DEPTH = 4
_NONE = frozenset({"", "<none>"})
_Named = tuple[str, str, str]


class Owners:
    """The owners of a span."""

    def __init__(self, ask: Asker, span: Window, keys: LabelKeys) -> None:
        self._above = self._read_above(ask, span)
        self._labels = self._read_labels(ask, span, keys)

    def chain(self, namespace: str, kind: str, name: str) -> tuple[OwnerFacts, ...]:
        """The chain from the owner that a pod names, nearest first."""
        found: list[OwnerFacts] = []
        link: tuple[str, str] | None = (kind, name)
        while link is not None and len(found) < _MAX_DEPTH:
            labels = self._labels.get((namespace, *link), {})
            found.append(OwnerFacts(_API_VERSIONS.get(link[0], ""), *link, "", labels))
            link = self._above.get((namespace, *link))
        return tuple(found)

    @staticmethod
    def _read_above(ask: Asker, span: Window) -> Mapping[_Named, tuple[str, str]]:
        found: dict[_Named, tuple[str, str]] = {}
        for kind, (metric, label) in _ABOVE.items():
            by = ("namespace", label, "owner_kind", "owner_name", "owner_is_controller")
            for row in ask.last(metric, span, by):
                above = row.get("owner_kind"), row.get("owner_name")
                if not _NONE & set(above) and row.get("owner_is_controller") != "false":
                    found[row.get("namespace"), kind, row.get(label)] = above
        return found

    @staticmethod
    def _read_labels(ask: Asker, span: Window, keys: LabelKeys) -> Mapping[_Named, dict[str, str]]:
        found: dict[_Named, dict[str, str]] = {}
        for kind, (metric, label) in _LABELLED.items():
            for row in ask.last(metric, span):
                labels = keys.read(row.labels)
                if labels:
                    found[row.get("namespace"), kind, row.get(label)] = labels
        return found
