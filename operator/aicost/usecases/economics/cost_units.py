"""Join what engines did with what they cost: tokens and requests over money, by workload."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.sums import GroupSum
from aicost.domain.serving.counted import (
    CountRow,
    Kind,
    PodName,
    RowSums,
    Rules,
    answers_of,
    fronts_of,
    judged_of,
    rounds_of,
    rules_of,
    tallies_of,
    tenants_of,
    units_of,
)
from aicost.domain.serving.outcomes.judged import JudgedBy, Verdict
from aicost.domain.serving.outcomes.statuses import StatusCounts
from aicost.domain.serving.outcomes.words import Word
from aicost.domain.serving.phases import USUAL, Priors
from aicost.domain.serving.pipelines.fronts import Front, Fronts, fronts_of_pods
from aicost.domain.serving.pipelines.weighing import Weights, weigh
from aicost.domain.serving.pods.models import ModelCosts
from aicost.domain.serving.rounds.amplification import Amplification, Behind, amplify, of_agents
from aicost.domain.serving.rounds.counting import RoundCount
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.tenants import Asking, Tenancy, TenantCount, asking, share
from aicost.domain.serving.unit_costs import UnitCosts
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.counts import CountReader
from aicost.ports.measured.engines import EngineSource
from aicost.ports.measured.successes import SuccessCounts
from aicost.usecases.economics.count_window import NOTHING_SAID, CountWindow, Said
from aicost.usecases.economics.fronting import Fronting
from aicost.usecases.economics.workload_costs import IDENTITY, Did, costs_of, models_of, pod_of

OF_ENGINES = ("source", "namespace", "pod", "model")
"""By what the counts of engines are kept apart."""
_OF_DECLARED = ("namespace", "workload", "source", "model")
_POD = ("namespace", "pod", "workload")
Member = tuple[str, str, str]
SaidAt = Callable[[Window], Said]
"""Window -> what AIWorkloads said of how they are counted when it was closed."""


def nobody(_window: Window) -> Said:
    """No AIWorkload says anything."""
    return NOTHING_SAID


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One workload, or whatever the keys name, in one currency.

    Attributes:
        keys: its values, in the order that was asked for.
        models: what its engines call their models.
        pods, counted: pods that cost something, and those of them whose engine was heard.
        discovered: no AIWorkload speaks of these engines: they were found by their counters alone.
        tenancy: the cost among those who asked, where that was asked for.
        members: whose pods they are: namespace, AIWorkload and controller, the last two empty where there is none.
        behind: what the requests became, where that was asked for.
        by_model: the cost among the models; empty where there is one alone.
        called: what gateways call its models, in small letters, where an AIWorkload says so; else empty.
        gateway: the one that its AIWorkloads name; empty for any.
        word: whose word its successes are; None for the engine's, as nobody said otherwise.
    """

    keys: tuple[str, ...]
    models: tuple[str, ...]
    pods: int
    counted: int
    costs: UnitCosts
    tenancy: Tenancy | None = None
    discovered: bool = False
    members: frozenset[Member] = frozenset()
    behind: Amplification | None = None
    by_model: tuple[ModelCosts, ...] = ()
    called: tuple[str, ...] = ()
    gateway: str = ""
    word: Word | None = None

    @property
    def success_by(self) -> JudgedBy:
        """Whose word its successes are."""
        return JudgedBy.ENGINE if self.word is None else self.word.source

    @property
    def names(self) -> tuple[str, ...]:
        """What gateways call its models, in small letters."""
        return self.called or tuple(sorted({model.lower() for model in self.models}))


