"""Join what engines did with what they cost: tokens and requests over money, by workload."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting.sums import GroupSum
from aicost.domain.serving.counted import Kind, PodName, tallies_of, tenants_of, units_of
from aicost.domain.serving.phases import USUAL, Priors, phases_of
from aicost.domain.serving.tallies import Tally, add_up
from aicost.domain.serving.tenants import Asking, Tenancy, TenantCount, asking, share, tenant_counts
from aicost.domain.serving.unit_costs import Spent, UnitCosts, unit_costs
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.counts import CountReader
from aicost.ports.measured.engines import EngineSource
from aicost.usecases.economics.counting import grown_in, tallies

BLIND_SHARE = 10
"""With more than one part in ten of the GPU cost unmeasured, what idled is not known."""
OF_ENGINES = ("source", "namespace", "pod", "model")
"""By what the counts of engines are kept apart."""
_IDENTITY = ("namespace", "pod", "workload", "controller")


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One workload, or whatever the keys name, in one currency.

    Attributes:
        keys: its values, in the order that was asked for.
        models: what its engines call their models.
        pods, counted: pods that cost something, and those of them whose engine was heard.
        discovered: no AIWorkload speaks of these engines: they were found by their counters alone.
        tenancy: the cost among those who asked, where that was asked for.
    """

    keys: tuple[str, ...]
    models: tuple[str, ...]
    pods: int
    counted: int
    costs: UnitCosts
    tenancy: Tenancy | None = None
    discovered: bool = False


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


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in some windows.

    Attributes:
        windows: the windows, oldest first: each lies in the ledger.
        did: pod -> model -> what its engine did.
        asked: tokens by gateway, model and who asked.
        own: AIWorkload -> what its own counters grew by.
    """

    windows: tuple[Window, ...]
    did: Mapping[PodName, Mapping[str, Tally]]
    asked: tuple[TenantCount, ...] = ()
    own: Mapping[WorkloadName, UnitCount] = field(default_factory=dict)


def cost_units(
    reader: LedgerReader,
    engines: EngineSource,
    span: Window,
    question: UnitQuestion,
    *,
    cluster: str,
    priors: Priors = USUAL,
) -> UnitReport:
    """What tokens, requests and successes cost, by counters that are read now.

    Only whole windows of the ledger count, and the engines are asked for just these. A workload, or a controller where
    there is none, counts as soon as the engine of one of its pods was heard, with the cost of all of them.

    Raises:
        LedgerUnavailable, SourceUnavailable, InvalidAnswer, NotPermitted: money or counters cannot be read.
    """
    whole = _whole(reader, span, cluster)
    grown = [one for run in runs_of(whole) for one in grown_in(engines, run)]
    asked = tenant_counts(one.grown for one in grown) if question.tenants else ()
    counted = Counted(tuple(whole), tallies(grown), asked)
    return cost_of(reader, counted, span, question, cluster=cluster, priors=priors)


def cost_counted(
    reader: LedgerReader,
    counts: CountReader,
    span: Window,
    question: UnitQuestion,
    *,
    cluster: str,
    priors: Priors = USUAL,
) -> UnitReport:
    """The same by what was counted when the windows were closed: the windows count that have both money and counts.

    Raises:
        LedgerUnavailable: money or counts cannot be read.
    """
    counted = read_counted(reader, counts, span, question.tenants, cluster=cluster)
    return cost_of(reader, counted, span, question, cluster=cluster, priors=priors)


def read_counted(
    reader: LedgerReader, counts: CountReader, span: Window, tenants: Dimension | None, *, cluster: str
) -> Counted:
    """What was counted in the windows of a span that have money as well; errors as of `cost_counted`."""
    known = set(counts.windows(span, cluster=cluster))
    whole = [one for one in _whole(reader, span, cluster) if one in known] if known else []
    runs = runs_of(whole)
    did = tallies_of(counts.summed(runs, Kind.ENGINE, OF_ENGINES, cluster=cluster))
    asked: tuple[TenantCount, ...] = ()
    if tenants:
        asked = tenants_of(counts.summed(runs, Kind.GATEWAY, ("source", "model", tenants.value), cluster=cluster))
    own = units_of(counts.summed(runs, Kind.WORKLOAD, ("namespace", "workload"), cluster=cluster))
    return Counted(tuple(whole), did, asked, own)


def cost_of(
    reader: LedgerReader,
    counted: Counted,
    span: Window,
    question: UnitQuestion,
    *,
    cluster: str,
    priors: Priors = USUAL,
) -> UnitReport:
    """Join what was counted with the cost of each pod, and divide by who asked.

    Raises:
        LedgerUnavailable: the money cannot be read.
    """
    whole = counted.windows
    if not whole:
        return UnitReport(span, None)
    keys = (*_IDENTITY, *question.keys)
    sums = [one for run in runs_of(whole) for one in reader.sums(run, keys, question.filters, cluster=cluster)]
    tenants = asking(counted.asked, question.tenants) if question.tenants else None
    lines = sorted(
        _lines(sums, counted.did, priors, tenants), key=lambda line: (-line.costs.spent.cost_nanos, line.keys)
    )
    paid = set(map(_pod, sums))
    strangers = tuple(sorted(set(counted.did) - paid)) if not question.filters else ()
    rests_on = Window(whole[0].start_ms, whole[-1].end_ms)
    return UnitReport(span, rests_on, tuple(lines), strangers, sum(one.length_ms for one in whole))


def _whole(reader: LedgerReader, span: Window, cluster: str) -> list[Window]:
    """The windows of the ledger that lie wholly inside a span."""
    return [one for one in reader.windows(span, cluster=cluster) if span.overlap(one) == one]


def runs_of(windows: Sequence[Window]) -> Sequence[Window]:
    """Windows that follow each other without a gap as one: counters go on between them."""
    runs: list[Window] = []
    for one in windows:
        if runs and runs[-1].end_ms == one.start_ms:
            runs[-1] = Window(runs[-1].start_ms, one.end_ms)
        else:
            runs.append(one)
    return runs


def _lines(
    sums: Sequence[GroupSum], did: Mapping[PodName, Mapping[str, Tally]], priors: Priors, asked: Asking | None
) -> Iterable[UnitLine]:
    groups: dict[tuple[tuple[str, ...], str], list[GroupSum]] = defaultdict(list)
    for one in _serving(sums, did):
        groups[one.keys[len(_IDENTITY) :], one.currency].append(one)
    for (keys, currency), mine in groups.items():
        pods = {_pod(one) for one in mine}
        heard = sorted(pods & did.keys())
        if heard and currency:
            whole = add_up([one for pod in heard for one in did[pod].values()])
            models = tuple(sorted({model for pod in heard for model in did[pod] if model}))
            costs = unit_costs(_spent(mine, currency), whole, phases_of(whole, priors))
            tenancy = None if asked is None else share(costs, models, asked)
            claimed = any(_workload(one) for one in mine)
            yield UnitLine(keys, models, len(pods), len(heard), costs, tenancy, not claimed)


def _serving(sums: Sequence[GroupSum], did: Mapping[PodName, Mapping[str, Tally]]) -> Iterable[GroupSum]:
    """What serves models: all pods of an AIWorkload, else of a controller, of which an engine was heard."""
    heard = {_unit(one) for one in sums if _pod(one) in did}
    return (one for one in sums if one.keys[1] and _unit(one) in heard)


def _pod(one: GroupSum) -> PodName:
    return one.keys[0], one.keys[1]


def _workload(one: GroupSum) -> str:
    return one.keys[2]


def _unit(one: GroupSum) -> tuple[str, str, str]:
    """Whose pod it is: a pod without a controller is its own."""
    namespace, pod, workload, controller = one.keys[: len(_IDENTITY)]
    return namespace, workload, "" if workload else controller or pod


def _spent(sums: Sequence[GroupSum], currency: str) -> Spent:
    """The cost of some pods, and what of it idled."""
    gpu = dict.fromkeys(Bucket, 0)
    for one in sums:
        if one.component == Component.GPU:
            gpu[Bucket(one.bucket)] += one.cost_nanos
    blind = gpu[Bucket.ALLOCATED_UNMEASURED] * BLIND_SHARE > sum(gpu.values())
    cost = sum(one.cost_nanos for one in sums)
    return Spent(cost, None if blind else gpu[Bucket.ALLOCATED_IDLE], currency, sum(gpu.values()))
