"""What was counted in a closed window, as rows that add up: over pods and over windows. Never a ratio.

Money is not in it: it comes from the ledger when the rows are read, at the prices that hold then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from operator import attrgetter

from aicost.domain.attribution.customers import CustomerIds
from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.outcomes.judged import FinishReason, JudgedBy, Verdict
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.domain.serving.outcomes.statuses import StatusCounts
from aicost.domain.serving.pipelines.fronts import NO_FRONT, Front, Fronts
from aicost.domain.serving.rounds.counting import ROUNDS, RoundCount, together
from aicost.domain.serving.tallies import Tally, add_up
from aicost.domain.serving.tenants import Asked, TenantCount

PodName = tuple[str, str]
"""Namespace and name."""
Rules = Mapping[WorkloadName, SuccessRule]
"""AIWorkload -> what counts as a success there."""
OTHER = "other"
"""Who and what is beyond the bounds of one window, summed."""
LARGEST = 2**62
"""A counter that grew by more is none: nothing counts so fast."""
MOST_MODELS = 32
"""Models of one pod in one window."""
MOST_TENANTS = 20_000
"""Tenants of one window, over all models and gateways; each has up to three rows."""
MOST_CALLED = 500
"""Models whose requests are looked behind in one window, over all gateways."""
_LONGEST = 253
_UNITS, _SUCCESSES = "units", "successes"
_ANSWERS, _JUDGED = "answers", "judged"
_FRONTED = "fronted"
_RULED = "success-by"
_ENDS, _STATUS = "end", "status"
_SUCCESS, _FAILURE = "success", "failure"
MOST_ANSWERS = 5_000
"""Statuses of models of gateways in one window."""
_ASKED = {Count.COMPUTED: "computed", Count.CACHED: "cached", Count.OUTPUT: "output"}
WHO = (Dimension.TEAM, Dimension.FEATURE, Dimension.CUSTOMER, Dimension.PROJECT, Dimension.PRODUCT)
"""What gateways say of who asks."""


class Kind(StrEnum):
    """Whose count it is."""

    ENGINE = "engine"
    GATEWAY = "gateway"
    WORKLOAD = "workload"


@dataclass(frozen=True, slots=True)
class CountRow:
    """One number of one window.

    Attributes:
        count: what was counted.
        part: which part of it, such as how requests ended, or of tokens at a gateway who sells the model; empty where
            it has none.
        value: how many; rows that are equal but for it add up.
        source: engines or the gateway that counted, by name; the gateway, or the judge of success, that a workload
            declares.
        namespace, pod: the engine's pod.
        workload: the AIWorkload whose own counter it is.
        model: as the engine or the gateway calls it.
        team, feature, customer, project, product: who asked; empty where nobody said.
        at_least: there may be more.
    """

    kind: Kind
    count: str
    value: int
    part: str = ""
    source: str = ""
    namespace: str = ""
    pod: str = ""
    workload: str = ""
    model: str = ""
    team: str = ""
    feature: str = ""
    customer: str = ""
    project: str = ""
    product: str = ""
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """What was counted in one window.

    Attributes:
        pods: pod -> model -> what its engine did.
        asked: tokens by gateway, model and who asked.
        units: AIWorkload -> what its own counters grew by.
        rounds: what is behind the requests, by gateway and model.
        answers: how gateways answered: requests by gateway, model and status.
        judged: AIWorkload -> what its own queries say of its requests.
        fronts: AIWorkload -> what it says of its gateway and of aliases.
        rules: AIWorkload -> who says what a success of it is.
    """

    window: Window
    pods: Mapping[PodName, Mapping[str, Tally]] = field(default_factory=dict)
    asked: tuple[TenantCount, ...] = ()
    units: Mapping[WorkloadName, UnitCount] = field(default_factory=dict)
    rounds: tuple[RoundCount, ...] = ()
    answers: StatusCounts = field(default_factory=dict)
    judged: Mapping[WorkloadName, Sequence[Verdict]] = field(default_factory=dict)
    fronts: Fronts = field(default_factory=dict)
    rules: Rules = field(default_factory=dict)


def rows_of(counts: WindowCounts, ids: CustomerIds | None = None) -> tuple[CountRow, ...]:
    """The counts of a window as rows, bounded, in one order.

    Args:
        counts: the counts.
        ids: ids that customers are kept under; None keeps their names.
    """
    engines = (row for pod, models in sorted(counts.pods.items()) for row in _of_pod(pod, models))
    tenants = (row for one in _bounded(counts.asked, ids) for row in _of_tenant(one))
    units = (row for name, count in sorted(counts.units.items()) for row in _of_workload(name, count))
    rounds = (row for one in _most_called(counts.rounds) for row in _of_rounds(one))
    judged = (*_of_answers(counts.answers), *_of_judged(counts.judged))
    rows = (*engines, *tenants, *units, *rounds, *judged)
    declared = (*_of_fronts(counts.fronts), *_of_rules(counts.rules)) if rows else ()
    return tuple(row for row in (*rows, *declared) if 0 <= row.value < LARGEST)


_NAMES = tuple(one.name for one in fields(CountRow) if one.name not in {"value", "at_least"})
_WHAT = attrgetter(*_NAMES)


class RowSums:
    """Rows of several windows as one: those that are equal but for their number add up."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, ...], int] = defaultdict(int)
        self._least: set[tuple[str, ...]] = set()

    def add(self, rows: Iterable[CountRow]) -> None:
        """Add the rows of one window."""
        for row in rows:
            what = _WHAT(row)
            self._values[what] += row.value
            if row.at_least:
                self._least.add(what)

    @property
    def rows(self) -> tuple[CountRow, ...]:
        """The sums."""
        return tuple(
            CountRow(**dict(zip(_NAMES, what, strict=True)), value=value, at_least=what in self._least)  # type: ignore[arg-type]  # as they were read
            for what, value in self._values.items()
        )


