"""From an answer with a line for each group and window to columns: groups by windows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aicost.domain.budgets.spend.scopes import Grouped
from aicost.domain.budgets.spend.series import Integers, SpendSeries

_MEASURES = ("cost", "idle", "busy")
_Group = tuple[tuple[str, ...], str, str, bool]
"""Values of the keys, currency, component, and whether a pod held it."""


def pivoted(keys: tuple[str, ...], found: pa.Table) -> SpendSeries:
    """The answer of `series_query` as columns. Amounts beyond 64 bits are held at their bounds."""
    if not found.num_rows:
        return _empty(keys)
    groups, group_of = _places(_lines(found, len(keys)))
    starts, window_of = np.unique(_millis(found["window_start"]), return_inverse=True)
    ends = np.zeros(len(starts), dtype=np.int64)
    ends[window_of] = _millis(found["window_end"])
    arrays = [_spread(_integers(found[name]), group_of, window_of, (len(groups), len(starts))) for name in _MEASURES]
    values, currencies, components, held = zip(*groups, strict=True)
    return SpendSeries(Grouped(keys, values, held, components), currencies, starts, ends, *arrays)


def _empty(keys: tuple[str, ...]) -> SpendSeries:
    none, nothing = np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.int64)
    return SpendSeries(Grouped(keys, (), (), ()), (), none, none, nothing, nothing, nothing)


def _lines(found: pa.Table, keys: int) -> list[_Group]:
    values = list(zip(*(found[f"key_{index}"].to_pylist() for index in range(keys)), strict=True))
    rest = (found[name].to_pylist() for name in ("currency", "component", "held"))
    return list(zip(values or [()] * found.num_rows, *rest, strict=True))


def _places(lines: list[_Group]) -> tuple[list[_Group], Integers]:
    """The distinct groups in their order, and the place of each line's group among them."""
    places: dict[_Group, int] = {}
    found = np.fromiter((places.setdefault(line, len(places)) for line in lines), np.int64, len(lines))
    return list(places), found


def _millis(column: pa.ChunkedArray) -> Integers:
    return np.asarray(column.cast(pa.timestamp("ms", "UTC")).cast(pa.int64()), dtype=np.int64)


def _integers(column: pa.ChunkedArray) -> Integers:
    whole = pc.cast(column, pa.int64(), safe=False) if _fits(column) else _bounded(column)
    return np.asarray(whole, dtype=np.int64)


def _fits(column: pa.ChunkedArray) -> bool:
    bounds = pc.min_max(column).as_py()
    return all(-(2**63) <= int(one or 0) < 2**63 for one in bounds.values())


def _bounded(column: pa.ChunkedArray) -> Integers:
    return np.asarray([max(-(2**63), min(2**63 - 1, int(one))) for one in column.to_pylist()], dtype=np.int64)


def _spread(values: Integers, group_of: Integers, window_of: Integers, shape: tuple[int, int]) -> Integers:
    found = np.zeros(shape, dtype=np.int64)
    found[group_of, window_of] = values
    return found
