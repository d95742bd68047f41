"""A report as a table in the terminal: its lines, what nobody held, and the total."""

from collections.abc import Sequence

from aicost.crd.allocations.chosen import chosen_columns
from aicost.crd.allocations.view import View, ViewRow, columns_of, key_title, view
from aicost.domain.reporting.query import Report
from aicost.entrypoints.cli.output.table import Column, Drawn, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_GIVES_WAY = {"CHANGE": 1, "GPU-HOURS": 2, "UNPRICED-H": 3, "SHARE": 4, "UTIL": 5, "IDLE": 6}
"""Columns that are left out where there is no room, the highest first."""


def draw_report(report: Report, terminal: Terminal, *, wide: bool, titles: Sequence[str] = ()) -> Drawn:
    """The table of one report; a wide one has all columns at any width, a reader's one those of these titles."""
    chosen = bool(titles) and not wide
    shown = view(report, chosen_columns(titles, [report]) if chosen else columns_of([report]))
    kept = [index for index, column in enumerate(shown.columns) if wide or chosen or not column.wide]
    keys = [Column(key_title(key), shrinks=True) for key in report.query.group_by]
    titles = [shown.columns[index].title for index in kept]
    columns = [*keys, *(Column(title, right=True, drop=_GIVES_WAY.get(title, 0)) for title in titles)]
    room = Terminal(None, colour=terminal.colour, live=terminal.live) if wide else terminal
    return draw(columns, _sections(shown, kept), room)


def _sections(shown: View, kept: list[int]) -> list[list[Line]]:
    return [
        [_line(row, kept, _style(row)) for row in shown.lines],
        [_line(row, kept, Style.DIM) for row in shown.idle],
        [_line(shown.total, kept, Style.HEAD)],
    ]


def _style(row: ViewRow) -> Style:
    return Style.DIM if row.line is not None and row.line.merged else Style.PLAIN


def _line(row: ViewRow, kept: list[int], style: Style) -> Line:
    return Line((*row.keys, *(row.cells[index] for index in kept)), style)
