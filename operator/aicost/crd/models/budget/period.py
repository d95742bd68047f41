"""The span of time that a budget is for."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Amount, Price
from aicost.crd.fields.text import Duration, Moment, TimeZone, moment_cel, moment_ms
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule
from aicost.domain.budgets.plans import CarryMode


class PeriodType(StrEnum):
    """How a budget's period moves."""

    CALENDAR = "Calendar"
    ROLLING = "Rolling"
    TOTAL = "Total"


class CalendarUnit(StrEnum):
    """Length of a calendar period."""

    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"
    QUARTER = "Quarter"
    YEAR = "Year"


def _only_calendar_has_units(period: "Period") -> bool:
    return period.type is PeriodType.CALENDAR or (period.unit is None and period.start_day is None)


def _start_day_fits(period: "Period") -> bool:
    last = {CalendarUnit.DAY: 0, CalendarUnit.WEEK: 7}.get(period.unit or CalendarUnit.MONTH, 28)
    return period.start_day is None or period.start_day <= last


class Period(ApiModel):
    """The span that the limit is for."""

    rules = (
        Rule(
            "self.type == 'Calendar' || (!has(self.unit) && !has(self.startDay))",
            "unit and startDay belong to type: Calendar: take them out",
            _only_calendar_has_units,
        ),
        Rule(
            "(self.type == 'Rolling') == has(self.length)",
            "length belongs to type: Rolling, which needs it: give for example length: 30d, or take it out",
            lambda period: (period.type is PeriodType.ROLLING) == (period.length is not None),
        ),
        Rule(
            "(self.type == 'Total') == has(self.start)",
            "start belongs to type: Total, which needs it: give for example start: 2026-01-01, or take it out",
            lambda period: (period.type is PeriodType.TOTAL) == (period.start is not None),
        ),
        Rule(
            "self.type == 'Total' || !has(self.end)",
            "end belongs to type: Total: take it out",
            lambda period: period.type is PeriodType.TOTAL or period.end is None,
        ),
        Rule(
            f"!has(self.start) || !has(self.end) || {moment_cel('self.start')} < {moment_cel('self.end')}",
            "start must be before end: swap them",
            lambda period: not period.start or not period.end or moment_ms(period.start) < moment_ms(period.end),
        ),
        Rule(
            "!has(self.startDay) || (has(self.unit) && self.unit == 'Week' ? self.startDay <= 7 : "
            "!(has(self.unit) && self.unit == 'Day'))",
            "startDay is 1 to 7 (1 is Monday) for a Week, 1 to 28 for a Month, Quarter or Year, and not for a Day",
            _start_day_fits,
        ),
    )

    type: PeriodType = PeriodType.CALENDAR
    """Calendar begins anew with each unit, Rolling looks back over a length, Total is one span with one end or none."""
    unit: CalendarUnit | None = None
    """Calendar unit: Day, Week, Month, Quarter or Year. Month, where absent."""
    start_day: Annotated[int, Field(ge=1, le=28)] | None = None
    """Day on which a unit begins: of the week (1 is Monday) for Week, of the first month for the longer ones.
    1, where absent."""
    time_zone: TimeZone | None = None
    """IANA time zone in which days and months begin. The controller's setting, where absent."""
    length: Duration | None = None
    """Length of a Rolling period, for example 30d."""
    start: Moment | None = None
    """Start of a Total period: a day (midnight UTC) or an RFC 3339 time."""
    end: Moment | None = None
    """End of a Total period, not included. Open, where absent."""
    prorate_first: bool = False
    """Whether the Calendar period in which the budget was created gets only its part of the limit."""


class Rollover(ApiModel):
    """What is carried into the next period."""

    mode: CarryMode
    """None, what was left (Unused), what was overspent (Overage), or Both."""
    max_amount: Amount | None = None
    """The most that is added to the next limit, as a decimal string in the budget's currency."""
    min_amount: Amount | None = None
    """The least that the next limit keeps, as a decimal string in the budget's currency."""


class PlannedAmount(ApiModel):
    """The limit from a moment on."""

    from_: Annotated[Moment, Field(alias="from")]
    """First moment of the first period that the amount is for: a day, as it begins in the time zone of the period, or
    a time, RFC 3339."""
    amount: Price
    """Limit of each period from then on, as a decimal string in the budget's currency."""
