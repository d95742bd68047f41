"""Count one window of the ledger: what engines, gateways and workloads did in it, as AIWorkloads say that they count.

Whoever keeps the counts of a closed window and whoever looks at counters now count by this, and so count the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.attribution.customers import CustomerIds
from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import Window
from aicost.domain.serving.counted import CountRow, PodName, WindowCounts, rows_of
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.outcomes.judged import Verdict
from aicost.domain.serving.outcomes.statuses import status_counts
from aicost.domain.serving.rounds.counting import round_counts
from aicost.domain.serving.tenants import tenant_counts
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.engines import EngineSource
from aicost.ports.measured.successes import SuccessCounts, SuccessQuery
from aicost.ports.measured.units import CounterQuery, UnitCounts
from aicost.usecases.economics.counting import grown_in, tallies


@dataclass(frozen=True, slots=True)
class Said:
    """What AIWorkloads say of how they are counted.

    Attributes:
        units: counters of their own.
        engines: workload -> its engine.
        successes: queries of their own about successes.
    """

    units: Sequence[CounterQuery] = ()
    engines: Mapping[WorkloadName, DeclaredEngine] = field(default_factory=dict)
    successes: Sequence[SuccessQuery] = ()


NOTHING_SAID = Said()


@dataclass(frozen=True, slots=True)
class CountWindow:
    """Count a window.

    Attributes:
        reader: says which pods are whose.
        engines: counters of engines and gateways.
        units: counters that AIWorkloads name; None reads none.
        ids: ids that customers are kept under; None keeps their names.
        successes: asks what AIWorkloads want to know of successes; None asks nothing.
    """

    cluster: str
    reader: LedgerReader
    engines: EngineSource
    units: UnitCounts | None = None
    ids: CustomerIds | None = None
    successes: SuccessCounts | None = None

    def __call__(self, window: Window, said: Said = NOTHING_SAID) -> Sequence[CountRow]:
        """The counts of a window as rows that add up.

        Args:
            window: one of the ledger.
            said: what AIWorkloads say of how they are counted.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted: the counters cannot be read.
            LedgerUnavailable: nobody says whose pods are whose.
        """
        grown = grown_in(self.engines, window)
        series = [one.grown for one in grown]
        asked, rounds = tenant_counts(series), round_counts(series)
        did = tallies(grown, self._declared(window, said.engines))
        counts = WindowCounts(
            window, did, asked, self._own(window, said.units), rounds, status_counts(series),
            self._judged(window, said), {name: one.front for name, one in said.engines.items() if one.front},
            {name: one.success for name, one in said.engines.items() if one.success is not None},
        )  # fmt: skip
        return rows_of(counts, self.ids)

    def _declared(
        self, window: Window, engines: Mapping[WorkloadName, DeclaredEngine]
    ) -> Mapping[PodName, DeclaredEngine]:
        """Pods of workloads that say something of their engines, as the ledger charged them in the window."""
        if not engines:
            return {}
        sums = self.reader.sums(window, ("namespace", "pod", "workload"), {}, cluster=self.cluster)
        named = {(one.keys[0], one.keys[1]): engines.get((one.keys[0], one.keys[2])) for one in sums}
        return {pod: told for pod, told in named.items() if told is not None}

    def _own(self, window: Window, own: Sequence[CounterQuery]) -> Mapping[WorkloadName, UnitCount]:
        return self.units.count(own, window) if self.units is not None and own else {}

    def _judged(self, window: Window, said: Said) -> Mapping[WorkloadName, Sequence[Verdict]]:
        if self.successes is None or not said.successes:
            return {}
        return self.successes.judged(said.successes, window)
