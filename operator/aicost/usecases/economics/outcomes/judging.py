"""Judge unit costs: by whom their AIWorkloads name, or by whoever was asked for.

What is said of a model or a name is divided among all workloads that it may mean, whichever the report is about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aicost.domain.exact.windows import Window
from aicost.domain.serving.outcomes.assigning import Subject
from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.domain.serving.outcomes.rules import ENGINE_RULE, SuccessRule
from aicost.domain.serving.outcomes.statuses import by_gateway
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.cost_units import Counted, UnitLine, UnitQuestion, UnitReport, cost_of, runs_of
from aicost.usecases.economics.outcomes.judge_lines import (
    Heard,
    OutcomeReport,
    RuleOf,
    Verdicts,
    judge_lines,
    with_successes,
)

_EVERYBODY = UnitQuestion(("namespace", "workload", "controller"))
Posted = Callable[[Sequence[Window]], Verdicts]
"""Spans -> what statements say of the requests in them."""


@dataclass(frozen=True, slots=True)
class Judging:
    """Unit costs, and all that they rest on.

    Attributes:
        reader: the money.
        counted: what was counted.
        report: what it cost.
        question: what was asked.
        posted: reads statements, where their word is taken.
    """

    reader: LedgerReader
    cluster: str
    counted: Counted
    report: UnitReport
    question: UnitQuestion
    posted: Posted

    def declared(self) -> UnitReport:
        """The report by the word that AIWorkloads declare; lines of which none speaks stay the engine's.

        Raises:
            LedgerUnavailable: statements, or the money of others, cannot be read.
        """
        rules = [rule for line in self.report.lines for rule in self._rules_of(line)]
        if not rules:
            return self.report
        judged = self._judged({rule.source for rule in rules}, self._rule, ENGINE_RULE)
        return with_successes(self.report, judged, lambda line: bool(self._rules_of(line)))

    def by(self, source: JudgedBy | None) -> OutcomeReport:
        """The outcomes of all lines; errors as of `declared`.

        Args:
            source: who says what was a success, of all; None for whom AIWorkloads name, and of the others for
                statements where any were posted, else queries, else the engine.
        """
        if source is None:
            return self._judged(set(JudgedBy), self._rule, None)

        def rule_of(namespace: str, workload: str) -> SuccessRule | None:
            """The words that it declares for this source; not another source."""
            rule = self._rule(namespace, workload)
            return rule if rule is not None and rule.source is source else None

        return self._judged({source}, rule_of, SuccessRule(source))

    def _rule(self, namespace: str, workload: str) -> SuccessRule | None:
        return self.counted.rules.get((namespace, workload))

    def _rules_of(self, line: UnitLine) -> Sequence[SuccessRule]:
        named = (self._rule(namespace, workload) for namespace, workload, _ in line.members if workload)
        return [rule for rule in named if rule is not None]

    def _judged(self, sources: set[JudgedBy], rule_of: RuleOf, default: SuccessRule | None) -> OutcomeReport:
        lines = self.report.lines
        own = {Subject(*name): verdicts for name, verdicts in self.counted.judged.items()}
        heard = Heard(
            self.posted(runs_of(self.report.windows)) if JudgedBy.OUTCOMES in sources else {},
            by_gateway(self.counted.answers) if JudgedBy.GATEWAY in sources else {},
            own if JudgedBy.QUERY in sources else {},
        )
        everybody = replace(self.report, lines=(*lines, *self._others()))
        found = judge_lines(everybody, heard, rule_of, default)
        undivided = (one for one in found.undivided if any(one.means(line.members, line.models) for line in lines))
        return replace(found, lines=found.lines[: len(lines)], undivided=tuple(undivided))

    def _others(self) -> Sequence[UnitLine]:
        """Workloads that the question leaves out: what is said of a model may be theirs."""
        if not self.question.filters:
            return ()
        known = {member for line in self.report.lines for member in line.members}
        whole = cost_of(self.reader, self.counted, self.report.span, _EVERYBODY, cluster=self.cluster)
        return [line for line in whole.lines if not line.members & known]
