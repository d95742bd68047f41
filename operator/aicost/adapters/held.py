"""Ports whose answer is held in memory and swapped whole: what was found, accepted or allowed last."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from aicost.domain.attribution.resources.observed import NOTHING_OBSERVED, Observations
from aicost.domain.budgets.units.counts import UnitCount
from aicost.domain.enforcement.victims.idleness import HostActivity
from aicost.domain.exact.windows import Window
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.ledger.rows import Row
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.pricing.books import PriceBook
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.counted import CountRow, Kind
from aicost.domain.serving.outcomes.judged import Verdict
from aicost.ports.errors import LedgerConflict, SourceUnavailable, TermOver
from aicost.ports.ledger import LedgerTerms, LedgerWriter, Posting
from aicost.ports.measured.activity import HostActivities
from aicost.ports.measured.counts import CountStore
from aicost.ports.measured.engines import EngineSource
from aicost.ports.measured.successes import SuccessCounts, SuccessQuery
from aicost.ports.measured.training import TrainingSource
from aicost.ports.measured.units import Counter, CounterQuery, UnitCounts, WorkloadKey
from aicost.ports.measured.usage import UsageSource
from aicost.ports.telemetry import TelemetrySource


class HeldBooks:
    """The accepted price books (port `PriceSource`)."""

    def __init__(self) -> None:
        self.value: tuple[PriceBook, ...] = ()

    def books(self) -> Sequence[PriceBook]:
        """The books as they are now."""
        return self.value


class HeldClaims:
    """The accepted AIWorkloads (port `Claims`)."""

    def __init__(self) -> None:
        self.value: tuple[WorkloadClaim, ...] = ()

    def claims(self) -> Sequence[WorkloadClaim]:
        """The claims as they are now."""
        return self.value


class HeldPolicies:
    """The usable CostLabelPolicies (port `Policies`)."""

    def __init__(self) -> None:
        self.value: tuple[LabelPolicy, ...] = ()

    def policies(self) -> Sequence[LabelPolicy]:
        """The policies as they are now."""
        return self.value


class HeldSource:
    """The telemetry source that was found (port `TelemetrySource`).

    Args:
        default_interval_ms: time between samples while there is no source.
    """

    def __init__(self, default_interval_ms: int) -> None:
        self._default_interval_ms = default_interval_ms
        self.value: TelemetrySource | None = None

    @property
    def interval_ms(self) -> int:
        """Time between samples that the source aims at."""
        return self.value.interval_ms if self.value else self._default_interval_ms

    def samples(self, span: Window) -> Sequence[RawSeries]:
        """The samples of the source that was found.

        Raises:
            SourceUnavailable: none was found yet.
        """
        if self.value is None:
            raise SourceUnavailable("no telemetry source was found yet")
        return self.value.samples(span)


class CountedUnits(UnitCounts, TrainingSource, Protocol):
    """What reads the counters that people name."""


class HeldUnits:
    """Counters that people name, where the source has any (ports `UnitCounts` and `TrainingSource`)."""

    def __init__(self) -> None:
        self.value: CountedUnits | None = None

    def count(self, counters: Sequence[CounterQuery], span: Window) -> Mapping[WorkloadKey, UnitCount]:
        """Counts of the source that was found.

        Raises:
            SourceUnavailable: none was found that has counters.
        """
        if self.value is None:
            raise SourceUnavailable("units are counted by a Prometheus, and none is in use")
        return self.value.count(counters, span)

    def series(self, namespace: str, counter: Counter, span: Window) -> Sequence[RawSeries]:
        """Series of the source that was found; none of none."""
        return () if self.value is None else self.value.series(namespace, counter, span)


class HeldSuccesses:
    """What queries of AIWorkloads say of successes, where the source can be asked (port `SuccessCounts`)."""

    def __init__(self) -> None:
        self.value: SuccessCounts | None = None

    def judged(self, queries: Sequence[SuccessQuery], span: Window) -> Mapping[WorkloadKey, Sequence[Verdict]]:
        """What the source that was found says.

        Raises:
            SourceUnavailable: none was found that can be asked.
        """
        if self.value is None:
            raise SourceUnavailable("successes are asked of a Prometheus, and none is in use")
        return self.value.judged(queries, span)


def always() -> int:
    """Since when a source has counters that has those of any time."""
    return 0


class HeldEngines:
    """Counters of engines and gateways, where the source has any (port `EngineSource`).

    Attributes:
        since: tells from when on the source has counters, None for never yet; a source that has a past needs none.
    """

    def __init__(self) -> None:
        self.value: EngineSource | None = None
        self.since: Callable[[], int | None] = always

    def series(self, span: Window) -> Sequence[RawSeries]:
        """The counters of the source that was found.

        Raises:
            SourceUnavailable: none was found that has counters.
        """
        return self._found().series(span)

    def before(self, pods: Collection[PodName], span: Window) -> Sequence[RawSeries]:
        """Their last samples; errors as of `series`."""
        return self._found().before(pods, span)

    def since_ms(self) -> int | None:
        """From when on the source has counters, None for never yet; errors as of `series`."""
        return self.since()

    def _found(self) -> EngineSource:
        if self.value is None:
            raise SourceUnavailable("what engines do is told by no source that is in use")
        return self.value


class HeldActivities:
    """What pods do on their hosts, where the source tells (port `HostActivities`)."""

    def __init__(self) -> None:
        self.value: HostActivities | None = None

    def activity(self, pods: Collection[PodName], span: Window) -> Mapping[PodName, HostActivity]:
        """Activity of pods; nothing is known of any where no source tells."""
        return self.value.activity(pods, span) if self.value else {pod: HostActivity() for pod in pods}


class HeldUsage:
    """What pods use of CPU and memory, where the source tells (port `UsageSource`)."""

    def __init__(self) -> None:
        self.value: UsageSource | None = None

    def observed(self, span: Window) -> Observations:
        """What pods used; nothing is known of it where no source tells."""
        return self.value.observed(span) if self.value else NOTHING_OBSERVED


class FencedCounts:
    """Counts beside the ledger that are kept only while we lead (port `CountStore`).

    Args:
        store: the real one.
        holds: True while nobody else can hold the Lease.
    """

    def __init__(self, store: CountStore, holds: Callable[[], bool]) -> None:
        self._store, self._holds = store, holds

    def version(self) -> int | None:
        """As of the port."""
        return self._store.version()

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        """As of the port."""
        return self._store.windows(span, cluster=cluster)

    def summed(self, runs: Sequence[Window], kind: Kind, by: Sequence[str], *, cluster: str) -> Sequence[CountRow]:
        """As of the port."""
        return self._store.summed(runs, kind, by, cluster=cluster)

    def revision(self, cluster: str, window: Window) -> int | None:
        """As of the port."""
        return self._store.revision(cluster, window)

    def rows(self, cluster: str, window: Window) -> Sequence[CountRow]:
        """As of the port."""
        return self._store.rows(cluster, window)

    def keep(self, cluster: str, window: Window, revision: int, rows: Sequence[CountRow]) -> bool:
        """Keep if we lead."""
        self._check()
        return self._store.keep(cluster, window, revision, rows)

    def _check(self) -> None:
        if not self._holds():
            raise LedgerConflict("another process leads: nothing is counted by this one")


class FencedWriter:
    """A ledger writer that asks before each write whether we still lead (port `LedgerWriter`).

    The first write of a leader begins its term in the ledger. The order holds the fence: term, then the Lease, then the
    write. Who was asked for the Lease in time and is paused before the write finds the term of the next leader there.

    Args:
        writer: the real one.
        holds: True while nobody else can hold the Lease.
        terms: where terms are begun; None where nobody else can lead.
    """

    def __init__(self, writer: LedgerWriter, holds: Callable[[], bool], terms: LedgerTerms | None = None) -> None:
        self._writer, self._holds, self._terms = writer, holds, terms
        self._begun: dict[str, int] = {}

    def begin(self, cluster: str) -> int | None:
        """Begin our term unless it has begun; its number.

        Raises:
            LedgerConflict: we do not lead.
        """
        if self._terms is not None and cluster not in self._begun:
            self._check()
            self._begun[cluster] = self._terms.begin_term(cluster)
        return self._begun.get(cluster)

    def post(self, posting: Posting) -> bool:
        """Post if we lead.

        Raises:
            LedgerConflict: we do not; `TermOver` where only the ledger knows it yet.
        """
        term = self.begin(posting.cluster)
        self._check()
        try:
            return self._writer.post(replace(posting, term=term))
        except TermOver:
            self._begun.pop(posting.cluster, None)  # who holds the Lease all the same begins a term anew
            raise

    def replace_provisional(self, cluster: str, window: Window, rows: Sequence[Row]) -> None:
        """Replace if we lead.

        Raises:
            LedgerConflict: we do not.
        """
        self.begin(cluster)
        self._check()
        self._writer.replace_provisional(cluster, window, rows)

    def _check(self) -> None:
        if not self._holds():
            raise LedgerConflict("this replica no longer holds the Lease: nothing was written")
