"""Compute the statement of one window from what the world says of it now."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from aicost.domain.attribution.resources.observed import NOTHING_OBSERVED, Observations, use_of_pods
from aicost.domain.attribution.resources.residents import ALL_COUNTED, Counting
from aicost.domain.attribution.sharing.choosing import NO_POLICY, SharingPolicy
from aicost.domain.attribution.window import WindowInput, WindowStatement, state_window
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.ledger.rows import Component
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import context_of
from aicost.domain.sampling.series import COLLECTION_MS, RawSeries, SampleDefects
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from aicost.ports.inventory import Inventory
from aicost.ports.measured.usage import UsageSource
from aicost.ports.policies import Policies
from aicost.ports.prices import PriceSource
from aicost.ports.telemetry import TelemetrySource
from aicost.ports.workloads import Claims
from aicost.usecases.uncollected import uncollected

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
        newest_ms: the moment of the newest sample; None where there is none.
        use_missing: why it is not known what pods used of CPU and memory, empty where the source told or there is none.
    """

    statement: WindowStatement
    defects: SampleDefects
    samples: int
    blind: str = ""
    newest_ms: int | None = None
    use_missing: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a statement will rest on; the attributes beside `given` are those of `Computed`."""

    given: WindowInput
    samples: int
    blind: str
    newest_ms: int | None
    use_missing: str = ""

    @uncollected()
    def computed(self) -> Computed:
        """The statement."""
        statement, defects = state_window(self.given), self.given.telemetry.defects
        return Computed(statement, defects, self.samples, self.blind, self.newest_ms, self.use_missing)


@dataclass(frozen=True, slots=True)
class ComputeWindow:
    """Gather lifetimes, samples, prices, claims and policies; state the window.

    Attributes:
        collection_ms: how often the exporters collect: a sample may be older than its time by so much.
        usage: what pods use of CPU and memory; None where nobody tells: they pay for what they ask for.
        counting: what is counted beside the GPUs.
        sharing: how GPUs that pods share are split.
    """

    cluster: str
    inventory: Inventory
    telemetry: TelemetrySource
    prices: PriceSource
    claims: Claims
    policies: Policies
    collection_ms: int = COLLECTION_MS
    usage: UsageSource | None = None
    counting: Counting = ALL_COUNTED
    sharing: SharingPolicy = NO_POLICY

    @property
    def padding_ms(self) -> int:
        """How far beyond a window its samples are asked for, on both sides."""
        return max(5 * MINUTE_MS, PADDING_INTERVALS * self.telemetry.interval_ms)

    def __call__(self, window: Window, now_ms: int, *, may_be_blind: bool) -> Computed:
        """State a window as things are known now; see `gather`."""
        return self.gather(window, now_ms, may_be_blind=may_be_blind).computed()

    @uncollected()
    def gather(self, window: Window, now_ms: int, *, may_be_blind: bool) -> Gathered:
        """Gather what a window's statement rests on, as things are known now.

        Args:
            window: a billing window, or the part of the open one that has passed.
            now_ms: the moment of the computation.
            may_be_blind: without an answer of the telemetry source, go on with none: all held time is then unmeasured.

        Raises:
            SOURCE_FAILURES: the telemetry source failed and the window may not be blind.
        """
        # 1. Lifetimes, a little beyond the window, since samples are.
        padding_ms = self.padding_ms
        padded = Window(window.start_ms - padding_ms, window.end_ms + padding_ms)
        facts = self.inventory.facts(padded)
        # 2. Samples, cleaned; meanwhile the server works out what pods used beside the GPUs.
        with ThreadPoolExecutor(1, "usage") as beside:
            observing = beside.submit(self._observed, window, may_be_blind=may_be_blind)
            raw, blind = self._samples(padded, may_be_blind=may_be_blind)
            telemetry = read_telemetry(raw, context_of(facts, self.telemetry.interval_ms), now_ms)
            telemetry = replace(telemetry, collection_ms=self.collection_ms)
        observed = observing.result()
        # 3. Prices, claims and policies as they are now.
        books, claims, policies = self.prices.books(), self.claims.claims(), self.policies.policies()
        given = WindowInput(self.cluster, window, facts, telemetry, books, claims, padding_ms, policies)
        use = use_of_pods(observed.pods, facts.pods)
        given = replace(given, use=use, counting=self.counting, sharing=self.sharing)
        samples = sum(len(series.at_ms) for series in raw)
        newest = max((int(series.at_ms.max()) for series in raw if len(series.at_ms)), default=None)
        return Gathered(given, samples, blind, newest, observed.problem)

    def _observed(self, window: Window, *, may_be_blind: bool) -> Observations:
        """What pods used of CPU and memory; nothing is known of it where nobody tells."""
        if self.usage is None or not {Component.CPU, Component.MEMORY} & set(self.counting.components):
            return NOTHING_OBSERVED
        try:
            return self.usage.observed(window)
        except SOURCE_FAILURES as error:
            if not may_be_blind:
                raise
            return Observations(problem=str(error))

    def _samples(self, span: Window, *, may_be_blind: bool) -> tuple[tuple[RawSeries, ...], str]:
        """Samples, or none and the reason."""
        try:
            return tuple(self.telemetry.samples(span)), ""
        except SOURCE_FAILURES as error:
            if not may_be_blind:
                raise
            return (), str(error)
