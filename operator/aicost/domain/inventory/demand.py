"""How many devices a pod asks for, counted as the scheduler counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.inventory.accelerators import accelerators_only


@dataclass(frozen=True, slots=True)
class ContainerDemand:
    """What one container asks for.

    Attributes:
        resources: resource name -> count.
        restartable: an init container with `restartPolicy: Always`, which goes on beside the containers (a sidecar).
    """

    resources: Mapping[str, int]
    restartable: bool = False


def device_demand(containers: Sequence[ContainerDemand], init: Sequence[ContainerDemand] = ()) -> dict[str, int]:
    """Accelerators that a pod takes from its node, by resource; see `peak_demand`."""
    names = {name for each in (*containers, *init) for name in accelerators_only(each.resources)}
    return peak_demand(names, containers, init)


def peak_demand(
    names: Iterable[str], containers: Sequence[ContainerDemand], init: Sequence[ContainerDemand] = ()
) -> dict[str, int]:
    """What a pod takes at once at most of some resources, in the order of their names.

    Per resource the larger of two sums: all containers with all sidecars, which run together; and the greediest init
    container with the sidecars started before it, which runs alone otherwise. Resources of count 0 are left out.
    """
    demand: dict[str, int] = {}
    for name in sorted(names):
        running = sum(each.resources.get(name, 0) for each in containers)
        count = _peak(running, [(each.resources.get(name, 0), each.restartable) for each in init])
        if count > 0:
            demand[name] = count
    return demand


def _peak(running: int, init: Sequence[tuple[int, bool]]) -> int:
    """The largest sum that is taken at once, from the first init container to the containers."""
    sidecars = greediest = 0
    for count, restartable in init:
        sidecars += count if restartable else 0
        greediest = max(greediest, sidecars if restartable else sidecars + count)
    return max(running + sidecars, greediest)
