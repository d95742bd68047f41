"""A statement as one HTML page: nothing is loaded, nothing runs, and it prints. It is well-formed XML as well."""

from collections.abc import Iterable, Iterator
from html import escape

from aicost.entrypoints.cli.output.statement.chart import chart
from aicost.entrypoints.cli.output.statement.texts import Fact
from aicost.entrypoints.cli.output.statement.view import Kind, Section, Table, TableRow, View
from aicost.entrypoints.cli.output.table import printable

_STYLE = """
:root { --ink: #1b2430; --soft: #5a6675; --line: #d9dfe6; --pale: #f4f6f9; --accent: #1f5fbf; --warn: #8a4b00; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink);
  background: #fff; max-width: 62rem; margin: 2.5rem auto; padding: 0 1.5rem; }
header { border-bottom: 3px solid var(--accent); padding-bottom: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .8rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .4rem; display: flex; justify-content: space-between; gap: 1rem;
  border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
h2 .total { font-variant-numeric: tabular-nums; white-space: nowrap; }
p.note, footer { color: var(--soft); margin: .2rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .8rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
dt.caution, dd.caution { color: var(--warn); font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 .2rem; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; max-width: 18rem; }
th { white-space: nowrap; font-size: .75rem; letter-spacing: .04em; color: var(--soft);
  border-bottom: 2px solid var(--line); }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.subtotal td { background: var(--pale); font-weight: 600; }
tr.total td { font-weight: 700; border-top: 2px solid var(--ink); border-bottom: 2px solid var(--ink); }
tr.detail td { color: var(--soft); font-size: .94em; }
svg.chart { display: block; max-width: 100%; height: auto; margin: .8rem 0; }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem; font-size: .85em; }
div.wide { overflow-x: auto; }
@media screen and (max-width: 40rem) {
  body { margin: 1rem auto; padding: 0 1rem; } h1 { font-size: 1.3rem; }
  dl { display: block; } dd { margin: 0 0 .4rem; } svg.chart { width: 45rem; max-width: none; }
}
@page { size: A4; margin: 16mm 14mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 7pt; } }
@media print {
  body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  table { font-size: 8pt; } th { font-size: 6.5pt; } th, td { padding: .2rem .35rem; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  thead { display: table-header-group; } tr, svg, dl { break-inside: avoid; }
  tr.detail, tr.subtotal, tr.total { break-before: avoid; }
  h2, h3, p.note { break-after: avoid; } div.wide { overflow: visible; }
  section.account + section.account { break-before: page; }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_page(view: View) -> str:
    """The statement as an HTML page, with a newline at its end."""
    return "\n".join(_page(view)) + "\n"


def text(value: str) -> str:
    """A text of people as text: no mark-up, no control characters, and no mark that turns the direction around it."""
    return escape(printable(value), quote=True)


def _page(view: View) -> Iterator[str]:
    title = text(view.title)
    yield "<!DOCTYPE html>"
    yield '<html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    yield f"<header><h1>{title}</h1>{_facts(view.facts)}</header><main>"
    for section in view.sections:
        yield from _section(section)
    yield f"</main><footer>{_facts(view.identity)}</footer></body></html>"


def _section(section: Section) -> Iterator[str]:
    total = f'<span class="total">{text(section.total)}</span>' if section.total else ""
    kind = "account" if section.notes else "books"
    yield f'<section class="{kind}"><h2><bdi>{text(section.title)}</bdi>{total}</h2>'
    bars = chart(section.bars)
    yield f'<div class="wide">{bars}</div>' if bars else ""
    for table in section.tables:
        yield from _table(table, named=table.title != section.title)
    yield f"{_facts(section.notes)}</section>"


def _facts(facts: Iterable[Fact]) -> str:
    rows = [f"<dt{_caution(fact)}>{text(fact.label)}</dt><dd{_caution(fact)}>{text(fact.text)}</dd>" for fact in facts]
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def _caution(fact: Fact) -> str:
    return ' class="caution"' if fact.caution else ""


def _table(table: Table, *, named: bool) -> Iterator[str]:
    if named:
        yield f"<h3>{text(table.title)}</h3>"
    if table.note:
        yield f'<p class="note">{text(table.note)}</p>'
    head = "".join(
        f'<th scope="col"{_side(index, table)}>{text(name)}</th>' for index, name in enumerate(table.columns)
    )
    yield f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>'
    for row in table.rows:
        yield _row(row, table)
    yield "</tbody></table></div>"


def _row(row: TableRow, table: Table) -> str:
    kind = "" if row.kind is Kind.PLAIN else f' class="{row.kind.value}"'
    return f"<tr{kind}>{''.join(_cells(row, table))}</tr>"


def _cells(row: TableRow, table: Table) -> Iterator[str]:
    """The cells; the label of a sum takes the room of the texts that it has none of."""
    first = 0
    if row.kind in {Kind.SUBTOTAL, Kind.TOTAL} and table.texts > 1 and not any(row.cells[1 : table.texts]):
        first = table.texts
        yield f'<td colspan="{first}"><bdi>{text(row.cells[0])}</bdi></td>'
    for index in range(first, len(row.cells)):
        yield f"<td{_side(index, table)}>{_cell(row.cells[index], index, table)}</td>"


def _cell(cell: str, index: int, table: Table) -> str:
    return f"<bdi>{text(cell)}</bdi>" if index < table.texts and cell else text(cell)


def _side(index: int, table: Table) -> str:
    return "" if index < table.texts else ' class="figure"'
