"""The status of AICostReport, ClusterAICostReport and AIWorkload: answers of the ledger as Kubernetes shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from aicost.crd.fields.conditions import Condition
from aicost.crd.models.aiworkload import AIWorkloadStatus
from aicost.crd.models.figures import Span
from aicost.crd.models.report import Coverages, LabelCoverage, ReportRow, ReportStatus, SeparateIdle
from aicost.crd.models.trained import TrainingCosts
from aicost.crd.models.units import UnitCosts
from aicost.crd.status import figures
from aicost.crd.status.texts import change, gpu_hours, percent, share, stored
from aicost.crd.status.units import row_units
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.keys import shown
from aicost.domain.reporting.ordering import top
from aicost.domain.reporting.query import Amounts, Report, ReportLine, ReportQuery
from aicost.domain.reporting.ratios import (
    gpu_time,
    is_unpriced,
    label_coverage,
    price_coverage,
    telemetry_coverage,
    utilisation,
)
from aicost.domain.reporting.spans import span_before
from aicost.domain.serving import unit_costs as domain

MOST_CURRENCIES = 4
"""In which an AIWorkload shows unit costs and training."""


class Served(Protocol):
    """What serves models in a row."""

    @property
    def costs(self) -> domain.UnitCosts:
        """Cost and counts."""

    @property
    def discovered(self) -> bool:
        """Whether no AIWorkload speaks of it."""


RowsOfUnits = Mapping[tuple[tuple[str, ...], str], Served]
"""Keys of a row and currency -> what serves models there."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a status says of its own age.

    Attributes:
        generation: generation of the spec that is answered.
        now_ms: when the figures were computed.
        data_through_ms: end of the last closed window, None where none was closed yet.
    """

    generation: int
    now_ms: int
    data_through_ms: int | None


def report_status(
    reports: Sequence[Report],
    *,
    window: str,
    limit: int,
    freshness: Freshness,
    conditions: Sequence[Mapping[str, Any]],
    units: RowsOfUnits = MappingProxyType({}),
) -> dict[str, Any]:
    """The status of a report.

    Args:
        reports: the answer, one report per currency.
        window: the span in words, such as `month-to-date`.
        limit: rows to show before the rest is summed, for all currencies together.
        freshness: what is said of its age.
        conditions: as made by `aicost.crd.status.conditions`.
        units: keys and currency -> unit costs of what serves models there.
    """
    query = reports[0].query if reports else None
    rows_each = max(1, limit // max(1, len(reports)))
    return _written(
        ReportStatus(
            observed_generation=freshness.generation,
            conditions=[Condition.model_validate(condition) for condition in conditions],
            window=None if query is None else span(query.span),
            covered=_covered(reports),
            previous_window=_compared(query),
            summary=figures.summary(reports, window, () if query is None else query.group_by),
            totals=[figures.total(report) for report in reports],
            rows=[row for report in reports for row in _rows(report, rows_each, units)],
            idle=[_idle(report.idle) for report in reports if report.idle.gpu_milliseconds or report.idle.buckets],
            coverage=_coverage([report.total for report in reports]),
            list_prices=any(report.total.list_price_nanos for report in reports),
            prorated=any(report.prorated for report in reports),
            partly_covered=list(reports[0].partly_covered) if reports else None,
            not_covered=list(reports[0].not_covered) if reports else None,
            data_through=_moment(freshness.data_through_ms),
            updated_at=_moment(freshness.now_ms),
        )
    )


def workload_status(
    reports: Sequence[Report],
    *,
    window: str,
    pods: tuple[int, int],
    freshness: Freshness,
    conditions: Sequence[Mapping[str, Any]],
    units: Sequence[UnitCosts] = (),
    training: Sequence[TrainingCosts] = (),
) -> dict[str, Any]:
    """The status of an AIWorkload.

    Args:
        reports: what its pods cost, one report per currency.
        window: the span in words.
        pods: how many pods alive it claims, and how many that it names another one holds.
        freshness: what is said of its age.
        conditions: as made by `aicost.crd.status.conditions`.
        units: what a token, a request and a success cost, one for each currency.
        training: what its runs of training cost, one for each currency.
    """
    return _written(
        AIWorkloadStatus(
            observed_generation=freshness.generation,
            conditions=[Condition.model_validate(condition) for condition in conditions],
            window=span(reports[0].query.span) if reports else None,
            summary=figures.summary(reports, window, ()),
            totals=[figures.total(report) for report in reports],
            unit_costs=list(units)[:MOST_CURRENCIES] or None,
            training=list(training)[:MOST_CURRENCIES] or None,
            claimed_pods=pods[0],
            contested_pods=pods[1],
            data_through=_moment(freshness.data_through_ms),
            updated_at=_moment(freshness.now_ms),
        )
    )


def span(window: Window) -> Span:
    """A window as a status shows it."""
    return Span(from_=to_rfc3339(window.start_ms), to=to_rfc3339(window.end_ms))


def _written(status: ReportStatus | AIWorkloadStatus) -> dict[str, Any]:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms - at_ms % 1000)


def _compared(query: ReportQuery | None) -> Span | None:
    return None if query is None or not query.compare else span(span_before(query.span, query.time_zone))


def _covered(reports: Sequence[Report]) -> Span | None:
    known = [report.covered for report in reports if report.covered is not None]
    if not known:
        return None
    return span(Window(min(one.start_ms for one in known), max(one.end_ms for one in known)))


def _rows(report: Report, limit: int, units: RowsOfUnits) -> list[ReportRow]:
    """The first lines, and one row that sums what is beyond the limit."""
    whole = report.total.cost_nanos
    return [_row(report, line, whole, units) for line in top(report, limit).lines]


def _row(report: Report, line: ReportLine, whole: int, units: RowsOfUnits) -> ReportRow:
    amounts, nanos = line.amounts, line.cost_nanos
    served = None if line.merged else units.get((line.keys, amounts.currency))
    return ReportRow(
        keys=_keys(report, line),
        groups=line.merged or None,
        currency=amounts.currency,
        cost=figures.cost_text(amounts, nanos),
        cost_nanos=figures.cost_nanos(amounts, nanos),
        spread_nanos=stored(line.shared_nanos) if line.shared_nanos else None,
        share=share(nanos, whole),
        previous_cost_nanos=None if line.previous_nanos is None else stored(line.previous_nanos),
        change=None if is_unpriced(amounts) else change(nanos, line.previous_nanos),
        gpu_hours=gpu_hours(gpu_time(amounts)),
        gpu_milliseconds=gpu_time(amounts),
        utilisation=percent(utilisation(amounts)),
        buckets=figures.row_buckets(amounts),
        unit_costs=None if served is None else row_units(served.costs, discovered=served.discovered),
    )


def _keys(report: Report, line: ReportLine) -> dict[str, str]:
    """The values of the group by key; none for the row that sums many."""
    if line.merged:
        return {}
    return {key: shown(key, value) for key, value in zip(report.query.group_by, line.keys, strict=True)}


def _idle(amounts: Amounts) -> SeparateIdle:
    return SeparateIdle(
        currency=amounts.currency,
        cost=figures.cost_text(amounts, amounts.cost_nanos),
        cost_nanos=figures.cost_nanos(amounts, amounts.cost_nanos),
        buckets=figures.row_buckets(amounts),
    )


def _coverage(parts: Sequence[Amounts]) -> Coverages:
    time = figures.together(parts)
    labels = [_labels(parts[0], dimension) for dimension in Dimension] if parts else []
    return Coverages(
        telemetry=percent(telemetry_coverage(time)),
        price=percent(price_coverage(time)),
        labels=[coverage for coverage in labels if coverage is not None] or None,
    )


def _labels(amounts: Amounts, dimension: Dimension) -> LabelCoverage | None:
    coverage = percent(label_coverage(amounts, dimension))
    if coverage is None:
        return None
    tagged = amounts.tagged_nanos.get(dimension, 0)
    return LabelCoverage(dimension=dimension, coverage=coverage, tagged_nanos=stored(tagged))
