"""How the amounts of one window came about: prices, samples, spans, and each division with what it left over.

Nothing is computed here in a way of its own: the steps are those of the statement, looked at one by one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aicost.domain.attribution.claims import WHOLE
from aicost.domain.attribution.parts import Part
from aicost.domain.attribution.statement import Line, NodeInput, SettledDevice, SettledSpan, settle_node
from aicost.domain.attribution.timeline import LADDER, Timelines
from aicost.domain.attribution.window import WindowInput, known_until, node_inputs
from aicost.domain.exact.windows import Window
from aicost.domain.identity.matching import match_claims
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Quality
from aicost.domain.pricing.books import PriceDecision
from aicost.domain.pricing.quotes import node_rest_cost
from aicost.domain.pricing.storage import StorageQuote, storage_quote
from aicost.domain.sampling.series import OF_PODS, Signal


@dataclass(frozen=True, slots=True)
class PricedNode:
    """A node and the decisions about its price."""

    node: str
    decisions: tuple[PriceDecision, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of one signal of a device inside the window.

    Attributes:
        pods: (namespace, name) of those that the samples name.
        count: how many there are inside the window.
        first_ms, last_ms: the first and the last of them; None where there is none.
        used: cost rests on this signal.
    """

    node: str
    device: str
    signal: Signal
    pods: tuple[tuple[str, str], ...]
    count: int
    first_ms: int | None
    last_ms: int | None
    used: bool


