"""The order of a report's lines, and the cut below the first few."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction
from functools import reduce
from math import isqrt

from aicost.domain.reporting.query import Amounts, Report, ReportLine
from aicost.domain.reporting.ratios import change, gpu_held, gpu_time, idle_share, utilisation

OTHER = "other"
"""First key of the line that all lines below the cut are merged into."""


class SortKey(StrEnum):
    """What lines are ordered by; each puts the largest first, `name` goes from A to Z.

    `change` is relative to the cost before, `moved` is the amount of the change, up or down.
    """

    COST = "cost"
    GPU_HOURS = "gpu-hours"
    UTILISATION = "utilisation"
    IDLE_SHARE = "idle-share"
    CHANGE = "change"
    MOVED = "moved"
    NAME = "name"


_Measure = Callable[[ReportLine], int | Fraction | None]
_MEASURES: dict[SortKey, _Measure] = {
    SortKey.COST: lambda line: line.cost_nanos,
    SortKey.GPU_HOURS: lambda line: gpu_time(line.amounts),
    SortKey.UTILISATION: lambda line: utilisation(line.amounts),
    SortKey.IDLE_SHARE: lambda line: idle_share(line.amounts),
    SortKey.CHANGE: lambda line: change(line.cost_nanos, line.previous_nanos),
    SortKey.MOVED: lambda line: None if line.previous_nanos is None else abs(line.cost_nanos - line.previous_nanos),
}


def sort_lines(report: Report, key: SortKey, *, reverse: bool = False) -> Report:
    """The report with its lines in another order; lines whose measure is undefined stay last."""
    if key is SortKey.NAME:
        return replace(report, lines=tuple(sorted(report.lines, key=lambda line: line.keys, reverse=reverse)))
    measure = _MEASURES[key]
    known = sorted((line for line in report.lines if measure(line) is not None), key=lambda line: line.keys)
    known.sort(key=lambda line: measure(line) or 0, reverse=not reverse)
    return replace(report, lines=(*known, *(line for line in report.lines if measure(line) is None)))


def top(report: Report, count: int) -> Report:
    """Keep the first lines and merge the others into one that is last and sums to them exactly."""
    kept, rest = report.lines[:count], report.lines[count:]
    return report if len(rest) < 2 else replace(report, lines=(*kept, _merged(rest)))


def _merged(lines: Sequence[ReportLine]) -> ReportLine:
    previous = [line.previous_nanos for line in lines if line.previous_nanos is not None]
    adjusted = [line.adjusted_nanos for line in lines if line.adjusted_nanos is not None]
    return ReportLine(
        keys=(OTHER, *("" for _ in lines[0].keys[1:])),
        amounts=reduce(add_amounts, (line.amounts for line in lines)),
        shared_nanos=sum(line.shared_nanos for line in lines),
        previous_nanos=sum(previous) if previous else None,
        adjusted_nanos=sum(adjusted) if adjusted else None,
        merged=len(lines),
    )


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in (*one, *(key for key in other if key not in one))}


def _errors(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else isqrt(one * one + other * other)


def add_amounts(one: Amounts, other: Amounts) -> Amounts:
    """Sum of the amounts of two lines of one report."""
    held = (one.gpu_held_nanos, other.gpu_held_nanos)
    known = None if held == (None, None) else [gpu_held(one), gpu_held(other)]
    return Amounts(
        currency=one.currency,
        buckets=_added(dict(one.buckets), dict(other.buckets)),
        gpu_milliseconds=_added(dict(one.gpu_milliseconds), dict(other.gpu_milliseconds)),
        unpriced_gpu_milliseconds=one.unpriced_gpu_milliseconds + other.unpriced_gpu_milliseconds,
        measured_milliseconds=one.measured_milliseconds + other.measured_milliseconds,
        error_nanos=_errors(one.error_nanos, other.error_nanos),
        provisional_nanos=one.provisional_nanos + other.provisional_nanos,
        list_price_nanos=one.list_price_nanos + other.list_price_nanos,
        tagged_nanos=_added(dict(one.tagged_nanos), dict(other.tagged_nanos)),
        gpu_held_nanos=None if known is None else sum(known),
        components=_added(dict(one.components), dict(other.components)),
        quantities=_added(dict(one.quantities), dict(other.quantities)),
        unpriced_quantities=_added(dict(one.unpriced_quantities), dict(other.unpriced_quantities)),
    )
