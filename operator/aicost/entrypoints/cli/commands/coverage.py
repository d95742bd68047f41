"""`aicost coverage` and `aicost inventory`: who labels what, and what there is."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from aicost.adapters.clock import now_ms
from aicost.crd.coverage.resources import COVERAGES, INVENTORIES, Served
from aicost.domain.reporting.spans import FORMS
from aicost.entrypoints.cli.commands.report import Source
from aicost.entrypoints.cli.options import CONTEXT, KUBECONFIG, in_form
from aicost.entrypoints.cli.output.coverage_screen import coverage_screen, inventory_screen
from aicost.entrypoints.cli.terminal import Terminal, detect, progress
from aicost.usecases.measure_coverage import SINCE, read_since

_Command = Callable[..., None]
_Screen = Callable[[Mapping[str, Any], Terminal], str]
_EPILOG = f"""\b
TIMES
  {FORMS}

\b
EXAMPLES
  aicost {{verb}} -A                             the last 30 days, all namespaces
  aicost {{verb}} -n team-a --since 90d          one namespace, a first audit
  aicost {{verb}} --ledger ./ledger -o json      a ledger, without a cluster
"""


class Form(StrEnum):
    """What an answer is printed as."""

    TABLE = "table"
    JSON = "json"


def _shared(command: _Command) -> _Command:
    """The options that both commands have."""
    options = (
        click.option("--since", "-s", default=SINCE, show_default=True, metavar="TIME", help="The time to look at."),
        click.option(
            "--rows", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Lines of each list."
        ),
        in_form(Form, "json: integers beside texts.", Form.TABLE.value),
        click.option("--namespace", "-n", metavar="NAME", help="One namespace. Default: the kubeconfig's."),
        click.option("--all-namespaces", "-A", is_flag=True, help="All namespaces."),
        click.option(
            "--ledger",
            "ledgers",
            multiple=True,
            metavar="DIR|URL",
            help="Read this ledger; no cluster is asked. Repeatable.",
        ),
        click.option(
            "--cluster", metavar="NAME", help="With --ledger: this cluster alone. Default: all that it holds."
        ),
        KUBECONFIG,
        CONTEXT,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("coverage", epilog=_EPILOG.format(verb="coverage"), short_help="Who labels what they spend.")
@_shared
def coverage(**options: Any) -> None:
    """Say how much of the GPU cost, and of the objects, carries the labels that policies require.

    Per key and namespace, within the top 80 % of the cost; objects without any label, odd values, the costliest
    offenders, what would be denied today, the line to reach, the maturity level and the next step. With --ledger the
    objects are those that the ledger knows, and no policy is asked.
    """
    _answer(COVERAGES, coverage_screen, **options)


@click.command("inventory", epilog=_EPILOG.format(verb="inventory"), short_help="Every AI workload there is.")
@_shared
def inventory(**options: Any) -> None:
    """List every AI workload: type, model, owner, product, how it scales, cost, with or without an AIWorkload.

    With --ledger it lists what had a cost; what is there and costs nothing is known to the cluster alone.
    """
    _answer(INVENTORIES, inventory_screen, **options)


def _answer(  # noqa: PLR0913 -- one parameter per option
    served: Served,
    screen: _Screen,
    *,
    since: str,
    rows: int,
    form: str,
    namespace: str | None,
    all_namespaces: bool,
    ledgers: Sequence[str],
    cluster: str | None,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Ask and print."""
    source = Source(tuple(ledgers), kubeconfig, context, namespace, all_namespaces, cluster=cluster)
    read_since(since, now_ms())
    document = _obtain(served, source, since, rows)
    if Form(form) is Form.JSON:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(screen(document, detect(sys.stdout, dict(os.environ))), color=True)


def _obtain(served: Served, source: Source, since: str, rows: int) -> Mapping[str, Any]:
    """The document, of a ledger or of the query API. What takes long to import is imported where it is needed."""
    stderr = detect(sys.stderr, dict(os.environ))
    if source.ledgers:
        from aicost.entrypoints.cli.sources import labels  # noqa: PLC0415 -- Delta takes a second to import

        with progress(f"reading the ledger at {' and '.join(source.ledgers)}", sys.stderr, stderr):
            return labels.ask_ledger(source.ledgers, served, since, source.namespace, rows, cluster=source.cluster)
    from aicost.entrypoints.cli.sources.cluster import ask_document, find_cluster  # noqa: PLC0415 -- as above: aiohttp

    config = find_cluster(source.kubeconfig, source.context)
    namespace = None if source.everywhere else source.namespace or config.namespace
    with progress(f"asking {config.server}", sys.stderr, stderr):
        return ask_document(config, served, {"since": since, "limit": str(rows)}, namespace)
