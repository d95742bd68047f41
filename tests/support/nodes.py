"""Inputs of the attribution in a few words: one node, its tenants and what samples say."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from aicost.domain.attribution.claims import Ask, Claim, Tenancy
from aicost.domain.attribution.parts import Activity
from aicost.domain.attribution.spans import DeviceSpan, Hold
from aicost.domain.attribution.statement import ActivityOf, NodeInput
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.inventory.nodes import NodeFacts, NodeRecord, SharingMode
from aicost.domain.ledger.rows import Holder
from aicost.domain.pricing.books import PriceDecision, PriceQuote
from aicost.domain.sampling.series import PPB, DeviceSeries, Signal

HOUR = Window(1_000 * HOUR_MS, 1_001 * HOUR_MS)
MINUTE = 60_000
INTERVAL = 30_000


def at(minutes: float) -> int:
    return HOUR.start_ms + round(minutes * MINUTE)


def span(start: float, end: float) -> Window:
    return Window(at(start), at(end))


def record(gpus: int = 1, **changes: object) -> NodeRecord:
    facts = NodeFacts(uid="n1", name="n1", created_ms=0, gpu_model="h100-80gb", gpus=gpus)
    life = {"facts": facts, "seen_ms": HOUR.end_ms, "since_ms": 0} | changes
    return NodeRecord(**life)


def shared_record(gpus: int, slots: int) -> NodeRecord:
    facts = NodeFacts(
        uid="n1", name="n1", created_ms=0, gpus=gpus, sharing=SharingMode.TIME_SLICING, slots_per_gpu=slots
    )
    return NodeRecord(facts, seen_ms=HOUR.end_ms, since_ms=0)


def tenancy(index: int, start: float, end: float, gpus: int = 1, share: Fraction | int = 1, **more: object) -> Tenancy:
    asks = (Ask(Fraction(share)),) * gpus
    return Tenancy(index, ("team", f"p{index}"), f"uid-{index}", span(start, end), asks, **more)


def seen(device: str, pod: Tenancy | None, start: float, end: float) -> DeviceSeries:
    """Samples of a device between two minutes, with the pod's name on them."""
    times = np.arange(at(start), at(end), INTERVAL, dtype=np.int64)
    name = pod.name if pod else None
    return DeviceSeries(
        Signal.ENGINE_ACTIVE, device, None, "n1", name, None, None, times, np.zeros(len(times), np.int64)
    )


def held_span(where: Window) -> DeviceSpan:
    """A span of a device that one pod holds."""
    pod = Tenancy(0, ("team", "p0"), "uid-0", where, (Ask(Fraction(1)),))
    return DeviceSpan(where, (Hold(Claim(pod, Fraction(1), seen=True), where),))


def price(dollars_per_hour: float, where: Window = HOUR, entry: str = "e") -> PriceDecision:
    nanos = round(dollars_per_hour * 1_000_000_000)
    quote = PriceQuote("book", entry, "USD", nanos, 1, list_price=False, source="", explanation="")
    return PriceDecision(where, quote, (), "")


def unpriced(where: Window = HOUR) -> PriceDecision:
    return PriceDecision(where, None, (), "no entry matches")


def constant(levels: Mapping[str, float]) -> ActivityOf:
    """Devices that are busy at a constant level and fully covered by samples; others are not measured."""

    def activity(device: str, _whole: DeviceSpan, part: Window) -> Activity:
        if device not in levels:
            return Activity()
        busy = round(levels[device] * PPB) * part.length_ms
        return Activity(busy, part.length_ms, 0, "engine-active")

    return activity


def node_input(
    tenants: Sequence[Tenancy] = (),
    *,
    life: NodeRecord | None = None,
    series: Sequence[DeviceSeries] = (),
    prices: Sequence[PriceDecision] = (),
    levels: Mapping[str, float] | None = None,
    system: frozenset[int] = frozenset(),
) -> NodeInput:
    return NodeInput(
        record=life or record(),
        series=series,
        tenancies=tenants,
        holders={t.pod: Holder(namespace=t.name[0], pod=t.name[1], pod_uid=t.uid) for t in tenants},
        system=system,
        prices=prices or (price(4),),
        activity=constant(levels or {}),
        alive=lambda device, _span: device in (levels or {}),
        padding_ms=5 * MINUTE,
    )
