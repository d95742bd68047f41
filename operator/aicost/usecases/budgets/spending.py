"""Gather what budgets spend: closed windows from the ledger, the open one as last computed, the rest by its price."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.budgets.pace import BURN_WINDOWS_MS, Spend, recent_start
from aicost.domain.budgets.periods import Period
from aicost.domain.budgets.spend.found import ScopeSpend
from aicost.domain.budgets.spend.labels import label_coverage, label_keys
from aicost.domain.budgets.spend.running import RunningNow
from aicost.domain.budgets.spend.scopes import Scope, Values
from aicost.domain.budgets.spend.series import SpendSeries, Timeline
from aicost.domain.budgets.spend.sums import Sums, Total, indexed, total
from aicost.domain.coverage.keys import WantedKey
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.prorating import clip
from aicost.domain.reporting.sums import GroupSum, sum_rows
from aicost.ports.ledger import LedgerReader, LedgerSource

HISTORY_DAYS = 21
"""How far back spend is kept by window: three weeks show what is normal."""
LABEL_DAYS = 30


@dataclass(slots=True)
class Closed:
    """What the ledger says of closed windows, as of one version of it. Sums are read when they are first asked for.

    Attributes:
        end_ms: end of the last closed window; None for an empty ledger.
        first_ms: start of the first one.
    """

    reader: LedgerReader
    cluster: str
    keys: Values
    wanted: Sequence[WantedKey]
    end_ms: int | None
    first_ms: int | None
    _sums: dict[tuple[Values, int, int | None], Sums] = field(default_factory=dict)
    _series: SpendSeries | None = None
    _timelines: dict[tuple[Scope, str], Timeline] = field(default_factory=dict)

    def since(self, start_ms: int, until_ms: int | None = None) -> Sums:
        """Sums from a moment to the end of the last closed window, or to an earlier moment.

        A window that such a moment cuts counts in part.
        """
        return self._between(self.keys, start_ms, until_ms)

    def labelled(self, now_ms: int) -> Sums:
        """The same for the time that label coverage is of, by the keys that it is read from."""
        keys = tuple(dict.fromkeys([*self.keys, *label_keys(self.wanted)]))
        start_ms = now_ms - LABEL_DAYS * DAY_MS
        return self._between(keys, start_ms - start_ms % DAY_MS, None)

    def timeline(self, scope: Scope, currency: str) -> Timeline:
        """Cost by window of one scope."""
        key = (scope, currency)
        if key not in self._timelines:
            self._timelines[key] = self.series.of(scope, currency)
        return self._timelines[key]

    @property
    def series(self) -> SpendSeries:
        """Cost by group and window of the last weeks."""
        if self._series is None:
            end_ms = self.end_ms or 0
            span = Window(max(0, end_ms - HISTORY_DAYS * DAY_MS), end_ms)
            self._series = self.reader.series(span, self.keys, cluster=self.cluster)
        return self._series

    def _between(self, keys: Values, start_ms: int, until_ms: int | None) -> Sums:
        key = (keys, start_ms, until_ms)
        if key not in self._sums:
            self._sums[key] = indexed(keys, self._read(keys, start_ms, until_ms))
        return self._sums[key]

    def _read(self, keys: Values, start_ms: int, until_ms: int | None) -> Sequence[GroupSum]:
        ends = [end for end in (self.end_ms, until_ms) if end is not None]
        if self.end_ms is None or start_ms >= min(ends):
            return ()
        span = Window(start_ms, min(ends))
        cut = (clip(row, span) for row in self.reader.edges(span, {}, cluster=self.cluster))
        edges = sum_rows((row for row in cut if row is not None), keys)
        return (*self.reader.sums(span, keys, {}, cluster=self.cluster), *edges)


def _alone(reader: LedgerReader) -> LedgerReader:
    return reader


@dataclass(slots=True)
class Spending:
    """Reads the ledger again when it has changed, or when other keys are asked for.

    Attributes:
        counted: what counts beside the cluster itself.
    """

    source: LedgerSource
    cluster: str
    counted: Callable[[LedgerReader], LedgerReader] = _alone
    _closed: Closed | None = None
    _basis: tuple[object, ...] = ()

    def closed(self, keys: Values, wanted: Sequence[WantedKey]) -> Closed:
        """What the ledger says of closed windows.

        Args:
            keys: keys of all scopes that will be asked for.
            wanted: keys that policies want.

        Raises:
            LedgerUnavailable: it cannot be read.
        """
        basis = (self.source.version(), keys, tuple(wanted))
        if self._closed is None or basis != self._basis:
            reader = self.counted(self.source.snapshot())
            first, last = reader.first_window(self.cluster), reader.last_window(self.cluster)
            ends = (last.end_ms if last else None, first.start_ms if first else None)
            self._closed, self._basis = Closed(reader, self.cluster, keys, wanted, *ends), basis
        return self._closed


@dataclass(frozen=True, slots=True)
class OpenSpend:
    """What the open window holds, as it was last computed.

    Attributes:
        rows: of windows that are not posted yet.
        computed_ms: the moment that they are computed for; None where they never were.
    """

    rows: tuple[Row, ...] = ()
    computed_ms: int | None = None

    @property
    def start_ms(self) -> int | None:
        """Where they begin."""
        return min((row.window.start_ms for row in self.rows), default=None)


@dataclass(slots=True)
class OpenSums:
    """The open window, ready to be asked by scope; grouped once for each computation of it.

    Attributes:
        start_ms, end_ms: where its rows begin and end; None without any.
    """

    spend: OpenSpend
    keys: Values
    start_ms: int | None = field(init=False)
    end_ms: int | None = field(init=False)
    _sums: dict[tuple[Values, int, int], Sums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start_ms = self.spend.start_ms
        self.end_ms = max((row.window.end_ms for row in self.spend.rows), default=None)

    def since(self, start_ms: int, keys: Values | None = None) -> Sums:
        """Sums of what lies after a moment."""
        return self.between(start_ms, None, keys)

    def between(self, start_ms: int, until_ms: int | None, keys: Values | None = None) -> Sums:
        """Sums of what lies between two moments; None: up to the end."""
        begin, chosen = max(start_ms, self.start_ms or 0), keys or self.keys
        last = begin if self.end_ms is None else self.end_ms
        key = (chosen, begin, max(begin, last if until_ms is None else min(last, until_ms)))
        if key not in self._sums:
            rows = (clip(row, Window(key[1], key[2])) for row in self.spend.rows)
            self._sums[key] = indexed(chosen, sum_rows((row for row in rows if row is not None), chosen))
        return self._sums[key]


@dataclass(frozen=True, slots=True)
class Known:
    """All that figures are taken from, of one moment.

    Attributes:
        epoch_ms: the journal's first moment.
    """

    closed: Closed
    open: OpenSums
    running: RunningNow
    epoch_ms: int
    now_ms: int


def spend_of(known: Known, scope: Scope, currency: str, period: Period) -> ScopeSpend:
    """What a scope spends, in a currency and a period."""
    now, is_over = known.now_ms, period.end_ms is not None and known.now_ms >= period.end_ms
    end_ms = period.end_ms if is_over else None
    closed = known.closed.since(period.start_ms, end_ms).inside(scope)
    still_open = known.open.between(period.start_ms, end_ms).inside(scope)
    settled, provisional = total(closed, currency), total(still_open, currency)
    here = [known.running.pods[place] for place in known.running.groups.inside(scope)]
    begin_ms, until_ms = max(known.running.since_ms, period.start_ms), now if end_ms is None else end_ms
    accrued = sum(one.accrued(begin_ms, until_ms) for one in here if one.currency == currency)
    committed = tuple(one for one in here if one.alive)
    timeline = known.closed.timeline(scope, currency)
    first = known.closed.first_ms
    since = min(first if first is not None else now, known.epoch_ms)
    recent = recent_start(period, now)
    lately = _Lately(known, timeline, _whole_open(known, scope, currency).nanos, accrued)
    spend = Spend(
        nanos=settled.nanos + provisional.nanos,
        provisional_nanos=provisional.nanos,
        recent_nanos=lately.since(recent),
        recent_ms=now - max(recent, since),
        since_ms=since,
        accrued_nanos=accrued,
        committed_nanos=sum(one.rate_nanos or 0 for one in committed if one.currency == currency),
        lately=tuple((span, lately.since(now - span)) for span in BURN_WINDOWS_MS if since <= now - span),
        days=timeline.days(known.closed.end_ms or 0, HISTORY_DAYS - 7, DAY_MS),
    )
    strangers = {one.currency for one in committed} - {currency, ""}
    period_total = settled + provisional + Total(foreign=frozenset(strangers))
    return ScopeSpend(
        spend=spend,
        period=period_total,
        day=_day(known, scope, currency),
        labels=_labels(known, scope),
        committed=committed,
        timeline=timeline,
        by_workload=_by_workload(known.closed.keys, (*closed, *still_open), currency),
    )


def _by_workload(keys: Values, sums: Iterable[GroupSum], currency: str) -> dict[tuple[str, str], int]:
    """Cost of each AIWorkload; none where cost is not told apart by it."""
    if "workload" not in keys or "namespace" not in keys:
        return {}
    space, name = keys.index("namespace"), keys.index("workload")
    found: Counter[tuple[str, str]] = Counter()
    for one in sums:
        if one.keys[name] and one.currency == currency:
            found[one.keys[space], one.keys[name]] += one.cost_nanos
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Lately:
    """Cost of the last hours: closed windows, and the part of the open one that lies in the time that is asked for."""

    known: Known
    timeline: Timeline
    open_nanos: int
    accrued_nanos: int

    def since(self, start_ms: int) -> int:
        """Cost from a moment until now."""
        closed_ms = self.known.closed.end_ms or 0
        settled = self.timeline.spent(Window(start_ms, closed_ms)) if start_ms < closed_ms else 0
        return settled + self._open_since(start_ms) + self.accrued_nanos

    def _open_since(self, start_ms: int) -> int:
        begin, end = self.known.open.start_ms, self.known.open.spend.computed_ms
        if begin is None or end is None or end <= max(begin, start_ms):
            return 0
        return self.open_nanos * (end - max(begin, start_ms)) // (end - begin)


def _whole_open(known: Known, scope: Scope, currency: str) -> Total:
    """All of the open window: a period may begin in the midst of it, and what is spent per hour does not."""
    return total(known.open.since(known.open.start_ms or 0).inside(scope), currency)


def _day(known: Known, scope: Scope, currency: str) -> Total:
    """The last day: up to the end of the last closed window, and the open one."""
    end_ms = known.closed.end_ms
    start_ms = (end_ms if end_ms is not None else known.now_ms) - DAY_MS
    parts = (part.since(start_ms).inside(scope) for part in (known.closed, known.open))
    return _sum(total(part, currency) for part in parts)


def _sum(parts: Iterable[Total]) -> Total:
    whole = Total()
    for part in parts:
        whole += part
    return whole


def _labels(known: Known, scope: Scope) -> Fraction | None:
    labelled = known.closed.labelled(known.now_ms)
    keys = labelled.groups.keys
    parts = (labelled, known.open.since(known.open.start_ms or 0, keys))
    return label_coverage(parts, scope, known.closed.wanted)
