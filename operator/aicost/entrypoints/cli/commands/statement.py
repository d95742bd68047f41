"""`aicost statement`: what a payer owes for a month, to show or to charge."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from aicost.adapters.clock import now_ms
from aicost.domain.pricing.currencies import ExchangeRate
from aicost.domain.reporting.question import read_filters, read_keys
from aicost.domain.reporting.spans import FORMS
from aicost.domain.statements.display import with_display
from aicost.domain.statements.values import SHARED_BUCKETS, Spread
from aicost.entrypoints.cli.commands.report import Source
from aicost.entrypoints.cli.options import in_form, of_a_cluster
from aicost.entrypoints.cli.output.statement.markdown import as_markdown
from aicost.entrypoints.cli.output.statement.page import as_page
from aicost.entrypoints.cli.output.statement.screen import as_screen
from aicost.entrypoints.cli.output.statement.sheet import as_sheet
from aicost.entrypoints.cli.output.statement.view import view_of
from aicost.entrypoints.cli.terminal import Terminal, detect, progress
from aicost.ports.errors import InvalidRequest
from aicost.usecases.build_statement import StatementRequest, check_request


class Form(StrEnum):
    """What a statement is written as."""

    TABLE = "table"
    MARKDOWN = "markdown"
    HTML = "html"
    CSV = "csv"
    JSON = "json"


_SUFFIXES = {".md": Form.MARKDOWN, ".html": Form.HTML, ".htm": Form.HTML, ".csv": Form.CSV, ".json": Form.JSON}
_EPILOG = f"""\b
TIMES of --window
  {FORMS}
  Days, weeks and months begin at midnight in --time-zone.

\b
RULES of --shared, for what no payer held: {", ".join(bucket.value for bucket in SHARED_BUCKETS)}
  none        it stays with the platform; a payer's total is that of `aicost report`
  cost        in proportion to each payer's own cost, within each cluster
  gpu-hours   in proportion to each payer's own GPU-hours, within each cluster
  even        in equal parts among payers that used the cluster
  fixed       by the shares of a file (--shares): `vision: 40%`, one payer a line

\b
EXAMPLES
  aicost statement --team vision --month 2026-10                            with your kubeconfig
  aicost statement --team vision --month 2026-10 --time-zone Europe/Berlin --ledger ./ledger
  aicost statement --cost-center cc-4711 --month 2026-10 --shared cost --ledger ./ledger --out october.html
  aicost statement --month 2026-10 --per team --ledger ./ledger -o csv      all teams, and how they add up
  aicost statement --team vision --month 2026-10 --ledger ./ledger --issued october.json   what changed since
"""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a statement goes to, and as what."""

    form: Form
    file: Path | None


