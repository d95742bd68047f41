"""A statement as Markdown: for a wiki, a pull request or a mail. Texts of people are escaped."""

import re
from collections.abc import Iterable, Iterator

from aicost.entrypoints.cli.output.statement.texts import Fact
from aicost.entrypoints.cli.output.statement.view import Kind, Section, Table, TableRow, View
from aicost.entrypoints.cli.output.table import printable

_SPECIAL = re.compile(r"([\\`*_\[\]|~#$!])")
_LINKS = re.compile(r"(?i)(https?|ftp|mailto)(:)|(www)(\.)|(@)")
"""What some readers turn into a link by themselves."""


def as_markdown(view: View) -> str:
    """The statement as Markdown, with a newline at its end."""
    return "\n".join(_document(view)) + "\n"


def escaped(text: str) -> str:
    """A text of people that stays text: no mark-up, no link, no row or cell of a table of its own."""
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINKS.sub(_broken, _SPECIAL.sub(r"\\\1", plain))


def _broken(found: re.Match[str]) -> str:
    scheme, colon, www, dot, _ = found.groups()
    return f"{scheme}&#58;" if colon else f"{www}&#46;" if dot else "&#64;"


def _document(view: View) -> Iterator[str]:
    yield f"# {escaped(view.title)}"
    yield from _facts(view.facts)
    for section in view.sections:
        yield from _section(section)
    yield ""
    yield "## Which statement this is"
    yield from _facts(view.identity)


def _section(section: Section) -> Iterator[str]:
    total = f": {escaped(section.total)}" if section.total else ""
    yield ""
    yield f"## {escaped(section.title)}{total}"
    for table in section.tables:
        yield from _table(table, named=table.title != section.title)
    yield from _facts(section.notes)


def _facts(facts: Iterable[Fact]) -> Iterator[str]:
    lines = [
        f"- {'**' if fact.caution else ''}{escaped(fact.label)}{'**' if fact.caution else ''}: {escaped(fact.text)}"
        for fact in facts
    ]
    if lines:
        yield ""
        yield from lines


def _table(table: Table, *, named: bool) -> Iterator[str]:
    yield ""
    if named:
        yield f"### {escaped(table.title)}"
        yield ""
    if table.note:
        yield escaped(table.note)
        yield ""
    yield _row(table.columns)
    yield _row(["---" if index < table.texts else "---:" for index in range(len(table.columns))], raw=True)
    yield from (_body(row) for row in table.rows)


def _body(row: TableRow) -> str:
    bold = row.kind in {Kind.SUBTOTAL, Kind.TOTAL}
    cells = [escaped(cell) for cell in row.cells]
    return _row([f"**{cell}**" if bold and cell else cell for cell in cells], raw=True)


def _row(cells: Iterable[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else escaped(cell) for cell in cells)} |"
