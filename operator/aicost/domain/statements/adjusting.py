"""What changed since a statement was issued: differences of sums, by the reason that they were posted for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.reporting.sums import GroupSum
from aicost.domain.statements.corrections import REASON_KEY
from aicost.domain.statements.gathering import Sums
from aicost.domain.statements.values import AdjustedLine, Adjustment, Keys

CLOSED_LATER = "closed-later"
"""The reason for windows that were first posted after the statement, or are open still."""
SHARED_COSTS = "shared-costs"
"""The reason for what the rule of shared costs makes of changed figures."""
_Where = tuple[str, Keys]


def adjustments(now: Sums, then: Sums, keys: Keys, shared_nanos: int) -> tuple[Adjustment, ...]:
    """What makes the figures of then those of now, reason by reason.

    Args:
        now: a payer's own contributions.
        then: the same at the earlier moment.
        keys: the group keys of the lines.
        shared_nanos: how much the payer's part of shared costs changed.
    """
    nanos, time = _changes(now, then, keys)
    found: defaultdict[str, list[AdjustedLine]] = defaultdict(list)
    for reason, values in sorted({*nanos, *time}):
        where = (reason, values)
        if nanos[where] or time[where]:
            found[reason].append(AdjustedLine(values, nanos[where], time[where]))
    if shared_nanos:
        found[SHARED_COSTS].append(AdjustedLine((), shared_nanos, 0))
    return tuple(Adjustment(reason, _largest_first(lines)) for reason, lines in sorted(found.items()))


def _changes(now: Sums, then: Sums, keys: Keys) -> tuple[Counter[_Where], Counter[_Where]]:
    nanos: Counter[_Where] = Counter()
    time: Counter[_Where] = Counter()
    for sums, sign in ((now, 1), (then, -1)):
        for item in sums.items:
            where = (sums.value(item, REASON_KEY) or CLOSED_LATER, tuple(sums.value(item, key) for key in keys))
            nanos[where] += sign * item.group.cost_nanos
            time[where] += sign * item.group.gpu_milliseconds
    return nanos, time


def _largest_first(lines: Iterable[AdjustedLine]) -> tuple[AdjustedLine, ...]:
    return tuple(sorted(lines, key=lambda line: (-abs(line.nanos), line.keys)))


@dataclass(frozen=True, slots=True)
class Postings:
    """Which windows were posted, with which revision and for which reason."""

    highest: Mapping[tuple[str, Window], int]
    """(cluster, window) -> the highest revision that has rows."""
    reasons: Mapping[str, frozenset[Window]]
    """Reason -> the windows that were revised for it."""

    def beside(self, adjustment: Adjustment) -> Adjustment:
        """An adjustment with the windows that it is about."""
        windows = sorted(self.reasons.get(adjustment.reason, ()))
        if not windows:
            return adjustment
        return replace(adjustment, windows=len(windows), first=windows[0], last=windows[-1])


def postings(sums: Iterable[GroupSum], edges: Iterable[Row]) -> Postings:
    """The postings of some rows.

    Args:
        sums: sums by cluster, reason and posting, over whole windows.
        edges: rows of windows that are cut.
    """
    highest: dict[tuple[str, Window], int] = {}
    reasons: defaultdict[str, set[Window]] = defaultdict(set)
    told = [(group.keys[0], group.keys[1], *_read_posting(group.keys[2])) for group in sums]
    told += [(row.place.cluster, row.reason, row.window, row.revision) for row in edges]
    for cluster, reason, window, revision in told:
        highest[cluster, window] = max(revision, highest.get((cluster, window), 0))
        if reason:
            reasons[reason].add(window)
    return Postings(highest, {reason: frozenset(windows) for reason, windows in reasons.items()})


def _read_posting(text: str) -> tuple[Window, int]:
    """The window and revision of a posting key, `START/END/REVISION` in milliseconds."""
    start, end, revision = map(int, text.split("/"))
    return Window(start, end), revision


def windows_of(found: Postings, cluster: str) -> list[tuple[Window, int]]:
    """The windows of a cluster with their highest revision, oldest first."""
    return sorted((window, revision) for (name, window), revision in found.highest.items() if name == cluster)
