"""From sums and rows of the ledger to reports: lines, idle and total, one report per currency.

What idle belongs to a filtered report: keys of a device (`cluster`, `node`, `region`, `provider`, `gpu-model`) filter
what nobody held as they filter the rest. Keys of a holder (`namespace`, `team`, `label:...` and the like) say who held
a device, so a report filtered by one shows no idle of the cluster: there is none that belongs to that holder.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.covering import Covering, covering
from aicost.domain.reporting.idle import Keys, is_held, shares, stays_in_line
from aicost.domain.reporting.keys import is_holder_key, shown
from aicost.domain.reporting.prorating import clip
from aicost.domain.reporting.query import Report, ReportLine, ReportQuery
from aicost.domain.reporting.sums import GroupSum, sum_rows
from aicost.domain.reporting.tally import Contribution, tally


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the ledger holds for one span.

    Attributes:
        span: the time asked for.
        sums: sums by the query's keys and filters over the windows that lie wholly inside the span.
        edges: rows of the windows that a bound of the span cuts, whole.
        provisional: rows of the open window that share time with the span, whole; the filters are applied here.
        covered: the part of the span that these answer for.
        everything: sums over whatever there is, where the filters leave out some of it: what is covered does not hang
            on what was asked. None for the same as `sums` and what stands beside them.
    """

    span: Window
    sums: Sequence[GroupSum] = ()
    edges: Sequence[Row] = ()
    provisional: Sequence[Row] = ()
    covered: Window | None = None
    everything: Sequence[GroupSum] | None = None

    @property
    def cut(self) -> bool:
        """Whether a row is pro-rated."""
        return any(row.window.overlap(self.span) != row.window for row in (*self.edges, *self.provisional))


def roll_up(query: ReportQuery, now: Gathered, before: Gathered | None = None) -> tuple[Report, ...]:
    """Build the reports, the largest currency first; at least one, which is empty where nothing is known.

    Args:
        query: what was asked.
        now: what the ledger holds for the query's span.
        before: the same for the span to compare with, None where that was not asked.
    """
    reports = _reports(query, now)
    if before is not None:
        reports = _compared(query, reports, before)
    return tuple(sorted(reports.values(), key=lambda report: (-report.total.cost_nanos, report.currency)))


def contributions(query: ReportQuery, gathered: Gathered) -> list[Contribution]:
    """All sums that a report is made of: whole windows, cut windows, the open window."""
    edges, still_open = (
        sum_rows(_clipped(rows, gathered.span), query.group_by, query.filters)
        for rows in (gathered.edges, gathered.provisional)
    )
    items = [Contribution(group) for group in (*gathered.sums, *edges)]
    items += [Contribution(group, provisional=True) for group in still_open]
    by_holder = any(map(is_holder_key, query.filters))
    return [item for item in items if is_held(item) or not by_holder]


def _clipped(rows: Iterable[Row], span: Window) -> list[Row]:
    return [part for row in rows if (part := clip(row, span)) is not None]


def _by_currency(items: Iterable[Contribution]) -> dict[str, list[Contribution]]:
    """Sums never mix currencies. Unpriced time that names none joins the only one there is."""
    found: defaultdict[str, list[Contribution]] = defaultdict(list)
    for item in items:
        found[item.group.currency].append(item)
    if "" in found and len(found) == 2:  # the nameless one and one more
        nameless = found.pop("")
        next(iter(found.values())).extend(nameless)
    return dict(found) or {"": []}


def _reports(query: ReportQuery, gathered: Gathered) -> dict[str, Report]:
    every = contributions(query, gathered)
    known = covering([item.group for item in every] if gathered.everything is None else gathered.everything)
    return {currency: _report(query, gathered, currency, own, known) for currency, own in _by_currency(every).items()}


def _report(
    query: ReportQuery, gathered: Gathered, currency: str, items: Sequence[Contribution], known: Covering
) -> Report:
    """Lines, idle and total of one currency."""
    pool = [item for item in items if not is_held(item)]
    lines = _lines(query, currency, items)
    carried = shares(query.idle, {line.keys: line.cost_nanos for line in lines}, pool)
    if carried is not None:
        lines = [replace(line, shared_nanos=carried[line.keys]) for line in lines]
    apart = [item for item in items if is_held(item) and not stays_in_line(item, query.idle)]
    return Report(
        query=query,
        currency=currency,
        lines=_largest_first(lines),
        idle=tally(currency, apart if carried is not None else [*pool, *apart], pool),
        total=tally(currency, items, items),
        prorated=gathered.cut,
        covered=gathered.covered,
        not_covered=known.missing,
        partly_covered=known.partly,
    )


def _lines(query: ReportQuery, currency: str, items: Sequence[Contribution]) -> list[ReportLine]:
    groups: defaultdict[Keys, list[Contribution]] = defaultdict(list)
    for item in filter(is_held, items):
        groups[tuple(map(shown, query.group_by, item.group.keys))].append(item)
    return [
        ReportLine(keys, tally(currency, [item for item in own if stays_in_line(item, query.idle)], own))
        for keys, own in groups.items()
    ]


def _largest_first(lines: Iterable[ReportLine]) -> tuple[ReportLine, ...]:
    return tuple(sorted(lines, key=lambda line: (-line.cost_nanos, line.keys)))


def _compared(query: ReportQuery, reports: Mapping[str, Report], before: Gathered) -> dict[str, Report]:
    """Put the cost of the span before beside each line, where the ledger answers for the whole of it."""
    if before.covered != before.span:
        return dict(reports)
    earlier = _reports(query, before)
    return {
        currency: _beside(report, earlier[currency]) if currency in earlier else _beside(report, None)
        for currency, report in reports.items()
    }


def _beside(report: Report, earlier: Report | None) -> Report:
    """A line that is new was at zero before; one that is gone is at zero now."""
    previous = {line.keys: line.cost_nanos for line in earlier.lines} if earlier else {}
    lines = [replace(line, previous_nanos=previous.pop(line.keys, 0)) for line in report.lines]
    nothing = tally(report.currency, (), ())
    gone = [ReportLine(keys, nothing, previous_nanos=nanos) for keys, nanos in previous.items() if nanos]
    total = earlier.total.cost_nanos if earlier else 0
    return replace(report, lines=_largest_first([*lines, *gone]), previous_total_nanos=total)
