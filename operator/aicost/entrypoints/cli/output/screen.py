"""Reports as they stand on the screen: heading, table, facts, for each currency."""

from collections.abc import Sequence

from aicost.domain.reporting.personas import Persona
from aicost.domain.reporting.query import Report
from aicost.entrypoints.cli.output.facts import facts, heading, is_empty, wrapped
from aicost.entrypoints.cli.output.report_table import draw_report
from aicost.entrypoints.cli.terminal import Style, Terminal


def as_tables(reports: Sequence[Report], terminal: Terminal, *, wide: bool, persona: Persona | None = None) -> str:
    """All reports, one below the other: amounts of different currencies are never added.

    A wide report has all columns and notes, a reader's one those that the persona names.
    """
    named = None if wide else persona
    return "\n\n\n".join("\n".join(_screen(report, terminal, wide=wide, persona=named)) for report in reports)


def _screen(report: Report, terminal: Terminal, *, wide: bool, persona: Persona | None) -> list[str]:
    lines = [*heading(report, terminal), ""]
    if is_empty(report):
        return [*lines, _nothing(report)]
    table = draw_report(report, terminal, wide=wide, titles=persona.columns if persona else ())
    lines += table.lines
    if table.dropped:
        left_out = f"Columns that do not fit: {', '.join(table.dropped)}. -o wide shows every column."
        lines += [terminal.paint(line, Style.DIM) for line in wrapped(left_out, terminal)]
    return [*lines, "", *facts(report, terminal, persona.notes if persona else None)]


def _nothing(report: Report) -> str:
    if report.covered is None:
        return "The ledger holds nothing for this window."
    return "Nothing in the ledger matches."
