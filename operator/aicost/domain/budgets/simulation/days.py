"""The picture of a simulation: hours, days or weeks, each with what was spent and which gates opened."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from aicost.domain.budgets.deciding.decide import Move
from aicost.domain.budgets.gates import Gate
from aicost.domain.budgets.periods import Calendar, PeriodRule, Rolling, current_period
from aicost.domain.budgets.simulation.figures import Term
from aicost.domain.budgets.simulation.flow import Course
from aicost.domain.budgets.simulation.values import Day, Turn
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window, to_datetime, to_millis

MOST_HOURS, MOST_DAYS = 48, 62
"""A shorter time is shown by the hour, a longer one by the week."""


def zone_of(rule: PeriodRule, default: str = "UTC") -> str:
    """The time zone that days of a budget begin in."""
    return rule.time_zone if isinstance(rule, Calendar) else default


def days_of(rule: PeriodRule, span: Window, terms: Sequence[Term], course: Course, turns: Sequence[Turn]) -> list[Day]:
    """The days of a span, cut where a period ends."""
    bounds = {span.start_ms, *_bounds(span, zone_of(rule)), span.end_ms}
    bounds |= {term.period.start_ms for term in terms if not isinstance(rule, Rolling)}
    kept = sorted(at for at in bounds if span.start_ms <= at <= span.end_ms)
    return [_day(rule, Window(start, end), terms, course, turns) for start, end in pairwise(kept)]


def _day(rule: PeriodRule, span: Window, terms: Sequence[Term], course: Course, turns: Sequence[Turn]) -> Day:
    term = next((one for one in reversed(terms) if one.period.start_ms <= span.start_ms), terms[-1])
    begin = current_period(rule, span.end_ms).start_ms if isinstance(rule, Rolling) else term.period.start_ms
    return Day(
        span=span,
        period_start_ms=begin,
        limit_nanos=term.limit_nanos,
        recorded_nanos=course.whole.spent(span.start_ms, span.end_ms),
        spent_nanos=course.counted.spent(span.start_ms, span.end_ms),
        counted_nanos=course.counted.spent(begin, span.end_ms),
        gone_nanos=course.gone.spent(begin, span.end_ms),
        gate=_gate_at(turns, span.end_ms),
        opened=tuple(_opened(turns, span)),
    )


def _gate_at(turns: Sequence[Turn], at_ms: int) -> Gate | None:
    """The gate that was open just before a moment."""
    return next((one.decision.gate for one in reversed(turns) if one.at_ms < at_ms), None)


def _opened(turns: Sequence[Turn], span: Window) -> Iterator[Gate]:
    """Gates that opened in a span, softest first where they did at once."""
    for turn in turns:
        if turn.at_ms in span and turn.decision.move is Move.OPENED and turn.decision.gate:
            yield turn.decision.gate


def _bounds(span: Window, zone: str) -> Iterator[int]:
    """Where hours, days or weeks begin."""
    if span.length_ms <= MOST_HOURS * HOUR_MS:
        yield from range(span.start_ms - span.start_ms % HOUR_MS, span.end_ms, HOUR_MS)
        return
    place = ZoneInfo(zone)
    step = timedelta(days=1 if span.length_ms <= MOST_DAYS * DAY_MS else 7)
    day = to_datetime(span.start_ms).astimezone(place).date()
    while (at := to_millis(datetime.combine(day, time(), place))) < span.end_ms:
        yield at
        day += step
