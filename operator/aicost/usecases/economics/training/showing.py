"""What a run showed of itself: series by its AIWorkload's plan, and what its TrainJob said."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.sampling.series import RawSeries
from aicost.domain.training.measures import Track
from aicost.domain.training.reported import Word, quality_of, tracks_of, wholes_of
from aicost.domain.training.run_costs import Aims
from aicost.domain.training.terms import Measure
from aicost.ports.measured.training import Meter, Reported, TrainingPlan, TrainingSource
from aicost.ports.measured.units import WorkloadKey
from aicost.usecases.economics.training.runs import FoundRun

AROUND_MS = 10 * MINUTE_MS
"""Samples of this time before the span say where runs stood when it began, and those after it whether they went on."""
SOON_MS = HOUR_MS
"""A status that is read now is about the hour that is still open."""
_Key = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of a run's progress.

    Attributes:
        quality: what its quality is called.
        gaps: what was looked for and not found, in words.
    """

    tracks: tuple[Track, ...] = ()
    aims: Aims = field(default_factory=Aims)
    quality: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(slots=True)
class Shows:
    """Reads what runs show. Each metric of a namespace is asked for once.

    Attributes:
        source: gives series; None where there is none.
        span: the time.
        words: what TrainJobs said.
        shared: how many runs each AIWorkload has: what no pod shows is of the only one.
        pods: names of the pods of all runs, by namespace.
    """

    source: TrainingSource | None
    span: Window
    plans: Mapping[WorkloadKey, TrainingPlan]
    usual: TrainingPlan | None
    words: Mapping[tuple[str, str], Sequence[Word]]
    shared: Mapping[WorkloadKey, int]
    pods: Mapping[str, frozenset[str]]
    _asked: dict[tuple[str, str, _Key], Sequence[RawSeries]] = field(default_factory=dict)

    def of(self, run: FoundRun) -> Shown:
        """What one run showed."""
        plan = self._plan(run)
        tracks: list[Track] = []
        gaps: list[str] = []
        for meter in plan.meters if plan and self.source else ():
            found = list(self._tracks(run, meter))
            tracks += found
            if not found:
                gaps.append(f"{meter.measure}: no pod of the run shows {meter.counter.metric} in this time")
        words = self._words(run)
        known, aims = {one.measure for one in tracks}, plan.aims if plan else Aims()
        named = next((one.counter.metric for one in plan.meters if one.measure is Measure.QUALITY), "") if plan else ""
        said = [one for one in tracks_of(words, named) if one.measure not in known]
        wholes = {measure: whole for measure, whole in wholes_of(words).items() if measure not in known}
        quality = named if Measure.QUALITY in known else quality_of(words, named)
        return Shown((*tracks, *said), replace(aims, wholes={**aims.wholes, **wholes}), quality, tuple(gaps))

    def _plan(self, run: FoundRun) -> TrainingPlan | None:
        """What its AIWorkload says, and the usual metrics for all that it says nothing of."""
        own = self.plans.get((run.namespace, run.workload))
        if own is None or self.usual is None:
            return own or self.usual
        named = {meter.measure for meter in own.meters}
        return replace(own, meters=(*own.meters, *(one for one in self.usual.meters if one.measure not in named)))

    def _words(self, run: FoundRun) -> Sequence[Word]:
        """What its TrainJob said in the span; else what it said soon after, which is as near as one can get."""
        end_ms = self.span.end_ms
        every = [word for owner in sorted(run.owners) for word in self.words.get((run.namespace, owner), ())]
        inside = [word for word in every if word.at_ms < end_ms]
        soon = [word for word in every if end_ms <= word.at_ms < end_ms + SOON_MS]
        if inside or not soon:
            return inside
        return [replace(min(soon, key=lambda word: word.at_ms), at_ms=end_ms - 1)]

    def _tracks(self, run: FoundRun, meter: Meter) -> Iterator[Track]:
        """The series of the run's pods; where there are none, those that no run's pods show, if it is the only run."""
        series = [
            (one.labels.get("exported_pod") or one.labels.get("pod", ""), one) for one in self._series(run, meter)
        ]
        mine = frozenset(run.pods.values())
        found = [(pod, one) for pod, one in series if pod in mine]
        if not found and run.workload and self.shared.get((run.namespace, run.workload)) == 1:
            found = [("", one) for pod, one in series if pod not in self.pods.get(run.namespace, frozenset())]
        for pod, one in found:
            yield Track(meter.measure, meter.shape, pod, one.at_ms, one.value)

    def _series(self, run: FoundRun, meter: Meter) -> Sequence[RawSeries]:
        name = run.namespace, meter.counter.metric, frozenset(meter.counter.labels.items())
        if name not in self._asked and self.source:
            around = Window(self.span.start_ms - AROUND_MS, self.span.end_ms + AROUND_MS)
            self._asked[name] = tuple(_whole(self.source.series(run.namespace, meter.counter, around)))
        return self._asked.get(name, ())


def _whole(series: Sequence[RawSeries]) -> Iterator[RawSeries]:
    """Each series once, from as many parts as it came in."""
    parts: dict[_Key, list[RawSeries]] = defaultdict(list)
    for one in series:
        parts[frozenset(one.labels.items())].append(one)
    for mine in parts.values():
        at_ms, value = (np.concatenate([getattr(one, name) for one in mine]) for name in ("at_ms", "value"))
        yield replace(mine[0], at_ms=at_ms, value=value)


def words_of(reported: Sequence[Reported]) -> dict[tuple[str, str], list[Word]]:
    """What each TrainJob said, by namespace and `TrainJob/name`."""
    words: dict[tuple[str, str], list[Word]] = defaultdict(list)
    for one in reported:
        values = dict(one.metrics)
        if one.progress is not None:
            values[Measure.PROGRESS.value] = one.progress
        if one.remaining_s is not None:
            values[Measure.REMAINING.value] = Fraction(one.remaining_s)
        words[one.namespace, f"TrainJob/{one.name}"].append(Word(one.at_ms, values))
    return words
