"""`aicost margin`: what customers, features and segments bring against what they cost."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.question import read_filters
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.options import beside_counters, in_form
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

BY = (
    Dimension.CUSTOMER,
    Dimension.CUSTOMER_SEGMENT,
    Dimension.FEATURE,
    Dimension.PRODUCT,
    Dimension.PROJECT,
    Dimension.TEAM,
)
MOST = 20
_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Whole windows of the ledger count, and of what is brought the part that belongs to just these.

\b
EXAMPLES
  aicost margin --ledger ./ledger --window 2026-10 --value revenue.csv
  aicost margin --ledger ./ledger --window yesterday --by feature --prometheus http://localhost:9090 \\
    --value-query 'sum by (feature) (increase(revenue_usd_total[$window]))' --value-currency USD

\b
VALUE
  A CSV file with the columns customer (or whatever --by says, or name), amount, currency; from and to for the period
  of an amount: an amount without one is for the time that is asked about. Or a query that gives one sample for each
  name; $window stands for the length of the time that counts.
"""


@click.command("margin", epilog=_EPILOG, short_help="What customers and features bring against what they cost.")
@click.option("--window", "-w", default="today", show_default=True, metavar="WINDOW", help="The time; see below.")
@click.option(
    "--by",
    "-b",
    default=Dimension.CUSTOMER.value,
    show_default=True,
    type=click.Choice([one.value for one in BY]),
    help="Whose margin.",
)
@click.option("--value", "file", type=click.Path(path_type=Path), metavar="FILE", help="What they bring, as CSV.")
@click.option("--value-query", "query", metavar="PROMQL", help="What they bring, as the Prometheus says.")
@click.option("--value-currency", "currency", metavar="CODE", help="Currency of the query's samples, such as USD.")
@click.option("--key-file", metavar="FILE", help="The key of privacy.customerKeyFile, where customers are ids.")
@click.option("--filter", "-f", "filters", multiple=True, metavar="KEY=VALUE[,VALUE]", help="Only what has this value.")
@click.option(
    "--top", default=MOST, show_default=True, type=click.IntRange(1), metavar="N", help="Names on the screen."
)
@click.option("--ledger", required=True, metavar="DIR|URL", help="Where the money is read.")
@click.option("--cluster", metavar="NAME", help="The cluster in the ledger, where it holds several.")
@click.option("--prometheus", "url", metavar="URL", help="Read counters here, not what was kept beside the ledger.")
@click.option("--bundle", metavar="DIR|FILE", help="Read the counters in this bundle.")
@beside_counters
@click.option("--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone in which days begin.")
@in_form(("table", "json"), "json: all names, integers of nano-units.", "table")
def margin(  # noqa: PLR0913 -- one parameter per option
    *,
    window: str,
    by: str,
    file: Path | None,
    query: str | None,
    currency: str | None,
    key_file: str | None,
    filters: Sequence[str],
    top: int,
    ledger: str,
    cluster: str | None,
    url: str | None,
    bundle: str | None,
    objects: Sequence[str],
    kubeconfig: Path | None,
    context: str | None,
    time_zone: str,
    form: str,
) -> None:
    """Say what is left of what customers, features or segments bring. Who costs more than they bring comes first.

    Cost is what carries the name as a label, and what was asked of shared endpoints under it, as gateways count. What
    belongs to nobody stays visible; all lines sum to the ledger.
    """
    from aicost.entrypoints.cli.output.pipelines.margin import margin_document, margin_screen  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.sources.economics.pipelines import ValueSource, margins_of  # noqa: PLC0415 -- Delta
    from aicost.entrypoints.cli.sources.economics.units import Where, find_places  # noqa: PLC0415 -- as above

    try:
        span, accepted = parse_span(window, now_ms(), time_zone), read_filters(filters)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    source = ValueSource(file, query, currency, key_file)
    places = find_places(ledger, cluster, (url, bundle), Where(kubeconfig, context), objects)
    notes: list[str] = []
    with progress("reading money, counters and values", sys.stderr, detect(sys.stderr, os.environ)):
        report = margins_of(places, span, Dimension(by), source, accepted, notes)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if form == "json":
        click.echo(json.dumps(margin_document(report, by), indent=2, ensure_ascii=False))
    else:
        click.echo(margin_screen(report, by, top, detect(sys.stdout, os.environ)))
