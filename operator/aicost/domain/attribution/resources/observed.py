"""From what a source observed of CPU and memory to what each pod used while it was there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from aicost.domain.attribution.resources.holding import SAFE
from aicost.domain.attribution.resources.use import UNKNOWN, ClusterUse, Levels, PodUse
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.sampling.placement import PodName

_FOREVER_MS = 1 << 62
_Span = tuple[int, int]


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
    told = {(one.pod, one.uid): one for one in observed}
    names, seen, spans = list[PodName](), list[Observed](), list[_Span]()
    for record in sorted(pods, key=lambda record: (record.facts.bound_ms or 0, record.facts.uid)):
        facts, until_ms = record.facts, record.held_until_ms
        name = (facts.namespace, facts.name)
        mine = told.get((name, facts.uid)) or told.get((name, ""))
        if mine is None or facts.bound_ms is None:
            continue
        span = max(0, facts.bound_ms), _FOREVER_MS if until_ms is None else until_ms
        if span[0] < span[1]:
            names.append(name)
            seen.append(mine)
            spans.append(span)
    cpu = _within([one.cpu for one in seen], spans, spread=True)
    memory = _within([one.memory for one in seen], spans, spread=False)
    found: defaultdict[PodName, list[PodUse]] = defaultdict(list)
    for name, busy, held in zip(names, cpu, memory, strict=True):
        found[name].append(PodUse(busy, held))
    return ClusterUse({name: _joined(parts) for name, parts in found.items()})


def _within(levels: Sequence[Levels], spans: Sequence[_Span], *, spread: bool) -> list[Levels]:
    """The pieces of each pod cut to its span; those of most pods lie within it."""
    found = list(levels)
    beyond = [
        index
        for index, (one, (start_ms, end_ms)) in enumerate(zip(levels, spans, strict=True))
        if len(one.level) and (one.start_ms.item(0) < start_ms or one.end_ms.item(-1) > end_ms)
    ]
    if beyond:
        cut = _cut([levels[index] for index in beyond], [spans[index] for index in beyond], spread=spread)
        for index, one in zip(beyond, cut, strict=True):
            found[index] = one
    return found


def _cut(levels: Sequence[Levels], spans: Sequence[_Span], *, spread: bool) -> Iterator[Levels]:
    """Pieces cut to spans; what is spread keeps its amount: the level rises as the piece is cut."""
    many = [len(one.level) for one in levels]
    since, until = np.repeat(np.array(spans, np.int64), many, axis=0).T
    start, end = (np.concatenate([getattr(one, name) for one in levels]) for name in ("start_ms", "end_ms"))
    level, lengths = np.concatenate([one.level for one in levels]), end - start
    start, end = np.maximum(start, since), np.minimum(end, until)
    inside = start < end
    bounds = np.append(0, np.cumsum(inside))[np.append(0, np.cumsum(many))].tolist()
    start, end, level, lengths = start[inside], end[inside], level[inside], lengths[inside]
    if spread:
        exact = level.astype(np.object_)  # of a broken counter 64 bits do not hold the amount
        level = np.minimum(exact * lengths // (end - start), SAFE).astype(np.int64)  # no node has as much
    return (Levels(start[a:b], end[a:b], level[a:b]) for a, b in pairwise(bounds))


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
