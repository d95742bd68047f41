"""Join what engines did with what they cost: tokens and requests over money, by workload."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aicost.domain.budgets.units.counters import growth
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting.sums import GroupSum
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.meters import known_engines
from aicost.domain.serving.phases import USUAL, Priors, phases_of
from aicost.domain.serving.tallies import Grown, Tally, add_up, tally
from aicost.domain.serving.tenants import Asking, Tenancy, asked_by, share
from aicost.domain.serving.unit_costs import Spent, UnitCosts, unit_costs
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.engines import EngineSource

BEFORE_MS = 5 * MINUTE_MS
"""Samples of this time before the span say with which values the counters began."""
BLIND_SHARE = 10
"""With more than one part in ten of the GPU cost unmeasured, what idled is not known."""
_IDENTITY = ("namespace", "pod")
PodName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One workload, or whatever the keys name, in one currency.

    Attributes:
        keys: its values, in the order that was asked for.
        models: what its engines call their models.
        pods, counted: pods that cost something, and those of them whose engine was heard.
        tenancy: the cost among those who asked, where that was asked for.
    """

    keys: tuple[str, ...]
    models: tuple[str, ...]
    pods: int
    counted: int
    costs: UnitCosts
    tenancy: Tenancy | None = None


@dataclass(frozen=True, slots=True)
class UnitReport:
    """Unit costs of a span.

    Attributes:
        span: what was asked.
        rests_on: from the first to the last whole window of the ledger in it; None where there is none.
        lines: the dearest first.
        strangers: pods whose engines were heard and that cost nothing in the ledger.
        covered_ms: length of the windows that count: less than `rests_on` where some between are missing.
    """

    span: Window
    rests_on: Window | None
    lines: tuple[UnitLine, ...] = ()
    strangers: tuple[PodName, ...] = ()
    covered_ms: int = 0


@dataclass(frozen=True, slots=True)
class UnitQuestion:
    """What is asked of a span.

    Attributes:
        keys: of the ledger: how to group.
        filters: of the ledger: what counts.
        tenants: divide each workload among the values of this dimension, as gateways count; None divides nothing.
    """

    keys: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tenants: Dimension | None = None


def cost_units(
    reader: LedgerReader,
    engines: EngineSource,
    span: Window,
    question: UnitQuestion,
    *,
    cluster: str,
    priors: Priors = USUAL,
) -> UnitReport:
    """What tokens, requests and successes cost.

    Only whole windows of the ledger count, and the engines are asked for just these. A workload stands in the answer as
    soon as the engine of one of its pods was heard, with the cost of all of them.

    Raises:
        LedgerUnavailable, SourceUnavailable, InvalidAnswer, NotPermitted: money or counters cannot be read.
    """
    # 1. The windows that lie wholly inside.
    whole = [one for one in reader.windows(span, cluster=cluster) if span.overlap(one) == one]
    if not whole:
        return UnitReport(span, None)
    rests_on = Window(whole[0].start_ms, whole[-1].end_ms)
    # 2. What each pod cost.
    sums = reader.sums(rests_on, (*_IDENTITY, *question.keys), question.filters, cluster=cluster)
    # 3. What each pod's engine did in them.
    grown = [
        (pod, one)
        for run in _runs(whole)
        for pod, one in _grown(engines.series(Window(run.start_ms - BEFORE_MS, run.end_ms)), run)
    ]
    did = _tallies(grown)
    # 4. Join the two, and divide by who asked.
    asked = asked_by((one for _, one in grown), question.tenants) if question.tenants else None
    lines = sorted(_lines(sums, did, priors, asked), key=lambda line: (-line.costs.spent.cost_nanos, line.keys))
    paid = {(one.keys[0], one.keys[1]) for one in sums}
    strangers = tuple(sorted(set(did) - paid)) if not question.filters else ()
    return UnitReport(span, rests_on, tuple(lines), strangers, sum(one.length_ms for one in whole))


def _runs(windows: Sequence[Window]) -> Sequence[Window]:
    """Windows that follow each other without a gap as one: counters go on between them."""
    runs: list[Window] = []
    for one in windows:
        if runs and runs[-1].end_ms == one.start_ms:
            runs[-1] = Window(runs[-1].start_ms, one.end_ms)
        else:
            runs.append(one)
    return runs


def _grown(series: Iterable[RawSeries], span: Window) -> Iterator[tuple[PodName, Grown]]:
    """What each series of a pod grew by, from as many parts as it came in."""
    parts: dict[tuple[str, frozenset[tuple[str, str]]], list[RawSeries]] = defaultdict(list)
    watched_ms = span.end_ms
    for one in series:
        if one.labels.get("namespace") and one.labels.get("pod"):
            parts[one.name, frozenset(one.labels.items())].append(one)
            watched_ms = min([watched_ms, *one.at_ms[:1].tolist()])
    for (name, _), mine in parts.items():
        labels = mine[0].labels
        at_ms, value = (np.concatenate([getattr(one, field) for one in mine]) for field in ("at_ms", "value"))
        found = Grown(name, labels, growth(at_ms, value, span, watched_ms=watched_ms))
        yield (labels["namespace"], labels["pod"]), found


def _tallies(grown: Iterable[tuple[PodName, Grown]]) -> Mapping[PodName, Mapping[str, Tally]]:
    """What the engine of each pod did, by model."""
    pods: dict[PodName, list[Grown]] = defaultdict(list)
    for pod, one in grown:
        pods[pod].append(one)
    tallies = {
        pod: tally(mine, generic=known_engines({one.name for one in mine})) for pod, mine in sorted(pods.items())
    }
    return {pod: by_model for pod, by_model in tallies.items() if by_model}


def _lines(
    sums: Sequence[GroupSum], did: Mapping[PodName, Mapping[str, Tally]], priors: Priors, asked: Asking | None
) -> Iterable[UnitLine]:
    groups: dict[tuple[tuple[str, ...], str], list[GroupSum]] = defaultdict(list)
    for one in sums:
        groups[one.keys[2:], one.currency].append(one)
    for (keys, currency), mine in groups.items():
        pods = {(one.keys[0], one.keys[1]) for one in mine if one.keys[1]}
        heard = sorted(pods & did.keys())
        if heard and currency:
            whole = add_up([one for pod in heard for one in did[pod].values()])
            models = tuple(sorted({model for pod in heard for model in did[pod] if model}))
            costs = unit_costs(_spent(mine, currency), whole, phases_of(whole, priors))
            tenancy = None if asked is None else share(costs, models, asked)
            yield UnitLine(keys, models, len(pods), len(heard), costs, tenancy)


def _spent(sums: Sequence[GroupSum], currency: str) -> Spent:
    """The cost of some pods, and what of it idled."""
    gpu = dict.fromkeys(Bucket, 0)
    for one in sums:
        if one.component == Component.GPU:
            gpu[Bucket(one.bucket)] += one.cost_nanos
    blind = gpu[Bucket.ALLOCATED_UNMEASURED] * BLIND_SHARE > sum(gpu.values())
    cost = sum(one.cost_nanos for one in sums)
    return Spent(cost, None if blind else gpu[Bucket.ALLOCATED_IDLE], currency, sum(gpu.values()))
