"""A report as columns and rows for people: the same in a terminal and in `kubectl get`, the total always with it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from aicost.crd.allocations.texts import cost_text, error_text
from aicost.crd.status.texts import UNPRICED, change, gpu_hours, money, percent, share
from aicost.domain.ledger.rows import HELD, Bucket, Component
from aicost.domain.reporting import ratios
from aicost.domain.reporting.ordering import OTHER
from aicost.domain.reporting.query import Amounts, Report, ReportLine
from aicost.domain.reporting.ratios import is_unpriced

ABSENT = "-"
"""Stands for what is not known or does not apply."""
SPREAD = "spread"
"""Stands for the cost of idle time that an idle policy spread over the lines."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the cells of one row are made of.

    Attributes:
        report: the report that the row is part of.
        amounts: what the row's own ledger rows sum to.
        nanos: its cost in all.
        shared_nanos: the part of it that an idle policy put there.
        previous_nanos: its cost in the span before, None where that is not known.
        adjusted_nanos: the part that corrections make, None where that was not asked.
    """

    report: Report
    amounts: Amounts
    nanos: int
    shared_nanos: int = 0
    previous_nanos: int | None = None
    adjusted_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A column of figures.

    Attributes:
        wide: shown where there is room for everything.
        measure: the text of a cell, None where there is nothing to say.
    """

    title: str
    description: str
    wide: bool
    measure: Callable[[Figures], str | None]


@dataclass(frozen=True, slots=True)
class ViewRow:
    """Texts of one row, keys first; `line` is None for idle and total."""

    keys: tuple[str, ...]
    cells: tuple[str, ...]
    line: ReportLine | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A report as texts. Each row has a key per group key and a cell per column."""

    columns: tuple[FigureColumn, ...]
    lines: tuple[ViewRow, ...]
    idle: tuple[ViewRow, ...]
    total: ViewRow


def columns_of(reports: Sequence[Report]) -> tuple[FigureColumn, ...]:
    """The columns that these reports need; one that would be empty throughout is left out."""
    return tuple(_columns(reports))


def view(report: Report, columns: tuple[FigureColumn, ...]) -> View:
    """The rows of a report, with a cell for each column."""
    whole = Figures(
        report, report.total, report.total.cost_nanos, 0, report.previous_total_nanos, report.adjusted_nanos
    )
    return View(
        columns=columns,
        lines=tuple(_line(report, line, columns) for line in report.lines),
        idle=tuple(_idle(report, bucket, columns) for bucket in Bucket if _has(report.idle, bucket)),
        total=ViewRow(_label(report, "total"), _cells(columns, whole)),
    )


def key_title(key: str) -> str:
    """Heading of a group key's column."""
    return key.upper()


def _line(report: Report, line: ReportLine, columns: Iterable[FigureColumn]) -> ViewRow:
    keys = tuple(key or ABSENT for key in line.keys)
    if line.merged:
        keys = _label(report, f"{OTHER} ({line.merged})")
    shown = Figures(report, line.amounts, line.cost_nanos, line.shared_nanos, line.previous_nanos, line.adjusted_nanos)
    return ViewRow(keys, _cells(columns, shown), line)


def _has(amounts: Amounts, bucket: Bucket) -> bool:
    return bool(amounts.buckets.get(bucket) or amounts.gpu_milliseconds.get(bucket))


def _idle(report: Report, bucket: Bucket, columns: Iterable[FigureColumn]) -> ViewRow:
    """A bucket that no line carries. It has a cost, a share and device time, and no other figure."""
    nanos, time = report.idle.buckets.get(bucket, 0), report.idle.gpu_milliseconds.get(bucket, 0)
    spread = any(line.shared_nanos for line in report.lines)
    texts = {
        _COST: money(nanos, report.currency) if nanos else SPREAD if spread else UNPRICED,
        _SHARE: share(nanos, report.total.cost_nanos) if nanos else None,
        _GPU_HOURS: gpu_hours(time) if time else None,
    }
    cells = tuple(texts.get(column.title) or ABSENT for column in columns)
    return ViewRow(_label(report, f"idle: {bucket.value}"), cells)


def _label(report: Report, text: str) -> tuple[str, ...]:
    return (text, *("" for _ in report.query.group_by[1:]))


