"""`aicost idle`: why GPUs cost money and computed nothing, with an owner for each line."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import Window
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Billing windows that lie wholly within it count.

\b
EXAMPLES
  aicost idle                                          the last 24 hours, your namespace
  aicost idle -A --window 7d                           all namespaces, and what nobody held
  aicost idle --ledger ./ledger --window 2026-11-25    a ledger, without a cluster
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where the answer comes from, and what is asked.

    Attributes:
        namespace: the one that was named; None: the kubeconfig's, or all.
    """

    ledger: str | None
    cluster: str | None
    kubeconfig: Path | None
    context: str | None
    namespace: str | None
    everywhere: bool
    rows: int

    def __post_init__(self) -> None:
        if self.ledger and (self.kubeconfig or self.context):
            raise InvalidRequest("--ledger reads without a cluster: leave --kubeconfig and --context out")
        if self.cluster and not self.ledger:
            raise InvalidRequest(f"--cluster {self.cluster} is one of a ledger: name that by --ledger")
        if self.namespace and self.everywhere:
            raise InvalidRequest("--namespace and --all-namespaces contradict: leave one out")


@click.command("idle", epilog=_EPILOG, short_help="Why GPUs cost money and computed nothing, and whose they are.")
@click.option("--window", "-w", default="24h", show_default=True, metavar="WINDOW", help="The time to look at.")
@click.option("--namespace", "-n", metavar="NAME", help="One namespace. Default: the kubeconfig's.")
@click.option("--all-namespaces", "-A", "everywhere", is_flag=True, help="All namespaces, and what nobody held.")
@click.option("--rows", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Lines to show.")
@click.option("--ledger", metavar="DIR|URL", help="Read this ledger; no cluster is asked.")
@click.option("--cluster", metavar="ID", help="The cluster in the ledger, where it holds several.")
@click.option(
    "--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone in which days and months begin."
)
@click.option(
    "--output",
    "-o",
    "form",
    default="table",
    show_default=True,
    type=click.Choice(["table", "json"]),
    help="json: integers beside texts.",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path), metavar="FILE", help="Kubeconfig to use.")
@click.option("--context", metavar="NAME", help="Context of the kubeconfig to use.")
def idle(  # noqa: PLR0913 -- one parameter per option
    *,
    window: str,
    namespace: str | None,
    everywhere: bool,
    rows: int,
    ledger: str | None,
    cluster: str | None,
    time_zone: str,
    form: str,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Divide idle GPU money into its kinds, each line with an owner, what it costs a day and what to do.

    Idle-resident (memory held, nothing computed: pod and model), scale waste (replicas that the load did not need,
    before and after a spike), the rest of allocated-idle, unallocated, stranded, unhealthy, system. Idle-resident and
    scale waste are parts of the bucket allocated-idle: the kinds add up to the buckets, to the nano.
    """
    asked = _Asked(ledger, cluster, kubeconfig, context, namespace, everywhere, rows)
    document = _obtain(asked, window, time_zone)
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    from aicost.entrypoints.cli.output.gpus.idle_screen import idle_screen  # noqa: PLC0415 -- only once there is one

    click.echo(idle_screen(document, detect(sys.stdout, dict(os.environ))), color=True)


def _span(text: str, zone: str) -> Window:
    try:
        return parse_span(text, now_ms(), zone)
    except ValueError as problem:
        raise InvalidRequest(f"--{problem}") from problem


def _obtain(asked: _Asked, window: str, zone: str) -> Mapping[str, Any]:
    """The document, of a ledger or of the query API. What takes long to import is imported where it is needed."""
    span, stderr = _span(window, zone), detect(sys.stderr, dict(os.environ))
    if asked.ledger:
        from aicost.entrypoints.cli.sources.receipts.idling import idle_of_ledger  # noqa: PLC0415 -- Delta takes a second to import

        with progress(f"reading the ledger at {asked.ledger}", sys.stderr, stderr):
            return idle_of_ledger(asked.ledger, asked.cluster, span, asked.namespace, asked.rows)
    from aicost.crd.idle.resource import IDLES  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.cluster import ask_document, find_cluster  # noqa: PLC0415 -- as above

    config = find_cluster(asked.kubeconfig, asked.context)
    namespace = None if asked.everywhere else asked.namespace or config.namespace
    parameters = {"window": window, "timeZone": zone, "limit": str(asked.rows)}
    with progress(f"asking {config.server}", sys.stderr, stderr):
        return ask_document(config, IDLES, parameters, namespace)
