"""How busy GPUs may seem to one who knows each moment only to within some seconds.

A reader of exporters sees a mean of some seconds that ended some seconds ago. For each moment it may take for true
whatever was true within that reach, before or after, under the same pod. The least and the most of it, integrated over
all GPUs, bound every honest answer.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from fleet.activity import ZERO, Segment, segments
from fleet.script import HOUR_MS, NEVER_MS, Fleet, SimNode, SimPod


def used_nanos(fleet: Fleet, begin: int, end: int, reach_ms: int) -> tuple[Fraction, Fraction]:
    """The least and the most that a reader of this reach may call used, in `[begin, end)`."""
    nodes = {node.name: node for node in fleet.nodes}
    low = high = ZERO
    for pod in fleet.pods:
        span = _held(pod, nodes[pod.node], begin, end)
        if span is None or nodes[pod.node].price is None:
            continue
        rate = _nanos_per_ms(nodes[pod.node], begin)
        for uuid in pod.gpus:
            least, most = _bounds(list(_levels(pod, uuid, span)), reach_ms)
            low, high = low + rate * least, high + rate * most
    return low, high


def _held(pod: SimPod, node: SimNode, begin: int, end: int) -> tuple[int, int] | None:
    """When a pod held its GPUs within the span."""
    first, last = pod.holding or (NEVER_MS, NEVER_MS)
    span = max(begin, first, node.booted_ms), min(end, last, node.removed_ms)
    return span if span[0] < span[1] else None


def _nanos_per_ms(node: SimNode, at_ms: int) -> Fraction:
    assert node.price is not None
    return node.price.gpu_nanos_per_hour(at_ms, len(node.gpus)) / HOUR_MS


def _levels(pod: SimPod, uuid: str, span: tuple[int, int]) -> Iterator[Segment]:
    """What a pod does to a GPU while it holds it: nothing until its container runs."""
    begin, end = span
    start = min(max(begin, NEVER_MS if pod.started_ms is None else pod.started_ms), end)
    if begin < start:
        yield Segment(begin, start, ZERO)
    for piece in segments(pod.holdings_on(uuid)[0].program, start - (pod.started_ms or 0), end - (pod.started_ms or 0)):
        yield Segment(piece.from_ms + (pod.started_ms or 0), piece.to_ms + (pod.started_ms or 0), piece.level)


def _bounds(pieces: list[Segment], reach_ms: int) -> tuple[Fraction, Fraction]:
    """Integrals of the least and of the greatest level within reach of each moment."""
    edges = {edge + shift for piece in pieces for edge in piece[:2] for shift in (-reach_ms, 0, reach_ms)}
    begin, end = pieces[0].from_ms, pieces[-1].to_ms
    low = high = ZERO
    for start, stop in pairwise(sorted(edge for edge in edges if begin <= edge <= end)):
        near = [piece.level for piece in pieces if piece.from_ms < stop + reach_ms and piece.to_ms > start - reach_ms]
        low, high = low + (stop - start) * min(near), high + (stop - start) * max(near)
    return low, high
