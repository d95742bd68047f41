"""What is wrong with a ledger: its rows held against what was said of them when they were posted."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from aicost.domain.exact.windows import Window, to_datetime
from aicost.domain.ledger.rows import Component, Row
from aicost.domain.ledger.seals import Seal, canonical_line, seal, surplus


class Fault(StrEnum):
    """Kinds of what can be wrong."""

    CHANGED = "changed"
    """Rows say something else than when they were posted."""
    TWICE = "twice"
    """Rows stand there more than once."""
    LOST = "lost"
    """Rows are gone."""
    UNKNOWN = "unknown"
    """Rows are there that nobody posted."""
    GAP = "gap"
    """Time between two windows belongs to none."""
    OVERLAP = "overlap"
    """Two windows bill the same time."""
    UNBALANCED = "unbalanced"
    """A device was billed for more time than there is, or for less than none."""
    LEFT_OVER = "left-over"
    """Retention says that rows are dropped, and they are there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        text: what is wrong, in words, with numbers.
    """

    cluster: str
    window: Window
    fault: Fault
    text: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class PostedWindow:
    """What the ledger's log says of a window.

    Attributes:
        highest: the highest revision.
        seals: revision -> what its rows came to; revisions posted before seals were kept have none.
    """

    window: Window
    highest: int
    seals: Mapping[int, Seal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterLog:
    """What the ledger's log says of a cluster.

    Attributes:
        windows: what was posted, oldest first.
        kept_from: rows of windows that began before this moment were dropped by retention; None where none were.
        dropped_rows: how many were dropped so far.
        term: the term of the leader.
        erased_rows: from how many rows customers were erased so far.
    """

    cluster: str
    windows: tuple[PostedWindow, ...] = ()
    kept_from: int | None = None
    dropped_rows: int = 0
    term: int = 0
    erased_rows: int = 0

    def is_dropped(self, window: Window) -> bool:
        """Whether retention dropped the rows of a window."""
        return self.kept_from is not None and window.start_ms < self.kept_from


Census = Mapping[tuple[str, Window, int], int]
"""(cluster, window, revision) -> number of rows that are there."""


@dataclass(frozen=True, slots=True)
class CountsThere:
    """What is there of the counts of one window and revision.

    Attributes:
        marks: how often it stands there that the window was counted.
        said: how many counts were kept, as it stands there.
        there: how many are.
    """

    marks: int
    said: int
    there: int


CountCensus = Mapping[tuple[str, Window, int], CountsThere]
"""Cluster, window and revision -> its counts."""


def check_windows(log: ClusterLog) -> Iterator[Finding]:
    """Gaps between the windows of a cluster, and windows that share time."""
    for before, after in pairwise(log.windows):
        end_ms, start_ms = before.window.end_ms, after.window.start_ms
        if start_ms < end_ms:
            text = f"shares time with {before.window}: the time from {_at(start_ms)} to {_at(end_ms)} is billed twice"
            yield Finding(log.cluster, after.window, Fault.OVERLAP, text)
        elif start_ms > end_ms and not log.is_dropped(after.window):
            gap = Window(end_ms, start_ms)
            yield Finding(log.cluster, gap, Fault.GAP, "nothing was posted for this time")


def check_census(log: ClusterLog, census: Census) -> Iterator[Finding]:
    """Rows of postings that the log does not know, and rows that should be dropped."""
    known = {posted.window: posted.highest for posted in log.windows}
    for (cluster, window, revision), rows in sorted(census.items()):
        if cluster != log.cluster:
            continue
        highest = known.get(window)
        if highest is None or revision > highest:
            said = "no such window was posted" if highest is None else f"the highest revision posted is {highest}"
            text = f"{rows} rows are there, and {said}"
            yield Finding(cluster, window, Fault.UNKNOWN, text, revision)
        elif log.is_dropped(window):
            text = f"{rows} rows are there which retention should have dropped"
            yield Finding(cluster, window, Fault.LEFT_OVER, text, revision)


def check_counts(cluster: str, counts: CountCensus) -> Iterator[Finding]:
    """Counts of tokens and requests beside the ledger: as many of each window and revision as were kept."""
    for (name, window, revision), found in sorted(counts.items()):
        if name != cluster or (found.marks, found.there) == (1, found.said):
            continue
        if found.marks > 1:
            fault, text = Fault.TWICE, f"the counts of the window stand there {found.marks} times"
        elif not found.marks:
            fault, text = Fault.UNKNOWN, f"{found.there} counts are there, and nothing says that the window was counted"
        else:
            fault = Fault.LOST if found.there < found.said else Fault.UNKNOWN
            text = f"{found.there} counts are there, and {found.said} were kept"
        yield Finding(name, window, fault, text, revision)


def check_rows(cluster: str, posted: PostedWindow, rows: Sequence[Row]) -> Iterator[Finding]:
    """The rows of one window, all revisions, against their seals; and whether its sums are possible.

    Rows of revisions above the highest one are `check_census`'s matter.
    """
    there: dict[int, list[bytes]] = defaultdict(list)
    for row in rows:
        there[row.revision].append(canonical_line(row))
    for revision, sealed in sorted(posted.seals.items()):
        lines = there.get(revision, [])
        if seal(lines) != sealed:
            fault, text = _difference(lines, sealed)
            yield Finding(cluster, posted.window, fault, text, revision)
    yield from _balance(cluster, posted.window, [row for row in rows if row.revision <= posted.highest])


def _difference(lines: Sequence[bytes], sealed: Seal) -> tuple[Fault, str]:
    """What is wrong with rows that are not what was sealed."""
    counted = f"{len(lines)} rows are there, {sealed.rows} were posted"
    if extra := surplus(lines, sealed):
        return Fault.TWICE, f"{counted}: {extra} stand there twice"
    if len(lines) < sealed.rows:
        return Fault.LOST, counted
    if len(lines) > sealed.rows:
        return Fault.UNKNOWN, counted
    return Fault.CHANGED, f"the checksum of its {len(lines)} rows is not that of the rows that were posted"


def _balance(cluster: str, window: Window, rows: Sequence[Row]) -> Iterator[Finding]:
    """No device has more time than the window, or less than none."""
    times, measured, costs = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
    for row in rows:
        device = row.place.node, row.place.device
        costs[row.place.node, row.place.device, row.currency] += row.cost_nanos or 0
        if row.component is Component.GPU:
            times[device] += row.gpu_milliseconds
            measured[device] += row.measured_milliseconds
    for key, time_ms in sorted(times.items()):
        name = f"device {key[1]!r} of node {key[0]!r}"
        if not 0 <= time_ms <= window.length_ms:
            text = f"{name} has {time_ms} ms in a window of {window.length_ms} ms"
            yield Finding(cluster, window, Fault.UNBALANCED, text)
        elif not 0 <= measured[key] <= time_ms:
            text = f"{name} has samples for {measured[key]} ms of {time_ms} ms"
            yield Finding(cluster, window, Fault.UNBALANCED, text)
    for (node, name, currency), nanos in sorted(costs.items()):
        if nanos < 0:
            text = f"device {name!r} of node {node!r} costs {nanos} nanos of {currency or 'no currency'}"
            yield Finding(cluster, window, Fault.UNBALANCED, text)


def _at(moment_ms: int) -> str:
    return to_datetime(moment_ms).strftime("%Y-%m-%dT%H:%M:%SZ")
