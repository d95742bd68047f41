"""Kinds of Kubernetes itself."""

from aicost.domain.workloads.places import JudgedKind, Number, Place
from aicost.domain.workloads.shapes import Scaling
from aicost.domain.workloads.table.shared import DEADLINE, REPLICATED, SELECTOR


def running(job: str) -> Number:
    """Pods of a Job that run at once: its parallelism, but no more than are to complete."""
    return Number((f"{job}/parallelism",), cap=f"{job}/completions")


def _job(at: str) -> Place:
    return Place(f"{at}/template", counts=(running(at),))


def _replicated(group: str, kind: str, plural: str) -> JudgedKind:
    return JudgedKind(group, ("v1",), kind, plural, REPLICATED, selector=SELECTOR)


KINDS: tuple[JudgedKind, ...] = (
    JudgedKind("", ("v1",), "Pod", "pods", (Place(""),), deadlines=DEADLINE),
    _replicated("", "ReplicationController", "replicationcontrollers"),
    _replicated("apps", "Deployment", "deployments"),
    _replicated("apps", "StatefulSet", "statefulsets"),
    _replicated("apps", "ReplicaSet", "replicasets"),
    JudgedKind(
        "apps", ("v1",), "DaemonSet", "daemonsets", (Place("/spec/template"),), selector=SELECTOR, in_scope=False
    ),
    JudgedKind(
        "batch",
        ("v1",),
        "Job",
        "jobs",
        (_job("/spec"),),
        Scaling.TO_COMPLETION,
        selector=SELECTOR,
        deadlines=DEADLINE,
    ),
    JudgedKind(
        "batch",
        ("v1",),
        "CronJob",
        "cronjobs",
        (_job("/spec/jobTemplate/spec"),),
        Scaling.SCHEDULED,
        inner=("/spec/jobTemplate/metadata",),
        deadlines=("/spec/jobTemplate/spec/activeDeadlineSeconds",),
    ),
)
"""A ReplicaSet is judged too, since pods that its controller makes are not."""
