"""A picture of a budget in text: spend and forecast against the limit, with the rungs at their places."""

from collections.abc import Sequence

from aicost.domain.budgets.plans import PPM
from aicost.domain.exact.amounts import format_money
from aicost.domain.exact.apportion import divide
from aicost.entrypoints.cli.output.budget.figures import Money
from aicost.entrypoints.cli.output.facts import wrapped
from aicost.entrypoints.cli.terminal import Style, Terminal

SETTLED, LATEST, COMING, FREE, LIMIT = "█", "▓", "░", "·", "┃"
_WIDEST, _NARROWEST = 100, 30
_HEADROOM = 105
"""Percent of the largest amount that the picture reaches to, so that its end is not taken for the limit."""
_FARTHEST = 2
"""Rungs beyond so many times the rest of the picture are left out of it."""
_MARKS = "123456789abcdefghijklmnopqrstuvwxyz"


def bar(used_ppm: int, cells: int = 10) -> str:
    """A share as a small bar; a little is never nothing, and less than all is never full."""
    full = min(cells, divide(used_ppm * cells, PPM))
    if used_ppm > 0:
        full = max(1, full if used_ppm >= PPM else min(full, cells - 1))
    return SETTLED * full + FREE * (cells - full)


def mark(index: int) -> str:
    """The sign that a rung has in the picture and in the table."""
    return _MARKS[index % len(_MARKS)]


def picture(money: Money, rungs: Sequence[int | None], currency: str, terminal: Terminal) -> list[str]:
    """The bar, the places of the rungs below it, and what the signs mean.

    Args:
        money: what is drawn.
        rungs: where each rung stands, in nano-units; None for one that has no place here.
        currency: of all amounts.
        terminal: what is drawn to.
    """
    width = min(_WIDEST, max(_NARROWEST, (terminal.width or _WIDEST) - 2))
    end = _end(money, rungs)
    places = {index: _cell(at, end, width) for index, at in enumerate(rungs) if at is not None and at < end}
    lines = [f"├{_cells(money, end, width)}┤"]
    if places:
        lines.append(f" {_row(places, width)}".rstrip())
    legend = [terminal.paint(line, Style.DIM) for line in wrapped(_legend(money, currency), terminal)]
    return [*lines, *legend]


def _end(money: Money, rungs: Sequence[int | None]) -> int:
    """The amount at the right end."""
    most = max(money.limit, money.counted, money.forecast or 0)
    near = (at for at in rungs if at is not None and at <= most * _FARTHEST)
    return max(most, *near, 1) * _HEADROOM // 100 + 1


def _cell(amount: int, end: int, width: int) -> int:
    return min(width - 1, max(0, amount) * width // end)


def _cells(money: Money, end: int, width: int) -> str:
    """The bar itself: what was spent, what is likely to come, and the limit as a line through it."""
    bounds = ((SETTLED, money.settled), (LATEST, money.counted), (COMING, max(money.counted, money.forecast or 0)))
    drawn, cells = "", 0
    for sign, amount in bounds:
        until = _cell(amount, end, width)
        until = max(until, 1) if sign is not COMING and amount > 0 else until
        drawn += sign * (until - cells)
        cells = max(cells, until)
    drawn += FREE * (width - cells)
    line = _cell(money.limit, end, width)
    return drawn[:line] + LIMIT + drawn[line + 1 :]


def _row(places: dict[int, int], width: int) -> str:
    """The signs of the rungs, each at its place or beside one that stands there."""
    row = [" "] * width
    for index, place in sorted(places.items(), key=lambda item: (item[1], item[0])):
        free = next((at for at in [*range(place, width), *range(place - 1, -1, -1)] if row[at] == " "), None)
        if free is not None:
            row[free] = mark(index)
    return "".join(row)


def _legend(money: Money, currency: str) -> str:
    def told(sign: str, what: str, amount: int) -> str:
        return f"{sign} {what} {format_money(amount, currency)}".replace(" ", "\u00a0")

    parts = [told(SETTLED, "settled", money.settled)]
    if money.provisional or money.accrued:
        parts.append(told(LATEST, "provisional", money.provisional + money.accrued))
    if money.forecast is not None:
        parts.append(told(COMING, "forecast", money.forecast))
    return "   ".join([*parts, told(LIMIT, "limit", money.limit)])
