"""Parts of cards that HAMi and Volcano gave the pods of a node, as far as they fit: the first to be bound is believed.

Both schedulers never promise more memory of a card than it has. A part for which there was no room is a lie or a
mistake; what the others hold must not become less by it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.attribution.resolvers.reading import Part, allocated_parts, registered_cards
from aicost.domain.attribution.resolvers.sizes import card_memory_mib
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.nodes import OPEN_END_MS, NodeFacts
from aicost.domain.inventory.pods import PodRecord

WHOLE, NO_SHARE = Fraction(1), Fraction(0)
_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Scheduler:
    """How one scheduler of parts writes what it gave.

    Attributes:
        registered: annotation of the node in which its plugin lists the cards. Only there is a pod's word believed.
        allocated: annotation of the pod with card, memory and cores of each part.
        count, memory, percentage, cores: resources by which a pod asks for parts, and for how much of each.
    """

    registered: str
    allocated: str
    count: str
    memory: str
    percentage: str
    cores: str


HAMI = Scheduler(
    "hami.io/node-nvidia-register",
    "hami.io/vgpu-devices-allocated",
    "nvidia.com/gpu",
    "nvidia.com/gpumem",
    "nvidia.com/gpumem-percentage",
    "nvidia.com/gpucores",
)
VOLCANO = Scheduler(
    "volcano.sh/node-vgpu-register",
    "volcano.sh/vgpu-ids-new",
    "volcano.sh/vgpu-number",
    "volcano.sh/vgpu-memory",
    "volcano.sh/vgpu-memory-percentage",
    "volcano.sh/vgpu-cores",
)


@dataclass(frozen=True, slots=True)
class Board:
    """The cards of one scheduler on a node, and who has which part of them.

    Attributes:
        cards: UUID -> memory in MiB, as the plugin offers it.
        given: uid of a pod -> its parts; None for an annotation that makes no sense.
        fits: uid of a pod -> cards on which there was room for its part.
        taken: card -> times and shares of the parts that fit.
    """

    facts: NodeFacts
    cards: Mapping[str, int] = field(default_factory=dict)
    given: Mapping[str, tuple[Part, ...] | None] = field(default_factory=dict)
    fits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    taken: Mapping[str, Sequence[tuple[str, Window, Fraction]]] = field(default_factory=dict)

    def memory_mib(self, card: str = "") -> int | None:
        """Memory of a card; of the smallest where it is not known which card."""
        return self.cards.get(card) or min(self.cards.values(), default=0) or card_memory_mib(self.facts)

    def share_of(self, part: Part, cores: int) -> Fraction:
        """The share of its card that a part is: the larger of memory and cores.

        Args:
            part: as it was written.
            cores: hundredths that the pod asked for; more of them than that is nothing that it got.
        """
        total = self.memory_mib(part.device)
        memory = Fraction(part.memory_mib, total) if total else NO_SHARE
        return min(WHOLE, max(memory, Fraction(min(part.cores, cores), _HUNDRED)))

    def room_for(self, record: PodRecord, card: str = "") -> Fraction:
        """The share that other pods leave of a card while a pod runs; of the emptiest where none is named."""
        span = span_of(record)
        held = (self._held(one, record.facts.uid, span) for one in ((card,) if card else self.cards))
        return max((WHOLE - share for share in held if share < WHOLE), default=NO_SHARE)

    def _held(self, card: str, uid: str, span: Window) -> Fraction:
        return sum((share for pod, of, share in self.taken.get(card, ()) if pod != uid and of.overlaps(span)), NO_SHARE)


def board_of(facts: NodeFacts, scheduler: Scheduler, pods: Iterable[PodRecord]) -> Board:
    """Sort what a scheduler wrote on the pods of a node; an empty board where it has no cards there."""
    cards = registered_cards(facts.annotations.get(scheduler.registered, ""))
    board = Board(facts, cards)
    if not cards:
        return board
    given: dict[str, tuple[Part, ...] | None] = {}
    fits: defaultdict[str, set[str]] = defaultdict(set)
    taken: defaultdict[str, list[tuple[str, Window, Fraction]]] = defaultdict(list)
    memory: defaultdict[str, list[tuple[Window, int]]] = defaultdict(list)
    for record in sorted(pods, key=lambda one: (one.facts.bound_ms or 0, one.facts.created_ms, one.facts.uid)):
        written = record.facts.annotations.get(scheduler.allocated, "")
        if not written or not record.facts.devices.get(scheduler.count):
            continue
        parts, span = allocated_parts(written), span_of(record)
        if parts is not None and len(parts) > record.facts.devices[scheduler.count]:
            parts = None
        given[record.facts.uid] = parts
        for part in parts or ():
            before = sum(mib for of, mib in memory[part.device] if of.overlaps(span))
            if before + part.memory_mib <= cards.get(part.device, -1):
                memory[part.device].append((span, part.memory_mib))
                fits[record.facts.uid].add(part.device)
                share = board.share_of(part, record.facts.devices.get(scheduler.cores, 0))
                taken[part.device].append((record.facts.uid, span, share))
    return Board(facts, cards, given, {uid: frozenset(found) for uid, found in fits.items()}, dict(taken))


def span_of(record: PodRecord) -> Window:
    """When a pod holds what it holds, by binding and end alone; one that goes on holds without end."""
    start_ms = record.facts.bound_ms or 0
    end_ms = OPEN_END_MS if record.held_until_ms is None else record.held_until_ms
    return Window(start_ms, max(start_ms, end_ms))
