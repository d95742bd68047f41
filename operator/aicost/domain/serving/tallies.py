"""What one engine did in a span: its counters, each grown safely over resets, then summed.

level   from the engine: no two views of the same token are added
order   the increase of each series first, then the sum: never the other way round (G13)
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, TypeVar

from aicost.domain.serving.meters import (
    METERS,
    RANK_LABELS,
    RELAY_LABELS,
    Count,
    EngineMeters,
    Meter,
    Outcome,
    outcome_of,
)

if TYPE_CHECKING:  # numpy takes long to import, and who reads a manifest needs none
    from aicost.domain.sampling.counters.growth import Growth
    from aicost.domain.serving.held import Held

_MILLIS = 1_000
_RANKS = frozenset(RANK_LABELS)
_DIGITS = 9
"""A longer number is no rank."""
_TIMES = frozenset(
    {
        Count.PREFILL_BUSY, Count.DECODE_BUSY, Count.PREFILL_TIME, Count.DECODE_TIME, Count.LATENCY, Count.BUSY,
        Count.RUNNING, Count.WATCHED,
    }
)  # fmt: skip


_NAMED: Mapping[str, Mapping[str, Sequence[Meter]]] = {
    one.engine: {meter.name: [each for each in one.meters if each.name == meter.name] for meter in one.meters}
    for one in METERS
}
"""Engine -> name -> its counters."""


class Shown(Protocol):
    """What says whose series it is."""

    @property
    def name(self) -> str:
        """Of the metric."""

    @property
    def labels(self) -> Mapping[str, str]:
        """All of them."""


Series = TypeVar("Series", bound=Shown)


@dataclass(frozen=True, slots=True)
class Grown:
    """One series of an engine, and what it grew by.

    Attributes:
        growth: None where nothing tells.
        held: of a gauge, what it showed for how long.
    """

    name: str
    labels: Mapping[str, str]
    growth: "Growth | None"
    held: "Held | None" = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What an engine did. What it does not count is absent, never 0.

    Attributes:
        engines: names of the engines whose counters were read.
        counts: whole tokens, requests and vectors; times in milliseconds.
        outcomes: requests by how they ended; empty where nobody counts them.
        at_least: what some series had counted before the span is not known: there may be more.
    """

    engines: frozenset[str] = frozenset()
    counts: Mapping[Count, int] = field(default_factory=dict)
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    at_least: bool = False

    def get(self, count: Count) -> int | None:
        """How many, None where nobody counts them."""
        return self.counts.get(count)

    @property
    def cached(self) -> int | None:
        """Tokens of prompts that a cache held: never more than there were."""
        cached, whole, computed = self.get(Count.CACHED), self.get(Count.INPUT), self.get(Count.COMPUTED)
        if cached is None and whole is not None and computed is not None:
            return max(0, whole - computed)
        return cached if cached is None or whole is None else min(cached, whole)

    @property
    def computed(self) -> int | None:
        """Tokens of prompts that were computed: all of them where nobody counts what a cache held."""
        whole = self.get(Count.INPUT)
        return self.get(Count.COMPUTED) if whole is None else whole - (self.cached or 0)

    @property
    def output(self) -> int | None:
        """Generated tokens; those of requests that ended where the engine counts no others."""
        return self.get(Count.OUTPUT) if Count.OUTPUT in self.counts else self.get(Count.FINISHED)

    @property
    def requests(self) -> int | None:
        """Requests that ended, however they did."""
        return sum(self.outcomes.values()) if self.outcomes else None

    @property
    def recomputed(self) -> int | None:
        """Tokens that were computed more than once, as requests lost their places."""
        ran, once = self.get(Count.PREFILLED), self.get(Count.EFFECTIVE)
        counted = self.get(Count.RECOMPUTED)
        return max(0, ran - once) if counted is None and ran is not None and once is not None else counted

    def mean(self, amount: Count, number: Count) -> Fraction | None:
        """A ratio of two sums; None where one is not counted, or there was none."""
        whole, of = self.get(amount), self.get(number)
        return Fraction(whole, of) if whole is not None and of else None

    @property
    def useful_output(self) -> Fraction | None:
        """Generated tokens of requests that were a success.

        What callers left is known by tokens where the engine counts those of finished requests apart. Of these the
        part counts that the successes are among the finished requests: engines do not count tokens by outcome. Where
        the engine does not say how some of them ended, nobody knows.
        """
        output, finished = self.output, self.get(Count.FINISHED)
        ended = {one: number for one, number in self.outcomes.items() if one not in {Outcome.REJECTED, Outcome.ABORTED}}
        if output is None or not sum(ended.values()) or ended.get(Outcome.UNKNOWN):
            return None
        kept = output if finished is None else min(finished, output)
        return Fraction(kept * ended.get(Outcome.SUCCESS, 0), sum(ended.values()))


