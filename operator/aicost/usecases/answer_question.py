"""Answer a question that a person asks: check it, report, order the lines, cut them. The CLI and the query API do."""

from aicost.domain.reporting.keys import check_keys
from aicost.domain.reporting.ordering import SortKey, sort_lines, top
from aicost.domain.reporting.query import Report, ReportQuery
from aicost.domain.reporting.question import Question, read_sort
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.build_report import ReportRequest, build_reports, read_request


def check_question(question: Question, now_ms: int) -> tuple[ReportQuery, SortKey]:
    """What the question means.

    Raises:
        InvalidRequest: it makes no sense; the message names the field, the value and the fix.
    """
    try:
        check_keys(question.group_by, "by")
        order = read_sort(question.sort)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    if question.limit is not None and question.limit < 1:
        raise InvalidRequest(f"limit: {question.limit} lines are none: ask for at least 1")
    request = ReportRequest(
        window=question.window,
        group_by=question.group_by,
        filters=question.scoped_filters,
        idle=question.idle,
        compare=question.compare,
        time_zone=question.time_zone,
        adjusted=question.adjusted,
    )
    return read_request(request, now_ms), order


def answer(reader: LedgerReader, question: Question, now_ms: int, *, cluster: str | None = None) -> tuple[Report, ...]:
    """One report per currency, the largest first; the lines in the order that was asked for, cut where that was asked.

    Args:
        reader: a snapshot of the ledger.
        question: what is asked.
        now_ms: the present moment.
        cluster: the cluster to report on, None for all that the ledger knows.

    Raises:
        InvalidRequest: the question makes no sense.
        LedgerUnavailable: the ledger cannot be read.
    """
    # 1. Check the question before anything is read.
    query, order = check_question(question, now_ms)
    # 2. Sum up what the ledger holds.
    reports = build_reports(reader, query, cluster=cluster)
    # 3. Order the lines; the first ones stay, the rest is one line.
    ordered = (sort_lines(report, order, reverse=question.reverse) for report in reports)
    return tuple(report if question.limit is None else top(report, question.limit) for report in ordered)
