"""What one engine did in a span: its counters, each grown safely over resets, then summed.

level   from the engine: no two views of the same token are added
order   the increase of each series first, then the sum: never the other way round (G13)
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.budgets.units.counters import Growth
from aicost.domain.serving.meters import METERS, RELAY_LABELS, Count, EngineMeters, Meter, Outcome, outcome_of

_MILLIS = 1_000
_TIMES = frozenset(
    {Count.PREFILL_BUSY, Count.DECODE_BUSY, Count.PREFILL_TIME, Count.DECODE_TIME, Count.LATENCY}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grown:
    """One series of an engine, and what it grew by.

    Attributes:
        growth: None where nothing tells.
    """

    name: str
    labels: Mapping[str, str]
    growth: Growth | None


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
    def useful_output(self) -> Fraction | None:
        """Generated tokens of requests that were a success.

        What callers left is known by tokens where the engine counts those of finished requests apart. Of these the
        part counts that the successes are among the finished requests: engines do not count tokens by outcome.
        """
        output, finished = self.output, self.get(Count.FINISHED)
        ended = {one: number for one, number in self.outcomes.items() if one not in {Outcome.REJECTED, Outcome.ABORTED}}
        if output is None or not sum(ended.values()):
            return None
        kept = output if finished is None else min(finished, output)
        return Fraction(kept * ended.get(Outcome.SUCCESS, 0), sum(ended.values()))


def tally(grown: Iterable[Grown], *, generic: frozenset[str] = frozenset()) -> Mapping[str, Tally]:
    """What the series of one pod tell, by model; a model is empty where the engine does not name it.

    Args:
        grown: the series.
        generic: engines that the pod is known to run: their counters have names that anybody may use.
    """
    every = [one for one in grown if not any(one.labels.get(label) for label in RELAY_LABELS)]
    tallies: dict[str, list[Tally]] = defaultdict(list)
    for engine in METERS:
        if engine.generic and engine.engine not in generic:
            continue
        by_model: dict[str, list[tuple[Meter, Grown]]] = defaultdict(list)
        for one in every:
            for meter in _meters(engine, one):
                by_model[_model(engine, one.labels)].append((meter, one))
        for model, read in by_model.items():
            tallies[model].append(_counted(engine, read))
    return {model: add_up(mine) for model, mine in sorted(tallies.items())}


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


def _meters(engine: EngineMeters, one: Grown) -> list[Meter]:
    found = [meter for meter in engine.meters if meter.name == one.name]
    return [meter for meter in found if all(one.labels.get(key) == value for key, value in meter.where.items())]


def _model(engine: EngineMeters, labels: Mapping[str, str]) -> str:
    return next((labels[label] for label in engine.model_labels if labels.get(label)), "")


def _counted(engine: EngineMeters, read: Sequence[tuple[Meter, Grown]]) -> Tally:
    """Sum what the best counters of each kind grew by. A kind none of whose series tells anything is absent."""
    sums: dict[Count, float] = defaultdict(float)
    outcomes: dict[Outcome, float] = defaultdict(float)
    at_least = False
    for meter, one in _best(read):
        if one.growth is None:
            continue
        at_least |= not one.growth.is_whole
        if meter.count is Count.REQUESTS:
            outcomes[meter.outcome or outcome_of(one.labels.get(meter.reason, ""))] += one.growth.by
        else:
            sums[meter.count] += one.growth.by * meter.seconds
    return Tally(
        frozenset({engine.engine}),
        {count: int(amount * _MILLIS if count in _TIMES else amount) for count, amount in sums.items()},
        {outcome: int(number) for outcome, number in outcomes.items()},
        at_least,
    )


def _best(read: Sequence[tuple[Meter, Grown]]) -> Iterable[tuple[Meter, Grown]]:
    """Of several counters for one thing those of the lowest rank that is there."""
    lowest: dict[Count, int] = {}
    for meter, _ in read:
        lowest[meter.count] = min(meter.rank, lowest.get(meter.count, meter.rank))
    return ((meter, one) for meter, one in read if meter.rank == lowest[meter.count])
