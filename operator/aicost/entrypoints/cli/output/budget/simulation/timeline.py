"""The picture of a simulation: a line for each day, spend against limit, and the gates that open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aicost.crd.status.texts import money
from aicost.domain.budgets.gates import Basis
from aicost.domain.budgets.plans import PPM, Rung
from aicost.domain.budgets.simulation.values import Day, Simulation
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import DAY_MS, HOUR_MS
from aicost.entrypoints.cli.output.budget.bar import COMING, FREE, LATEST, LIMIT, SETTLED, mark
from aicost.entrypoints.cli.output.budget.simulation.texts import clock, used
from aicost.entrypoints.cli.output.facts import wrapped
from aicost.entrypoints.cli.terminal import Style, Terminal

_USUAL_WIDTH, _WIDEST, _NARROWEST = 120, 72, 16
_HEADROOM = 105
"""Percent of the largest amount that the picture reaches to, so that its end is not taken for the limit."""
_OPENS, _STAYS = "▲", "│"


@dataclass(frozen=True, slots=True)
class _Scale:
    """How amounts become places.

    Attributes:
        end_nanos: amount at the right end.
        cells: places on a line.
        label: characters before a bar.
    """

    end_nanos: int
    cells: int
    label: int

    def place(self, nanos: int) -> int:
        """The place of an amount."""
        return min(self.cells - 1, max(0, nanos) * self.cells // self.end_nanos)


def timeline(found: Simulation, terminal: Terminal) -> list[str]:
    """The lines, the places of the rungs above them, and what the signs mean."""
    labels = [_label(day, found) for day in found.days]
    spent = [money(day.counted_nanos, found.plan.currency) for day in found.days]
    shares = [used(day.counted_nanos, day.limit_nanos) for day in found.days]
    marks = [_marks(day) for day in found.days]
    sides = [max(map(len, texts), default=0) for texts in (labels, spent, shares, marks)]
    scale = _scale(found, sides, terminal)
    lines = [*_rungs(found, scale)]
    for place, day in enumerate(found.days):
        if place and day.period_start_ms != found.days[place - 1].period_start_ms and not _rolls(found):
            lines.append(terminal.paint(_new_period(day, found), Style.DIM))
        bar = f"{labels[place]:{sides[0]}} ├{_bar(day, scale)}┤"
        style = Style.WARN if day.counted_nanos >= day.limit_nanos else Style.PLAIN
        figures = f"{spent[place]:>{sides[1]}}  {shares[place]:>{sides[2]}}"
        noted = terminal.paint(marks[place], Style.HEAD if day.opened else Style.DIM)
        lines.append(f"{terminal.paint(bar, style)} {figures}  {noted}".rstrip())
    return [*lines, *(terminal.paint(line, Style.DIM) for line in wrapped(_legend(found), terminal))]


def _scale(found: Simulation, sides: Sequence[int], terminal: Terminal) -> _Scale:
    most = max((max(day.limit_nanos, day.counted_nanos + day.gone_nanos) for day in found.days), default=1)
    room = (terminal.width or _USUAL_WIDTH) - sum(sides) - len(" ├┤     ")
    return _Scale(most * _HEADROOM // 100 + 1, min(_WIDEST, max(_NARROWEST, room)), sides[0])


def _label(day: Day, found: Simulation) -> str:
    """When a line begins."""
    by_hour = all(one.span.length_ms <= HOUR_MS for one in found.days)
    return clock(day.span.start_ms, found.plan, "%m-%d %H:%M" if by_hour else "%a %m-%d")


def _bar(day: Day, scale: _Scale) -> str:
    """What was spent before, what the day has added, what would have come on top, and the limit as a line."""
    before = day.counted_nanos - day.spent_nanos
    bounds = ((SETTLED, before), (LATEST, day.counted_nanos), (COMING, day.counted_nanos + day.gone_nanos))
    drawn, cells = "", 0
    for sign, amount in bounds:
        until = max(scale.place(amount), cells)
        drawn += sign * (until - cells)
        cells = until
    drawn += FREE * (scale.cells - cells)
    line = scale.place(day.limit_nanos)
    return drawn[:line] + LIMIT + drawn[line + 1 :]


def _marks(day: Day) -> str:
    """The gates that open on that day, else the one that is open."""
    if day.opened:
        return f"{_OPENS} {', '.join(dict.fromkeys(map(str, day.opened)))}"
    return f"{_STAYS} {day.gate}" if day.gate else ""


def _rungs(found: Simulation, scale: _Scale) -> Iterator[str]:
    """Where the rungs on spend stand, by their signs."""
    row = [" "] * scale.cells
    for index, rung in _placed(found):
        at = divide(found.days[0].limit_nanos * rung.at, PPM)
        if at < scale.end_nanos and row[scale.place(at)] == " ":
            row[scale.place(at)] = mark(index)
    if any(sign != " " for sign in row):
        yield f"{'':{scale.label}}  {''.join(row)}".rstrip()


def _placed(found: Simulation) -> list[tuple[int, Rung]]:
    """The rungs that stand at one place: those on spend, unless the limit changes with the periods."""
    limits = {day.limit_nanos for day in found.days}
    rungs = enumerate(found.plan.ladder) if len(limits) == 1 else ()
    return [(index, rung) for index, rung in rungs if rung.basis is Basis.ACTUAL]


def _rolls(found: Simulation) -> bool:
    """Whether the period looks back from each moment, so that it begins anew all the time."""
    return all(one.term.period.end_ms is None for one in found.periods)


def _new_period(day: Day, found: Simulation) -> str:
    limit = money(day.limit_nanos, found.plan.currency)
    return f"── {clock(day.period_start_ms, found.plan)} a new period begins, with a limit of {limit}"


def _legend(found: Simulation) -> str:
    """What the signs mean."""
    longest = max((day.span.length_ms for day in found.days), default=0)
    unit = "hour" if longest <= HOUR_MS else "day" if longest <= DAY_MS + HOUR_MS else "week"
    parts = [f"{SETTLED} spent before", f"{LATEST} that {unit}"]
    parts += [f"{COMING} saved"] if found.stops else []
    parts += [f"{LIMIT} limit", f"{_OPENS} opens", f"{_STAYS} is open"]
    rungs = [f"{mark(index)} {rung.name}" for index, rung in enumerate(found.plan.ladder) if rung.basis is Basis.ACTUAL]
    return "   ".join(part.replace(" ", "\u00a0") for part in [*parts, *rungs])
