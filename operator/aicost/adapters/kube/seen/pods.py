"""Reads a decoded pod."""

from collections.abc import Iterable

from aicost.adapters.kube.seen import shapes
from aicost.adapters.kube.seen.checks import millis, require_identity, whole
from aicost.adapters.kube.seen.requests import read_claims, read_requests
from aicost.adapters.kube.seen.sharing import shared, shared_mapping
from aicost.adapters.kube.seen.trim import POD_ANNOTATIONS, keep_annotations, keep_arguments, keep_run_ids
from aicost.adapters.kube.seen.values import PortSeen, SeenPod
from aicost.adapters.kube.wire.objects import OwnerReference
from aicost.domain.inventory.accelerators import accelerator
from aicost.domain.inventory.demand import ContainerDemand, device_demand
from aicost.domain.inventory.lifetimes import TERMINAL_PHASES
from aicost.domain.inventory.pods import ContainerFacts, PodFacts

_NO_SPEC, _NO_STATUS, _NO_RESOURCES = shapes.PodSpec(), shapes.PodStatus(), shapes.Resources()
_PHASES = TERMINAL_PHASES | {"Pending", "Running", "Unknown"}


def read_pod(pod: shapes.Pod) -> SeenPod:
    """What a pod says.

    Raises:
        ValueError: it has no identity, or a count of devices that is no whole number.
    """
    metadata, spec, status = pod.metadata, pod.spec or _NO_SPEC, pod.status or _NO_STATUS
    require_identity(metadata, namespaced=True)
    return SeenPod(
        facts=_facts(metadata, spec, status),
        owner=_controller(metadata),
        resource_version=metadata.resource_version,
        pod_ip=status.pod_ip or "",
        ready=_condition(status, "Ready") is not None,
        host_network=bool(spec.host_network),
        host_pid=bool(spec.host_pid),
        ports=shared(
            tuple(
                PortSeen(port.name or "", port.container_port)
                for container in (*(spec.containers or ()), *_sidecars(spec))
                for port in container.ports or ()
            )
        ),
    )


def _facts(metadata: shapes.Metadata, spec: shapes.PodSpec, status: shapes.PodStatus) -> PodFacts:
    phase = status.phase or "Pending"
    if phase not in _PHASES:
        raise ValueError(f"status.phase is {phase[:40]!r}: a pod is one of {', '.join(sorted(_PHASES))}")
    scheduled = _condition(status, "PodScheduled")
    running = (*(spec.containers or ()), *_sidecars(spec))
    cpu_millis, memory_bytes = read_requests(spec, status)
    return PodFacts(
        uid=metadata.uid,
        namespace=shared(metadata.namespace or ""),
        name=metadata.name,
        created_ms=millis(metadata.creation_timestamp, "metadata.creationTimestamp"),
        node=shared(spec.node_name or None),
        phase=shared(phase),
        labels=shared_mapping(metadata.labels),
        annotations=shared_mapping(keep_annotations(metadata.annotations, POD_ANNOTATIONS)),
        service_account=shared(spec.service_account_name or ""),
        containers=shared(tuple(_container(each) for each in running)),
        devices=shared_mapping(device_demand(_demands(spec.containers), _demands(spec.init_containers))),
        claims=_claims(spec, status),
        claimed_resources=_claimed_resources(status),
        run_ids=shared_mapping(keep_run_ids((each.name, each.value) for one in running for each in one.env or ())),
        bound_ms=_moment(scheduled) if spec.node_name else None,
        ended_ms=_ended_ms(status) if phase in TERMINAL_PHASES else None,
        priority=spec.priority or 0,
        cpu_millis=cpu_millis,
        memory_bytes=memory_bytes,
        volumes=read_claims(metadata, spec),
    )


def _controller(metadata: shapes.Metadata) -> OwnerReference | None:
    return next((owner for owner in metadata.owner_references or () if owner.controller), None)


def _condition(status: shapes.PodStatus, kind: str, value: str = "True") -> shapes.Condition | None:
    """The condition of a kind, where it has this value."""
    return next((each for each in status.conditions or () if each.type == kind and each.status == value), None)


def _moment(condition: shapes.Condition | None) -> int | None:
    if condition is None or condition.last_transition_time is None:
        return None
    return millis(condition.last_transition_time, "lastTransitionTime")


def _ended_ms(status: shapes.PodStatus) -> int | None:
    """When the last container ended. An evicted pod may list no containers: then when it stopped being ready."""
    ends = [
        millis(each.state.terminated.finished_at, "finishedAt")
        for each in (*(status.container_statuses or ()), *(status.init_container_statuses or ()))
        if each.state and each.state.terminated and each.state.terminated.finished_at
    ]
    known = [at_ms for at_ms in ends if at_ms > 0]  # a container that never ran "ended" in 1970 or in the year 1
    return max(known) if known else _moment(_condition(status, "Ready", "False"))


def _sidecars(spec: shapes.PodSpec) -> Iterable[shapes.Container]:
    return (each for each in spec.init_containers or () if each.restart_policy == "Always")


def _container(container: shapes.Container) -> ContainerFacts:
    words = (*(container.command or ()), *(container.args or ()))
    return ContainerFacts(shared(container.name), shared(container.image or ""), keep_arguments(words))


def _demands(containers: Iterable[shapes.Container] | None) -> list[ContainerDemand]:
    return [ContainerDemand(_devices(each), each.restart_policy == "Always") for each in containers or ()]


def _devices(container: shapes.Container) -> dict[str, int]:
    """Accelerators that a container asks for: its requests, and its limits where it states no request."""
    resources = container.resources or _NO_RESOURCES
    asked = {**(resources.limits or {}), **(resources.requests or {})}
    return {
        name: whole(quantity, f"resources of container {container.name!r}, {name}")
        for name, quantity in asked.items()
        if accelerator(name)
    }


def _claims(spec: shapes.PodSpec, status: shapes.PodStatus) -> tuple[str, ...]:
    """Names of the ResourceClaims that a pod uses: named ones, made from templates, and for extended resources."""
    made = {each.name: each.resource_claim_name for each in status.resource_claim_statuses or ()}
    names = [each.resource_claim_name or made.get(each.name) for each in spec.resource_claims or ()]
    extended = status.extended_resource_claim_status
    return tuple(name for name in (*names, extended and extended.resource_claim_name) if name)


def _claimed_resources(status: shapes.PodStatus) -> tuple[str, ...]:
    """Extended resources that a claim serves, where the scheduler made one for them."""
    extended = status.extended_resource_claim_status
    if extended is None or not extended.resource_claim_name:
        return ()
    return tuple(sorted({each.resource_name for each in extended.request_mappings or ()}))