@dataclass(frozen=True, slots=True)
class Division:
    """One part of a device's cost of a segment.

    Attributes:
        holder: None for money that no pod owes.
        weight: numerator of its share; the weights of the device's parts sum to the denominator.
        exact_nanos: its share of the device's cost before rounding; None where no price is known.
        cost_nanos: its cost: `exact_nanos` rounded down, and one more where `rounded_up`.
        rounded_up: it got one of the units that rounding down left over.
        seen: samples named the pod on this device; otherwise which device it held was a guess.
    """

    holder: Holder | None
    bucket: Bucket
    method: Method
    quality: Quality
    signal: str
    weight: int
    time_ms: int
    exact_nanos: Fraction | None
    cost_nanos: int | None
    rounded_up: bool
    seen: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a segment in which a device had the same holders.

    Attributes:
        holders: who held it, each with the share that it asked for.
        unhealthy: the device was lost.
        busy_ppb_ms: activity times time, in parts per billion times milliseconds.
        covered_ms: time that samples speak of.
        error_ppb_ms: half-width of the 95 % error bar of `busy_ppb_ms`.
        gaps: times that no sample speaks of.
        parts: bucket -> parts per billion times milliseconds that went to it.
        instance: the MIG instance that it speaks of, by its number; empty for a whole device.
        share: what that is of the device.
    """

    span: Window
    holders: tuple[tuple[Holder, Fraction], ...]
    unhealthy: bool
    busy_ppb_ms: int
    covered_ms: int
    error_ppb_ms: int
    signal: str
    gaps: tuple[Window, ...]
    parts: Mapping[Bucket, Fraction]
    instance: str = ""
    share: Fraction = WHOLE


@dataclass(frozen=True, slots=True)
class DeviceTrace:
    """One device over one segment of constant price.

    Attributes:
        devices: how many devices the node's charge was divided among.
        charge_nanos: cost of all of them over the segment, rounded once; None where no price is known.
        cost_nanos: this device's part of it.
    """

    node: str
    device: str
    decision: PriceDecision
    span: Window
    devices: int
    charge_nanos: int | None
    cost_nanos: int | None
    stretches: tuple[Stretch, ...]
    divisions: tuple[Division, ...]


@dataclass(frozen=True, slots=True)
class HostTrace:
    """CPU or memory of one node over one segment of constant price: the whole that its rows sum to.

    Attributes:
        per_hour: nano-units that all of it costs for one hour, exactly; None where the price says nothing of it.
        charge_nanos: what the segment costs, rounded once.
    """

    node: str
    component: Component
    span: Window
    decision: PriceDecision
    per_hour: Fraction | None
    charge_nanos: int | None


@dataclass(frozen=True, slots=True)
class ClaimTrace:
    """A claim of storage and its price.

    Attributes:
        claim: (namespace, name).
        size_bytes: what it had last.
        quote: None where no book says a price of its class.
    """

    claim: tuple[str, str]
    storage_class: str
    size_bytes: int
    quote: StorageQuote | None


@dataclass(frozen=True, slots=True)
class Trace:
    """How the amounts of some nodes came about in one window.

    Attributes:
        devices: those that were asked for.
        hosts: CPU and memory of the nodes.
        claims: storage that was asked for.
    """

    window: Window
    interval_ms: int
    prices: tuple[PricedNode, ...]
    samples: tuple[Samples, ...]
    devices: tuple[DeviceTrace, ...]
    hosts: tuple[HostTrace, ...] = ()
    claims: tuple[ClaimTrace, ...] = ()


def trace(given: WindowInput, wanted: Callable[[str], bool]) -> Trace:
    """Look at each step of a statement.

    Args:
        given: the inputs of the nodes in question.
        wanted: whether a device is to be shown, or a claim of storage as `NAMESPACE/NAME`.
    """
    matching = match_claims((record.facts for record in given.facts.pods), given.claims)
    nodes = tuple(node_inputs(given, matching))
    prices = tuple(PricedNode(node.record.facts.name, tuple(node.prices)) for node in nodes)
    samples = tuple(one for node in nodes for one in _samples(node, given.window, wanted))
    devices = tuple(one for node in nodes for one in _devices(given, node, wanted))
    hosts = tuple(one for node in nodes for one in _hosts(node, given.window))
    claims = tuple(one for one in _claims(given) if wanted("/".join(one.claim)))
    return Trace(given.window, given.telemetry.interval_ms, prices, samples, devices, hosts, claims)


def _hosts(node: NodeInput, window: Window) -> Iterator[HostTrace]:
    presence = node.record.presence(window)
    if presence is None:
        return
    for decision in node.prices:
        segment, quote = decision.span.overlap(presence), decision.chosen
        if segment is None or quote is None:
            continue
        rest, name = node_rest_cost(decision, segment.length_ms), node.record.facts.name
        if quote.cpu is not None:
            yield HostTrace(name, Component.CPU, segment, decision, quote.cpu, rest.cpu)
        if quote.memory is not None:
            yield HostTrace(name, Component.MEMORY, segment, decision, quote.memory, rest.memory)


def _claims(given: WindowInput) -> Iterator[ClaimTrace]:
    for record in given.facts.volumes:
        facts = record.facts
        quote = storage_quote(given.books, facts.storage_class)
        yield ClaimTrace((facts.namespace, facts.name), facts.storage_class, facts.size_bytes, quote)


def _samples(node: NodeInput, window: Window, wanted: Callable[[str], bool]) -> Iterator[Samples]:
    for one in node.series:
        if not wanted(one.device):
            continue
        low, high = np.searchsorted(one.at_ms, (window.start_ms, window.end_ms))
        inside = one.at_ms[low:high]
        first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (None, None)
        pods = one.holders or ((one.holder,) if one.holder else ())
        used = one.signal in LADDER or one.signal in OF_PODS
        yield Samples(node.record.facts.name, one.device, one.signal, pods, len(inside), first, last, used)


def _devices(given: WindowInput, node: NodeInput, wanted: Callable[[str], bool]) -> Iterator[DeviceTrace]:
    until_ms = max(given.window.end_ms, known_until(given))
    interval_ms, collection_ms = given.telemetry.interval_ms, given.telemetry.collection_ms
    timelines = Timelines(node.series, interval_ms, until_ms, collection_ms, node.record.facts.sharing)
    settled = list(settle_node(given.window, node))
    for one in settled:
        if wanted(one.device):
            devices = sum(other.charge == one.charge for other in settled)
            yield _device(node, one, devices, timelines)


def _device(node: NodeInput, one: SettledDevice, devices: int, timelines: Timelines) -> DeviceTrace:
    return DeviceTrace(
        node=node.record.facts.name,
        device=one.device,
        decision=one.decision,
        span=one.charge.span,
        devices=devices,
        charge_nanos=one.charge.cost_nanos,
        cost_nanos=one.cost_nanos,
        stretches=tuple(_stretch(node, one.device, span, timelines) for span in one.spans),
        divisions=tuple(_divisions(node, one)),
    )


def _divisions(node: NodeInput, one: SettledDevice) -> Iterator[Division]:
    whole = sum(one.weights)
    for line, weight, time_ms, cost in zip(one.lines, one.weights, one.times_ms, one.costs_nanos, strict=True):
        exact = None if one.cost_nanos is None or not whole else Fraction(one.cost_nanos * weight, whole)
        up = exact is not None and cost is not None and cost > exact
        yield Division(
            holder=_holder(node, line),
            bucket=line.part.bucket,
            method=line.part.method,
            quality=line.part.quality,
            signal=line.part.signal,
            weight=weight,
            time_ms=time_ms,
            exact_nanos=exact,
            cost_nanos=cost,
            rounded_up=up,
            seen=line.hold is None or line.hold.claim.seen,
        )


def _holder(node: NodeInput, line: Line) -> Holder | None:
    return node.holders[line.hold.claim.tenancy.pod] if line.hold else None


def _stretch(node: NodeInput, device: str, one: SettledSpan, timelines: Timelines) -> Stretch:
    activity = one.activity
    holders = tuple((node.holders[hold.claim.tenancy.pod], hold.claim.share) for hold in one.span.holds)
    return Stretch(
        span=one.span.span,
        holders=holders,
        unhealthy=one.span.unhealthy,
        busy_ppb_ms=activity.busy_ppb_ms,
        covered_ms=activity.covered_ms,
        error_ppb_ms=activity.error_ppb_ms,
        signal=activity.signal,
        gaps=_gaps(device, one, timelines),
        parts=_by_bucket(one.parts),
        instance=one.whole.instance,
        share=one.share,
    )


def _by_bucket(parts: Sequence[Part]) -> Mapping[Bucket, Fraction]:
    found: dict[Bucket, Fraction] = {}
    for part in parts:
        found[part.bucket] = found.get(part.bucket, Fraction(0)) + part.weight
    return found


def _gaps(device: str, one: SettledSpan, timelines: Timelines) -> tuple[Window, ...]:
    """The times of a span that no sample speaks of; all of it where samples are not believed."""
    span = one.span.span
    if not one.activity.covered_ms:
        return (span,)
    coverage = timelines.coverage(device, one.whole)
    if coverage is None:
        return (span,)
    order = np.argsort(coverage.pieces.start_ms)
    pieces = zip(coverage.pieces.start_ms[order].tolist(), coverage.pieces.end_ms[order].tolist(), strict=True)
    return tuple(_holes(span, pieces))


def _holes(span: Window, pieces: Iterator[tuple[int, int]]) -> Iterator[Window]:
    at_ms = span.start_ms
    for start, end in pieces:
        if start >= span.end_ms:
            break
        if start > at_ms:
            yield Window(at_ms, start)
        at_ms = max(at_ms, end)
    if at_ms < span.end_ms:
        yield Window(at_ms, span.end_ms)
