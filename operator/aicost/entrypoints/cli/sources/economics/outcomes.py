"""What was said of the requests behind unit costs: statements and counts beside a ledger, or counters that are read."""

from dataclasses import replace

from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.entrypoints.cli.sources.economics.units import Places, Read
from aicost.entrypoints.cli.sources.query.outcomes import ask_outcomes
from aicost.entrypoints.cli.sources.query.units import Remote
from aicost.ports.errors import InvalidRequest
from aicost.usecases.economics.cost_units import UnitLine, UnitReport, runs_of
from aicost.usecases.economics.outcomes.judge_lines import Heard, JudgedLine, OutcomeReport, judge_lines, verdicts_of


def judged(places: Places, read: Read, source: JudgedBy | None) -> OutcomeReport:
    """Judge the lines of a report.

    Args:
        places: where its money and counters were read.
        read: the unit costs.
        source: who says what was a success, of all; None for whom AIWorkloads name, and of the others for whoever does.

    Raises:
        InvalidRequest: a cluster is asked for a source that it does not tell.
        LedgerUnavailable, ClusterUnavailable, InvalidAnswer, NotPermitted: what was said cannot be read.
    """
    if read.judging is not None:
        return read.judging.by(source)
    assert places.remote is not None
    return _of_cluster(places.remote, read.report, source)


def _of_cluster(remote: Remote, report: UnitReport, source: JudgedBy | None) -> OutcomeReport:
    """By what AIWorkloads declare, as the cluster judged it; of the others by what was posted and by the engines."""
    if source in {JudgedBy.GATEWAY, JudgedBy.QUERY}:
        raise InvalidRequest(f"--success {source}: give --ledger too; the status of an AIWorkload shows it as well")
    posted = verdicts_of(ask_outcomes(remote, runs_of(report.windows))) if source is not JudgedBy.ENGINE else {}
    found = judge_lines(report, Heard(posted), default=None if source is None else SuccessRule(source))
    if source is not None:
        return found
    lines = (_as_declared(line, one) for line, one in zip(report.lines, found.lines, strict=True))
    return replace(found, lines=tuple(lines))


def _as_declared(line: UnitLine, judged: JudgedLine) -> JudgedLine:
    """The line as the cluster judged it, where an AIWorkload says by whom."""
    word = line.word
    return judged if word is None else JudgedLine(line, word.outcomes, word.rule, word.mixed)
