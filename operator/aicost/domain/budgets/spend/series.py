"""Cost over time by group, as columns: windows of the ledger from left to right, groups from top to bottom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aicost.domain.budgets.spend.scopes import Grouped, Scope
from aicost.domain.exact.windows import HOUR_MS, Window

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SpendSeries:
    """Cost and device time by group and window.

    Attributes:
        groups: what the rows of the arrays are.
        currencies: of each group.
        starts_ms, ends_ms: of each window, ascending; windows without rows are absent.
        cost, idle_ms, busy_ms: groups x windows, in nano-units and milliseconds of one GPU.
    """

    groups: Grouped
    currencies: tuple[str, ...]
    starts_ms: Integers
    ends_ms: Integers
    cost: Integers
    idle_ms: Integers
    busy_ms: Integers

    @property
    def span(self) -> Window | None:
        """From the first window to the last, None without any."""
        return Window(int(self.starts_ms[0]), int(self.ends_ms.max())) if len(self.starts_ms) else None

    def of(self, scope: Scope, currency: str) -> "Timeline":
        """What a budget takes from it."""
        places = [place for place in self.groups.inside(scope) if self.currencies[place] in {currency, ""}]
        return Timeline(
            self.starts_ms,
            self.ends_ms,
            self.cost[places].sum(axis=0),
            self.idle_ms[places].sum(axis=0),
            self.busy_ms[places].sum(axis=0),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Cost and device time by window, of one scope."""

    starts_ms: Integers
    ends_ms: Integers
    cost: Integers
    idle_ms: Integers
    busy_ms: Integers

    def spent(self, span: Window) -> int:
        """Cost in a span of the windows that are there; a window that a bound cuts counts in proportion to time."""
        inside = np.minimum(self.ends_ms, span.end_ms) - np.maximum(self.starts_ms, span.start_ms)
        length = self.ends_ms - self.starts_ms
        whole = inside >= length
        cut = np.flatnonzero((inside > 0) & ~whole)
        parts = sum(int(self.cost[at]) * int(inside[at]) // int(length[at]) for at in cut)
        return int(self.cost[whole].sum()) + parts

    def days(self, before_ms: int, count: int, day_ms: int) -> tuple[int, ...]:
        """Cost of the last full days, the latest first; days that the windows do not reach back to are absent."""
        if not len(self.starts_ms):
            return ()
        first = int(self.starts_ms[0])
        ends = [before_ms - number * day_ms for number in range(count)]
        return tuple(self.spent(Window(end - day_ms, end)) for end in ends if end - day_ms >= first)

    def hourly(self, hours: int, end_ms: int) -> tuple[Reals, Reals, Reals]:
        """Cost, idle and busy time of the last hours before a moment, the oldest first; NaN where nothing is known.

        A window of a quarter of an hour adds to its hour; a bill of a day says nothing of any hour.
        """
        start_ms = end_ms - hours * HOUR_MS
        at = (self.starts_ms - start_ms) // HOUR_MS
        inside = (at >= 0) & (at < hours) & (self.ends_ms - self.starts_ms <= HOUR_MS)
        known = np.zeros(hours, dtype=bool)
        known[at[inside]] = True
        return tuple(_by_hour(one, at, inside, known) for one in (self.cost, self.idle_ms, self.busy_ms))  # type: ignore[return-value] # three


def beside(parts: Sequence[SpendSeries]) -> SpendSeries:
    """Series of several keys of a ledger as one: their windows may differ, and each keeps its own length.

    Args:
        parts: at least one, all by the same keys.
    """
    if len(parts) == 1:
        return parts[0]
    spans = sorted({one for part in parts for one in zip(part.starts_ms.tolist(), part.ends_ms.tolist(), strict=True)})
    at = {span: place for place, span in enumerate(spans)}
    groups = Grouped(
        parts[0].groups.keys,
        [values for part in parts for values in part.groups.values],
        [held for part in parts for held in part.groups.held],
        [name for part in parts for name in part.groups.components],
    )
    return SpendSeries(
        groups,
        tuple(currency for part in parts for currency in part.currencies),
        np.array([start for start, _ in spans], dtype=np.int64),
        np.array([end for _, end in spans], dtype=np.int64),
        *(
            np.vstack([_placed(part, getattr(part, name), at) for part in parts])
            for name in ("cost", "idle_ms", "busy_ms")
        ),
    )


def _placed(part: SpendSeries, values: Integers, at: Mapping[tuple[int, int], int]) -> Integers:
    """The columns of one part among those of all."""
    found = np.zeros((values.shape[0], len(at)), dtype=np.int64)
    places = [at[span] for span in zip(part.starts_ms.tolist(), part.ends_ms.tolist(), strict=True)]
    found[:, places] = values
    return found


def _by_hour(values: Integers, at: Integers, inside: NDArray[np.bool_], known: NDArray[np.bool_]) -> Reals:
    found = np.zeros(len(known))
    np.add.at(found, at[inside], values[inside].astype(np.float64))
    found[~known] = np.nan
    return found
