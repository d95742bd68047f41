"""Which devices a node was billed for."""

from collections.abc import Iterable, Mapping

from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.sampling.series import DeviceSeries


def billed_devices(facts: NodeFacts, series: Iterable[DeviceSeries]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the node's devices: the UUIDs that samples show, and `NODE/gpu-N` for those that none shows.

    The node says how many there are (a lost GPU is still billed). Where it says none (no device plugin), samples say.
    Where samples show more (a GPU was swapped), those count that a driver names, then those with most samples. What
    samples do not show is called as drivers and plugins call it, if they do.

    Returns:
        The devices billed, in order, and the UUIDs beyond the node's number, which are not.
    """
    counts: dict[str, int] = {}
    for one in series:
        counts[one.device] = counts.get(one.device, 0) + len(one.at_ms)
    return billed_of(facts, counts)


def billed_of(facts: NodeFacts, counts: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The same by the number of samples that show each device."""
    seen = sorted(counts, key=lambda device: (device not in facts.cards, -counts[device], device))
    number = facts.gpus or len(seen)
    known = (*seen, *(card for card in facts.cards if card not in counts))[: max(number, len(seen))]
    unnamed = (f"{facts.name}/gpu-{index}" for index in range(number - len(known)))
    return tuple(sorted((*known[:number], *unnamed))), tuple(seen[number:])
