"""What the money of a run was for: work that stands, work that was lost, and time without work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.exact.apportion import apportion
from aicost.domain.exact.windows import Window
from aicost.domain.training.climbing import Climb


class Part(StrEnum):
    """What a part of the money was for. Together they are the whole cost of the run."""

    USEFUL = "useful"
    """Work that stands."""
    LOST_STEPS = "lost-steps"
    """Work that a restart undid: what came after the checkpoint."""
    RESTARTS = "restarts"
    """Held from the last step before a restart to the first one after it."""
    FAILED = "failed"
    """Held after the last step of a run that failed; where no steps are counted, by pods that failed."""
    START = "start"
    """Held before the first step: images, weights, waiting for the other pods."""
    AFTER = "after"
    """Held after the last step that was seen."""
    UNTOLD = "untold"
    """Nothing tells what was done."""


LOST = (Part.LOST_STEPS, Part.RESTARTS, Part.FAILED)
"""What restarts and failures cost."""


class Outcome(StrEnum):
    """How a pod or a run ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ENDED = "ended"
    """It went, and nothing tells how."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Held:
    """What one pod of a run cost in one billing window.

    Attributes:
        pod, uid: the pod.
        span: when it held what it asked for, within the window.
        cost_nanos: of all its rows, corrections with their sign.
        known: the span is the pod's own; else it is that of the window, because nothing tells.
        outcome: how the pod ended, as far as is known.
        bound_ms: when it began to hold; None where that is not known.
    """

    pod: str
    uid: str
    span: Window
    cost_nanos: int
    known: bool = True
    outcome: Outcome = Outcome.UNKNOWN
    bound_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time in which a run did one thing."""

    start_ms: int
    end_ms: int
    part: Part


_BEGIN_MS, _END_MS = 0, 2**62


def stretches(climb: Climb, *, failed: bool) -> tuple[Stretch, ...]:
    """All of time, by what the run did.

    Args:
        climb: its work.
        failed: it failed in the end, and will not go on.
    """
    work = [(one, Part.USEFUL) for one in climb.kept] + [(one, Part.LOST_STEPS) for one in climb.lost]
    found: list[Stretch] = []
    at_ms, between = _BEGIN_MS, Part.START
    for rise, part in sorted(work, key=lambda pair: (pair[0].start_ms, pair[0].end_ms)):
        found += [Stretch(at_ms, rise.start_ms, between), Stretch(rise.start_ms, rise.end_ms, part)]
        at_ms, between = rise.end_ms, Part.RESTARTS
    last = (Part.FAILED if failed else Part.AFTER) if work else Part.START
    return _joined([*found, Stretch(at_ms, _END_MS, last)])


def _joined(found: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Neighbours that are for the same thing as one; those without length left out."""
    joined: list[Stretch] = []
    for one in found:
        if one.start_ms >= one.end_ms:
            continue
        if joined and joined[-1].part is one.part and joined[-1].end_ms == one.start_ms:
            joined[-1] = Stretch(joined[-1].start_ms, one.end_ms, one.part)
        else:
            joined.append(one)
    return tuple(joined)


def divide(held: Iterable[Held], timeline: Sequence[Stretch] | None) -> Mapping[Part, int]:
    """Divide what was held among the parts, to the nano.

    Each pod's cost of a window is divided by the time that the run spent on each thing while the pod held its share.
    Where no timeline is known, what pods cost that failed counts as failed.
    """
    parts = dict.fromkeys(Part, 0)
    known: dict[Window, dict[Part, int]] = {}
    for one in held:
        if timeline is None:
            weights = _untimed(one)
        else:
            weights = known.get(one.span) or known.setdefault(one.span, _weights(one.span, timeline))
        names = sorted(weights, key=list(Part).index)
        if not sum(weights.values()):
            names, weights = [Part.UNTOLD], {Part.UNTOLD: 1}
        for name, nanos in zip(names, apportion(one.cost_nanos, [weights[name] for name in names]), strict=True):
            parts[name] += nanos
    return parts


def _untimed(one: Held) -> dict[Part, int]:
    return {Part.FAILED if one.outcome is Outcome.FAILED else Part.UNTOLD: 1}


def _weights(span: Window, timeline: Sequence[Stretch]) -> dict[Part, int]:
    weights: dict[Part, int] = {}
    for one in timeline:
        length_ms = min(one.end_ms, span.end_ms) - max(one.start_ms, span.start_ms)
        if length_ms > 0:
            weights[one.part] = weights.get(one.part, 0) + length_ms
    return weights
