"""Compute the statement of one window from what the world says of it now."""

from dataclasses import dataclass, replace

from aicost.domain.attribution.window import WindowInput, WindowStatement, state_window
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import context_of
from aicost.domain.sampling.series import COLLECTION_MS, RawSeries, SampleDefects
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from aicost.ports.inventory import Inventory
from aicost.ports.policies import Policies
from aicost.ports.prices import PriceSource
from aicost.ports.telemetry import TelemetrySource
from aicost.ports.workloads import Claims

PADDING_INTERVALS = 8
"""Samples are asked for this many intervals beyond the window on both sides, so that integrals do not depend on its
bounds and a pod's device is known from samples shortly after its start."""
SOURCE_FAILURES = (SourceUnavailable, InvalidAnswer, NotPermitted, InvalidRequest)
"""How a telemetry source may fail. A wrong token is mended sooner or later, as an outage ends."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A statement and what its samples were worth.

    Attributes:
        defects: what cleaning dropped or mended.
        samples: number of raw samples.
        blind: why there were no samples, empty where the source answered.
    """

    statement: WindowStatement
    defects: SampleDefects
    samples: int
    blind: str = ""


@dataclass(frozen=True, slots=True)
class ComputeWindow:
    """Gather lifetimes, samples, prices, claims and policies; state the window.

    Attributes:
        collection_ms: how often the exporters collect: a sample may be older than its time by so much.
    """

    cluster: str
    inventory: Inventory
    telemetry: TelemetrySource
    prices: PriceSource
    claims: Claims
    policies: Policies
    collection_ms: int = COLLECTION_MS

    def __call__(self, window: Window, now_ms: int, *, may_be_blind: bool) -> Computed:
        """State a window as things are known now.

        Args:
            window: a billing window, or the part of the open one that has passed.
            now_ms: the moment of the computation.
            may_be_blind: without an answer of the telemetry source, go on with none: all held time is then unmeasured.

        Raises:
            SOURCE_FAILURES: the telemetry source failed and the window may not be blind.
        """
        # 1. Lifetimes, a little beyond the window, since samples are.
        padding_ms = max(5 * MINUTE_MS, PADDING_INTERVALS * self.telemetry.interval_ms)
        padded = Window(window.start_ms - padding_ms, window.end_ms + padding_ms)
        facts = self.inventory.facts(padded)
        # 2. Samples, cleaned.
        raw, blind = self._samples(padded, may_be_blind=may_be_blind)
        telemetry = read_telemetry(raw, context_of(facts, self.telemetry.interval_ms), now_ms)
        telemetry = replace(telemetry, collection_ms=self.collection_ms)
        # 3. Prices, claims and policies as they are now; the statement.
        books, claims, policies = self.prices.books(), self.claims.claims(), self.policies.policies()
        given = WindowInput(self.cluster, window, facts, telemetry, books, claims, padding_ms, policies)
        samples = sum(len(series.at_ms) for series in raw)
        return Computed(state_window(given), telemetry.defects, samples, blind)

    def _samples(self, span: Window, *, may_be_blind: bool) -> tuple[tuple[RawSeries, ...], str]:
        """Samples, or none and the reason."""
        try:
            return tuple(self.telemetry.samples(span)), ""
        except SOURCE_FAILURES as error:
            if not may_be_blind:
                raise
            return (), str(error)
