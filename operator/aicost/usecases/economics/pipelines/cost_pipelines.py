"""What features cost along their pipelines: money by step, and what the pods of each step did."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.sums import GroupSum
from aicost.domain.serving.counted import PodName
from aicost.domain.serving.pipelines.pipeline import INFER, SHARED, Pipeline, StepCost, pipeline
from aicost.domain.serving.tallies import Tally, add_up
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.cost_units import Counted, runs_of
from aicost.usecases.economics.pipelines.divided import Filters, shares
from aicost.usecases.economics.spend.with_accounts import with_accounts

_FEATURE, _STEP = Dimension.FEATURE.value, Dimension.STEP.value
_KEYS = ("namespace", "pod", _FEATURE, _STEP)


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """Features of a span.

    Attributes:
        span: what was asked.
        rests_on: from the first to the last window that counts; None where there is none.
        pipelines: the dearest first.
        covered_ms: length of the windows that count.
    """

    span: Window
    rests_on: Window | None
    pipelines: tuple[Pipeline, ...] = ()
    covered_ms: int = 0


def cost_pipelines(
    reader: LedgerReader, counted: Counted, span: Window, filters: Filters, *, cluster: str
) -> PipelineReport:
    """Cost features step by step.

    Args:
        reader: the ledger.
        counted: what was counted, with who asked by feature.
        span: which time.
        filters: of the ledger; `feature` picks some.
        cluster: its key in the ledger.

    Raises:
        LedgerUnavailable: the money cannot be read.
    """
    if not counted.windows:
        return PipelineReport(span, None)
    whole = with_accounts(reader, cluster)
    sums = [one for run in runs_of(counted.windows) for one in whole.sums(run, _KEYS, filters, cluster=cluster)]
    shared = shares(reader, counted, span, Dimension.FEATURE, filters, cluster=cluster)
    wanted = filters.get(_FEATURE)
    steps: dict[tuple[str, str], dict[str, StepCost]] = defaultdict(dict)
    for (feature, currency, step), mine in _by_step(sums).items():
        steps[feature, currency][step] = _step(step, mine, counted.did)
    for (feature, step, currency), nanos in shared.items():
        if nanos and (wanted is None or feature in wanted):
            own = steps[feature, currency]
            own[step or INFER] = _with_shared(own.get(step or INFER), step or INFER, nanos)
    found = (pipeline(feature, currency, mine) for (feature, currency), mine in steps.items())
    ordered = sorted(found, key=lambda one: (-one.cost_nanos, one.feature, one.currency))
    covered = sum(one.length_ms for one in counted.windows)
    return PipelineReport(
        span, Window(counted.windows[0].start_ms, counted.windows[-1].end_ms), tuple(ordered), covered
    )


def _by_step(sums: Iterable[GroupSum]) -> Mapping[tuple[str, str, str], Sequence[GroupSum]]:
    """Sums by feature, currency and step; what belongs to no feature is left out."""
    found: dict[tuple[str, str, str], list[GroupSum]] = defaultdict(list)
    for one in sums:
        if one.keys[2] and one.currency:
            found[one.keys[2], one.currency, one.keys[3]].append(one)
    return found


def _step(step: str, sums: Sequence[GroupSum], did: Mapping[PodName, Mapping[str, Tally]]) -> StepCost:
    components: dict[str, int] = defaultdict(int)
    for one in sums:
        components[one.component] += one.cost_nanos
    pods = sorted({(one.keys[0], one.keys[1]) for one in sums} & did.keys())
    return StepCost(step, dict(sorted(components.items())), add_up([one for pod in pods for one in did[pod].values()]))


def _with_shared(step: StepCost | None, name: str, nanos: int) -> StepCost:
    before = step or StepCost(name, {})
    return StepCost(name, {**before.components, SHARED: before.components.get(SHARED, 0) + nanos}, before.did)