def _cells(columns: Iterable[FigureColumn], shown: Figures) -> tuple[str, ...]:
    return tuple(column.measure(shown) or ABSENT for column in columns)


def _share(it: Figures) -> str | None:
    return None if is_unpriced(it.amounts) and not it.nanos else share(it.nanos, it.report.total.cost_nanos)


def _before(it: Figures) -> str | None:
    return None if it.previous_nanos is None else money(it.previous_nanos, it.amounts.currency)


def _change(it: Figures) -> str | None:
    return None if is_unpriced(it.amounts) else change(it.nanos, it.previous_nanos)


def _hours(milliseconds: int) -> str | None:
    return gpu_hours(milliseconds) if milliseconds else None


def _amount(nanos: int, it: Figures) -> str | None:
    return money(nanos, it.amounts.currency) if nanos else None


def _error(it: Figures) -> str | None:
    return None if is_unpriced(it.amounts) else error_text(it.amounts)


def _bucket(bucket: Bucket) -> FigureColumn:
    title = _SHORT.get(bucket, bucket.value.upper())
    return FigureColumn(
        title,
        f"The part of the cost that was {bucket.value}",
        wide=True,
        measure=lambda it: _amount(it.amounts.buckets.get(bucket, 0), it),
    )


def _component(component: Component) -> FigureColumn:
    return FigureColumn(
        component.value.upper(),
        f"The part of the cost that is {component.value}",
        wide=True,
        measure=lambda it: _amount(it.amounts.components.get(component, 0), it),
    )


_SHORT = {Bucket.ALLOCATED_IDLE: "ALLOC-IDLE", Bucket.ALLOCATED_UNMEASURED: "UNMEASURED"}
_COST, _SHARE, _GPU_HOURS = "COST", "SHARE", "GPU-HOURS"
_FIRST = (
    FigureColumn(_COST, "Cost with its currency", wide=False, measure=lambda it: cost_text(it.amounts, it.nanos)),
    FigureColumn(_SHARE, "Share of the total", wide=False, measure=_share),
)
_COMPARED = (
    FigureColumn("BEFORE", "Cost in the span before", wide=True, measure=_before),
    FigureColumn("CHANGE", "Change of the cost against the span before", wide=False, measure=_change),
)
_TIME = FigureColumn(
    _GPU_HOURS, "GPU-hours, priced or not", wide=False, measure=lambda it: _hours(ratios.gpu_time(it.amounts))
)
_UNPRICED = FigureColumn(
    "UNPRICED-H",
    "GPU-hours without a price, which are in no amount",
    wide=False,
    measure=lambda it: _hours(it.amounts.unpriced_gpu_milliseconds),
)
_RATIOS = (
    FigureColumn(
        "UTIL",
        "GPU time in use over GPU time held and measured",
        wide=False,
        measure=lambda it: percent(ratios.utilisation(it.amounts)),
    ),
    FigureColumn(
        "IDLE",
        "Device time that was idle, held or not, over all device time",
        wide=False,
        measure=lambda it: percent(ratios.idle_share(it.amounts)),
    ),
)
_SPREAD_COLUMN = FigureColumn(
    "SPREAD", "Idle cost that the idle policy put there", wide=True, measure=lambda it: _amount(it.shared_nanos, it)
)
_LAST = (
    FigureColumn("ERROR", "Half-width of the 95 % error bar of the cost", wide=True, measure=_error),
    FigureColumn(
        "MEASURED",
        "Share of device time with samples behind it",
        wide=True,
        measure=lambda it: percent(ratios.telemetry_coverage(it.amounts)),
    ),
)


def _columns(reports: Sequence[Report]) -> Iterator[FigureColumn]:
    totals = [report.total for report in reports]
    yield from _FIRST
    if any(report.previous_total_nanos is not None for report in reports):
        yield from _COMPARED
    yield _TIME
    if any(total.unpriced_gpu_milliseconds for total in totals):
        yield _UNPRICED
    yield from _RATIOS
    paid = {bucket for total in totals for bucket in total.buckets}
    yield from (_bucket(bucket) for bucket in Bucket if bucket in HELD and bucket in paid)
    parts = {component for total in totals for component in total.components}
    yield from (_component(one) for one in Component if one in parts and len(parts) > 1)
    if any(line.shared_nanos for report in reports for line in report.lines):
        yield _SPREAD_COLUMN
    yield from _LAST