@click.command("statement", epilog=_EPILOG, short_help="What a payer owes for a month, to show or to charge.")
@click.option("--team", metavar="NAME", help="The payer: a team.")
@click.option("--cost-center", metavar="NAME", help="The payer: a cost centre.")
@click.option("--namespace", "-n", metavar="NAME", help="The payer: a namespace.")
@click.option("--payer", metavar="KEY=VALUE", help="The payer by any other key, such as customer=acme.")
@click.option(
    "--per",
    default="cost-center",
    show_default=True,
    metavar="KEY",
    help="With no payer named: an account for each value of this key.",
)
@click.option("--month", metavar="YYYY-MM", help="The month to state. Default: the last one.")
@click.option("--window", "-w", metavar="WINDOW", help="Another time to state; see below.")
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="Zone in which days and months begin, such as Europe/Berlin.",
)
@click.option(
    "--by",
    "-b",
    multiple=True,
    metavar="KEY[,KEY]",
    help="Keys of the lines; the first one has subtotals. Default: cost-center, then workload and model.",
)
@click.option(
    "--shared",
    default=Spread.NONE.value,
    show_default=True,
    type=click.Choice([one.value for one in Spread]),
    help="How what nobody held is spread over payers; see below.",
)
@click.option(
    "--shared-bucket",
    "buckets",
    multiple=True,
    type=click.Choice([bucket.value for bucket in SHARED_BUCKETS]),
    help="With --shared: spread this alone. Repeatable. Default: all.",
)
@click.option(
    "--shares", type=click.Path(path_type=Path), metavar="FILE", help="Shares for `--shared fixed`: YAML or JSON."
)
@click.option(
    "--issued",
    metavar="FILE|VERSION|TIME",
    help="Adjustments since then: an earlier statement (-o json), a version of the ledger, or a moment. "
    "Default: since each window was first posted.",
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="The first N lines; the rest is summed in one.")
@click.option(
    "--currency",
    metavar="CODE",
    help="Show the total in this currency too, by exchange rates of PriceBooks; the statement stays in its own.",
)
@click.option(
    "--prices",
    multiple=True,
    metavar="FILE",
    help="With --currency: PriceBooks with rates. Repeatable. Default: the cluster's.",
)
@in_form(Form, "Default: by the name of --out, else table.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file.")
@click.option(
    "--ledger", "ledgers", multiple=True, metavar="DIR|URL", help="Read this ledger; no cluster is asked. Repeatable."
)
@click.option("--cluster", metavar="NAME", help="With --ledger: this cluster alone. Default: all that it holds.")
@click.option(
    "--ledger-version",
    type=click.IntRange(min=0),
    metavar="N",
    help="With --ledger: as it stood at this version, to issue an earlier statement again.",
)
@of_a_cluster
def statement(  # noqa: PLR0913 -- one parameter per option
    *,
    team: str | None,
    cost_center: str | None,
    namespace: str | None,
    payer: str | None,
    per: str,
    month: str | None,
    window: str | None,
    time_zone: str,
    by: Sequence[str],
    shared: str,
    buckets: Sequence[str],
    shares: Path | None,
    issued: str | None,
    top: int | None,
    currency: str | None,
    prices: Sequence[str],
    form: str | None,
    out: Path | None,
    ledgers: Sequence[str],
    cluster: str | None,
    ledger_version: int | None,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """State what a payer owes for a month: lines, shared costs by a stated rule, adjustments, and how it adds up.

    The total equals that of the ledger, to the last nano-unit: all payers and what no rule spreads sum to it. A
    statement has a number; the same figures get the same one again.

    Without --ledger the query API of the cluster is asked: who may view all namespaces gets a statement that is
    reconciled with the ledger's total, others that of their own team or namespace.
    """
    named = {"team": team, "cost-center": cost_center, "namespace": namespace}
    request = StatementRequest(
        window=_window(month, window),
        payer=_payer(named, payer),
        per=per,
        by=read_keys(by),
        time_zone=time_zone,
        shared=shared,
        shared_buckets=tuple(buckets),
        shares=None if shares is None else _read_shares(shares),
        limit=top,
    )
    source = Source(
        tuple(ledgers), kubeconfig, context, namespace=None, everywhere=True, version=ledger_version, cluster=cluster
    )
    check_request(request, now_ms())
    output = _output(form, out)
    rates = _rates(currency, prices, source)
    document = _obtain(source, request, issued)
    _write(document if currency is None else with_display(document, currency, rates), output)


def _window(month: str | None, window: str | None) -> str:
    """The time to state: a month that is named, another time, or the last month."""
    if month is not None and window is not None:
        raise InvalidRequest(f"--month {month} and --window {window} contradict: leave one out")
    return month or window or "last-month"


def _payer(named: Mapping[str, str | None], other: str | None) -> dict[str, str]:
    """Key and value of each payer that is named: all must match."""
    payer = {key: value for key, value in named.items() if value is not None}
    if other is not None:
        try:
            filters = read_filters([other])
        except ValueError as problem:
            raise InvalidRequest(str(problem).replace("filter:", "--payer:", 1)) from problem
        for key, values in filters.items():
            if len(values) != 1 or key in payer:
                raise InvalidRequest(f"--payer: {other[:80]!r} is not one payer: write KEY=VALUE, and each key once")
            payer[key] = values[0]
    return payer


def _read_shares(file: Path) -> Mapping[Any, Any]:
    """The shares of a file: a mapping from payer to share."""
    from aicost.entrypoints.cli.sources.statements.reading import read_shares  # noqa: PLC0415 -- YAML is slow to import

    return read_shares(file)


def _rates(currency: str | None, prices: Sequence[str], source: Source) -> tuple[ExchangeRate, ...]:
    """The rates that a total is shown by: those of files, else those of the cluster that is asked."""
    if currency is None:
        if prices:
            raise InvalidRequest(f"--prices {prices[0]} is for --currency: name one, or leave --prices out")
        return ()
    from aicost.entrypoints.cli.sources.statements import rates  # noqa: PLC0415 -- aiohttp takes long to import

    rates.check_currency(currency)
    if prices:
        return rates.rates_of_files(prices)
    if source.ledgers:
        raise InvalidRequest(f"--currency: {currency} takes exchange rates: name a PriceBook that has some by --prices")
    return rates.rates_of_cluster(source.kubeconfig, source.context)


def _obtain(source: Source, request: StatementRequest, issued: str | None) -> Mapping[str, Any]:
    """The document. What takes long to import is imported where it is needed."""
    from aicost.entrypoints.cli.sources.statements.issued import check_issued  # noqa: PLC0415 -- only where it is named

    document = _stated(source, request, issued) if source.ledgers else _asked(source, request, issued)
    check_issued(issued, document)
    return document


def _stated(source: Source, request: StatementRequest, issued: str | None) -> Mapping[str, Any]:
    """The document of the ledgers that are named."""
    from aicost.entrypoints.cli.sources.statements.reading import state_ledgers  # noqa: PLC0415 -- Delta takes a second

    with progress(f"reading the ledger at {' and '.join(source.ledgers)}", sys.stderr, _terminal(sys.stderr)):
        return state_ledgers(source, request, issued, now_ms())


def _asked(source: Source, request: StatementRequest, issued: str | None) -> Mapping[str, Any]:
    """The document that a cluster gives, with the rights of the kubeconfig."""
    from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- aiohttp takes long to import
    from aicost.entrypoints.cli.sources.query.statements import state_cluster  # noqa: PLC0415 -- as above

    config = find_cluster(source.kubeconfig, source.context)
    with progress(f"asking {config.server}", sys.stderr, _terminal(sys.stderr)):
        return state_cluster(config, request, issued)


def _output(form: str | None, file: Path | None) -> Output:
    """What it is written as: as named, as the file's name says, or as a table."""
    if form is not None:
        return Output(Form(form), file)
    if file is None:
        return Output(Form.TABLE, None)
    if file.suffix.lower() not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        raise InvalidRequest(f"--out: {file.name!r} does not say what to write: end it with {known}, or add -o")
    return Output(_SUFFIXES[file.suffix.lower()], file)


def _write(document: Mapping[str, Any], output: Output) -> None:
    """Print the statement, or write it to its file in one step."""
    text = _rendered(document, output)
    if output.file is None:
        click.echo(text, color=True, nl=False)
        return
    beside = output.file.with_name(output.file.name + ".new")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(output.file)
    except OSError as problem:
        raise InvalidRequest(f"--out: {output.file} cannot be written: {problem.strerror}") from problem
    click.echo(f"Statement {document['number']} written to {output.file}", err=True)


def _rendered(document: Mapping[str, Any], output: Output) -> str:
    if output.form is Form.JSON:
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if output.form is Form.CSV:
        return as_sheet(document)
    view = view_of(document)
    if output.form is Form.MARKDOWN:
        return as_markdown(view)
    if output.form is Form.HTML:
        return as_page(view)
    return as_screen(view, Terminal() if output.file else _terminal(sys.stdout)) + "\n"


def _terminal(stream: Any) -> Terminal:
    return detect(stream, dict(os.environ))
