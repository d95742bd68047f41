"""`aicost report`: what it cost, for any time, by anything."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.reporting.ordering import SortKey
from aicost.domain.reporting.personas import PERSONAS, Persona, Reader
from aicost.domain.reporting.query import GROUP_KEYS, IdlePolicy, Report
from aicost.domain.reporting.question import NAMESPACE, Question, read_filters, read_keys
from aicost.domain.reporting.spans import FORMS
from aicost.entrypoints.cli.options import in_form, of_a_cluster
from aicost.entrypoints.cli.output.documents import as_csv, as_json
from aicost.entrypoints.cli.output.screen import as_tables
from aicost.entrypoints.cli.terminal import Terminal, detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:
    from aicost.domain.pricing.currencies import ExchangeRate
    from aicost.entrypoints.cli.output.display.converting import Shown


class Form(StrEnum):
    """What an answer is printed as."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the answer comes from, and whose cost it is about.

    Attributes:
        ledgers: directories or URLs of ledgers to read; none asks the query API.
        namespace: the namespace that was named.
        everywhere: whether all namespaces were asked for.
        version: version of the ledger to read; None reads all that is there.
        cluster: the cluster in the ledgers to report on; None for all.
        team: the one team, in whatever namespace; None for all.
    """

    ledgers: tuple[str, ...]
    kubeconfig: Path | None
    context: str | None
    namespace: str | None
    everywhere: bool
    version: int | None = None
    cluster: str | None = None
    team: str | None = None

    def __post_init__(self) -> None:
        if self.team and self.namespace and not self.ledgers:
            raise InvalidRequest(
                f"--team {self.team} is about all namespaces that the team works in: leave --namespace "
                f"{self.namespace} out, or narrow it by --filter namespace={self.namespace}"
            )
        if self.namespace and self.everywhere:
            raise InvalidRequest(f"--namespace {self.namespace} and --all-namespaces contradict: leave one out")
        if self.ledgers and (self.kubeconfig or self.context):
            raise InvalidRequest("--ledger reads without a cluster: leave --kubeconfig and --context out")
        if self.version is not None and len(self.ledgers) != 1:
            raise InvalidRequest(f"--ledger-version {self.version} needs one ledger to read: name it by --ledger")
        if self.cluster is not None and not self.ledgers:
            raise InvalidRequest(f"--cluster {self.cluster} is one of a ledger: name that by --ledger")


_READERS = "\n".join(f"  {reader.value:11} {persona.about}" for reader, persona in PERSONAS.items())
_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Days, weeks and months begin at midnight in --time-zone.

\b
KEYS of --by and --filter
  {", ".join(GROUP_KEYS[:9])},
  {", ".join(GROUP_KEYS[9:16])},
  {", ".join(GROUP_KEYS[16:])},
  label:KEY for any label of the pods, and source:DIMENSION for who gave a dimension its value.

\b
READERS of --for
{_READERS}
  What -o wide, json and csv hold does not depend on the reader.

\b
EXAMPLES
  aicost report -A                                         this month, by namespace
  aicost report -n team-a --window 7d                      one namespace, by controller
  aicost report -A --by team,model --compare --top 10      with the month before beside it
  aicost report --team vision                              one team, in all namespaces
  aicost report -A --for executive                         the total, its change, and who moves it
  aicost report -A --by node --filter gpu-model=h100-80gb --idle separate
  aicost report --ledger ./ledger --window 2026-10 -o csv  a ledger, without a cluster
  aicost report -A --currency EUR                          with what it comes to in euros
"""


