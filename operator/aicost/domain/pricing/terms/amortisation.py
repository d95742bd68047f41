"""What a node of one's own costs per hour, and what a payment in advance comes to per hour: exact fractions."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR
from fractions import Fraction

from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import HOUR_MS, Window, to_datetime, to_millis, to_rfc3339
from aicost.domain.pricing.books import ALWAYS, Amortisation, Power, PriceBook

_PPM = 1_000_000
_WATTS_PER_KILOWATT = 1_000
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class NodeHour:
    """A price of a node-hour over a span, and how it comes about.

    Attributes:
        span: when it holds.
        nanos: nano-units per node-hour, exact.
        how: for people.
    """

    span: Window
    nanos: Fraction
    how: str


def uses_measured_power(books: Sequence[PriceBook]) -> bool:
    """Whether any entry pays for power as it was measured."""
    owned = (entry.amortisation for book in books for entry in book.entries)
    return any(one is not None and one.power is not None and one.power.host_watts is not None for one in owned)


def end_of_life(owned: Amortisation) -> int:
    """The moment at which a node has lost the value that it was to lose: months of the calendar, UTC."""
    return add_months(owned.in_service_ms, owned.lifetime_months)


def add_months(at_ms: int, months: int) -> int:
    """The same day and time some months later; the last day of the month where it has no such day. Not after 9999."""
    moment = to_datetime(at_ms)
    years, month = divmod(moment.month - 1 + months, 12)
    if moment.year + years > MAXYEAR:
        return ALWAYS.end_ms
    year = moment.year + years
    return to_millis(moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1])))


def spread(amount_nanos: int, span: Window) -> Fraction:
    """An amount as nano-units per hour of a span: times the hours of the span it is the amount again, exactly."""
    return Fraction(amount_nanos * HOUR_MS, span.length_ms)


def owned_hours(owned: Amortisation, currency: str, gpu_watts: Fraction | None) -> Iterator[NodeHour]:
    """The price of a node-hour during a node's life, and after it, when power and the fixed part are all that is left.

    Args:
        owned: what is known of the node.
        currency: for the words.
        gpu_watts: mean power of all its GPUs, None where it was not measured.
    """
    life = Window(owned.in_service_ms, end_of_life(owned))
    running, words = _running(owned, currency, gpu_watts)
    loss = spread(owned.purchase_nanos - owned.residual_nanos, life)
    bought = (
        f"{_money(owned.purchase_nanos, currency)} less {_money(owned.residual_nanos, currency)} over "
        f"{owned.lifetime_months} months ({_hours(life)} h) is {_rate(loss, currency)}"
    )
    yield NodeHour(life, loss + running, "; ".join([bought, *words]))
    if life.end_ms < ALWAYS.end_ms:
        after = f"its value is written off since {to_rfc3339(life.end_ms)[:10]}"
        yield NodeHour(Window(life.end_ms, ALWAYS.end_ms), running, "; ".join([after, *words]))


def _running(owned: Amortisation, currency: str, gpu_watts: Fraction | None) -> tuple[Fraction, list[str]]:
    """What the node costs per hour beside its loss of value."""
    total, words = Fraction(0), []
    if owned.power is not None:
        total, how = _power(owned.power, currency, gpu_watts)
        words.append(how)
    if owned.fixed_hour_nanos:
        words.append(f"fixed costs of {_rate(Fraction(owned.fixed_hour_nanos), currency)}")
    return total + owned.fixed_hour_nanos, words


def _power(power: Power, currency: str, gpu_watts: Fraction | None) -> tuple[Fraction, str]:
    """What the power of a node costs per hour: by what its GPUs were measured to draw, else by its plate."""
    if gpu_watts is not None and power.host_watts is not None:
        watts = gpu_watts + power.host_watts
        said = f"{_watts(gpu_watts)} measured at the GPUs and {power.host_watts} W beside them"
    else:
        watts = Fraction(power.rated_watts * power.load_ppm, _PPM)
        said = f"{power.rated_watts} W by rating x load {_decimal(power.load_ppm)}"
    cost = watts * Fraction(power.pue_ppm, _PPM) * power.per_kwh_nanos / _WATTS_PER_KILOWATT
    price = format_money(power.per_kwh_nanos, currency, _DECIMALS)
    return cost, f"{said} x PUE {_decimal(power.pue_ppm)} x {price} per kWh is {_rate(cost, currency)}"


def _rate(nanos: Fraction, currency: str) -> str:
    return f"{format_money(divide(nanos.numerator, nanos.denominator), currency, _DECIMALS)} per node-hour"


def _money(nanos: int, currency: str) -> str:
    return format_money(nanos, currency)


def _hours(span: Window) -> str:
    return f"{span.length_ms // HOUR_MS:,}"


def _watts(watts: Fraction) -> str:
    return f"{divide(watts.numerator, watts.denominator)} W"


def _decimal(ppm: int) -> str:
    return f"{ppm / _PPM:g}"
