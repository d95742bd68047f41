"""What a decision looks at: the figures of one budget at one moment, and how far they can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aicost.domain.budgets.gates import Basis
from aicost.domain.budgets.pace import Standing
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.plans import PPM, Rung, Safety
from aicost.domain.exact.apportion import divide


@dataclass(frozen=True, slots=True)
class PriceJump:
    """A unit price that rose by more than anybody expects.

    Attributes:
        what: the kind of device: GPU model, instance type and how it was bought.
        before_nanos, now_nanos: price of a GPU-hour.
    """

    what: str
    before_nanos: int
    now_nanos: int


class Blindness(StrEnum):
    """Why the figures are not acted on."""

    NO_DATA = "NoData"
    STALE = "DataStale"
    TELEMETRY_THIN = "TelemetryThin"
    PRICES_THIN = "PricesThin"
    PRICE_JUMP = "PriceQuarantined"
    FOREIGN_CURRENCY = "CurrencyMismatch"


@dataclass(frozen=True, slots=True)
class Data:
    """How far the figures can be trusted.

    Attributes:
        as_of_ms: the moment that the newest measured figures are of; None: there are none.
        telemetry, price: share of the device time with samples, and with a price; None: too little to judge by.
        labels: label coverage of the scope; None where nothing has a cost.
        jumps: prices that nobody has accepted yet.
        foreign: currencies of cost in scope that is not in the spend.
    """

    as_of_ms: int | None
    telemetry: Fraction | None = None
    price: Fraction | None = None
    labels: Fraction | None = None
    jumps: tuple[PriceJump, ...] = ()
    foreign: tuple[str, ...] = ()

    def age_ms(self, now_ms: int) -> int | None:
        """Age of the figures."""
        return None if self.as_of_ms is None else max(0, now_ms - self.as_of_ms)


def blindness(data: Data, safety: Safety, now_ms: int) -> Blindness | None:
    """Why nothing should be opened and nothing closed now; None where the figures can be acted on."""
    age = data.age_ms(now_ms)
    least = safety.enough_data
    doubts = (
        (age is None, Blindness.NO_DATA),
        (age is not None and age > safety.max_staleness_ms, Blindness.STALE),
        (bool(data.foreign), Blindness.FOREIGN_CURRENCY),
        (bool(data.jumps), Blindness.PRICE_JUMP),
        (data.price is not None and data.price < least, Blindness.PRICES_THIN),
        (data.telemetry is not None and data.telemetry < least, Blindness.TELEMETRY_THIN),
    )
    return next((doubt for holds, doubt in doubts if holds), None)


@dataclass(frozen=True, slots=True)
class BudgetSpend:
    """The figures of one budget at one moment.

    Attributes:
        key: tells this period from the next: see `period_key`.
        committed_nanos: cost per hour of what runs now, at its reservation.
        stopped_nanos: cost per hour of what this budget has stopped: it would run if it were let.
        unit_cost_ppm: unit cost over its target; None where no unit was counted.
        carried_nanos: the part of the limit that was carried from the period before.
    """

    period: Period
    key: int
    standing: Standing
    data: Data
    committed_nanos: int = 0
    stopped_nanos: int = 0
    unit_cost_ppm: int | None = None
    carried_nanos: int = 0

    @property
    def granted_nanos(self) -> int:
        """The limit without what was carried into it."""
        return self.limit_nanos - self.carried_nanos

    @property
    def limit_nanos(self) -> int:
        """The limit of the period, with what was carried and approved."""
        return self.standing.limit_nanos

    @property
    def is_exhausted(self) -> bool:
        """Whether the limit is reached: then a burn rate is no forecast any more."""
        return self.standing.spend.counted_nanos >= self.standing.limit_nanos


def figure_of(rung: Rung, spend: BudgetSpend) -> int | None:
    """The figure that a rung is compared with, in the rung's unit; None where it is not known.

    What a budget has stopped counts for the committed rate: else a step would undo its own reason and flap.
    """
    standing = spend.standing
    match rung.basis:
        case Basis.ACTUAL:
            return standing.used_ppm
        case Basis.FORECAST:
            nanos = standing.forecast_nanos
            return None if nanos is None else divide(nanos * PPM, spend.limit_nanos)
        case Basis.BURN_RATE:
            return standing.burn_ppm(rung.at)
        case Basis.COMMITTED_RATE:
            return spend.committed_nanos + spend.stopped_nanos
        case Basis.UNIT_COST:
            return spend.unit_cost_ppm


def thinnest(parts: Sequence[tuple[int, int]]) -> Fraction | None:
    """A share of several parts and wholes together; None of nothing."""
    whole = sum(all_of for _, all_of in parts)
    return Fraction(sum(part for part, _ in parts), whole) if whole > 0 else None
