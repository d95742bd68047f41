"""Whom a policy judges, where, and how strictly."""

from collections.abc import Mapping

from aicost.domain.identity.claims import LabelSelector
from aicost.domain.identity.selectors import selects, unknown_operators
from aicost.domain.policy.policies import LabelPolicy, Mode, NamespaceScope
from aicost.domain.policy.requests import Operation, PolicySnapshot, Request
from aicost.domain.policy.wildcards import matches_any
from aicost.domain.workloads.kinds import kind_of
from aicost.domain.workloads.shapes import OwnerReference, Workload

MIRROR = "kubernetes.io/config.mirror"
_NODES = "system:node:"


def out_of_scope(snapshot: PolicySnapshot, request: Request) -> str:
    """Why an object is nobody's to judge, empty where it is to be judged."""
    workload = request.workload
    if matches_any(snapshot.system_namespaces, workload.namespace):
        return f"out of scope: namespace {workload.namespace} belongs to the system"
    if workload.kind == "DaemonSet":
        return "out of scope: a DaemonSet serves its nodes"
    if _is_mirror(request):
        return "out of scope: a mirror of a static pod"
    owner = controlling_owner(workload)
    if owner is not None and _made_by_its_controller(snapshot, request):
        return f"out of scope: made for {owner.kind}/{owner.name}, which is judged itself"
    return ""


def controlling_owner(workload: Workload) -> OwnerReference | None:
    """The owner that is said to control the object; anybody can write one."""
    return next((owner for owner in workload.owners if owner.controller), None)


def _is_mirror(request: Request) -> bool:
    """Only a kubelet makes mirror pods; the annotation alone proves nothing."""
    made_by = request.requester.name
    trusted = made_by.startswith(_NODES) or request.operation is Operation.AUDIT
    return trusted and request.workload.kind == "Pod" and MIRROR in request.workload.annotations


def _made_by_its_controller(snapshot: PolicySnapshot, request: Request) -> bool:
    """Whether an owner reference is true. In an audit nobody asks; then an owner that is judged itself will do."""
    if request.operation is Operation.AUDIT:
        return _is_judged(controlling_owner(request.workload))
    return matches_any(snapshot.controllers, request.requester.name)


def _is_judged(owner: OwnerReference | None) -> bool:
    return owner is not None and kind_of(owner.api_version, owner.kind) is not None


def in_namespaces(scope: NamespaceScope, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether a namespace is in a scope: by its name, or by its labels."""
    return namespace in scope.names or (scope.selector is not None and safely_selects(scope.selector, labels))


def safely_selects(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether a selector selects labels; one with an operator that nobody knows selects nothing."""
    return not unknown_operators(selector) and selects(selector, labels)


def holds_for(policy: LabelPolicy, workload: Workload, labels: Mapping[str, str]) -> bool:
    """Whether a policy judges objects of this kind in a namespace with these labels."""
    if policy.kinds and workload.kind not in policy.kinds:
        return False
    return policy.namespaces is None or in_namespaces(policy.namespaces, workload.namespace, labels)


def mode_in(policy: LabelPolicy, namespace: str, labels: Mapping[str, str]) -> Mode:
    """The mode in a namespace: that of the first override that matches, else the policy's."""
    matching = (each.mode for each in policy.overrides if in_namespaces(each.namespaces, namespace, labels))
    return next(matching, policy.mode)


def namespace_labels(snapshot: PolicySnapshot, namespace: str) -> Mapping[str, str]:
    """Labels of a namespace. Its name is always one of them, also where the namespace is not known yet."""
    facts = snapshot.namespaces.get(namespace)
    return {"kubernetes.io/metadata.name": namespace, **(facts.labels if facts else {})}
