"""From what a source observed of CPU and memory to what each pod used while it was there."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aicost.domain.attribution.resources.use import UNKNOWN, ClusterUse, Levels, PodUse
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.sampling.placement import PodName

_FOREVER_MS = 1 << 62
_ALWAYS = Window(0, _FOREVER_MS)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a source shows of one pod, in pieces that know nothing of when it came and went.

    Attributes:
        uid: of the pod, empty where the source does not tell.
        cpu: means over whole pieces, of the part of a piece in which the pod was not there as well.
        memory: means over the time for which there were samples.
    """

    pod: PodName
    uid: str = ""
    cpu: Levels = UNKNOWN
    memory: Levels = UNKNOWN


@dataclass(frozen=True, slots=True)
class Observations:
    """All that a source shows.

    Attributes:
        problem: why some of it is missing, for people; empty where nothing is.
    """

    pods: Sequence[Observed] = ()
    problem: str = ""


NOTHING_OBSERVED = Observations()


def use_of_pods(observed: Iterable[Observed], pods: Iterable[PodRecord]) -> ClusterUse:
    """What pods used while they held what they asked for.

    What a pod used of CPU in a piece, it used in the part of it in which it was there. Pods that followed each other
    under one name are told apart by uid; where the source knows none, each is told what the name is told.
    """
    told: defaultdict[PodName, dict[str, Observed]] = defaultdict(dict)
    for one in observed:
        told[one.pod][one.uid] = one
    found: defaultdict[PodName, list[PodUse]] = defaultdict(list)
    for record in sorted(pods, key=lambda record: (record.facts.bound_ms or 0, record.facts.uid)):
        name = (record.facts.namespace, record.facts.name)
        mine = told[name].get(record.facts.uid) or told[name].get("") if name in told else None
        span = record.holding(_ALWAYS)
        if mine is not None and span is not None:
            found[name].append(PodUse(_within(mine.cpu, span, spread=True), _within(mine.memory, span, spread=False)))
    return ClusterUse({name: _joined(parts) for name, parts in found.items()})


def _within(levels: Levels, span: Window, *, spread: bool) -> Levels:
    """The pieces cut to a span; what is spread keeps its amount: the level rises as the piece is cut."""
    if not len(levels.start_ms) or (levels.start_ms[0] >= span.start_ms and levels.end_ms[-1] <= span.end_ms):
        return levels
    start, end = np.maximum(levels.start_ms, span.start_ms), np.minimum(levels.end_ms, span.end_ms)
    inside = start < end
    start, end, level = start[inside], end[inside], levels.level[inside]
    if spread:
        lengths = (levels.end_ms - levels.start_ms)[inside]
        whole = [int(each) * int(length) for each, length in zip(level, lengths, strict=True)]
        level = np.array([part // int(left) for part, left in zip(whole, end - start, strict=True)], np.int64)
    return Levels(start, end, level)


def _joined(parts: Sequence[PodUse]) -> PodUse:
    if len(parts) == 1:
        return parts[0]
    return PodUse(_in_turn([part.cpu for part in parts]), _in_turn([part.memory for part in parts]))


def _in_turn(parts: Sequence[Levels]) -> Levels:
    """Pieces of pods that followed each other; where two overlap the later one counts."""
    start, end, level = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("start_ms", "end_ms", "level")
    )
    order = np.argsort(start, kind="stable")
    start, end, level = start[order], end[order], level[order]
    end = np.minimum(end, np.append(start[1:], _FOREVER_MS))
    kept = start < end
    return Levels(start[kept], end[kept], level[kept])
