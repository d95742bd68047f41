"""`aicost ledger export`: rows for other programs, as Parquet or CSV."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import Window
from aicost.domain.reporting.keys import check_keys
from aicost.domain.reporting.question import read_filters
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.commands.ledger.place import of_ledger
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

_EPILOG = f"""\b
TIMES
  {FORMS}

\b
EXAMPLES
  aicost ledger export ./ledger --format parquet --out rows.parquet
  aicost ledger export ./ledger --window 2026-10 --filter team=vision --format csv --out - | head
"""


@click.command("export", epilog=_EPILOG, short_help="The rows as Parquet or CSV.")
@of_ledger
@click.option("--format", "form", required=True, type=click.Choice(["parquet", "csv"]), help="What is written.")
@click.option("--out", required=True, metavar="FILE", help="Where to; - for standard output (CSV only).")
@click.option("--window", "-w", metavar="TIME", help="Rows of the windows that begin in it. Default: all.")
@click.option("--filter", "-f", "filters", multiple=True, metavar="KEY=VALUE", help="Only these, as in aicost report.")
@click.option("--cluster", metavar="ID", help="Only this cluster. Default: all.")
def export(*, place: str, form: str, out: str, window: str | None, filters: Sequence[str], cluster: str | None) -> None:
    """Write the posted rows with the columns of the ledger, oldest first.

    Amounts are integers of nano-units, with an exact decimal text beside them. Sum `cost_nanos`: difference rows carry
    their sign. In CSV a text that a spreadsheet would run gets an apostrophe in front.
    """
    span, accepted = _span(window), _filters(filters)
    if form == "parquet" and out == "-":
        raise InvalidRequest("--out: '-' is for --format csv: name a file for Parquet")
    from aicost.adapters.ledger.upkeep.export import Exported  # noqa: PLC0415 -- Delta takes a second to import
    from aicost.bootstrap import open_export  # noqa: PLC0415
    from aicost.entrypoints.cli.output.ledger.sheet import write_sheet  # noqa: PLC0415
    from aicost.entrypoints.cli.sources.ledger import open_place  # noqa: PLC0415

    asked, rows = Exported(span, accepted, cluster), open_export(open_place(place))
    try:
        with progress(f"exporting {place}", sys.stderr, detect(sys.stderr, dict(os.environ))):
            count = rows.to_parquet(asked, Path(out)) if form == "parquet" else write_sheet(rows.records(asked), out)
    except OSError as problem:
        raise InvalidRequest(f"--out: {out!r} cannot be written: {problem.strerror or problem}") from problem
    click.echo(f"{count} rows in {out}", err=True)


def _span(text: str | None) -> Window | None:
    try:
        return None if text is None else parse_span(text, now_ms())
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem


def _filters(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    try:
        accepted = read_filters(texts)
        check_keys(accepted, "filter")
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    return accepted
