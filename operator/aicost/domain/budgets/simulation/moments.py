"""When to ask again: a controller asks each quarter minute, and at most of these moments nothing can change."""

from collections.abc import Callable, Iterator

from aicost.domain.budgets.deciding.figures import BudgetSpend, blindness, figure_of
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS

CYCLE_MS = 15 * SECOND_MS
"""How often a controller asks."""
MARK_MS = 15 * MINUTE_MS
"""Between two such marks all figures go one way: windows, and hours that a rolling period begins with, end on them."""
Sides = tuple[object, ...]


def sides(plan: BudgetPlan, spend: BudgetSpend, now_ms: int) -> Sides:
    """On which side of each threshold the figures are: as long as this stays the same, no rung comes or goes."""
    figures = [(rung, figure_of(rung, spend)) for rung in plan.ladder]
    rungs = tuple((figure is not None and figure >= rung.at, _leaves(figure, rung.exit)) for rung, figure in figures)
    return (*rungs, spend.is_exhausted, blindness(spend.data, plan.safety, now_ms))


def _leaves(figure: int | None, least: int) -> bool:
    return figure is not None and figure < least


def cycle_from(at_ms: int) -> int:
    """The first moment from another one on at which a controller asks."""
    return -(-at_ms // CYCLE_MS) * CYCLE_MS


def next_change(look: Callable[[int], Sides], seen: Sides, now_ms: int, until_ms: int) -> int:
    """The next moment at which the figures are on another side of some threshold; `until_ms` where there is none.

    Args:
        look: the sides at a moment.
        seen: the sides that were looked at last.
        now_ms: when that was.
        until_ms: a moment to ask at anyway.
    """
    before = now_ms
    for at_ms in _marks(now_ms, until_ms):
        if look(at_ms) != seen:
            return _first(look, seen, before, at_ms)
        before = at_ms
    return until_ms


def _marks(now_ms: int, until_ms: int) -> Iterator[int]:
    """The next moment, each mark with the moment before it, as some figures jump there, and the last moment."""
    yield from (at for at in (now_ms + CYCLE_MS,) if at < until_ms)
    mark = now_ms - now_ms % MARK_MS + MARK_MS
    while mark < until_ms:
        yield from (at for at in (mark - CYCLE_MS, mark) if at > now_ms)
        mark += MARK_MS
    last = cycle_from(until_ms) - CYCLE_MS
    yield from (at for at in (last,) if at > now_ms)


def _first(look: Callable[[int], Sides], seen: Sides, before_ms: int, at_ms: int) -> int:
    """The first moment of a stretch, at whose end the sides are other ones."""
    low, high = before_ms // CYCLE_MS, at_ms // CYCLE_MS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if look(middle * CYCLE_MS) != seen else (middle, high)
    return high * CYCLE_MS
