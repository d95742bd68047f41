"""Join what runs of training cost with what they achieved."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.keys import passes
from aicost.domain.training.kinds import TRAINING_TYPES
from aicost.domain.training.run_costs import Run, run_costs
from aicost.domain.training.terms import CLIMBING
from aicost.ports.inputs import InputStore
from aicost.ports.measured.training import TrainingSource
from aicost.usecases.economics.training.questions import RunLine, TrainingQuestion, TrainingReport
from aicost.usecases.economics.training.runs import SERVING, FoundRun, Sight, Sights, find_runs, sight_of
from aicost.usecases.economics.training.showing import Shows, words_of
from aicost.usecases.receipts.posted_inputs import ExplainedLedger, FindInputs, InputsMissing

_KEYS = ("namespace", "controller", "workload", "workload-type")
_HOW = (
    "nothing tells when work was done: name a metric of its steps in spec.training of the AIWorkload that claims its "
    "pods, or by --steps; a TrainJob may report its progress"
)


Remembered = dict[Window, tuple[int, Mapping[str, Sight]]]
"""Billing window -> its revision, and pods by their uid."""


@dataclass(frozen=True, slots=True)
class CostRuns:
    """Say what the runs of one cluster cost.

    Attributes:
        ledger: one moment of the ledger.
        inputs: what its postings rest on: it knows when pods held what they paid for, and how they ended. None where
            it is not kept.
        source: the series that AIWorkloads name; None reads none.
        remembered: what inputs said of windows, for the next time.
    """

    cluster: str
    ledger: ExplainedLedger
    inputs: InputStore | None
    source: TrainingSource | None = None
    remembered: Remembered = field(default_factory=dict)

    def __call__(self, span: Window, question: TrainingQuestion) -> TrainingReport:
        """The runs of a span. Only whole windows of the ledger count.

        Raises:
            LedgerUnavailable, InputsDamaged, SourceUnavailable, InvalidAnswer, NotPermitted: something cannot be read.
        """
        # 1. The windows that lie wholly inside.
        whole = [one for one in self.ledger.windows(span, cluster=self.cluster) if span.overlap(one) == one]
        if not whole:
            return TrainingReport(span, None)
        rests_on = Window(whole[0].start_ms, whole[-1].end_ms)
        # 2. The runs among the rows.
        words = words_of(question.reported)
        said = frozenset(plan.key for plan in question.plans)
        rows = self._rows(rests_on, question, said)
        runs, others = find_runs(rows, question.by, said, frozenset(words))
        # 3. What is known of their pods.
        sights, notes = self._sights(runs, whole)
        # 4. What they showed, and what came of it.
        shared = Counter((run.namespace, run.workload) for run in runs)
        plans = {plan.key: plan for plan in question.plans}
        shows = Shows(self.source, rests_on, plans, question.usual, words, shared, _pods(runs))
        lines = [line for run in runs for line in _lines(run, rests_on, whole[-1], sights, shows)]
        lines.sort(key=lambda line: (-line.costs.cost_nanos, line.namespace, line.run))
        covered_ms = sum(one.length_ms for one in whole)
        return TrainingReport(span, rests_on, tuple(lines), _named(others), covered_ms, notes)

    def _rows(self, span: Window, question: TrainingQuestion, said: frozenset[tuple[str, str]]) -> Sequence[Row]:
        """The rows of pods among which runs may be."""
        wanted: dict[str, set[str]] = {"namespace": set(), "controller": set()}
        for one in self.ledger.sums(span, _KEYS, question.filters, cluster=self.cluster):
            namespace, controller, workload, kind = one.keys
            owner, _, name = controller.partition("/")
            if name and (owner not in SERVING or kind in TRAINING_TYPES or (namespace, workload) in said):
                wanted["namespace"].add(namespace)
                wanted["controller"].add(name)
        if not wanted["controller"]:
            return ()
        found = self.ledger.picked(span, wanted, cluster=self.cluster)
        return [row for row in found if span.overlap(row.window) == row.window and passes(row, question.filters)]

    def _sights(self, runs: Iterable[FoundRun], whole: Sequence[Window]) -> tuple[Sights, tuple[str, ...]]:
        """What the inputs of each window say of the runs' pods; and where there are none."""
        by_window: dict[Window, list[Row]] = {}
        for run in runs:
            for row in run.rows:
                by_window.setdefault(row.window, []).append(row)
        sights: Sights = {}
        notes: dict[str, None] = {}
        for window in (one for one in whole if one in by_window):
            try:
                for uid, sight in self._seen(window, by_window[window]).items():
                    sights.setdefault(uid, {})[window] = sight
            except InputsMissing as missing:
                notes[f"pods are taken to have held their GPUs for whole hours where it is not known: {missing}"] = None
        return sights, tuple(notes)

    def _seen(self, window: Window, rows: Sequence[Row]) -> Mapping[str, Sight]:
        """Pods by their uid, as the inputs of one window show them; each posting is read once.

        Raises:
            InputsMissing: there are none.
        """
        if self.inputs is None:
            raise InputsMissing("no inputs are kept: ledger.inputs.keep is off")
        revision = self.ledger.revision(self.cluster, window) or 0
        known, seen = self.remembered.get(window, (-1, {}))
        uids = frozenset(row.holder.pod_uid for row in rows)
        if known != revision or not uids <= seen.keys():
            found = FindInputs(self.cluster, self.ledger, self.inputs)(window, revision, rows)
            records = [record for needed in found for record in needed.given.facts.pods]
            seen = {record.facts.uid: sight_of(record, window) for record in records if record.facts.uid in uids}
            self.remembered[window] = revision, seen
        return {uid: sight for uid, sight in seen.items() if uid in uids}


def _lines(run: FoundRun, span: Window, last: Window, sights: Sights, shows: Shows) -> Iterable[RunLine]:
    shown = shows.of(run)
    outcome = run.outcome(sights, last)
    for currency in run.currencies:
        held = run.held(currency, sights)
        costs = run_costs(Run(span, currency, held, shown.tracks, outcome, shown.aims))
        gaps = shown.gaps if any(one.measure in CLIMBING for one in shown.tracks) else (*shown.gaps, _HOW)
        yield RunLine(
            namespace=run.namespace,
            run=run.name,
            experiment=run.experiment,
            workload=run.workload,
            pods=len(run.pods),
            window=run.window,
            costs=costs,
            unpriced_ms=run.unpriced_ms,
            quality=shown.quality,
            gaps=gaps,
        )


def _pods(runs: Iterable[FoundRun]) -> dict[str, frozenset[str]]:
    names: dict[str, frozenset[str]] = {}
    for run in runs:
        names[run.namespace] = names.get(run.namespace, frozenset()) | frozenset(run.pods.values())
    return names


def _named(others: Iterable[FoundRun]) -> tuple[str, ...]:
    """Other runs, the dearest first."""
    cost = {f"{run.namespace}/{run.name}": sum(row.cost_nanos or 0 for row in run.rows) for run in others}
    return tuple(sorted(cost, key=lambda name: (-cost[name], name)))
