"""Text in columns: lines up, also where characters are wide, and fits the width that there is."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from aicost.entrypoints.cli.terminal import Style, Terminal

_GAPS = (3, 2)
"""Blanks between columns: where there is room, and where there is little."""
_CUT = "…"
_ROOMY, _TIGHT = 16, 10
"""Widths that shrinking columns keep: before other columns are dropped, and at the last."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        title: heading.
        right: numbers stand to the right.
        drop: the higher, the earlier it gives way where there is no room; 0 always stays.
        shrinks: its texts may be cut.
    """

    title: str
    right: bool = False
    drop: int = 0
    shrinks: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Cells of one line, one per column."""

    cells: tuple[str, ...]
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table as lines, and the titles of the columns that did not fit."""

    lines: tuple[str, ...]
    dropped: tuple[str, ...] = ()


def display_width(text: str) -> int:
    """Cells of a terminal that the text takes: two for wide characters, none for those that combine."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def printable(text: str) -> str:
    """The text without what would move the cursor or change the terminal."""
    return "".join(character if unicodedata.category(character)[0] != "C" else "?" for character in text)


def cut(text: str, width: int) -> str:
    """The text within a width; what is missing is shown by an ellipsis."""
    if display_width(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _cells(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + _CUT


def draw(columns: Sequence[Column], sections: Sequence[Sequence[Line]], terminal: Terminal) -> Drawn:
    """Draw sections of lines under one heading, with a rule between two sections."""
    fit = _fit(columns, _widths(columns, sections), terminal.width)
    rule = terminal.paint("─" * _taken(fit.kept, fit.widths, fit.gap), Style.DIM)
    lines = [_line([column.title for column in columns], columns, fit, terminal, Style.HEAD)]
    for number, section in enumerate(section for section in sections if section):
        lines += [rule] if number else []
        lines += [_line(line.cells, columns, fit, terminal, line.style) for line in section]
    dropped = tuple(column.title for index, column in enumerate(columns) if index not in fit.kept)
    return Drawn(tuple(lines), dropped)


def _widths(columns: Sequence[Column], sections: Sequence[Sequence[Line]]) -> list[int]:
    cells = [
        [column.title, *(line.cells[index] for part in sections for line in part)]
        for index, column in enumerate(columns)
    ]
    return [max(display_width(printable(text)) for text in texts) for texts in cells]


@dataclass(frozen=True, slots=True)
class _Fit:
    """Which columns stay, the width of each column, and the blanks between two."""

    kept: Sequence[int]
    widths: Sequence[int]
    gap: int


def _fit(columns: Sequence[Column], widths: Sequence[int], room: int | None) -> _Fit:
    """Make it fit: closer columns first, then texts cut to a roomy width, then columns go, then texts again."""
    kept = list(range(len(columns)))
    for gap in _GAPS:
        if room is None or _taken(kept, widths, gap) <= room:
            return _Fit(kept, widths, gap)
    assert room is not None
    gap = _GAPS[-1]
    widths = _shrunk(columns, _Fit(kept, widths, gap), room, _ROOMY)
    while _taken(kept, widths, gap) > room and any(columns[index].drop for index in kept):
        kept.remove(max(kept, key=lambda index: (columns[index].drop, index)))
    return _Fit(kept, _shrunk(columns, _Fit(kept, widths, gap), room, _TIGHT), gap)


def _taken(kept: Sequence[int], widths: Sequence[int], gap: int) -> int:
    return sum(widths[index] for index in kept) + gap * (len(kept) - 1)


def _shrunk(columns: Sequence[Column], fit: _Fit, room: int, least: int) -> list[int]:
    """Widths with the widest texts cut, as long as there is too little room."""
    result = list(fit.widths)
    while (excess := _taken(fit.kept, result, fit.gap) - room) > 0:
        longest = [index for index in fit.kept if columns[index].shrinks and result[index] > least]
        if not longest:
            break
        widest = max(longest, key=lambda index: result[index])
        result[widest] = max(least, result[widest] - excess, _second(result, longest, widest) - 1)
    return result


def _second(widths: Sequence[int], among: Sequence[int], widest: int) -> int:
    """The next lower width, so that texts of equal width shrink in turn."""
    return max((widths[index] for index in among if index != widest), default=0)


def _line(cells: Sequence[str], columns: Sequence[Column], fit: _Fit, terminal: Terminal, style: Style) -> str:
    texts = [_cell(cells[index], columns[index], fit.widths[index]) for index in fit.kept]
    return terminal.paint((" " * fit.gap).join(texts).rstrip(), style)


def _cell(text: str, column: Column, width: int) -> str:
    shown = cut(printable(text), width)
    padding = " " * (width - display_width(shown))
    return padding + shown if column.right else shown + padding
