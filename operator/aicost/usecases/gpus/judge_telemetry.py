"""Say of each node whether its telemetry can be trusted."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.series import RawSeries
from aicost.domain.trust.judging import LOOK_BACK_MS, judge
from aicost.domain.trust.standing import NodeTelemetry, settle
from aicost.domain.trust.values import Evidence, Stranger
from aicost.ports.exporters import Exporters
from aicost.ports.inventory import Inventory
from aicost.ports.telemetry import TelemetrySource
from aicost.usecases.compute_window import SOURCE_FAILURES

AHEAD_MS = 5 * MINUTE_MS
"""How far into the future samples are looked for: there are none unless a clock is wrong."""


@dataclass(frozen=True, slots=True)
class JudgeTelemetry:
    """Gather samples, objects and exporters; judge each GPU node.

    Attributes:
        ahead_ms: how far after the moment of a look samples are asked for; 0 where the past is gone through again.
    """

    inventory: Inventory
    telemetry: TelemetrySource
    exporters: Exporters
    ahead_ms: int = AHEAD_MS

    def __call__(self, before: Iterable[NodeTelemetry], source: str, now_ms: int) -> tuple[NodeTelemetry, ...]:
        """Look at all nodes once.

        Args:
            before: what the last look said.
            source: where samples come from, for people; empty where there is no source.
            now_ms: the moment of the look.
        """
        # 1. Objects, and the samples of some minutes.
        span = Window(now_ms - LOOK_BACK_MS, now_ms + self.ahead_ms)
        facts = self.inventory.facts(span)
        raw, problem = self._samples(span) if source else ((), "")
        # 2. What is wrong now, and what counts of it.
        evidence = Evidence(
            span.start_ms, facts, raw, self.telemetry.interval_ms, self.exporters.exporters(), source, problem
        )
        judged = judge(evidence, now_ms)
        # 3. Where exporters are blind: do they speak, and we do not understand them?
        if source and not problem and any(one.is_blind for one in judged):
            judged = judge(replace(evidence, strangers=self._strangers()), now_ms)
        return settle({one.node: one for one in before}, judged, now_ms)

    def _strangers(self) -> tuple[Stranger, ...]:
        """Names that we do not know; none where the source does not tell."""
        try:
            return tuple(self.exporters.strangers())
        except SOURCE_FAILURES:
            return ()

    def _samples(self, span: Window) -> tuple[tuple[RawSeries, ...], str]:
        """Samples, or none and the reason."""
        try:
            return tuple(self.telemetry.samples(span)), ""
        except SOURCE_FAILURES as error:
            return (), str(error)
