"""What a budget has, has spent and will spend: the facts of `why` that are amounts."""

from collections.abc import Iterator
from typing import NamedTuple

from aicost.crd.status.texts import gpu_hours, money
from aicost.domain.exact.windows import describe_length
from aicost.entrypoints.cli.output.budget.ages import age
from aicost.entrypoints.cli.output.budget.figures import Money
from aicost.entrypoints.cli.output.budget.reading import Body, at, items, moment, text, whole
from aicost.entrypoints.cli.output.facts import Fact
from aicost.entrypoints.cli.terminal import Style

_UNKNOWN = "not known"


class Shown(NamedTuple):
    """What is explained.

    Attributes:
        amounts: None while nothing was computed.
    """

    budget: Body
    amounts: Money
    currency: str
    now_ms: int

    @property
    def status(self) -> Body:
        """The status; empty while there is none."""
        return at(self.budget, "status") or {}

    def money(self, nanos: int) -> str:
        """An amount for people."""
        return money(nanos, self.currency)


def money_facts(shown: Shown) -> Iterator[Fact]:
    """Limit, spend, rates and forecast, each with its parts."""
    yield "Limit", _limit(shown), Style.PLAIN
    yield "Spent", _spent(shown), Style.PLAIN
    yield from _unpriced(shown)
    yield "Rate", _rates(shown), Style.PLAIN
    yield from _burn(shown)
    yield "Forecast", _forecast(shown), Style.PLAIN
    yield "Exhausted", _exhausted(shown), Style.PLAIN
    if text(shown.status, "pace"):
        yield "Pace", f"{text(shown.status, 'pace')} of what an even spend would have used by now", Style.PLAIN
    if text(shown.status, "unitCost"):
        yield "Unit cost", f"{text(shown.status, 'unitCost')} of its target", Style.PLAIN
    yield "Data", _data(shown), Style.PLAIN


def _limit(shown: Shown) -> str:
    parts = at(shown.status, "limitParts")
    total = shown.money(shown.amounts.limit)
    base = whole(parts, "baseNanos")
    if base is None:
        return f"{total}; its parts are not known"
    told = [f"{shown.money(base)} of its own"]
    told += _part(shown, whole(parts, "carriedNanos"), "carried from the period before")
    told += _part(shown, whole(parts, "approvedNanos"), "approved")
    minor = whole(parts, "minorNanos")
    used = f"; minor overruns have added {shown.money(minor)} in this period" if minor else ""
    since = text(parts, "proratedFrom")
    return f"{total} = {' '.join(told)}{used}{f'; pro-rated from {since}' if since else ''}"


def _part(shown: Shown, nanos: int | None, what: str) -> list[str]:
    if not nanos:
        return []
    return [f"{'-' if nanos < 0 else '+'} {shown.money(abs(nanos))} {what}"]


def _spent(shown: Shown) -> str:
    amounts = shown.amounts
    parts = [f"{shown.money(amounts.settled)} settled"]
    parts += _part(shown, amounts.provisional, "in the open hour, which may still change")
    parts += _part(shown, amounts.accrued, "held since that was computed")
    used = text(shown.status, "percentUsed")
    return f"{shown.money(amounts.counted)}{f', {used} of the limit' if used else ''} = {' '.join(parts)}"


def _unpriced(shown: Shown) -> Iterator[Fact]:
    unpriced = whole(shown.status, "spent", "unpricedGpuMilliseconds")
    if unpriced:
        text = f"{gpu_hours(unpriced)} GPU-hours have no price and are in no amount: add what is missing to a PriceBook"
        yield "Unpriced", text, Style.WARN


def _rates(shown: Shown) -> str:
    committed, rate = (whole(shown.status, name) for name in ("committedPerHourNanos", "ratePerHourNanos"))
    now = _UNKNOWN if committed is None else f"{shown.money(committed)} per hour"
    mean = _UNKNOWN if rate is None else f"{shown.money(rate)} per hour"
    return f"committed by what runs now: {now}; mean of the last day: {mean}"


def _burn(shown: Shown) -> Iterator[Fact]:
    found = [f"{text(one, 'over')} {text(one, 'burnRate')}" for one in items(shown.status, "burn")]
    if found:
        yield "Burn rate", f"{', '.join(found)}; 1 uses exactly the rest of the limit by the end", Style.PLAIN


def _forecast(shown: Shown) -> str:
    forecast = at(shown.status, "forecast")
    total = text(forecast, "total")
    if not total:
        return "none: the period has no end, or too little of it is known"
    high = text(forecast, "high")
    dearest = f", {high} if the rest is as its dearest days" if high else ""
    return f"{total} at the end of the period{dearest} (method {text(forecast, 'method') or _UNKNOWN})"


def _exhausted(shown: Shown) -> str:
    left = text(shown.status, "timeToExhaustion")
    if shown.amounts.counted >= shown.amounts.limit:
        return "the limit is reached"
    return f"in {left} at this rate" if left else "not at this rate: nothing is being spent"


def _data(shown: Shown) -> str:
    data = at(shown.status, "data")
    as_of = moment(data, "asOf")
    old = f"{age(as_of, shown.now_ms)} old" if as_of is not None else "of unknown age"
    names = (("telemetry", "telemetryCoverage"), ("price", "priceCoverage"), ("label", "labelCoverage"))
    parts = (f"{name} {text(data, field) or '-'}" for name, field in names)
    return f"{old}; coverage: {', '.join(parts)}"


def period_words(shown: Shown) -> str:
    """The period that is running, and how much of it is left."""
    start, end = text(shown.status, "period", "start"), moment(shown.status, "period", "end")
    if end is None:
        return f"{start or 'unknown start'} → no end"
    left = describe_length(end - shown.now_ms) if end > shown.now_ms else "nothing"
    return f"{start} → {text(shown.status, 'period', 'end')}, {left} left"
