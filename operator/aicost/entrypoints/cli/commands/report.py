"""`aicost report`: what it cost, for any time, by anything."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.domain.reporting.ordering import SortKey
from aicost.domain.reporting.query import GROUP_KEYS, IdlePolicy, Report
from aicost.domain.reporting.question import NAMESPACE, Question, read_filters, read_keys
from aicost.domain.reporting.spans import FORMS
from aicost.entrypoints.cli.output.documents import as_csv, as_json
from aicost.entrypoints.cli.output.screen import as_tables
from aicost.entrypoints.cli.terminal import Terminal, detect, progress
from aicost.ports.errors import InvalidRequest


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
        ledger: directory or URL of a ledger to read; None asks the query API.
        namespace: the namespace that was named.
        everywhere: whether all namespaces were asked for.
        version: version of the ledger to read; None reads all that is there.
    """

    ledger: str | None
    kubeconfig: Path | None
    context: str | None
    namespace: str | None
    everywhere: bool
    version: int | None = None

    def __post_init__(self) -> None:
        if self.namespace and self.everywhere:
            raise InvalidRequest(f"--namespace {self.namespace} and --all-namespaces contradict: leave one out")
        if self.ledger and (self.kubeconfig or self.context):
            raise InvalidRequest("--ledger reads without a cluster: leave --kubeconfig and --context out")
        if self.version is not None and not self.ledger:
            raise InvalidRequest(f"--ledger-version {self.version} needs a ledger to read: name it by --ledger")


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
EXAMPLES
  aicost report -A                                         this month, by namespace
  aicost report -n team-a --window 7d                      one namespace, by controller
  aicost report -A --by team,model --compare --top 10      with the month before beside it
  aicost report -A --by node --filter gpu-model=h100-80gb --idle separate
  aicost report --ledger ./ledger --window 2026-10 -o csv  a ledger, without a cluster
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
@click.option("--compare", is_flag=True, help="Compare with the span before.")
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
@click.option(
    "--output",
    "-o",
    "form",
    default=Form.TABLE.value,
    show_default=True,
    type=click.Choice([form.value for form in Form]),
    help="wide: every column. json: integers beside texts. csv: for a spreadsheet.",
)
@click.option("--namespace", "-n", metavar="NAME", help="One namespace. Default: the kubeconfig's; with --ledger, all.")
@click.option("--all-namespaces", "-A", is_flag=True, help="All namespaces, and what nobody held.")
@click.option("--ledger", metavar="DIR|URL", help="Read this ledger; no cluster is asked.")
@click.option(
    "--ledger-version",
    type=click.IntRange(min=0),
    metavar="N",
    help="With --ledger: as it stood at this version, such as the one before a retag.",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path), metavar="FILE", help="Kubeconfig to use.")
@click.option("--context", metavar="NAME", help="Context of the kubeconfig to use.")
def report(  # noqa: PLR0913 -- one parameter per option
    *,
    window: str,
    by: Sequence[str],
    filters: Sequence[str],
    sort: str,
    reverse: bool,
    top: int | None,
    compare: bool,
    idle: str,
    time_zone: str,
    form: str,
    namespace: str | None,
    all_namespaces: bool,
    ledger: str | None,
    ledger_version: int | None,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Report what it cost: any window, grouped by any keys.

    Asks the query API of the cluster through its API server, with the rights that your kubeconfig gives you: who may
    view a namespace sees its cost. With --ledger it reads a ledger directly.
    """
    try:
        accepted = read_filters(filters)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    source = Source(ledger, kubeconfig, context, namespace, all_namespaces, ledger_version)
    asked = Question(window, read_keys(by), accepted, None, idle, compare, time_zone, sort, reverse, top)
    reports, within = _obtain(source, asked)
    _show(reports, Form(form))
    if within is not None and namespace is None and not any(one.lines for one in reports):
        click.echo(f"Nothing in namespace {within}. For all namespaces: -A", err=True)


def _obtain(source: Source, asked: Question) -> tuple[tuple[Report, ...], str | None]:
    """The answer, and the namespace that it is about. What takes long to import is imported where it is needed."""
    if source.ledger is not None:
        from aicost.entrypoints.cli.sources.ledger import ask_ledger  # noqa: PLC0415 -- Delta takes a second to import

        with progress(f"reading the ledger at {source.ledger}", sys.stderr, _stderr()):
            asked = _within(asked, source.namespace)
            return ask_ledger(source.ledger, asked, now_ms(), version=source.version), source.namespace
    from aicost.entrypoints.cli.sources.cluster import ask_cluster, find_cluster  # noqa: PLC0415 -- as above: aiohttp

    config = find_cluster(source.kubeconfig, source.context)
    namespace = None if source.everywhere else source.namespace or config.namespace
    with progress(f"asking {config.server}", sys.stderr, _stderr()):
        return ask_cluster(config, _within(asked, namespace)), namespace


def _within(asked: Question, namespace: str | None) -> Question:
    """The question about one namespace, or all; grouped by what is useful there unless keys are named."""
    keys = asked.group_by or ((NAMESPACE,) if namespace is None else ("controller",))
    return replace(asked, namespace=namespace, group_by=keys)


def _show(reports: tuple[Report, ...], form: Form) -> None:
    """Print the answer."""
    if form is Form.JSON:
        click.echo(as_json(reports, now_ms()))
    elif form is Form.CSV:
        click.echo(as_csv(reports), nl=False)
    else:
        click.echo(as_tables(reports, detect(sys.stdout, _environment()), wide=form is Form.WIDE), color=True)


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _stderr() -> Terminal:
    return detect(sys.stderr, _environment())
