"""The MIG instances that a GPU was cut into, and when."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.attribution.claims import Claim
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.gpu_models import known_model
from aicost.domain.inventory.nodes import NodeFacts, SharingMode
from aicost.domain.inventory.sharing import replicas_of
from aicost.domain.sampling.series import DeviceSeries
from aicost.domain.workloads.gpus.geometry import plain_profile
from aicost.domain.workloads.gpus.slices import dominant_share

ALWAYS = Window(0, 1 << 62)
CARRIED_INTERVALS = 2


@dataclass(frozen=True, slots=True)
class Instance:
    """A MIG instance that was created on a GPU, held or not.

    Attributes:
        id: GPU-instance id as exporters show it; empty for one that is known from what the node offers.
        profile: such as `1g.10gb`, empty where nothing tells.
        share: the larger of its parts of the GPU's compute and memory slices.
        life: the time for which it was there.
        claims: what it was held by, where no exporter shows it.
    """

    id: str
    profile: str
    share: Fraction
    life: Window
    claims: tuple[Claim, ...] = ()


def instances_on(
    facts: NodeFacts, series: Sequence[DeviceSeries], interval_ms: int
) -> Callable[[str], tuple[Instance, ...]]:
    """A function that says the instances of each GPU of a node."""
    some = series if any(one.instance for one in series) else ()
    return lambda device: instances_of(facts, device, some, interval_ms)


def instances_of(
    facts: NodeFacts, device: str, series: Sequence[DeviceSeries], interval_ms: int
) -> tuple[Instance, ...]:
    """The instances of one GPU: those that samples show, else those that the node offers.

    A profile that no table has shows nothing, as one that is missing.

    Args:
        facts: the node.
        device: UUID of the GPU.
        series: samples of the GPU.
        interval_ms: time between samples.
    """
    model = next((known_model(one.gpu_model) for one in series if one.gpu_model), None) or facts.gpu_model
    told = _shown(device, series)
    shares = {key: dominant_share(key[1], model) or dominant_share(key[1]) for key in told}
    shown = {key: span for key, span in told.items() if shares[key] is not None}
    if shown:
        return tuple(
            Instance(number, profile, share, life)
            for (number, profile), life in sorted(_lives(shown, interval_ms).items(), key=_by_number)
            if (share := shares[number, profile]) is not None
        )
    return _offered(facts) if facts.sharing is SharingMode.MIG else ()


def _by_number(item: tuple[tuple[str, str], Window]) -> tuple[int, str, str]:
    """In order of the ids, which count: `10` is after `9`."""
    number, profile = item[0]
    return int(number) if number.isdecimal() else 0, number, profile


def _shown(device: str, series: Iterable[DeviceSeries]) -> Mapping[tuple[str, str], Window]:
    """Instance and profile -> first and last sample of it."""
    found: dict[tuple[str, str], Window] = {}
    for one in series:
        if one.device != device or not one.instance or not one.profile or not len(one.at_ms):
            continue
        first, last = int(one.at_ms[0]), int(one.at_ms[-1])
        before = found.get((one.instance, one.profile), Window(first, last))
        found[one.instance, one.profile] = Window(min(first, before.start_ms), max(last, before.end_ms))
    return found


def _lives(shown: Mapping[tuple[str, str], Window], interval_ms: int) -> Mapping[tuple[str, str], Window]:
    """How long each instance was there, by its samples and those of the others.

    One that is shown from the first sample on was there before, and one that is shown to the last stays. Where others
    come after it, it was there until they came.
    """
    carried = CARRIED_INTERVALS * interval_ms
    first, last = min(one.start_ms for one in shown.values()), max(one.end_ms for one in shown.values())
    starts = {
        key: ALWAYS.start_ms if one.start_ms <= first + carried else one.start_ms - interval_ms
        for key, one in shown.items()
    }
    ends: dict[tuple[str, str], int] = {}
    for key, one in shown.items():
        later = [start for start in starts.values() if one.end_ms <= start]
        ends[key] = ALWAYS.end_ms if one.end_ms >= last - carried else min([*later, one.end_ms + carried])
    return {key: Window(start, max(start, ends[key])) for key, start in starts.items()}


def _offered(facts: NodeFacts) -> tuple[Instance, ...]:
    """The instances that each GPU of a node has by what the node offers, where that is the same for all of them."""
    counts: dict[str, int] = defaultdict(int)
    single = plain_profile(
        facts.labels.get("nvidia.com/gpu.product", "").lower().partition("-mig-")[2]
    ) or plain_profile(facts.labels.get("cloud.google.com/gke-gpu-partition-size", ""))
    for resource, count in facts.capacity.items():
        profile = single if resource == "nvidia.com/gpu" else plain_profile(resource.removeprefix("nvidia.com/"))
        if profile:
            counts[profile] += count // replicas_of(facts.labels, resource)
    found = []
    for profile, count in sorted(counts.items()):
        share = dominant_share(profile, facts.gpu_model) or dominant_share(profile)
        if share is None or not facts.gpus or count % facts.gpus:
            return ()
        found += [Instance("", profile, share, ALWAYS)] * (count // facts.gpus)
    return tuple(found)
