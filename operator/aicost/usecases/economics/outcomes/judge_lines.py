"""Say of each line of unit costs what its successes and failures cost, by the source that was chosen for it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aicost.domain.serving.outcomes.assigning import Subject, spread, together
from aicost.domain.serving.outcomes.costs import OutcomeCosts, outcome_costs
from aicost.domain.serving.outcomes.judged import Judged, JudgedBy, Verdict, judged_by_engine, requests_of
from aicost.domain.serving.outcomes.rules import ENGINE_RULE, SuccessRule
from aicost.domain.serving.outcomes.statuses import ByModel
from aicost.domain.serving.outcomes.words import Word
from aicost.domain.serving.unit_costs import UnitCosts, unit_costs
from aicost.ports.measured.outcomes import OutcomeSum
from aicost.usecases.economics.cost_units import UnitLine, UnitReport

Verdicts = Mapping[Subject, Sequence[Verdict]]
RuleOf = Callable[[str, str], SuccessRule | None]
"""Namespace and AIWorkload -> what counts as a success there; None where nobody says."""


def _nobody(_namespace: str, _workload: str) -> SuccessRule | None:
    """No AIWorkload says anything of success."""
    return None


@dataclass(frozen=True, slots=True)
class Heard:
    """What sources said of the requests of the windows that count.

    Attributes:
        posted: by statements.
        gateway: by gateways, the best first: statuses as they say them.
        query: by queries of AIWorkloads.
    """

    posted: Verdicts = field(default_factory=dict)
    gateway: Mapping[str, ByModel] = field(default_factory=dict)
    query: Verdicts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A line and its outcomes.

    Attributes:
        outcomes: None where the chosen source says nothing of it.
        rule: which source was chosen, and what it calls a success.
        mixed: its workloads name different sources, so that the engine judges all of them.
    """

    line: UnitLine
    outcomes: OutcomeCosts | None
    rule: SuccessRule
    mixed: bool = False

    @property
    def source(self) -> JudgedBy:
        """Who says what a success is."""
        return self.rule.source

    @property
    def costs(self) -> UnitCosts:
        """The unit costs with what depends on successes taken from the chosen source."""
        if self.rule == ENGINE_RULE:  # whosever word the line has taken before
            return unit_costs(self.line.costs.spent, self.line.costs.did, self.line.costs.phases)
        if self.outcomes is None:
            return replace(self.line.costs, per_success=None, useful=None, waste=None)
        found = self.outcomes
        return replace(self.line.costs, per_success=found.per_success, useful=found.useful, waste=found.waste)


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """All lines, and what was said of nothing that cost anything.

    Attributes:
        strays: subject -> requests that were stated of it.
        undivided: subjects that mean several lines whose requests are not counted.
    """

    lines: tuple[JudgedLine, ...]
    strays: Mapping[Subject, int] = field(default_factory=dict)
    undivided: tuple[Subject, ...] = ()


def judge_lines(
    report: UnitReport, heard: Heard, rule_of: RuleOf = _nobody, default: SuccessRule | None = None
) -> OutcomeReport:
    """Judge each line by its rule.

    Args:
        report: the unit costs.
        heard: what sources said.
        rule_of: what AIWorkloads say of success.
        default: the rule of all others; None for statements where any were posted, else queries, else the engine.
    """
    strays: dict[Subject, int] = {}
    undivided: list[Subject] = []
    said: dict[tuple[JudgedBy, int], list[Verdict]] = defaultdict(list)
    for source, verdicts in ((JudgedBy.OUTCOMES, heard.posted), (JudgedBy.QUERY, heard.query)):
        for subject, mine in verdicts.items():
            meant = [n for n, line in enumerate(report.lines) if subject.means(line.members, line.models)]
            if not meant:
                strays[subject] = sum(one.requests for one in mine)
                continue
            parts = spread(mine, [requests_of(report.lines[n].costs.did) for n in meant])
            if parts is None:
                undivided.append(subject)
            for n, part in zip(meant, parts or (), strict=False):
                said[source, n].extend(part)
    lines = []
    for n, line in enumerate(report.lines):
        heard_of = next((one for one in (JudgedBy.OUTCOMES, JudgedBy.QUERY) if said[one, n]), JudgedBy.ENGINE)
        rule, mixed = _rule(line, rule_of, default or SuccessRule(heard_of))
        judged = _judged(line, rule, said[rule.source, n])
        if rule.source is JudgedBy.GATEWAY:
            judged = _by_gateway(n, rule, report.lines, heard.gateway)
        lines.append(JudgedLine(line, outcome_costs(line.costs, judged) if judged else None, rule, mixed))
    return OutcomeReport(tuple(lines), strays, tuple(undivided))


def with_successes(
    report: UnitReport, judged: OutcomeReport, follows: Callable[[UnitLine], bool] = lambda _: True
) -> UnitReport:
    """Unit costs in which the chosen sources say what a success is.

    Args:
        report: the unit costs.
        judged: the same lines, judged.
        follows: which of them take the word of their source; all others stay as they are.
    """
    lines = (
        replace(one.line, costs=one.costs, word=Word(one.rule, one.outcomes, one.mixed))
        if follows(one.line)
        else one.line
        for one in judged.lines
    )
    return replace(report, lines=tuple(lines))


def verdicts_of(sums: Iterable[OutcomeSum]) -> Verdicts:
    """What was posted, by what it speaks of."""
    found: dict[Subject, list[Verdict]] = defaultdict(list)
    for one in sums:
        tokens = one.tokens if one.counted == one.requests else None
        verdict = Verdict(one.reason, one.success, one.requests, tokens)
        found[Subject(one.namespace, one.workload, one.model)].append(verdict)
    return found


def _rule(line: UnitLine, rule_of: RuleOf, default: SuccessRule) -> tuple[SuccessRule, bool]:
    named = (rule_of(namespace, workload) if workload else None for namespace, workload, _ in line.members)
    rules = {rule or default for rule in named}
    if len(rules) > 1:
        return ENGINE_RULE, True
    return next(iter(rules), default), False


def _judged(line: UnitLine, rule: SuccessRule, said: Sequence[Verdict]) -> Judged | None:
    did = line.costs.did
    if rule.source is JudgedBy.ENGINE:
        return judged_by_engine(did, rule.finish_reasons)
    if not said:
        return None
    return Judged(rule.source, together(said), requests_of(did), did.output, exact=rule.source is JudgedBy.OUTCOMES)


def _by_gateway(n: int, rule: SuccessRule, lines: Sequence[UnitLine], gateways: Mapping[str, ByModel]) -> Judged | None:
    """What gateways answered for the models of a line, and its part where other lines serve them too.

    Of several gateways that count a model the first is read, or the one that fronts the line.
    """
    verdicts: list[Verdict] = []
    read = {name: models for name, models in gateways.items() if lines[n].gateway in {"", name}}
    for model in lines[n].names:
        gateway = next((name for name, models in read.items() if model in models), None)
        if gateway is None:
            continue
        sharing = [p for p, one in enumerate(lines) if model in one.names and one.gateway in {"", gateway}]
        sizes = [requests_of(lines[place].costs.did) for place in sharing]
        parts = spread(rule.verdicts(read[gateway][model]), sizes)
        if parts is not None:
            verdicts += parts[sharing.index(n)]
    if not verdicts:
        return None
    return Judged(JudgedBy.GATEWAY, together(verdicts), requests_of(lines[n].costs.did), None)
