"""The ledger in memory, held to the same contract as the real one."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy

import numpy as np

from aicost.domain.budgets.spend.scopes import Grouped
from aicost.domain.budgets.spend.series import SpendSeries
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.difference import same_rows
from aicost.domain.ledger.postings import check_posting, out_of_turn, overlapping
from aicost.domain.ledger.rows import HELD, Bucket, Row
from aicost.domain.reporting.keys import passes, value_of
from aicost.domain.reporting.sums import GroupSum, sum_rows
from aicost.ports.errors import LedgerConflict, LedgerUnavailable, TermOver
from aicost.ports.ledger import Posting


def _group(row: Row, keys: Sequence[str]) -> tuple[tuple[str, ...], str, str, bool]:
    return tuple(value_of(row, key) for key in keys), row.currency, row.component.value, row.bucket in HELD


def _column(row: Row, name: str) -> str:
    return getattr(row.place if name in {"node", "device"} else row.holder, name)


def _start(window: Window) -> int:
    return window.start_ms


def _end(window: Window) -> int:
    return window.end_ms


class MemoryLedger:
    """`LedgerWriter`, `LedgerTerms`, `LedgerReader` and `LedgerSource`; `failing = "why"` makes each posting fail."""

    def __init__(self) -> None:
        self.postings: dict[tuple[str, Window, int], tuple[Row, ...]] = {}
        self.provisional: dict[str, tuple[Row, ...]] = {}
        self.failing = ""
        self.terms: dict[str, int] = {}

    def begin_term(self, cluster: str) -> int:
        if self.failing:
            raise LedgerUnavailable(self.failing)
        self.terms[cluster] = self.terms.get(cluster, 0) + 1
        return self.terms[cluster]

    def post(self, posting: Posting) -> bool:
        check_posting(posting.cluster, posting.window, posting.revision, posting.rows)
        if self.failing:
            raise LedgerUnavailable(self.failing)
        key = (posting.cluster, posting.window, posting.revision)
        if key in self.postings:
            if not same_rows(self.postings[key], posting.rows):
                raise LedgerConflict(f"window {posting.window}, revision {posting.revision} has other rows")
            return False
        if posting.term is not None and posting.term < self.terms.get(posting.cluster, 0):
            raise TermOver(f"term {posting.term} is over")
        self._must_be_next(posting)
        self.postings[key] = tuple(posting.rows)
        return True

    def _must_be_next(self, posting: Posting) -> None:
        problem = out_of_turn(posting.window, posting.revision, self.revision(posting.cluster, posting.window))
        held = {row.window for row in self.rows(posting.window, cluster=posting.cluster)}
        problem = problem or overlapping(posting.window, held)
        if problem:
            raise LedgerConflict(problem)

    def replace_provisional(self, cluster: str, window: Window, rows: Sequence[Row]) -> None:
        if self.failing:
            raise LedgerUnavailable(self.failing)
        for row in rows:
            if row.window.overlap(window) != row.window or row.place.cluster != cluster:
                raise ValueError(f"a provisional row of {row.place.cluster!r}, {row.window} is outside {window}")
        self.provisional[cluster] = tuple(rows)

    def snapshot(self) -> "MemoryLedger":
        return deepcopy(self)

    def version(self) -> int | None:
        return len(self.postings) - 1 if self.postings else None

    def series(self, span: Window, keys: Sequence[str], *, cluster: str) -> SpendSeries:
        inside = [row for row in self.rows(span, cluster=cluster) if row.window.overlap(span) == row.window]
        windows = sorted({row.window for row in inside})
        names = sorted({_group(row, keys) for row in inside})
        arrays = {name: np.zeros((len(names), len(windows)), dtype=np.int64) for name in ("cost", "idle", "busy")}
        for row in inside:
            place = names.index(_group(row, keys)), windows.index(row.window)
            arrays["cost"][place] += row.cost_nanos or 0
            arrays["idle"][place] += row.gpu_milliseconds * (row.bucket is Bucket.ALLOCATED_IDLE)
            arrays["busy"][place] += row.gpu_milliseconds * (row.bucket is Bucket.USED)
        groups = Grouped(tuple(keys), [one[0] for one in names], [one[3] for one in names], [one[2] for one in names])
        starts, ends = (np.array([bound(one) for one in windows], dtype=np.int64) for bound in (_start, _end))
        return SpendSeries(groups, tuple(one[1] for one in names), starts, ends, *arrays.values())

    def clusters(self) -> Sequence[str]:
        rows = [row for rows in (*self.postings.values(), *self.provisional.values()) for row in rows]
        return sorted({row.place.cluster for row in rows})

    def _windows(self, cluster: str) -> list[Window]:
        return [window for name, window, _ in self.postings if name == cluster]

    def last_window(self, cluster: str) -> Window | None:
        return max(self._windows(cluster), key=lambda window: window.end_ms, default=None)

    def first_window(self, cluster: str) -> Window | None:
        return min(self._windows(cluster), default=None)

    def revision(self, cluster: str, window: Window) -> int | None:
        return max((rev for name, posted, rev in self.postings if (name, posted) == (cluster, window)), default=None)

    def windows(self, span: Window, *, cluster: str) -> Sequence[Window]:
        return sorted({row.window for row in self.rows(span, cluster=cluster)})

    def rows(self, span: Window, *, cluster: str | None = None, provisional: bool = False) -> Sequence[Row]:
        held = self._open_rows() if provisional else [row for rows in self.postings.values() for row in rows]
        return tuple(row for row in held if cluster in {None, row.place.cluster} and row.window.overlap(span))

    def picked(self, span: Window, where: Mapping[str, Collection[str]], *, cluster: str) -> Sequence[Row]:
        rows = self.rows(span, cluster=cluster)
        return [row for row in rows if all(_column(row, name) in values for name, values in where.items())]

    def _open_rows(self) -> list[Row]:
        return [
            row
            for cluster, rows in self.provisional.items()
            for row in rows
            if (last := self.last_window(cluster)) is None or row.window.start_ms >= last.end_ms
        ]

    def edges(
        self, span: Window, filters: Mapping[str, tuple[str, ...]], *, cluster: str | None = None
    ) -> Sequence[Row]:
        bounds = (span.start_ms, span.end_ms)
        return tuple(
            row
            for rows in self.postings.values()
            for row in rows
            if cluster in {None, row.place.cluster}
            and passes(row, filters)
            and any(row.window.start_ms < bound < row.window.end_ms for bound in bounds)
        )

    def sums(
        self,
        span: Window,
        keys: Sequence[str],
        filters: Mapping[str, tuple[str, ...]],
        *,
        cluster: str | None = None,
    ) -> Sequence[GroupSum]:
        inside = [row for row in self.rows(span, cluster=cluster) if row.window.overlap(span) == row.window]
        return sum_rows(inside, keys, filters)
