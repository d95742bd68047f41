"""Answer a question to the ledger: gather sums and rows, hand them to the domain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.keys import check_keys
from aicost.domain.reporting.query import IdlePolicy, Report, ReportQuery
from aicost.domain.reporting.rollup import Gathered, roll_up
from aicost.domain.reporting.spans import parse_span, span_before
from aicost.domain.reporting.sums import GroupSum, sum_rows
from aicost.domain.statements.corrections import reasons_query, with_corrections
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A question as a person writes it.

    Attributes:
        window: a window expression, see `parse_span`.
        group_by: group keys.
        filters: key -> accepted values.
        idle: name of an `IdlePolicy`.
        compare: whether to report the span before as well.
        time_zone: zone in which days and months begin.
        adjusted: whether to report what was posted as corrections as well.
    """

    window: str
    group_by: tuple[str, ...] = ("namespace",)
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idle: str = IdlePolicy.TO_HOLDER.value
    compare: bool = False
    time_zone: str = "UTC"
    adjusted: bool = False


def read_request(request: ReportRequest, now_ms: int) -> ReportQuery:
    """Make a query of a request.

    Raises:
        InvalidRequest: naming the field, the value and the fix.
    """
    try:
        span = parse_span(request.window, now_ms, request.time_zone)
        check_keys(request.group_by, "groupBy")
        check_keys(request.filters, "filter")
        idle = _idle_policy(request.idle)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    if not request.group_by:
        raise InvalidRequest("groupBy: name at least one key, such as namespace or team")
    return ReportQuery(
        span, request.group_by, request.filters, idle, request.compare, request.time_zone, request.adjusted
    )


def _idle_policy(name: str) -> IdlePolicy:
    if name not in set(IdlePolicy):
        raise ValueError(f"idle: {name[:40]!r} is no idle policy: use {', '.join(IdlePolicy)}")
    return IdlePolicy(name)


def build_reports(reader: LedgerReader, query: ReportQuery, *, cluster: str | None = None) -> tuple[Report, ...]:
    """Answer a query: one report per currency, the largest first, at least one.

    Args:
        reader: a snapshot of the ledger (`LedgerSource.snapshot`), so that a window which closes meanwhile is
            counted once. One snapshot serves many reports.
        query: what to report.
        cluster: the cluster to report on, None for all that the ledger knows.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    # 1. What the ledger holds for the span.
    now = gather(reader, query, query.span, cluster)
    # 2. The same for the span to compare with, if that is asked.
    before = gather(reader, query, span_before(query.span, query.time_zone), cluster) if query.compare else None
    # 3. Lines, idle and total, by the rules of the domain.
    reports = roll_up(query, now, before)
    # 4. The part that corrections make, if that is asked.
    if not query.adjusted:
        return reports
    return with_corrections(reports, gather(reader, reasons_query(query), query.span, cluster))


def gather(reader: LedgerReader, query: ReportQuery, span: Window, cluster: str | None) -> Gathered:
    """Whole windows as sums; windows that a bound of the span cuts, and the open window, as rows."""
    provisional = reader.rows(span, cluster=cluster, provisional=True)
    sums = reader.sums(span, query.group_by, query.filters, cluster=cluster)
    edges = reader.edges(span, query.filters, cluster=cluster)
    return Gathered(
        span=span,
        sums=sums,
        edges=edges,
        provisional=provisional,
        covered=_covered(reader, span, cluster, provisional),
        everything=_everything(reader, span, cluster, (*edges, *provisional)) if query.filters else None,
    )


def _everything(reader: LedgerReader, span: Window, cluster: str | None, rows: Sequence[Row]) -> Sequence[GroupSum]:
    """What there is whatever is asked: a report by one team's name must not say that nobody counts storage."""
    return (*reader.sums(span, (), {}, cluster=cluster), *sum_rows(rows, ()))


def _covered(reader: LedgerReader, span: Window, cluster: str | None, provisional: Sequence[Row]) -> Window | None:
    """The part of the span between the first window of any cluster and the end of the last, the open one included."""
    clusters = reader.clusters() if cluster is None else [cluster]
    bounds = [reader.first_window(name) for name in clusters] + [reader.last_window(name) for name in clusters]
    known = [window for window in bounds if window is not None] + [row.window for row in provisional]
    if not known:
        return None
    return Window(min(w.start_ms for w in known), max(w.end_ms for w in known)).overlap(span)
