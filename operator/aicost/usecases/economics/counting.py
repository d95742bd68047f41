"""What engines and gateways counted in a span: the increase of each series first, then the sum."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.sampling.counters.growth import growth
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.calibration.minutes import BUSY_NAMES, fit_counts
from aicost.domain.serving.counted import PodName
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.held import held
from aicost.domain.serving.meters import GAUGES, Count, known_engines
from aicost.domain.serving.tallies import Grown, Tally, tally
from aicost.ports.measured.engines import EngineSource

BEFORE_MS = 5 * MINUTE_MS
"""Samples of this time before the span say with which values the counters began."""
AWAY_MS = 6 * HOUR_MS
"""A target may be away for so long and come back with the same counters: it did not begin anew."""
_ANY = DeclaredEngine(("", ""))


@dataclass(frozen=True, slots=True)
class PodGrowth:
    """What one series of a pod grew by.

    Attributes:
        fits: sums over the minutes of the pod, which are of no one series; such a one has no growth.
    """

    pod: PodName
    grown: Grown
    fits: Mapping[Count, int] = field(default_factory=dict)


def grown_in(engines: EngineSource, span: Window) -> Sequence[PodGrowth]:
    """What each series of each pod grew by in a span.

    A series that shows itself for the first time counts from 0, as that of a new pod does, unless its target was not
    watched before. It may also be one that was away: so the last sample of some hours before is asked for, of the pods
    in question alone.

    Raises:
        SourceUnavailable, InvalidAnswer, NotPermitted: as of the port.
    """
    every = engines.series(Window(span.start_ms - BEFORE_MS, span.end_ms))
    parts, watched_ms = _parts((one for one in every if one.name not in BUSY_NAMES), span.end_ms)
    sudden = {_pod(mine[0]) for mine in parts.values() if min(map(_first_ms, mine)) >= span.start_ms}
    if sudden:
        earlier = Window(span.start_ms - AWAY_MS, span.start_ms - BEFORE_MS)
        before, _ = _parts(engines.before(sudden, earlier), earlier.start_ms)
        for key in parts.keys() & before.keys():
            parts[key] = [*before[key], *parts[key]]
    grown = [PodGrowth(_pod(mine[0]), _grown(mine, span, watched_ms)) for mine in parts.values()]
    fits = fit_counts(every, span)
    return [*grown, *(PodGrowth(pod, Grown("", {}, None), sums) for pod, sums in fits.items())]


def tallies(
    grown: Iterable[PodGrowth], declared: Mapping[PodName, DeclaredEngine] = MappingProxyType({})
) -> Mapping[PodName, Mapping[str, Tally]]:
    """What the engine of each pod did, by model.

    Args:
        grown: the series.
        declared: pod -> what its AIWorkload says of its engine.
    """
    pods: dict[PodName, list[Grown]] = defaultdict(list)
    fits: dict[PodName, Counter[Count]] = defaultdict(Counter)
    for one in grown:
        if declared.get(one.pod, _ANY).reads(one.grown):
            pods[one.pod].append(one.grown)
            fits[one.pod].update(one.fits)
    found: dict[PodName, Mapping[str, Tally]] = {}
    for pod, mine in sorted(pods.items()):
        told = declared.get(pod, _ANY)
        known = known_engines({one.name for one in mine}) | told.generic
        if by_model := told.only(tally(mine, generic=known)):
            found[pod] = _fitted(by_model, fits[pod])
    return found


def _fitted(by_model: Mapping[str, Tally], fits: Mapping[Count, int]) -> Mapping[str, Tally]:
    """Sums over the minutes of a pod belong to its model where it has one alone."""
    if not fits or len(by_model) != 1:
        return by_model
    return {model: replace(did, counts={**did.counts, **fits}) for model, did in by_model.items()}


_Key = tuple[str, frozenset[tuple[str, str]]]


def _parts(series: Iterable[RawSeries], none_ms: int) -> tuple[dict[_Key, list[RawSeries]], int]:
    """Series that say whose they are, from as many parts as they came in, and since when the source was watched."""
    found: dict[_Key, list[RawSeries]] = defaultdict(list)
    watched_ms = none_ms
    for one in _named(series):
        found[one.name, frozenset(one.labels.items())].append(one)
        watched_ms = min(watched_ms, _first_ms(one))
    return found, watched_ms


def _named(series: Iterable[RawSeries]) -> Iterator[RawSeries]:
    return (one for one in series if len(one.at_ms) and one.labels.get("namespace") and one.labels.get("pod"))


def _first_ms(one: RawSeries) -> int:
    return int(one.at_ms.min())


def _pod(one: RawSeries) -> PodName:
    return one.labels["namespace"], one.labels["pod"]


def _grown(parts: Sequence[RawSeries], span: Window, watched_ms: int) -> Grown:
    told = [one.watched_ms for one in parts if one.watched_ms is not None]
    at_ms, value = parts[0].at_ms, parts[0].value
    if len(parts) > 1:
        at_ms, value = (np.concatenate([getattr(one, field) for one in parts]) for field in ("at_ms", "value"))
    name, labels = parts[0].name, parts[0].labels
    if name in GAUGES:
        return Grown(name, labels, None, held(at_ms, value, span))
    return Grown(name, labels, growth(at_ms, value, span, watched_ms=min(told, default=watched_ms)))