def tallies_of(rows: Iterable[CountRow]) -> Mapping[PodName, Mapping[str, Tally]]:
    """What the engine of each pod did, by model. What this version does not know is passed over."""
    found: dict[tuple[PodName, str], list[Tally]] = defaultdict(list)
    for row in rows:
        told = _told(row)
        if row.kind is Kind.ENGINE and told is not None:
            found[(row.namespace, row.pod), row.model].append(told)
    pods: dict[PodName, dict[str, Tally]] = defaultdict(dict)
    for (pod, model), mine in sorted(found.items()):
        pods[pod][model] = add_up(mine)
    return pods


def tenants_of(rows: Iterable[CountRow]) -> tuple[TenantCount, ...]:
    """Tokens by gateway, model and who asked."""
    found: dict[tuple[str, str, tuple[str, ...], str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        kind = next((name for count, name in _ASKED.items() if count == row.count), None)
        if row.kind is Kind.GATEWAY and kind is not None:
            names = tuple(str(getattr(row, who.value)) for who in WHO)
            found[row.source, row.model, names, row.part][kind] += row.value
    return tuple(
        TenantCount(
            gateway, model, {who: name for who, name in zip(WHO, names, strict=True) if name}, Asked(**kinds), provider
        )
        for (gateway, model, names, provider), kinds in sorted(found.items())
    )


def rounds_of(rows: Iterable[CountRow]) -> tuple[RoundCount, ...]:
    """What is behind the requests, by gateway and model."""
    return together(
        RoundCount(row.source, row.model, {Count(row.count): row.value})
        for row in rows
        if row.kind is Kind.GATEWAY and row.count in ROUNDS
    )


def answers_of(rows: Iterable[CountRow]) -> StatusCounts:
    """How gateways answered."""
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        if row.kind is Kind.GATEWAY and row.count == _ANSWERS:
            found[row.source, row.model, row.part] += row.value
    return found


def judged_of(rows: Iterable[CountRow]) -> Mapping[WorkloadName, Sequence[Verdict]]:
    """What queries of AIWorkloads say of their requests."""
    found: dict[WorkloadName, dict[tuple[bool, str], int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row.kind is Kind.WORKLOAD and row.count == _JUDGED:
            outcome, _, reason = row.part.partition(":")
            found[row.namespace, row.workload][outcome == _SUCCESS, reason] += row.value
    return {
        name: tuple(Verdict(reason, success, number) for (success, reason), number in sorted(mine.items()))
        for name, mine in found.items()
    }


def fronts_of(rows: Iterable[CountRow]) -> Fronts:
    """What AIWorkloads said of gateways and aliases."""
    found: dict[WorkloadName, Front] = {}
    for row in rows:
        if row.kind is Kind.WORKLOAD and row.count == _FRONTED:
            before = found.get((row.namespace, row.workload), NO_FRONT)
            found[row.namespace, row.workload] = Front(row.source, before.aliases | ({row.model} - {""}))
    return found


def rules_of(rows: Iterable[CountRow]) -> Rules:
    """What AIWorkloads said of success. A source, or a word of it, that this version does not know is passed over."""
    words: dict[tuple[WorkloadName, JudgedBy], set[str]] = defaultdict(set)
    for row in rows:
        if row.kind is Kind.WORKLOAD and row.count == _RULED and row.source in set(JudgedBy):
            words[(row.namespace, row.workload), JudgedBy(row.source)].add(row.part)
    return {
        name: SuccessRule(
            source,
            frozenset(one for one in FinishReason if f"{_ENDS}:{one}" in said),
            tuple(sorted(word.removeprefix(f"{_STATUS}:") for word in said if word.startswith(f"{_STATUS}:"))),
        )
        for (name, source), said in words.items()
    }


def units_of(rows: Iterable[CountRow]) -> Mapping[WorkloadName, UnitCount]:
    """What the own counters of AIWorkloads grew by."""
    found: dict[WorkloadName, dict[str, int]] = defaultdict(dict)
    at_least: dict[WorkloadName, bool] = defaultdict(bool)
    for row in rows:
        if row.kind is Kind.WORKLOAD and row.count in {_UNITS, _SUCCESSES}:
            mine = found[row.namespace, row.workload]
            mine[row.count] = mine.get(row.count, 0) + row.value
            at_least[row.namespace, row.workload] |= row.at_least
    return {
        name: UnitCount(
            mine.get(_UNITS),
            mine.get(_SUCCESSES),
            0,
            CountMethod.AT_LEAST if at_least[name] else CountMethod.INCREASE,
        )
        for name, mine in found.items()
    }


def _of_pod(pod: PodName, models: Mapping[str, Tally]) -> Iterator[CountRow]:
    """What one engine did: the models that did most by name, the others together."""
    ordered = sorted(models.items(), key=lambda one: (-sum(one[1].counts.values()), one[0]))
    kept = dict(ordered[:MOST_MODELS])
    if len(ordered) > MOST_MODELS:
        rest = [did for _, did in ordered[MOST_MODELS:]]
        kept[OTHER] = add_up([*([kept[OTHER]] if OTHER in kept else []), *rest])
    for model, did in sorted(kept.items()):
        base = CountRow(
            Kind.ENGINE, "", 0, source=",".join(sorted(did.engines)), namespace=pod[0], pod=pod[1],
            model=model[:_LONGEST], at_least=did.at_least,
        )  # fmt: skip
        yield from (replace(base, count=count.value, value=number) for count, number in sorted(did.counts.items()))
        for outcome, number in sorted(did.outcomes.items()):
            yield replace(base, count=Count.REQUESTS.value, part=outcome.value, value=number)


def _told(row: CountRow) -> Tally | None:
    """One row as a tally of its own."""
    engines = frozenset(name for name in row.source.split(",") if name)
    if row.count == Count.REQUESTS and row.part in set(Outcome):
        return Tally(engines, {}, {Outcome(row.part): row.value}, row.at_least)
    if row.count in set(Count) and not row.part:
        return Tally(engines, {Count(row.count): row.value}, {}, row.at_least)
    return None


def _of_tenant(one: TenantCount) -> Iterator[CountRow]:
    team, feature, customer, project, product = (one.tenants.get(who, "") for who in WHO)
    base = CountRow(
        Kind.GATEWAY, "", 0, part=one.provider, source=one.gateway, model=one.model[:_LONGEST],
        team=team, feature=feature, customer=customer, project=project, product=product,
    )  # fmt: skip
    for count, kind in _ASKED.items():
        if number := int(getattr(one.asked, kind)):
            yield replace(base, count=count.value, value=number)


def _of_rounds(one: RoundCount) -> Iterator[CountRow]:
    for count, number in sorted(one.counts.items()):
        yield CountRow(Kind.GATEWAY, count.value, number, source=one.gateway, model=one.model[:_LONGEST])


def _most_called(rounds: Sequence[RoundCount]) -> Sequence[RoundCount]:
    """The models that were called most by name, the others of each gateway as `OTHER`; what names none stays so."""
    ordered = sorted(rounds, key=lambda one: (bool(one.model), -sum(one.counts.values()), one.gateway, one.model))
    rest = (replace(one, model=OTHER) for one in ordered[MOST_CALLED:])
    return [*ordered[:MOST_CALLED], *together(rest)]


def _of_answers(answers: StatusCounts) -> Iterator[CountRow]:
    """Statuses that were answered most by name; the others are not kept, which the coverage then says."""
    ordered = sorted(answers.items(), key=lambda one: (-one[1], one[0]))
    for (gateway, model, status), number in ordered[:MOST_ANSWERS]:
        yield CountRow(Kind.GATEWAY, _ANSWERS, number, part=status, source=gateway, model=model[:_LONGEST])


def _of_judged(judged: Mapping[WorkloadName, Sequence[Verdict]]) -> Iterator[CountRow]:
    for (namespace, workload), verdicts in sorted(judged.items()):
        for one in verdicts:
            part = f"{_SUCCESS if one.success else _FAILURE}:{one.reason}"
            yield CountRow(Kind.WORKLOAD, _JUDGED, one.requests, part=part, namespace=namespace, workload=workload)


def _of_fronts(fronts: Fronts) -> Iterator[CountRow]:
    """One row for each alias, or one without: what was declared counts in each window that has it."""
    for (namespace, workload), front in sorted(fronts.items(), key=lambda one: one[0]):
        for alias in sorted(front.aliases) or [""]:
            yield CountRow(
                Kind.WORKLOAD, _FRONTED, 1, source=front.gateway, namespace=namespace, workload=workload, model=alias
            )


def _of_rules(rules: Rules) -> Iterator[CountRow]:
    """One row for each word that means a success."""
    for (namespace, workload), rule in sorted(rules.items(), key=lambda one: one[0]):
        ends = (f"{_ENDS}:{one}" for one in sorted(rule.finish_reasons))
        for word in (*ends, *(f"{_STATUS}:{one}" for one in sorted(set(rule.statuses)))):
            yield CountRow(
                Kind.WORKLOAD, _RULED, 1, part=word, source=rule.source.value, namespace=namespace, workload=workload
            )


def _of_workload(name: WorkloadName, count: UnitCount) -> Iterator[CountRow]:
    at_least = count.method is not CountMethod.INCREASE
    for what, number in ((_UNITS, count.units), (_SUCCESSES, count.successes)):
        if number is not None:
            yield CountRow(Kind.WORKLOAD, what, number, namespace=name[0], workload=name[1], at_least=at_least)


def _bounded(asked: Sequence[TenantCount], ids: CustomerIds | None) -> Sequence[TenantCount]:
    """Those who asked for most by name; the others of each gateway, model and provider together, as `OTHER`."""
    ordered = sorted((_concealed(one, ids) for one in asked), key=_most_first)
    rest: dict[tuple[str, str, str], TenantCount] = {}
    for one in ordered[MOST_TENANTS:]:
        names = dict.fromkeys(one.tenants, OTHER)
        key = one.gateway, one.model, one.provider
        before = rest.get(key, replace(one, tenants=names, asked=Asked()))
        names = {**before.tenants, **names}
        rest[key] = replace(before, tenants=names, asked=before.asked + one.asked)
    return [*ordered[:MOST_TENANTS], *rest.values()]


def _concealed(one: TenantCount, ids: CustomerIds | None) -> TenantCount:
    name = one.tenants.get(Dimension.CUSTOMER)
    if ids is None or not name:
        return one
    return replace(one, tenants={**one.tenants, Dimension.CUSTOMER: ids.id_of(name)})


def _most_first(one: TenantCount) -> tuple[int, str, str, tuple[tuple[str, str], ...], str]:
    return -one.asked.total, one.gateway, one.model, tuple(sorted(one.tenants.items())), one.provider