@click.command("report", epilog=_EPILOG, short_help="What it cost, for any time, by anything.")
@click.option(
    "--window",
    "-w",
    default="month-to-date",
    show_default=True,
    metavar="WINDOW",
    help="The time to report; see below.",
)
@click.option(
    "--by",
    "-b",
    multiple=True,
    metavar="KEY[,KEY]",
    help="Group by these keys. Repeatable. Default: namespace; within one namespace, controller.",
)
@click.option(
    "--filter",
    "-f",
    "filters",
    multiple=True,
    metavar="KEY=VALUE[,VALUE]",
    help="Only what has one of the values. Repeatable; all must match.",
)
@click.option(
    "--sort",
    default=SortKey.COST.value,
    show_default=True,
    type=click.Choice([key.value for key in SortKey]),
    help="Order of the lines, the largest first.",
)
@click.option("--reverse", is_flag=True, help="The smallest first.")
@click.option(
    "--top", type=click.IntRange(min=1), metavar="N", help="The first N lines; the rest is summed in one line."
)
@click.option("--compare/--no-compare", help="Compare with the span before.")
@click.option("--adjusted/--no-adjusted", help="Tell which part was posted as corrections of closed windows.")
@click.option(
    "--for",
    "reader",
    type=click.Choice([reader.value for reader in Reader]),
    help="Keys, columns, order and notes as this reader wants them; see below. Other options come first.",
)
@click.option(
    "--idle",
    default=IdlePolicy.TO_HOLDER.value,
    show_default=True,
    type=click.Choice([policy.value for policy in IdlePolicy]),
    help="Who carries what nobody used. The total is the same.",
)
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="Zone in which days and months begin, such as Europe/Berlin.",
)
@in_form(Form, "wide: every column. json: integers beside texts. csv: for a spreadsheet.", Form.TABLE.value)
@click.option(
    "--currency",
    metavar="CODE",
    help="Show costs in this currency too, by dated exchange rates of PriceBooks; sums stay in their own.",
)
@click.option(
    "--prices",
    multiple=True,
    metavar="FILE",
    help="With --currency: PriceBooks with rates. Repeatable. Default: the cluster's.",
)
@click.option("--namespace", "-n", metavar="NAME", help="One namespace. Default: the kubeconfig's; with --ledger, all.")
@click.option("--all-namespaces", "-A", is_flag=True, help="All namespaces, and what nobody held.")
@click.option("--team", metavar="NAME", help="What this team costs in all namespaces; takes a grant of the team alone.")
@click.option(
    "--ledger", "ledgers", multiple=True, metavar="DIR|URL", help="Read this ledger; no cluster is asked. Repeatable."
)
@click.option("--cluster", metavar="NAME", help="With --ledger: this cluster alone. Default: all that it holds.")
@click.option(
    "--ledger-version",
    type=click.IntRange(min=0),
    metavar="N",
    help="With --ledger: as it stood at this version, such as the one before a retag.",
)
@of_a_cluster
def report(  # noqa: PLR0913 -- one parameter per option
    *,
    form: str,
    reader: str | None,
    currency: str | None,
    prices: Sequence[str],
    namespace: str | None,
    all_namespaces: bool,
    team: str | None,
    ledgers: Sequence[str],
    cluster: str | None,
    ledger_version: int | None,
    kubeconfig: Path | None,
    context: str | None,
    **words: Any,
) -> None:
    """Report what it cost: any window, grouped by any keys.

    Asks the query API of the cluster through its API server, with the rights that your kubeconfig gives you: who may
    view a namespace sees its cost, and who was granted a team sees what that costs in all namespaces. With --ledger it
    reads a ledger directly.
    """
    persona = PERSONAS[Reader(reader)] if reader else None
    source = Source(tuple(ledgers), kubeconfig, context, namespace, all_namespaces, ledger_version, cluster, team)
    asked = _question(words, persona, team)
    rates = _rates(currency, prices, source)
    reports, within = _obtain(source, asked, persona)
    _show(reports, Form(form), persona, _display(reports, currency, rates))
    if source.ledgers and reports and Form(form) in {Form.TABLE, Form.WIDE}:
        _show_grounds(source, reports)
        _show_extent(source, reports)
    if within is not None and namespace is None and not any(one.lines for one in reports):
        click.echo(f"Nothing in namespace {within}. For all namespaces: -A", err=True)


def _rates(currency: str | None, prices: Sequence[str], source: Source) -> "tuple[ExchangeRate, ...]":
    """The rates that costs are shown by: those of files, else those of the cluster that is asked."""
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


def _display(
    reports: Sequence[Report], currency: str | None, rates: "Sequence[ExchangeRate]"
) -> "tuple[Shown, ...] | None":
    """The reports in the currency that was asked for; None where none was."""
    if currency is None:
        return None
    from aicost.entrypoints.cli.output.display.converting import shown_in  # noqa: PLC0415 -- as above

    return shown_in(reports, currency, rates, now_ms())


def _question(words: Mapping[str, Any], persona: Persona | None, team: str | None) -> Question:
    """The question of the options. What a reader wants holds where no option says otherwise."""
    try:
        accepted = read_filters(words["filters"])
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    wanted = {} if persona is None else _wishes(persona)
    chosen = {**words, **{name: value for name, value in wanted.items() if not _is_given(name)}}
    return Question(
        window=chosen["window"],
        group_by=read_keys(chosen["by"]),
        filters=accepted,
        idle=chosen["idle"],
        compare=chosen["compare"],
        adjusted=chosen["adjusted"],
        time_zone=chosen["time_zone"],
        sort=chosen["sort"],
        reverse=chosen["reverse"],
        limit=chosen["top"],
        team=team,
    )


