"""The runs in the rows of a ledger, and what is known of their pods."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.identity.tags.evidence import read_back
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.rows import Holder, Row
from aicost.domain.training.dividing import Held, Outcome
from aicost.domain.training.kinds import RUNS, run_of, trains
from aicost.usecases.economics.training.questions import RunKey

SERVING = frozenset(
    {"", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "InferenceService", "RayService", "Notebook"}
)
"""Kinds whose pods train only where somebody says so: their rows are not even read for a run inside them."""
_TOGETHER_MS = 2 * MINUTE_MS
"""Pods that end this close to each other end together."""
_PHASES = {"Succeeded": Outcome.SUCCEEDED, "Failed": Outcome.FAILED}
RunName = tuple[str, str]
"""Namespace, and what the run is called."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the inputs of a window say of a pod.

    Attributes:
        span: when it held what it asked for in the window.
    """

    span: Window | None
    outcome: Outcome
    bound_ms: int | None


Sights = dict[str, dict[Window, Sight]]
"""Uid of a pod -> billing window -> what is known of it there."""


def sight_of(record: PodRecord, window: Window) -> Sight:
    """What is known of a pod at the end of a window."""
    outcome = _PHASES.get(record.facts.phase, Outcome.ENDED)
    running = record.held_until_ms is None or record.held_until_ms > window.end_ms
    return Sight(record.holding(window), Outcome.RUNNING if running else outcome, record.facts.bound_ms)


@dataclass(slots=True)
class FoundRun:
    """A run, as the rows of its pods tell."""

    namespace: str
    name: str
    rows: list[Row] = field(default_factory=list)

    @property
    def pods(self) -> Mapping[str, str]:
        """Uid -> name of its pods."""
        return {row.holder.pod_uid: row.holder.pod for row in self.rows}

    @property
    def workload(self) -> str:
        """The AIWorkload that claims its pods."""
        return _usual(row.holder.workload for row in self.rows)

    @property
    def experiment(self) -> str:
        """The experiment that its pods carry."""
        return _usual(row.holder.dimensions.get("experiment", "") for row in self.rows)

    @property
    def owners(self) -> frozenset[str]:
        """`Kind/name` of all that own its pods."""
        return frozenset(owner for holder in self._holders() for owner in owners_of(holder))

    @property
    def window(self) -> Window:
        """From the first to the last window in which it cost something."""
        return Window(min(row.window.start_ms for row in self.rows), max(row.window.end_ms for row in self.rows))

    def _holders(self) -> Iterable[Holder]:
        return {row.holder.pod_uid: row.holder for row in self.rows}.values()

    @property
    def currencies(self) -> Sequence[str]:
        """All of which it has amounts, the usual one first; an empty one alone where nothing has a price."""
        known = Counter(row.currency for row in self.rows if row.currency and row.cost_nanos is not None)
        return [currency for currency, _ in known.most_common()] or [""]

    @property
    def unpriced_ms(self) -> int:
        """Device time without a price."""
        return sum(row.gpu_milliseconds for row in self.rows if row.cost_nanos is None)

    def held(self, currency: str, sights: Sights) -> list[Held]:
        """What its pods cost, window by window."""
        cost: dict[tuple[str, Window], int] = defaultdict(int)
        for row in self.rows:
            if row.currency == currency:
                cost[row.holder.pod_uid, row.window] += row.cost_nanos or 0
        names = self.pods
        found = []
        for (uid, window), nanos in sorted(cost.items()):
            seen = sights.get(uid, {})
            sight, outcome = seen.get(window), seen[max(seen)].outcome if seen else Outcome.UNKNOWN
            span, bound_ms = (sight.span, sight.bound_ms) if sight else (None, None)
            found.append(Held(names[uid], uid, span or window, nanos, span is not None, outcome, bound_ms))
        return found

    def outcome(self, sights: Sights, last: Window) -> Outcome:
        """How the run ended: as the pods did that ended last.

        Args:
            sights: what is known of pods.
            last: the last window that is known: what ran to the end of an earlier one is over.
        """
        ends = [_end(sights[uid]) for uid in self.pods if sights.get(uid)]
        if any(outcome is Outcome.RUNNING and end_ms == last.end_ms for end_ms, outcome in ends):
            return Outcome.RUNNING
        end_ms = max((end_ms for end_ms, _ in ends), default=0)
        latest = {outcome for at_ms, outcome in ends if at_ms >= end_ms - _TOGETHER_MS}
        known = [outcome for outcome in (Outcome.SUCCEEDED, Outcome.FAILED) if outcome in latest]
        return known[0] if known else Outcome.ENDED if latest else Outcome.UNKNOWN


def _end(seen: Mapping[Window, Sight]) -> tuple[int, Outcome]:
    """Until when a pod held something, and how it ended."""
    last = max(seen)
    span = seen[last].span
    return span.end_ms if span else last.start_ms, seen[last].outcome


def owners_of(holder: Holder) -> tuple[str, ...]:
    """`Kind/name` of the owners, nearest first; rows of before they were kept know the last one alone."""
    return read_back(holder.evidence).owners or (controller_of(holder),)


def controller_of(holder: Holder) -> str:
    """`Kind/name` of the last owner, or of the pod."""
    return f"{holder.controller_kind}/{holder.controller}"


def find_runs(
    rows: Iterable[Row], by: RunKey, said: frozenset[RunName], reported: frozenset[RunName]
) -> tuple[list[FoundRun], list[FoundRun]]:
    """The runs of training in some rows, and other runs that need not train.

    Args:
        rows: of pods.
        by: what counts as one run.
        said: AIWorkloads that say how their runs are measured: what they claim is training.
        reported: TrainJobs that report.
    """
    training: dict[RunName, FoundRun] = {}
    others: dict[RunName, FoundRun] = {}
    for row in rows:
        holder = row.holder
        owned = run_of(owners_of(holder), controller_of(holder))
        is_said = (holder.namespace, holder.workload) in said or (holder.namespace, owned) in reported
        if is_said or trains(owned, holder.dimensions):
            _add(training, _name(holder, owned, by), row)
        elif owned.partition("/")[0] in RUNS and "workload-type" not in holder.dimensions:
            _add(others, (holder.namespace, owned), row)
    return list(training.values()), list(others.values())


def _name(holder: Holder, owned: str, by: RunKey) -> RunName:
    asked = {RunKey.EXPERIMENT: holder.dimensions.get("experiment", ""), RunKey.WORKLOAD: holder.workload}
    return holder.namespace, asked.get(by) or owned


def _add(runs: dict[RunName, FoundRun], name: RunName, row: Row) -> None:
    runs.setdefault(name, FoundRun(*name)).rows.append(row)


def _usual(values: Iterable[str]) -> str:
    """The value that most rows have; empty where none has one."""
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else ""
