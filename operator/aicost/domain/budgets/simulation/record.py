"""What a ledger recorded, as columns: one entry for each group and window that had a cost or held a device."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aicost.domain.budgets.spend.scopes import Grouped, Values
from aicost.domain.budgets.spend.series import Integers, SpendSeries
from aicost.domain.exact.windows import Window
from aicost.domain.reporting.keys import accepted_values

Group = tuple[Values, str, str, bool]
"""Values of the keys, currency, component, and whether a pod held it."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Cost and device time by group and window. Entries stand in the order of their windows.

    Attributes:
        groups: what cost is told apart by.
        currencies: of each group; empty for what has no price.
        starts_ms, ends_ms: of each window, ascending; windows without an entry are absent.
        group_of, window_of: places of the group and of the window of each entry.
        cost: of each entry, in nano-units.
        gpu_ms: device time of each entry that a pod held, used or idle, as far as samples tell.
        covered: the part of the time asked for that the ledger answers for; None for none.
    """

    groups: Grouped
    currencies: Sequence[str]
    starts_ms: Integers
    ends_ms: Integers
    group_of: Integers
    window_of: Integers
    cost: Integers
    gpu_ms: Integers
    covered: Window | None = None

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return len(self.cost)


def record_of(series: SpendSeries, filters: Mapping[str, Sequence[str]]) -> Record:
    """The entries of a series that pass the filters, whose keys are among the keys of the series."""
    places = _passing(series.groups, filters)
    cost = series.cost[places]
    gpu_ms = series.idle_ms[places] + series.busy_ms[places]
    windows, groups = np.nonzero(((cost != 0) | (gpu_ms != 0)).T)
    kept = Record(
        groups=_chosen(series.groups, places),
        currencies=[series.currencies[place] for place in places],
        starts_ms=series.starts_ms,
        ends_ms=series.ends_ms,
        group_of=groups,
        window_of=windows,
        cost=cost[groups, windows],
        gpu_ms=gpu_ms[groups, windows],
    )
    return _without_empty_windows(kept)


def joined(keys: Values, parts: Iterable[Record], covered: Window | None) -> Record:
    """Parts of a time, the earlier ones first, as one record."""
    places: dict[Group, int] = {}
    every = [_renumbered(part, places) for part in parts]
    offsets = np.cumsum([0, *(len(part.starts_ms) for part in every)])
    windows = [part.window_of + offset for part, offset in zip(every, offsets[:-1], strict=True)]
    groups = list(places)
    return Record(
        groups=Grouped(keys, [one[0] for one in groups], [one[3] for one in groups], [one[2] for one in groups]),
        currencies=[one[1] for one in groups],
        starts_ms=_together(part.starts_ms for part in every),
        ends_ms=_together(part.ends_ms for part in every),
        group_of=_together(part.group_of for part in every),
        window_of=_together(windows),
        cost=_together(part.cost for part in every),
        gpu_ms=_together(part.gpu_ms for part in every),
        covered=covered,
    )


def groups_of(record: Record) -> list[Group]:
    """What each group is."""
    found = record.groups
    return list(zip(found.values, record.currencies, found.components, found.held, strict=True))


def _passing(groups: Grouped, filters: Mapping[str, Sequence[str]]) -> list[int]:
    """Places of the groups that have an accepted value under each key."""
    checks = [(groups.keys.index(key), accepted_values(key, values)) for key, values in filters.items()]
    return [
        place for place, values in enumerate(groups.values) if all(values[at] in accepted for at, accepted in checks)
    ]


def _chosen(groups: Grouped, places: Sequence[int]) -> Grouped:
    values, held, components = groups.values, groups.held, groups.components
    return Grouped(
        groups.keys,
        [values[place] for place in places],
        [held[place] for place in places],
        [components[place] for place in places],
    )


def _without_empty_windows(record: Record) -> Record:
    kept, window_of = np.unique(record.window_of, return_inverse=True)
    return replace(
        record,
        starts_ms=record.starts_ms[kept],
        ends_ms=record.ends_ms[kept],
        window_of=window_of.astype(np.int64),
    )


def _renumbered(record: Record, places: dict[Group, int]) -> Record:
    """The record with its groups numbered as in all parts together; new groups are added to them."""
    numbers = [places.setdefault(group, len(places)) for group in groups_of(record)]
    return replace(record, group_of=np.asarray(numbers, dtype=np.int64)[record.group_of])


def _together(parts: Iterable[NDArray[np.int64]]) -> Integers:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
