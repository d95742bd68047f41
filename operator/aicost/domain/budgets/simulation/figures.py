"""The figures of a budget at a moment of the past, as far as a ledger tells them: what its decision looks at."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.budgets.deciding.figures import BudgetSpend, Data
from aicost.domain.budgets.pace import BURN_WINDOWS_MS, Spend, recent_start, stand
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.simulation.flow import Course, Flow
from aicost.domain.exact.windows import DAY_MS, Window

FORECAST_DAYS = 14
"""Full days that a forecast takes its median of."""


@dataclass(frozen=True, slots=True)
class Term:
    """A period with its limit.

    Attributes:
        key: tells it from the next one.
    """

    period: Period
    key: int
    limit_nanos: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a budget sees, at any moment up to the next stop or return of a workload.

    Attributes:
        course: how cost runs, with what is stopped so far.
        held: cost that pods held, as it was recorded.
        grain_ms: length of a window of the ledger.
        labels: label coverage, taken as the same throughout; None where nothing has a cost.
        foreign: other currency -> starts of windows with a cost in it.
        known: from when to when the ledger knows.
    """

    course: Course
    held: Flow
    grain_ms: int
    labels: Fraction | None
    foreign: Mapping[str, tuple[int, ...]]
    known: Window
    _days: dict[int, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    def at(self, term: Term, now_ms: int) -> BudgetSpend:
        """The figures at a moment of a period.

        A window that is open at that moment has grown evenly since it began. What runs costs the mean of its window.
        Samples and prices of the past are taken as good enough: what was not is not recorded.
        """
        period, counted = term.period, self.course.counted
        last = now_ms if period.end_ms is None else min(now_ms, period.end_ms)
        since, recent = self.known.start_ms, recent_start(period, now_ms)
        stopped = self.course.gone.rate(now_ms)
        spend = Spend(
            nanos=counted.spent(period.start_ms, last),
            provisional_nanos=0,
            recent_nanos=counted.spent(recent, now_ms),
            recent_ms=now_ms - max(recent, since),
            since_ms=since,
            committed_nanos=max(0, self.held.rate(now_ms) - stopped),
            lately=tuple(
                (span, counted.spent(now_ms - span, now_ms)) for span in BURN_WINDOWS_MS if since <= now_ms - span
            ),
            days=self._full_days(now_ms),
        )
        return BudgetSpend(
            period=period,
            key=term.key,
            standing=stand(term.limit_nanos, period, spend, now_ms),
            data=Data(now_ms, labels=self.labels, foreign=self._foreign(period, now_ms)),
            committed_nanos=spend.committed_nanos,
            stopped_nanos=stopped,
        )

    def _full_days(self, now_ms: int) -> tuple[int, ...]:
        """Cost of the last full days before the last closed window, the latest first."""
        counted, since = self.course.counted, self.known.start_ms
        closed = now_ms - now_ms % self.grain_ms
        if closed not in self._days:
            ends = (closed - number * DAY_MS for number in range(FORECAST_DAYS))
            self._days[closed] = tuple(counted.spent(end - DAY_MS, end) for end in ends if end - DAY_MS >= since)
        return self._days[closed]

    def _foreign(self, period: Period, now_ms: int) -> tuple[str, ...]:
        """Other currencies that something has cost in since the period began."""
        return tuple(
            name
            for name, starts in self.foreign.items()
            if bisect_left(starts, now_ms) > bisect_left(starts, period.start_ms)
        )
