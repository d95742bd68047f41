"""What was said of the requests behind unit costs: statements and counts beside a ledger, or counters that are read."""

from aicost.bootstrap import open_counts, open_outcomes
from aicost.domain.serving.counted import Kind, answers_of, judged_of
from aicost.domain.serving.outcomes.assigning import Subject
from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.domain.serving.outcomes.statuses import StatusCounts, by_gateway, status_counts
from aicost.entrypoints.cli.sources.economics.units import Places, cluster_of, counters_of
from aicost.entrypoints.cli.sources.ledger import open_place
from aicost.entrypoints.cli.sources.query.outcomes import ask_outcomes
from aicost.entrypoints.cli.sources.query.units import Remote
from aicost.ports.errors import InvalidRequest
from aicost.usecases.economics.cost_units import UnitReport, runs_of
from aicost.usecases.economics.counting import grown_in
from aicost.usecases.economics.outcomes.judge_lines import Heard, OutcomeReport, Verdicts, judge_lines, verdicts_of


def judged(places: Places, report: UnitReport, source: JudgedBy | None) -> OutcomeReport:
    """Judge the lines of a report.

    Args:
        places: where its money and counters were read.
        report: the unit costs.
        source: who says what was a success; None for whoever does.

    Raises:
        InvalidRequest: a cluster is asked for a source that it does not tell.
        LedgerUnavailable, SourceUnavailable, ClusterUnavailable, InvalidAnswer, NotPermitted: what was said cannot be
            read.
    """
    if places.remote is not None:
        return _of_cluster(places.remote, report, source)
    ledger, runs = open_place(places.ledger), runs_of(report.windows)
    cluster = cluster_of(places)
    posted = verdicts_of(open_outcomes(ledger).sums(cluster, runs)) if source in {None, JudgedBy.OUTCOMES} else {}
    answers: StatusCounts = {}
    query: Verdicts = {}
    if source is JudgedBy.GATEWAY:
        answers = _answers(places, report, cluster)
    if source in {None, JudgedBy.QUERY}:
        rows = open_counts(ledger).summed(runs, Kind.WORKLOAD, ("namespace", "workload"), cluster=cluster)
        query = {Subject(*name): verdicts for name, verdicts in judged_of(rows).items()}
    heard = Heard(posted, by_gateway(answers), query)
    return judge_lines(report, heard, default=None if source is None else SuccessRule(source))


def _of_cluster(remote: Remote, report: UnitReport, source: JudgedBy | None) -> OutcomeReport:
    """By what was posted and by the engines: a cluster tells no more to who asks from outside."""
    if source in {JudgedBy.GATEWAY, JudgedBy.QUERY}:
        raise InvalidRequest(f"--success {source}: give --ledger too; the status of an AIWorkload shows it as well")
    posted = verdicts_of(ask_outcomes(remote, runs_of(report.windows))) if source is not JudgedBy.ENGINE else {}
    return judge_lines(report, Heard(posted), default=None if source is None else SuccessRule(source))


def _answers(places: Places, report: UnitReport, cluster: str) -> StatusCounts:
    """How gateways answered: as it was kept, or by the counters that the report rests on."""
    runs = runs_of(report.windows)
    if places.url is None and places.bundle is None:
        counts = open_counts(open_place(places.ledger))
        return answers_of(counts.summed(runs, Kind.GATEWAY, ("source", "model"), cluster=cluster))
    with counters_of(places) as engines:
        return status_counts(one.grown for run in runs for one in grown_in(engines, run))
