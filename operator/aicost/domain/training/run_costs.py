"""What a run of training cost, by what it achieved. Ratios come from sums; what is not known is absent, never 0.

per unit      C / useful units             all that the run cost, over the work that stands
goodput       cost of useful work / C
per point     C / change of the quality    from the first value to the last, times the size of a point
to complete   C / progress - C
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.sampling.counters.growth import Growth, growth
from aicost.domain.training.climbing import Bounds, Climb, climb
from aicost.domain.training.dividing import LOST, Held, Outcome, Part, divide, stretches
from aicost.domain.training.measures import Sighting, Track, leading
from aicost.domain.training.terms import CLIMBING, Better, Measure, Shape

ADDED = frozenset({Measure.SAMPLES, Measure.TOKENS})
"""Counters of what each rank did by itself: those of all pods are added. All others are the same on each rank."""


class Confidence(StrEnum):
    """How far a division can be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Aims:
    """What people say of a run's measures.

    Attributes:
        wholes: measure -> what it shows when the run is done.
        point: how much of the quality is a point.
        better: which way it improves.
    """

    wholes: Mapping[Measure, Fraction] = field(default_factory=dict)
    point: Fraction = Fraction(1)
    better: Better = Better.EITHER


NO_AIMS = Aims()
_FINE = frozenset({Measure.STEPS, Measure.SAMPLES, Measure.TOKENS})
"""Measures that rise often enough to tell when work was done."""


@dataclass(frozen=True, slots=True)
class Run:
    """All that is known of a run in a span.

    Attributes:
        span: the windows that count.
        held: what its pods cost.
        tracks: what it showed, some of it a little before the span and a little after it.
        outcome: how it ended, as far as is known.
    """

    span: Window
    currency: str
    held: Sequence[Held]
    tracks: Sequence[Track] = ()
    outcome: Outcome = Outcome.UNKNOWN
    aims: Aims = NO_AIMS


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the model became.

    Attributes:
        first, last: its values at the beginning and at the end.
        per_point: nano-units for a point; None where it did not change, or for the worse.
    """

    first: Fraction
    last: Fraction
    per_point: Fraction | None


@dataclass(frozen=True, slots=True)
class Completion:
    """What the rest of the run will cost if it goes on as it went.

    Attributes:
        nanos: the cost still to come; None at no progress.
        progress: how much is done, from 0 to 1; None where nothing tells.
        method: what it rests on.
    """

    nanos: Fraction | None = None
    progress: Fraction | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class RunCosts:
    """What a run cost.

    Attributes:
        parts: what its money was for; they sum to the cost.
        did: useful units, of each measure that is counted.
        per: nano-units for one of them.
        repeated: units of the basis that were lost; None where that would not show.
        restarts: how often it began again; None where nothing tells.
        basis: the measure that tells when work was done; None where none does.
        goodput: share of the cost that went into work that stands.
        confidence: how far parts, units and goodput can be trusted; None where nothing is counted.
        at_most: the run failed, and nothing tells what was saved: less of the work may stand.
    """

    cost_nanos: int
    currency: str
    outcome: Outcome
    parts: Mapping[Part, int]
    did: Mapping[Measure, Fraction]
    per: Mapping[Measure, Fraction]
    repeated: Fraction | None
    restarts: int | None
    basis: Measure | None
    goodput: Fraction | None
    quality: Quality | None
    completion: Completion
    confidence: Confidence | None
    at_most: bool

    @property
    def lost_nanos(self) -> int:
        """What restarts and failures cost."""
        return sum(self.parts[part] for part in LOST)


@dataclass(frozen=True, slots=True)
class _Read:
    """A run, with what it showed.

    Attributes:
        told: by measure, up to the end of the span.
        every: the same with what was shown a little later.
    """

    run: Run
    told: Mapping[Measure, Sequence[Sighting]]
    every: Mapping[Measure, Sequence[Sighting]]
    shapes: Mapping[Measure, Shape]
    bounds: Bounds

    def climb(self, measure: Measure) -> Climb | None:
        """How far it came by a measure."""
        found = climb(self.every[measure], self.shapes[measure], self.run.span, self.bounds)
        if found and measure is Measure.STEPS and self.is_saved_known and self.run.outcome is Outcome.FAILED:
            return found.back_to(self.told[Measure.CHECKPOINT][-1].value)
        return found

    @property
    def is_saved_known(self) -> bool:
        """Whether it shows which step was saved last."""
        return Measure.CHECKPOINT in self.told

    @property
    def began_inside(self) -> bool:
        """Whether its first pod began to hold in the span: then the span's cost is the cost of all progress."""
        known = [one.bound_ms for one in self.run.held if one.known and one.bound_ms is not None]
        return bool(known) and len(known) == len(self.run.held) and min(known) >= self.run.span.start_ms


def _read(run: Run) -> _Read:
    by_measure: dict[Measure, list[Track]] = {}
    for track in run.tracks:
        by_measure.setdefault(track.measure, []).append(track)
    every = {measure: leading(mine, signed=measure is Measure.QUALITY) for measure, mine in by_measure.items()}
    told = {measure: [one for one in seen if one.at_ms < run.span.end_ms] for measure, seen in every.items()}
    told = {measure: seen for measure, seen in told.items() if seen}
    bounds: dict[str, set[int]] = {}
    for held in run.held:
        if held.bound_ms is not None:
            bounds.setdefault(held.pod, set()).add(held.bound_ms)
    shapes = {measure: mine[0].shape for measure, mine in by_measure.items()}
    return _Read(run, told, every, shapes, {pod: sorted(known) for pod, known in bounds.items()})


