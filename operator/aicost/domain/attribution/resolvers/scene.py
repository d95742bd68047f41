"""What the resolvers of one node look at, sorted once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.attribution.claims import Ask, names_on
from aicost.domain.attribution.resolvers.parts import HAMI, VOLCANO, Board, board_of, span_of
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.sampling.series import DeviceSeries

GROUP_LABEL = "runai-gpu-group"
"""Label with the group that shares one GPU; a pod on several has one label for each, `runai-gpu-group/G: G`."""
RESERVED_DEVICE = "run.ai/reserve_for_gpu_index"
"""Annotation in which a reservation pod says which GPU it got, by UUID."""
RESERVATION_NAMESPACES = frozenset({"kai-resource-reservation", "runai-reservation"})
"""Only the scheduler writes there, so only there a pod is believed to hold a GPU for others."""
FRACTION, FRACTION_MEMORY = "gpu-fraction", "gpu-memory"

MOVED = "foreign-device"
IGNORED = "annotation-ignored"
ASSUMED = "assumed-share"


ShareOf = Callable[[NodeFacts, str], Fraction | None]
"""(node, resource) -> share of a device that one unit is; None where the rule does not speak of it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a resolver found a pod to hold.

    Attributes:
        asks: its devices and shares of such, for the whole time that it holds them, or for the span of a piece.
        resources: extended resources that are accounted for by this.
        flags: what a reader of its rows should know.
        nothing: the pod holds nothing, whatever else it asks for: it stands for others.
        pieces: where shares change while the pod runs, its asks span by span.
    """

    asks: tuple[Ask, ...] = ()
    resources: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    nothing: bool = False
    pieces: tuple[tuple[Window, tuple[Ask, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """One node with its pods.

    Attributes:
        devices: names of the devices that the node was billed for. What names another one names none.
        groups: group of KAI or Run:ai -> GPU of its reservation pod; empty text where that is not told.
        members: group -> the pods that share its GPU.
        sharers: uid of a claim -> times in which pods of this node held it.
        shown: (namespace, name) of a pod -> devices on which samples show it.
        boards: annotation in which a scheduler of parts registers cards -> what it gave of them.
        shares: answers of `share`.
    """

    facts: NodeFacts
    devices: frozenset[str] = frozenset()
    groups: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, tuple[PodRecord, ...]] = field(default_factory=dict)
    sharers: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    shown: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    boards: Mapping[str, Board] = field(default_factory=dict)
    shares: dict[tuple[ShareOf, str], Fraction | None] = field(default_factory=dict, compare=False)

    def share(self, share_of: ShareOf, resource: str) -> Fraction | None:
        """What a rule says of a resource on this node: it is asked once, however many pods ask for it."""
        key = (share_of, resource)
        if key not in self.shares:
            self.shares[key] = share_of(self.facts, resource)
        return self.shares[key]


def scene_of(
    facts: NodeFacts, devices: Iterable[str], pods: Sequence[PodRecord], series: Iterable[DeviceSeries] = ()
) -> Scene:
    """Sort what is known of a node and of the pods that were bound to it."""
    names = frozenset(devices)
    shown: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in series:
        if one.device in names:
            for name in names_on(one):
                shown[name].add(one.device)
    seen = {name: frozenset(found) for name, found in shown.items()}
    grouped = [record for record in pods if is_grouped(record.facts)]
    boards = {one.registered: board_of(facts, one, pods) for one in (HAMI, VOLCANO)}
    return Scene(facts, names, _groups(names, grouped, seen), _members(grouped), _sharers(pods), seen, boards)


def is_reservation(pod: PodFacts) -> bool:
    """Whether a pod only keeps a GPU for pods that hold parts of it."""
    return pod.namespace in RESERVATION_NAMESPACES and (GROUP_LABEL in pod.labels or RESERVED_DEVICE in pod.annotations)


def is_grouped(pod: PodFacts) -> bool:
    """Whether a pod may share a GPU with a group, or keep one for a group: most have nothing to do with any."""
    return pod.namespace in RESERVATION_NAMESPACES or any(key.startswith(GROUP_LABEL) for key in pod.labels)


def groups_of(pod: PodFacts) -> tuple[str, ...]:
    """The groups that a pod is in."""
    named = (value for key, value in pod.labels.items() if key == GROUP_LABEL or key.startswith(f"{GROUP_LABEL}/"))
    return tuple(sorted({group for group in named if group}))


def _groups(
    devices: frozenset[str], pods: Iterable[PodRecord], shown: Mapping[tuple[str, str], frozenset[str]]
) -> dict[str, str]:
    """Groups with the GPU of each: as its reservation pod says, else where samples show that pod alone."""
    found: dict[str, str] = {}
    for record in sorted(pods, key=lambda one: (one.facts.bound_ms or 0, one.facts.uid)):
        if not is_reservation(record.facts):
            continue
        told = record.facts.annotations.get(RESERVED_DEVICE, "")
        seen = shown.get((record.facts.namespace, record.facts.name), frozenset())
        device = told if told in devices else next(iter(seen)) if len(seen) == 1 else ""
        found |= dict.fromkeys(groups_of(record.facts), device)
    return found


def _members(pods: Iterable[PodRecord]) -> dict[str, tuple[PodRecord, ...]]:
    found: defaultdict[str, list[PodRecord]] = defaultdict(list)
    for record in pods:
        if not is_reservation(record.facts):
            for group in groups_of(record.facts):
                found[group].append(record)
    return {group: tuple(records) for group, records in found.items()}


def _sharers(pods: Iterable[PodRecord]) -> dict[str, tuple[Window, ...]]:
    found: defaultdict[str, list[Window]] = defaultdict(list)
    for record in (record for record in pods if record.claimed):
        for claim in {one.claim for one in record.claimed}:
            if (span := span_of(record)).length_ms:
                found[claim].append(span)
    return {claim: tuple(spans) for claim, spans in found.items()}
