"""How much of a report was posted as corrections of windows that were closed before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from aicost.domain.reporting.idle import is_held, stays_in_line
from aicost.domain.reporting.keys import shown
from aicost.domain.reporting.query import Report, ReportQuery
from aicost.domain.reporting.rollup import Gathered, contributions

REASON_KEY = "reason"
"""Key of a row that says why it was posted; empty for the first posting of a window. People do not group by it."""


def reasons_query(query: ReportQuery) -> ReportQuery:
    """The query whose sums say what was corrected."""
    return replace(query, group_by=(*query.group_by, REASON_KEY))


def with_corrections(reports: Sequence[Report], gathered: Gathered) -> tuple[Report, ...]:
    """The reports with the part of each cost that difference rows make.

    Args:
        reports: reports of one query.
        gathered: what the ledger holds for its `reasons_query`.
    """
    query = reports[0].query
    lines: Counter[tuple[str, tuple[str, ...]]] = Counter()
    totals: Counter[str] = Counter()
    for item in contributions(reasons_query(query), gathered):
        *keys, reason = item.group.keys
        if not reason:
            continue
        totals[item.group.currency] += item.group.cost_nanos
        if is_held(item) and stays_in_line(item, query.idle):
            lines[item.group.currency, tuple(map(shown, query.group_by, keys))] += item.group.cost_nanos
    return tuple(
        replace(
            report,
            adjusted_nanos=totals[report.currency],
            lines=tuple(replace(line, adjusted_nanos=lines[report.currency, line.keys]) for line in report.lines),
        )
        for report in reports
    )
