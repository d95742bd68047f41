"""`aicost prices import`: a price table as manifests of PriceBooks."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aicost.ports.errors import InvalidRequest

_STDIN = "-"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LONGEST_NAME = 240
_FORMATS = ("auto", "aicost", "opencost", "focus")
_EPILOG = """\b
FORMATS
  aicost    a line per machine; columns: provider, region, zone, instance_type, gpu_model, gpu_mem_gib,
            gpu_count, capacity_type, price_per_node_hour, price_per_gpu_hour, spot_price_per_hour, currency,
            from, to, priority, split, gpu_share, list_price, source, as_of, name, and label:KEY
  opencost  the pricing_schema.csv of OpenCost and Kubecost; needs --currency
  focus     a bill in FOCUS format, 1.0 or later: what was paid per hour for each machine that it names

\b
EXIT CODES
  0  done; the manifests are on standard output, what was left out on standard error
  2  a line is wrong: each with its column, value and fix; nothing is printed

\b
EXAMPLES
  aicost prices import contract.csv --name contract | kubectl apply -f -
  aicost prices import list.csv --list-prices --source "price page" --as-of 2026-11-01 > list.yaml
  aicost prices import bill.csv --format focus > paid.yaml && aicost prices check -f paid.yaml
"""


@click.command("import", epilog=_EPILOG, short_help="A price table (CSV) as PriceBooks.")
@click.argument("file", metavar="FILE.csv|-")
@click.option("--name", default="imported", show_default=True, metavar="NAME", help="Name of the PriceBook.")
@click.option("--format", "form", default="auto", show_default=True, type=click.Choice(_FORMATS), help="See below.")
@click.option("--currency", metavar="CODE", help="Currency of prices whose line names none, such as USD.")
@click.option("--list-prices", is_flag=True, help="They are public list prices: your own books go before them.")
@click.option("--source", default="", metavar="TEXT", help="Where the prices were read; it stands in reports.")
@click.option("--as-of", default="", metavar="DAY", help="When they were read.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column to pass over. Repeatable.")
def import_table(  # noqa: PLR0913 -- one parameter per option
    *,
    file: str,
    name: str,
    form: str,
    currency: str | None,
    list_prices: bool,
    source: str,
    as_of: str,
    ignore: Sequence[str],
) -> None:
    """Turn a price table into manifests of PriceBooks, on standard output.

    One book for each currency, and for each thousand prices. Prices that stand there twice are merged; two different
    prices for the same machines at the same time are refused.
    """
    from aicost.adapters.pricing.tables.cells import currency as read_currency  # noqa: PLC0415 -- pydantic, yaml
    from aicost.adapters.pricing.tables.cells import moment  # noqa: PLC0415
    from aicost.adapters.pricing.tables.importing import TableFormat, import_prices  # noqa: PLC0415
    from aicost.adapters.pricing.tables.offers import BookOptions  # noqa: PLC0415
    from aicost.adapters.pricing.tables.reading import Wrong  # noqa: PLC0415

    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise InvalidRequest(
            f"--name {name!r}: write lower-case letters, digits, dashes and dots, for example contract"
        )
    try:
        known = read_currency(currency) if currency else ""
    except Wrong as wrong:
        raise InvalidRequest(f"--currency {currency!r}: {wrong}") from None
    try:
        read_at = moment(as_of) if as_of else ""
    except Wrong as wrong:
        raise InvalidRequest(f"--as-of {as_of!r}: {wrong}") from None
    options = BookOptions(name, source, read_at, list_prices)
    try:
        found = import_prices(_content(file), options, None if form == "auto" else TableFormat(form), known, ignore)
    except InvalidRequest as problem:
        raise InvalidRequest(f"{file}: {problem}") from problem
    _print(found.books)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{found.entries} prices of {found.rows} lines, in {len(found.books)} PriceBook(s)", err=True)


def _content(file: str) -> bytes:
    """What stands in a file, or on standard input; a little more than is read, so that too much is told."""
    from aicost.adapters.pricing.tables.reading import LARGEST_BYTES  # noqa: PLC0415 -- as above

    if file == _STDIN:
        return sys.stdin.buffer.read(LARGEST_BYTES + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST_BYTES + 1)
    except OSError as problem:
        raise InvalidRequest(f"cannot be read: {problem.strerror}") from problem


def _print(books: Sequence[object]) -> None:
    import yaml  # noqa: PLC0415 -- as above

    click.echo(yaml.safe_dump_all(books, sort_keys=False, allow_unicode=True, width=120), nl=False)