def tally(grown: Iterable[Grown], *, generic: frozenset[str] = frozenset()) -> Mapping[str, Tally]:
    """What the series of one pod tell, by model; a model is empty where the engine does not name it.

    Args:
        grown: the series.
        generic: engines that the pod is known to run: their counters have names that anybody may use.
    """
    tallies: dict[str, list[Tally]] = defaultdict(list)
    for engine, model, read in readings(grown, generic=generic):
        tallies[model].append(_counted(engine, read))
    return {model: add_up(mine) for model, mine in sorted(tallies.items())}


def readings(
    series: Iterable[Series], *, generic: frozenset[str] = frozenset()
) -> Iterator[tuple[EngineMeters, str, Sequence[tuple[Meter, Series]]]]:
    """Which series of one pod count what: engine by engine and model by model, each token in one view."""
    every = _first_ranks(one for one in series if not any(one.labels.get(label) for label in RELAY_LABELS))
    shown: set[str] = set()
    names = {one.name for one in every}
    for engine in sorted(METERS, key=lambda one: one.around):
        if names.isdisjoint(_NAMED[engine.engine]) or (engine.is_anybodys and engine.engine not in generic):
            continue
        by_model: dict[str, list[tuple[Meter, Series]]] = defaultdict(list)
        for one in every:
            for meter in _meters(engine, one):
                by_model[_model(engine, one.labels)].append((meter, one))
        for model, read in by_model.items():
            if not (engine.around and model in shown):
                yield engine, model, _best(read)
        shown |= by_model.keys()


def add_up(tallies: Sequence[Tally]) -> Tally:
    """Several pods as one."""
    counts: Counter[Count] = Counter()
    outcomes: Counter[Outcome] = Counter()
    for one in tallies:
        for count, number in one.counts.items():
            counts[count] += number
        for outcome, number in one.outcomes.items():
            outcomes[outcome] += number
    engines = frozenset(name for one in tallies for name in one.engines)
    return Tally(engines, dict(counts), dict(outcomes), any(one.at_least for one in tallies))


def _first_ranks(series: Iterable[Series]) -> list[Series]:
    """Of processes that compute one thing together the first alone: the others count the same."""
    series = list(series)
    if all(_RANKS.isdisjoint(one.labels) for one in series):
        return series
    found: dict[tuple[str, frozenset[tuple[str, str]]], list[Series]] = defaultdict(list)
    for one in series:
        found[one.name, frozenset(pair for pair in one.labels.items() if pair[0] not in RANK_LABELS)].append(one)
    first = {key: min(map(_rank, mine)) for key, mine in found.items()}
    return [one for key, mine in found.items() for one in mine if _rank(one) == first[key]]


def _rank(one: Shown) -> tuple[tuple[int, str], ...]:
    ranks = (one.labels.get(label, "") for label in RANK_LABELS)
    return tuple((int(rank) if rank.isdecimal() and len(rank) < _DIGITS else 0, rank) for rank in ranks)


def _meters(engine: EngineMeters, one: Shown) -> list[Meter]:
    return [meter for meter in _NAMED[engine.engine].get(one.name, ()) if meter.reads(one.name, one.labels)]


def _model(engine: EngineMeters, labels: Mapping[str, str]) -> str:
    return next((labels[label] for label in engine.model_labels if labels.get(label)), "")


def _counted(engine: EngineMeters, read: Sequence[tuple[Meter, Grown]]) -> Tally:
    """Sum what the best counters of each kind grew by. A kind none of whose series tells anything is absent."""
    sums: dict[Count, float] = defaultdict(float)
    outcomes: dict[Outcome, float] = defaultdict(float)
    at_least = False
    for meter, one in read:
        if meter.gauge and one.held is not None:
            sums[meter.count] += one.held.value_seconds
            if meter.count is Count.RUNNING:
                sums[Count.WATCHED] += one.held.seconds
        if meter.gauge or one.growth is None:
            continue
        at_least |= not one.growth.is_whole
        if meter.count is Count.REQUESTS:
            outcomes[_outcome(meter, one.labels)] += one.growth.by
        else:
            sums[meter.count] += one.growth.by * meter.seconds
    return Tally(
        frozenset({engine.engine}),
        {count: int(amount * _MILLIS if count in _TIMES else amount) for count, amount in sums.items()},
        {outcome: int(number) for outcome, number in outcomes.items()},
        at_least,
    )


def _outcome(meter: Meter, labels: Mapping[str, str]) -> Outcome:
    """How requests ended: by the reason where there is one, else by what the name says."""
    reason = labels.get(meter.reason, "")
    return meter.outcome if meter.outcome and not reason.strip() else outcome_of(reason)


def _best(read: Sequence[tuple[Meter, Series]]) -> Sequence[tuple[Meter, Series]]:
    """Of several counters for one thing those of the lowest rank that is there."""
    lowest: dict[Count, int] = {}
    for meter, _ in read:
        lowest[meter.count] = min(meter.rank, lowest.get(meter.count, meter.rank))
    return [(meter, one) for meter, one in read if meter.rank == lowest[meter.count]]