def _wishes(persona: Persona) -> dict[str, Any]:
    """What a reader wants, by option."""
    return {
        "sort": persona.sort.value,
        "compare": persona.compare,
        "adjusted": persona.adjusted,
        "top": persona.limit,
    }


def _is_given(name: str) -> bool:
    """Whether the user wrote the option."""
    source = click.get_current_context().get_parameter_source(name)
    return source not in {None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP}


def _obtain(source: Source, asked: Question, persona: Persona | None) -> tuple[tuple[Report, ...], str | None]:
    """The answer, and the namespace that it is about. What takes long to import is imported where it is needed."""
    if source.ledgers:
        from aicost.entrypoints.cli.sources.ledger import ask_ledger  # noqa: PLC0415 -- Delta takes a second to import

        with progress(f"reading the ledger at {' and '.join(source.ledgers)}", sys.stderr, _stderr()):
            asked = _within(asked, source.namespace, persona)
            reports = ask_ledger(source.ledgers, asked, now_ms(), version=source.version, cluster=source.cluster)
        return reports, source.namespace
    from aicost.entrypoints.cli.sources.cluster import ask_cluster, find_cluster  # noqa: PLC0415 -- as above: aiohttp

    config = find_cluster(source.kubeconfig, source.context)
    namespace = None if source.everywhere or source.team else source.namespace or config.namespace
    with progress(f"asking {config.server}", sys.stderr, _stderr()):
        return ask_cluster(config, _within(asked, namespace, persona)), namespace


def _within(asked: Question, namespace: str | None, persona: Persona | None) -> Question:
    """The question about one namespace, or all; grouped by what is useful there unless keys are named."""
    usual = ((NAMESPACE,), ("controller",)) if persona is None else (persona.keys, persona.keys_within)
    keys = asked.group_by or usual[namespace is not None]
    return replace(asked, namespace=namespace, group_by=keys)


def _show(
    reports: tuple[Report, ...], form: Form, persona: Persona | None, display: "tuple[Shown, ...] | None"
) -> None:
    """Print the answer."""
    if form is Form.JSON:
        click.echo(as_json(reports, now_ms()) if not display else _with_display(reports, display))
    elif form is Form.CSV:
        click.echo(as_csv(reports, display), nl=False)
    else:
        terminal = detect(sys.stdout, _environment())
        click.echo(as_tables(reports, terminal, wide=form is Form.WIDE, persona=persona), color=True)
        if display:
            from aicost.entrypoints.cli.output.display.shown import draw_shown  # noqa: PLC0415 -- as above

            click.echo("\n" + draw_shown(display, display[0].conversion.target, terminal), color=True)


def _with_display(reports: tuple[Report, ...], display: "tuple[Shown, ...]") -> str:
    """The report document, with what it comes to in the asked currency beside it."""
    from aicost.entrypoints.cli.output.display.shown import shown_document  # noqa: PLC0415 -- as above

    document = json.loads(as_json(reports, now_ms()))
    document["display"] = shown_document(display, display[0].conversion.target)
    return json.dumps(document, indent=2, ensure_ascii=False)


def _show_extent(source: Source, reports: Sequence[Report]) -> None:
    """Where the ledger has rows, and the option that asks for them, when the window that was asked for has none."""
    if any(report.covered is not None for report in reports):
        return
    from aicost.entrypoints.cli.sources.ledger import extent_of  # noqa: PLC0415 -- Delta takes a second to import

    extent = extent_of(source.ledgers, version=source.version, cluster=source.cluster)
    if extent is not None:
        start, end = to_rfc3339(extent.start_ms), to_rfc3339(extent.end_ms)
        click.echo(f"It has rows from {start} to {end}: --window {start}..{end}", err=True)


def _show_grounds(source: Source, reports: tuple[Report, ...]) -> None:
    """Say what amounts of the past rest on, where a backfill posted some."""
    from aicost.entrypoints.cli.output.backfill.grounds import grounds_lines  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.ledger import grounds_of  # noqa: PLC0415

    times = grounds_of(source.ledgers, reports[0], version=source.version, cluster=source.cluster)
    for line in grounds_lines(times, detect(sys.stdout, _environment())):
        click.echo(line, color=True)


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _stderr() -> Terminal:
    return detect(sys.stderr, _environment())