def run_costs(run: Run) -> RunCosts:
    """What a run cost by the unit, and what of it was lost."""
    cost = sum(one.cost_nanos for one in run.held)
    # 1. Who stood where, when.
    read = _read(run)
    found = {measure: read.climb(measure) for measure in CLIMBING if measure in read.told}
    climbs = {measure: one for measure, one in found.items() if one is not None}
    basis = _basis(climbs)
    leader = climbs[basis] if basis else None
    failed = run.outcome is Outcome.FAILED
    # 2. What the money was for.
    parts = divide(run.held, stretches(leader, failed=failed) if leader else None)
    # 3. What it achieved.
    did = _did(read, climbs, leader)
    return RunCosts(
        cost_nanos=cost,
        currency=run.currency,
        outcome=run.outcome,
        parts=parts,
        did=did,
        per={measure: cost / amount for measure, amount in did.items() if amount > 0},
        repeated=leader.repeated if leader and leader.falls_show else None,
        restarts=leader.restarts if leader else None,
        basis=basis,
        goodput=Fraction(parts[Part.USEFUL], cost) if leader and cost > 0 and not parts[Part.UNTOLD] else None,
        quality=_quality(read, cost),
        completion=_completion(read, cost),
        confidence=_confidence(run, basis, leader),
        at_most=bool(leader and failed and not (basis is Measure.STEPS and read.is_saved_known)),
    )


def _basis(climbs: Mapping[Measure, Climb]) -> Measure | None:
    """The measure that tells best when work was done.

    Fine before coarse, one that falls before one that does not, and of the coarse ones that which rose most often.
    Where none rose nothing was done, and any tells so.
    """

    def rank(measure: Measure) -> tuple[int, int, int]:
        found = climbs[measure]
        rises = len(found.kept) + len(found.lost)
        if not rises:
            return 3, 0, CLIMBING.index(measure)
        if measure in _FINE:
            return 0 if found.falls_show else 1, 0, CLIMBING.index(measure)
        return 2, -rises, CLIMBING.index(measure)

    return min(climbs, key=rank, default=None)


def _did(read: _Read, climbs: Mapping[Measure, Climb], leader: Climb | None) -> dict[Measure, Fraction]:
    """Useful units. What ranks count by themselves is added, and shrinks by the share of the steps that was lost."""
    did: dict[Measure, Fraction] = {}
    for measure, found in climbs.items():
        if measure is not Measure.PROGRESS:
            by_rank = measure in ADDED and not found.falls_show
            did[measure] = _added(read, measure) * _standing(leader) if by_rank else found.useful
    return did


def _standing(leader: Climb | None) -> Fraction:
    done = leader.useful + leader.repeated if leader else Fraction(0)
    return leader.useful / done if leader and done else Fraction(1)


def _added(read: _Read, measure: Measure) -> Fraction:
    """What the counters of all pods grew by."""
    grown = [_grown(read, one) for one in read.run.tracks if one.measure is measure]
    return sum((Fraction(one.by) for one in grown if one is not None), Fraction(0))


def _grown(read: _Read, track: Track) -> Growth | None:
    """A pod that began inside the span counts from 0; of another one the value that it began with is not known."""
    span, bounds = read.run.span, read.bounds.get(track.pod, ())
    began = min(bounds) >= span.start_ms if bounds else read.began_inside
    return growth(track.at_ms, track.value, span, watched_ms=span.start_ms - 1 if began else span.end_ms)


def _quality(read: _Read, cost: int) -> Quality | None:
    told, aims = read.told.get(Measure.QUALITY), read.run.aims
    if not told:
        return None
    first, last = Fraction(told[0].value), Fraction(told[-1].value)
    gained = {Better.HIGHER: last - first, Better.LOWER: first - last, Better.EITHER: abs(last - first)}[aims.better]
    return Quality(first, last, cost * aims.point / gained if gained > 0 else None)


def _completion(read: _Read, cost: int) -> Completion:
    """From the progress; else from a count and its whole; else from the time that the run says it still needs."""
    for measure in (Measure.PROGRESS, *CLIMBING):
        whole, told = read.run.aims.wholes.get(measure), read.told.get(measure)
        if whole and told and read.shapes[measure] is Shape.GAUGE:
            progress = min(Fraction(1), told[-1].value / whole)
            before = Fraction(0) if read.began_inside else min(Fraction(1), told[0].value / whole)
            done = progress - before
            return Completion(cost * (1 - progress) / done if done > 0 else None, progress, measure.value)
    remaining, elapsed_ms = read.told.get(Measure.REMAINING), _elapsed_ms(read.run.held)
    if remaining and elapsed_ms:
        return Completion(Fraction(cost * remaining[-1].value * SECOND_MS) / elapsed_ms, None, Measure.REMAINING.value)
    return Completion()


def _elapsed_ms(held: Sequence[Held]) -> int:
    """Time in which any pod of the run held something."""
    total, until_ms = 0, 0
    for one in sorted((pod.span for pod in held), key=lambda span: span.start_ms):
        total += max(0, one.end_ms - max(one.start_ms, until_ms))
        until_ms = max(until_ms, one.end_ms)
    return total


def _confidence(run: Run, basis: Measure | None, leader: Climb | None) -> Confidence | None:
    if basis is None or leader is None:
        return Confidence.LOW if any(one.outcome is Outcome.FAILED for one in run.held) else None
    if not all(one.known for one in run.held):
        return Confidence.LOW
    return Confidence.HIGH if basis in _FINE and leader.falls_show else Confidence.MEDIUM
