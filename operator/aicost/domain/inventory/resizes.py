"""What a pod asked for, piece by piece: it may be resized while it runs."""

from collections.abc import Iterator
from itertools import pairwise

from aicost.domain.exact.windows import Window
from aicost.domain.inventory.pods import PodFacts, PodRecord, RequestStep

MOST_STEPS = 512
"""Of more resizes the oldest two become one, at the larger request: a storm of them fills no journal."""


def resized(record: PodRecord | None, facts: PodFacts, now_ms: int) -> tuple[RequestStep, ...]:
    """The earlier requests of a pod after one more sighting. Before it is bound it holds nothing, so none is kept."""
    if record is None or record.facts.bound_ms is None:
        return ()
    before = (record.facts.cpu_millis, record.facts.memory_bytes)
    if before == (facts.cpu_millis, facts.memory_bytes):
        return record.requests
    steps = record.requests
    if steps and steps[-1].until_ms >= now_ms:  # what it asked for in between held for no time
        return steps
    return _bounded((*steps, RequestStep(now_ms, *before)))


def _bounded(steps: tuple[RequestStep, ...]) -> tuple[RequestStep, ...]:
    if len(steps) <= MOST_STEPS:
        return steps
    first, second = steps[:2]
    larger = RequestStep(
        second.until_ms, max(first.cpu_millis, second.cpu_millis), max(first.memory_bytes, second.memory_bytes)
    )
    return (larger, *steps[2:])


def requests_over(record: PodRecord, span: Window) -> Iterator[tuple[Window, int, int]]:
    """Spans in which a pod asked for the same, with thousandths of cores and bytes: they partition the given span."""
    if not record.requests:
        if span.length_ms:
            yield span, record.facts.cpu_millis, record.facts.memory_bytes
        return
    inside = [step for step in record.requests if span.start_ms < step.until_ms < span.end_ms]
    after = next((step for step in record.requests if step.until_ms >= span.end_ms), None)
    now = (record.facts.cpu_millis, record.facts.memory_bytes)
    last = now if after is None else (after.cpu_millis, after.memory_bytes)
    asked = [*((step.cpu_millis, step.memory_bytes) for step in inside), last]
    edges = [span.start_ms, *(step.until_ms for step in inside), span.end_ms]
    for (start, end), (cpu, memory) in zip(pairwise(edges), asked, strict=True):
        if start < end:
            yield Window(start, end), cpu, memory
