"""What one scope spends, as it was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.budgets.deciding.figures import thinnest
from aicost.domain.budgets.pace import Spend
from aicost.domain.budgets.spend.running import MILLI, Running
from aicost.domain.budgets.spend.series import Timeline
from aicost.domain.budgets.spend.sums import Total
from aicost.domain.exact.windows import MINUTE_MS

JUDGED_MS = 10 * MINUTE_MS
"""Time that each device must have run on average before it is said that samples are missing: the first ones come after
a scrape or two, and that is no blindness."""


@dataclass(frozen=True, slots=True)
class ScopeSpend:
    """What one scope spends.

    Attributes:
        spend: for the figures.
        period, day: totals of the period, and of the last day.
        labels: label coverage; None where nothing has a cost.
        committed: what runs now, in scope.
        timeline: cost by closed window.
        by_workload: (namespace, AIWorkload) -> cost in the period; what none claims is absent.
    """

    spend: Spend
    period: Total
    day: Total
    labels: Fraction | None
    committed: tuple[Running, ...]
    timeline: Timeline
    by_workload: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def telemetry(self) -> Fraction | None:
        """Share of the device time of the last day with samples; None where there is too little to judge."""
        return thinnest([(self.day.measured_ms, self.day.gpu_ms)]) if self._is_judged else None

    @property
    def price(self) -> Fraction | None:
        """Share of it with a price, and of what runs now."""
        priced = self.day.gpu_ms - self.day.unpriced_ms
        if self.day.gpu_ms:
            return thinnest([(priced, self.day.gpu_ms)])
        milli = sum(one.gpu_milli for one in self.committed)
        return thinnest([(sum(one.gpu_milli for one in self.committed if one.rate_nanos is not None), milli)])

    @property
    def _is_judged(self) -> bool:
        devices = max(MILLI, sum(one.gpu_milli for one in self.committed))
        return self.day.gpu_ms * MILLI >= JUDGED_MS * devices
