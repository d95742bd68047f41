"""Keep what was counted in each closed window, beside the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.attribution.customers import CustomerIds
from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.serving.counted import CountRow, PodName, WindowCounts, rows_of
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.outcomes.judged import Verdict
from aicost.domain.serving.outcomes.statuses import status_counts
from aicost.domain.serving.rounds.counting import round_counts
from aicost.domain.serving.tenants import tenant_counts
from aicost.ports.ledger import LedgerReader
from aicost.ports.measured.counts import CountStore
from aicost.ports.measured.engines import EngineSource
from aicost.ports.measured.successes import SuccessCounts, SuccessQuery
from aicost.ports.measured.units import CounterQuery, UnitCounts
from aicost.usecases.economics.counting import grown_in, tallies

BACK_MS = 2 * DAY_MS
"""A window that was not counted for so long never is: after an outage of the source it is caught up with this much."""
MOST_AT_ONCE = 4
"""Windows of one call: what is left waits for the next one."""


@dataclass(frozen=True, slots=True)
class WindowCounted:
    """A window whose counts were kept.

    Attributes:
        revision: above 0 where later samples changed what had been kept.
    """

    window: Window
    revision: int
    rows: int


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
class KeepCounts:
    """Count closed windows, oldest first, and once more the one before: samples come late.

    Attributes:
        store: where counts are kept.
        reader: says which windows are closed.
        engines: counters of engines and gateways.
        units: counters that AIWorkloads name; None reads none.
        ids: ids that customers are kept under; None keeps their names.
        successes: asks what AIWorkloads want to know of successes; None asks nothing.
    """

    cluster: str
    store: CountStore
    reader: LedgerReader
    engines: EngineSource
    units: UnitCounts | None = None
    ids: CustomerIds | None = None
    successes: SuccessCounts | None = None

    def due(self) -> Sequence[Window]:
        """Closed windows that are not counted yet, oldest first."""
        last = self.reader.last_window(self.cluster)
        if last is None:
            return ()
        span = Window(last.end_ms - BACK_MS, last.end_ms)
        counted = set(self.store.windows(span, cluster=self.cluster))
        return [one for one in self.reader.windows(span, cluster=self.cluster) if one not in counted]

    def __call__(self, said: Said = NOTHING_SAID) -> Iterator[WindowCounted]:
        """Count some of what is due. Each window is kept before the next one is looked at.

        Args:
            said: what AIWorkloads say of their engines and counters.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted: the counters cannot be read; what was kept stays.
            LedgerUnavailable, LedgerConflict: the counts cannot be kept.
        """
        for window in self.due()[:MOST_AT_ONCE]:
            yield self.count(window, said)
            if (again := self._again(window, said)) is not None:
                yield again

    def catch_up(self, span: Window) -> Iterator[WindowCounted]:
        """Count all closed windows of a past that are not counted yet, however long ago; errors as of a call.

        Nothing is kept before the first engine or gateway was heard.
        """
        counted = set(self.store.windows(span, cluster=self.cluster))
        for window in self.reader.windows(span, cluster=self.cluster):
            if window not in counted:
                rows = self._rows(window, NOTHING_SAID)
                if rows or self.store.version() is not None:
                    self.store.keep(self.cluster, window, 0, rows)
                    yield WindowCounted(window, 0, len(rows))

    def count(self, window: Window, said: Said = NOTHING_SAID) -> WindowCounted:
        """Count a window for the first time; errors as of a call."""
        rows = self._rows(window, said)
        self.store.keep(self.cluster, window, 0, rows)
        return WindowCounted(window, 0, len(rows))

    def _again(self, after: Window, said: Said) -> WindowCounted | None:
        """The window before, if by now it was counted otherwise than it was."""
        before = self.reader.windows(Window(after.start_ms - after.length_ms, after.start_ms), cluster=self.cluster)
        revision = self.store.revision(self.cluster, before[-1]) if before else None
        if revision is None:
            return None
        window, rows = before[-1], self._rows(before[-1], said)
        if _same(rows, self.store.rows(self.cluster, window)):
            return None
        self.store.keep(self.cluster, window, revision + 1, rows)
        return WindowCounted(window, revision + 1, len(rows))

    def _rows(self, window: Window, said: Said) -> Sequence[CountRow]:
        grown = grown_in(self.engines, window)
        series = [one.grown for one in grown]
        asked, rounds = tenant_counts(series), round_counts(series)
        did = tallies(grown, self._declared(window, said.engines))
        counts = WindowCounts(
            window, did, asked, self._own(window, said.units), rounds, status_counts(series),
            self._judged(window, said), {name: one.front for name, one in said.engines.items() if one.front},
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


def _same(one: Sequence[CountRow], other: Sequence[CountRow]) -> bool:
    return sorted(map(repr, one)) == sorted(map(repr, other))
