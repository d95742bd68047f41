"""Small clusters whose nodes may look alike: one is drawn, the others are it under other names, mostly with a change.

Moments lie where rules turn: at bounds of window and padding, a hand-over apart, or equal to each other.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from aicost.domain.attribution.resources.residents import Counting
from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Window
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.dra.claims import ClaimedDevice
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord, SharingMode
from aicost.domain.inventory.pods import ContainerFacts, PodFacts, PodRecord
from aicost.domain.pricing.books import PriceBook
from aicost.domain.sampling.series import PPB, DeviceSeries, Signal, Telemetry
from support.pricing import HOUR, book, entry

STEP, PADDING_MS = 60 * SECOND_MS, 5 * MINUTE_MS
T = HOUR.start_ms
MOMENTS = [
    T + offset
    for minute in (-6 * 60, -6, -5, 0, 10, 30, 60, 65)
    for offset in (minute * MINUTE_MS, minute * MINUTE_MS + 1, minute * MINUTE_MS + 5 * SECOND_MS)
]
SIGNALS = (Signal.ENGINE_ACTIVE, Signal.GPU_UTIL, Signal.BUSY_SECONDS, Signal.POD_SECONDS, Signal.ENERGY)
RESOURCES = (
    "nvidia.com/gpu",
    "nvidia.com/mig-1g.10gb",
    "nvidia.com/gpumem",
    "amd.com/gpu",
    "aws.amazon.com/neuroncore",
)
_EXPORTER = ContainerFacts("main", "registry/dcgm-exporter:4")


@dataclass(frozen=True)
class Drawn:
    """A node with its pods and samples; the names begin with a letter for the node."""

    node: NodeRecord
    pods: tuple[PodRecord, ...]
    series: tuple[DeviceSeries, ...]


def _pod(chance: random.Random, number: int, odd: float) -> PodRecord:
    bound, end = chance.choice(MOMENTS), chance.choice([None, None, *MOMENTS])
    resource = RESOURCES[0] if chance.random() > odd else chance.choice(RESOURCES)
    count = chance.choice([0, 1, 1, 2])
    facts = PodFacts(
        uid=f"uid-{chance.randrange(10**6)}-{number}",
        namespace="team" if chance.random() > odd / 4 else "runai-reservation",
        name=f"pod-{number if chance.random() > odd else 0}",
        created_ms=bound,
        node="node",
        devices={resource: count} if count else {},
        containers=(_EXPORTER,) if chance.random() < odd / 2 else (),
        annotations={"gpu-fraction": "0.5"} if chance.random() < odd / 8 else {},
        labels={"runai-gpu-group": "g"} if chance.random() < odd / 4 else {},
        bound_ms=bound if chance.random() > odd / 8 else None,
    )
    gap = Window(end - MINUTE_MS, end) if end is not None and chance.random() < odd / 4 else None
    claimed = (ClaimedDevice("claim", "gpu-0", Fraction(1)),) if chance.random() < odd / 8 else ()
    return PodRecord(facts, seen_ms=bound, held_until_ms=end, gap=gap, claimed=claimed)


def _series(chance: random.Random, device: str, signal: Signal, pods: Sequence[PodRecord], odd: float) -> list:
    """Samples of one signal, cut where the name on them changes."""
    times = np.arange(T - PADDING_MS + chance.randrange(STEP), T + HOUR_MS + PADDING_MS, STEP, dtype=np.int64)
    times = times[np.array([chance.random() > odd / 4 for _ in times])]
    cuts = sorted({0, *chance.sample(MOMENTS, chance.randrange(3)), T + DAY_MS})
    known = [(one.facts.namespace, one.facts.name) for one in pods]
    found = []
    for start, end in pairwise(cuts):
        mine = times[(times >= start) & (times < end)]
        names = [*known, *known, ("team", "elsewhere")] if chance.random() > odd / 8 else [("team", "ghost")]
        name = chance.choice([None, *names])
        if signal is Signal.POD_SECONDS and name is None:
            continue
        rising = signal in (Signal.BUSY_SECONDS, Signal.POD_SECONDS, Signal.ENERGY)
        values = [chance.choice([0, PPB // 3, PPB]) * (STEP // 1000 if rising else 1) for _ in mine]
        column = np.array(values, np.int64)
        uid = chance.choice([one.facts.uid for one in pods]) if pods and chance.random() < odd / 4 else None
        one = DeviceSeries(
            signal, device, None, "node", name, uid if name else None, None, mine, column.cumsum() if rising else column
        )
        if chance.random() < odd / 16:
            one = replace(one, instance="1", profile="1g.10gb")
        if name and chance.random() < odd / 8:
            one = replace(one, holder=None, holders=(name, *chance.sample(known, min(1, len(known)))))
        found.append(one)
    return found


def _drawn(chance: random.Random, odd: float) -> Drawn:
    gpus = chance.randrange(1, 4)
    pods = tuple(_pod(chance, number, odd) for number in range(chance.randrange(5)))
    shown = gpus + (chance.choice([-1, 1]) if chance.random() < odd else 0)
    signals = [Signal.ENGINE_ACTIVE, *(one for one in SIGNALS[1:] if chance.random() < odd)]
    series = [one for k in range(shown) for signal in signals for one in _series(chance, f"gpu-{k}", signal, pods, odd)]
    chance.shuffle(series)
    return Drawn(_node(chance, gpus, odd), pods, tuple(series))


def _node(chance: random.Random, gpus: int, odd: float) -> NodeRecord:
    facts = NodeFacts(
        uid="node",
        name="node",
        created_ms=0,
        labels={"nvidia.com/gpu.product": "H100-MIG-1g.10gb"} if chance.random() < odd / 4 else {},
        annotations={"hami.io/node-nvidia-register": "GPU-00000000,1,80000,"} if chance.random() < odd / 8 else {},
        gpu_model="h100-80gb" if chance.random() > odd / 4 else None,
        gpus=gpus if chance.random() > odd / 4 else 0,
        sharing=SharingMode.EXCLUSIVE if chance.random() > odd / 4 else SharingMode.TIME_SLICING,
        slots_per_gpu=2,
        capacity={"nvidia.com/gpu": gpus},
        cards=("gpu-9",) if chance.random() < odd / 4 else (),
    )
    since = 0 if chance.random() > odd else chance.choice(MOMENTS)
    until = None if chance.random() > odd else chance.choice(MOMENTS)
    lost = ((Window(T + MINUTE_MS, T + 20 * MINUTE_MS), 1),) if chance.random() < odd / 4 else ()
    return NodeRecord(facts, seen_ms=T, since_ms=since, until_ms=until, unhealthy=lost)


def _named(drawn: Drawn, letter: str, chance: random.Random) -> Drawn:
    """The same under other names: uids, and with them the order of pods, are new."""
    uids = {one.facts.uid: f"{letter}-{chance.randrange(10**6)}-{number}" for number, one in enumerate(drawn.pods)}

    def name(of: tuple[str, str]) -> tuple[str, str]:
        return of[0], of[1] if of[1] in {"ghost", "elsewhere"} else f"{letter}-{of[1]}"

    facts = replace(drawn.node.facts, uid=letter, name=letter, labels=drawn.node.facts.labels | {"host": letter})
    pods = [
        replace(
            one,
            facts=replace(one.facts, uid=uids[one.facts.uid], name=name(("team", one.facts.name))[1], node=letter),
        )
        for one in drawn.pods
    ]
    series = [
        replace(
            one,
            device=f"{letter}-{one.device}",
            node=letter,
            holder=one.holder and name(one.holder),
            holder_uid=uids.get(one.holder_uid or "", one.holder_uid),
            holders=tuple(map(name, one.holders)),
            value=np.where(one.value < PPB, (one.value * 7) // 8, one.value),
        )
        for one in drawn.series
    ]
    chance.shuffle(pods)
    return Drawn(replace(drawn.node, facts=facts), tuple(pods), tuple(series))


def _changed(drawn: Drawn, chance: random.Random) -> Drawn:
    """The node with something moved, gone or come."""
    what = chance.randrange(6)
    if what == 0 or not drawn.pods:
        return replace(drawn, series=tuple(one for one in drawn.series if chance.random() > 1 / 8))
    if what == 1:
        return replace(drawn, pods=tuple(one for one in drawn.pods if chance.random() > 1 / 4))
    if what in (2, 3):
        moved = chance.choice([-7 * DAY_MS, -SECOND_MS, 1, 3 * SECOND_MS])
        return replace(drawn, pods=tuple(_moved(one, moved) if chance.random() < 1 / 2 else one for one in drawn.pods))
    if what == 4:
        later = chance.randrange(STEP)
        return replace(drawn, series=tuple(replace(one, at_ms=one.at_ms + later) for one in drawn.series))
    return drawn


def _moved(one: PodRecord, by_ms: int) -> PodRecord:
    bound = one.facts.bound_ms
    return replace(one, facts=replace(one.facts, bound_ms=None if bound is None else bound + by_ms))


def _books(chance: random.Random, odd: float) -> tuple[PriceBook, ...]:
    if chance.random() > odd:
        return (book(entry(gpu_hour=4)),)
    cut = chance.choice(MOMENTS)
    first, last = Window(0, cut), Window(cut, T + DAY_MS)
    return (book(entry("a", gpu_hour=4, effective=first), entry("b", gpu_hour=5, effective=last)),)


def cluster(seed: int) -> WindowInput:
    """What a window of a few nodes rests on, odd ones more or less often."""
    chance = random.Random(seed)
    odd = chance.choice([0.0, 0.1, 0.5])
    plan = _drawn(chance, odd)
    nodes = []
    for number in range(chance.randrange(2, 6)):
        own = _drawn(chance, odd) if chance.random() < 1 / 8 else plan
        own = _changed(own, chance) if chance.random() < 1 / 2 else own
        nodes.append(_named(own, f"n{number}", chance))
    pods = [one for drawn in nodes for one in drawn.pods]
    chance.shuffle(pods)
    facts = ClusterFacts(
        tuple(pods), tuple(drawn.node for drawn in nodes), past_pods=frozenset({("team", "elsewhere")})
    )
    telemetry = Telemetry(tuple(one for drawn in nodes for one in drawn.series), STEP)
    window = Window(T, T + chance.choice([HOUR_MS, HOUR_MS, 25 * MINUTE_MS + 7]))
    books = _books(chance, odd)
    return WindowInput("c1", window, facts, telemetry, books, (), PADDING_MS, counting=Counting(components=()))