@dataclass(frozen=True, slots=True)
class UnitReport:
    """Unit costs of a span.

    Attributes:
        span: what was asked.
        rests_on: from the first to the last whole window of the ledger in it; None where there is none.
        lines: the dearest first.
        strangers: pods whose engines were heard and that cost nothing in the ledger.
        covered_ms: length of the windows that count: less than `rests_on` where some between are missing.
        agents: what agents and guardrails did where no model is named, where that was asked for.
        windows: those that count, oldest first.
    """

    span: Window
    rests_on: Window | None
    lines: tuple[UnitLine, ...] = ()
    strangers: tuple[PodName, ...] = ()
    covered_ms: int = 0
    agents: tuple[Behind, ...] = ()
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitQuestion:
    """What is asked of a span.

    Attributes:
        keys: of the ledger: how to group.
        filters: of the ledger: what counts.
        tenants: divide each workload among the values of this dimension, as gateways count; None divides nothing.
        rounds: look at what is behind the requests.
    """

    keys: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tenants: Dimension | None = None
    rounds: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """Counters that are read now.

    Attributes:
        engines: of engines and gateways.
        said: what AIWorkloads say of how they are counted.
        successes: asks what they want to know of successes; None asks nothing.
    """

    engines: EngineSource
    said: SaidAt = nobody
    successes: SuccessCounts | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in some windows.

    Attributes:
        windows: the windows, oldest first: each lies in the ledger.
        did: pod -> model -> what its engine did.
        asked: tokens by gateway, model and who asked.
        own: AIWorkload -> what its own counters grew by.
        rounds: what is behind the requests; None where that was not asked for.
        fronts: AIWorkload -> its gateway and aliases, as declared when the last of the windows was counted.
        weights: divide workloads by these, and not by what gateways count; None where nobody gave any.
        rules: AIWorkload -> who says what a success is, as declared when the last of the windows was counted.
        answers: how gateways answered; empty where nobody takes their word or asked.
        judged: AIWorkload -> what its own queries say of its requests.
    """

    windows: tuple[Window, ...]
    did: Mapping[PodName, Mapping[str, Tally]]
    asked: tuple[TenantCount, ...] = ()
    own: Mapping[WorkloadName, UnitCount] = field(default_factory=dict)
    rounds: tuple[RoundCount, ...] | None = None
    fronts: Fronts = field(default_factory=dict)
    weights: Weights | None = None
    rules: Rules = field(default_factory=dict)
    answers: StatusCounts = field(default_factory=dict)
    judged: Mapping[WorkloadName, Sequence[Verdict]] = field(default_factory=dict)


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
    counted = read_now(reader, Live(engines), span, question.tenants, cluster=cluster, rounds=question.rounds)
    return cost_of(reader, counted, span, question, cluster=cluster, priors=priors)


def read_now(
    reader: LedgerReader,
    live: Live,
    span: Window,
    tenants: Dimension | None,
    *,
    cluster: str,
    rounds: bool = False,
) -> Counted:
    """What counters say now of the windows of a span that the ledger has, window by window as the controller counts.

    Errors as of `cost_units`.
    """
    whole, sums = _whole(reader, span, cluster), RowSums()
    count, last = CountWindow(cluster, reader, live.engines, successes=live.successes), list[CountRow]()
    for window in whole:
        last = list(count(window, live.said(window)))
        sums.add(last)
    return _counted(whole, sums.rows, last, tenants, rounds=rounds)


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
    counted = read_counted(reader, counts, span, question.tenants, cluster=cluster, rounds=question.rounds)
    return cost_of(reader, counted, span, question, cluster=cluster, priors=priors)


def read_counted(
    reader: LedgerReader,
    counts: CountReader,
    span: Window,
    tenants: Dimension | None,
    *,
    cluster: str,
    rounds: bool = False,
) -> Counted:
    """What was counted in the windows of a span that have money as well; errors as of `cost_counted`."""
    known = set(counts.windows(span, cluster=cluster))
    whole = [one for one in _whole(reader, span, cluster) if one in known] if known else []
    runs = runs_of(whole)
    declared = counts.summed(whole[-1:], Kind.WORKLOAD, _OF_DECLARED, cluster=cluster)
    rows = [
        *counts.summed(runs, Kind.ENGINE, OF_ENGINES, cluster=cluster),
        *counts.summed(runs, Kind.WORKLOAD, ("namespace", "workload"), cluster=cluster),
    ]
    if tenants or rounds or any(rule.source is JudgedBy.GATEWAY for rule in rules_of(declared).values()):
        by = ("source", "model", *([tenants.value] if tenants else []))
        rows += counts.summed(runs, Kind.GATEWAY, by, cluster=cluster)
    return _counted(whole, rows, declared, tenants, rounds=rounds)


def _counted(
    windows: Sequence[Window],
    rows: Sequence[CountRow],
    last: Sequence[CountRow],
    tenants: Dimension | None,
    *,
    rounds: bool,
) -> Counted:
    """What rows say; `last` are those of the last window."""
    return Counted(
        tuple(windows),
        tallies_of(rows),
        tenants_of(rows) if tenants else (),
        units_of(rows),
        rounds_of(rows) if rounds else None,
        fronts_of(last),
        rules=rules_of(last),
        answers=answers_of(rows),
        judged=judged_of(rows),
    )


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
    keys = (*IDENTITY, *question.keys)
    sums = [one for run in runs_of(whole) for one in reader.sums(run, keys, question.filters, cluster=cluster)]
    fronting = Fronting(counted.did, _fronts(reader, counted, cluster))
    lines = sorted(
        _lines(sums, counted, question, priors, fronting), key=lambda line: (-line.costs.spent.cost_nanos, line.keys)
    )  # fmt: skip
    paid = set(map(pod_of, sums))
    strangers = tuple(sorted(set(counted.did) - paid)) if not question.filters else ()
    rests_on = Window(whole[0].start_ms, whole[-1].end_ms)
    agents = of_agents(counted.rounds or ())
    covered_ms = sum(one.length_ms for one in whole)
    return UnitReport(span, rests_on, tuple(lines), strangers, covered_ms, agents, tuple(whole))


def _fronts(reader: LedgerReader, counted: Counted, cluster: str) -> Mapping[PodName, Front]:
    """What AIWorkloads say of gateways, by pod; all pods of the cluster, whatever was asked for."""
    if not counted.fronts:
        return {}
    charged = [one for run in runs_of(counted.windows) for one in reader.sums(run, _POD, {}, cluster=cluster)]
    return fronts_of_pods(((one.keys[0], one.keys[1], one.keys[2]) for one in charged), counted.fronts)


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
    sums: Sequence[GroupSum], counted: Counted, question: UnitQuestion, priors: Priors, fronting: Fronting
) -> Iterable[UnitLine]:
    did, rounds = counted.did, counted.rounds
    groups: dict[tuple[tuple[str, ...], str], list[GroupSum]] = defaultdict(list)
    for one in _serving(sums, did):
        groups[one.keys[len(IDENTITY) :], one.currency].append(one)
    asked = asking(counted.asked, question.tenants) if question.tenants else None
    divide = share if counted.weights is None else partial(_weighed, counted.weights)
    for (keys, currency), mine in groups.items():
        pods = {pod_of(one) for one in mine}
        heard = pods & did.keys()
        if heard and currency:
            models = tuple(sorted({model for pod in heard for model in did[pod] if model}))
            costs, names = costs_of(mine, did, priors), fronting.names(heard)
            yield UnitLine(
                keys, models, len(pods), len(heard), costs,
                tenancy=None if asked is None else divide(costs, names, fronting.asked(asked, heard)),
                discovered=not any(_workload(one) for one in mine),
                members=frozenset((one.keys[0], one.keys[2], one.keys[3]) for one in mine),
                behind=None if rounds is None else amplify(costs, names, fronting.rounds(rounds, heard)),
                by_model=models_of(mine, did, priors),
                called=names if counted.fronts and set(names) != {model.lower() for model in models} else (),
                gateway=fronting.gateway(heard),
            )  # fmt: skip


def _weighed(weights: Weights, costs: UnitCosts, names: Sequence[str], _: Asking) -> Tenancy:
    return weigh(costs, names, weights)


def _serving(sums: Sequence[GroupSum], did: Did) -> Iterable[GroupSum]:
    """What serves models: all pods of an AIWorkload, else of a controller, of which an engine was heard."""
    heard = {_unit(one) for one in sums if pod_of(one) in did}
    return (one for one in sums if one.keys[1] and _unit(one) in heard)


def _workload(one: GroupSum) -> str:
    return one.keys[2]


def _unit(one: GroupSum) -> tuple[str, str, str]:
    """Whose pod it is: a pod without a controller is its own."""
    namespace, pod, workload, controller = one.keys[:4]
    return namespace, workload, "" if workload else controller or pod
