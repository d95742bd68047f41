"""Reads how much CPU and memory a pod holds: what the scheduler counts, and what a resize in place has made of it."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache

from aicost.adapters.kube.seen import shapes
from aicost.adapters.kube.seen.checks import MAX_COUNT
from aicost.domain.inventory.demand import ContainerDemand, peak_demand
from aicost.domain.inventory.quantities import parse_quantity

CPU, MEMORY = "cpu", "memory"
_UNITS = {CPU: Fraction(1, 1_000), MEMORY: Fraction(1)}
_NO_RESOURCES = shapes.Resources()
_Quantities = Mapping[str, str | int | float]


def read_requests(spec: shapes.PodSpec, status: shapes.PodStatus) -> tuple[int, int]:
    """Thousandths of cores, and bytes of memory, that a pod takes from its node.

    The larger of all containers with their sidecars and of the greediest init container. A container that was resized
    in place counts with what the node has granted it, not with what its spec wishes for. Requests of the pod as a whole
    take the place of its containers', and the overhead of its runtime is added.
    """
    granted = {
        each.name: each.allocated_resources
        for each in (*(status.container_statuses or ()), *(status.init_container_statuses or ()))
        if each.allocated_resources
    }
    demand = peak_demand(_UNITS, _demands(spec.containers, granted), _demands(spec.init_containers, granted))
    whole = _amounts((spec.resources or _NO_RESOURCES).requests)
    overhead = _amounts(spec.overhead)
    cpu, memory = (min(MAX_COUNT, whole.get(k, demand.get(k, 0)) + overhead.get(k, 0)) for k in (CPU, MEMORY))
    return cpu, memory


def _demands(
    containers: Iterable[shapes.Container] | None, granted: Mapping[str, _Quantities]
) -> list[ContainerDemand]:
    return [
        ContainerDemand(_amounts(_asked(each, granted.get(each.name))), each.restart_policy == "Always")
        for each in containers or ()
    ]


def _asked(container: shapes.Container, granted: _Quantities | None) -> dict[str, str | int | float]:
    resources = container.resources or _NO_RESOURCES
    return {**(resources.limits or {}), **(resources.requests or {}), **(granted or {})}


def _amounts(quantities: _Quantities | None) -> dict[str, int]:
    found = quantities or {}
    return {name: _whole(str(found[name]), unit) for name, unit in _UNITS.items() if name in found}


@lru_cache(maxsize=4096)
def _whole(quantity: str, unit: Fraction) -> int:
    """A quantity in whole units; what makes no sense is 0, what is absurd is cut: a pod is never lost for it."""
    try:
        return min(MAX_COUNT, max(0, parse_quantity(quantity, unit)))
    except ValueError:
        return 0


def read_claims(metadata: shapes.Metadata, spec: shapes.PodSpec) -> tuple[str, ...]:
    """Names of the PersistentVolumeClaims that a pod mounts; one that is made for it alone is called `POD-VOLUME`."""
    named = (each.persistent_volume_claim.claim_name for each in spec.volumes or () if each.persistent_volume_claim)
    made = (f"{metadata.name}-{each.name}" for each in spec.volumes or () if each.ephemeral is not None)
    return tuple(dict.fromkeys(name for name in (*named, *made) if name))
