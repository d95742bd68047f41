"""A statement in the terminal."""

from collections.abc import Iterable

from aicost.entrypoints.cli.output.facts import fact_lines, wrapped
from aicost.entrypoints.cli.output.statement.texts import Fact
from aicost.entrypoints.cli.output.statement.view import Kind, Section, Table, TableRow, View
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_STYLES = {Kind.PLAIN: Style.PLAIN, Kind.DETAIL: Style.DIM, Kind.SUBTOTAL: Style.DIM, Kind.TOTAL: Style.HEAD}
_GIVES_WAY = {"GPU-HOURS": 1, "USED": 2, "IDLE": 3, "UTIL": 4, "SYSTEM": 5, "UNMEASURED": 6, "EXACTLY": 7}
"""Columns that are left out where there is no room, the highest first."""


def as_screen(view: View, terminal: Terminal) -> str:
    """The statement as it stands on the screen."""
    lines = [terminal.paint(line, Style.HEAD) for line in wrapped(view.title, terminal)]
    lines += _facts(view.facts, terminal)
    for section in view.sections:
        lines += ["", "", *_section(section, terminal)]
    return "\n".join([*lines, "", *_facts(view.identity, terminal)])


def _section(section: Section, terminal: Terminal) -> list[str]:
    heading = f"{section.title}: {section.total}" if section.total else section.title
    lines = [terminal.paint(line, Style.HEAD) for line in wrapped(heading, terminal)]
    for table in section.tables:
        lines += ["", *(terminal.paint(line, Style.DIM) for line in wrapped(table.note, terminal))]
        lines += _table(table, terminal)
    return [*lines, "", *_facts(section.notes, terminal)] if section.notes else lines


def _table(table: Table, terminal: Terminal) -> list[str]:
    columns = [
        Column(title, right=index >= table.texts, drop=_GIVES_WAY.get(title, 0), shrinks=index < table.texts)
        for index, title in enumerate(table.columns)
    ]
    body = [_line(row) for row in table.rows if row.kind is not Kind.TOTAL]
    total = [_line(row) for row in table.rows if row.kind is Kind.TOTAL]
    drawn = draw(columns, [body, total], terminal)
    if not drawn.dropped:
        return list(drawn.lines)
    left_out = f"Columns that do not fit: {', '.join(drawn.dropped)}."
    return [*drawn.lines, *(terminal.paint(line, Style.DIM) for line in wrapped(left_out, terminal))]


def _line(row: TableRow) -> Line:
    return Line(row.cells, _STYLES[row.kind])


def _facts(facts: Iterable[Fact], terminal: Terminal) -> list[str]:
    return fact_lines(
        ((fact.label, fact.text, Style.WARN if fact.caution else Style.PLAIN) for fact in facts), terminal
    )
