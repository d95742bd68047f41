"""`aicost rerate`: what other prices change about the cost that is posted already."""

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rerating import Charged, Costs
from aicost.domain.pricing.books import PriceBook
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.options import POST, in_form, of_a_cluster
from aicost.entrypoints.cli.output.receipt.rerate_screen import (
    RerateOutcome,
    added,
    rerate_document,
    rerate_screen,
)
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

_EPILOG = f"""\b
WINDOWS
  {FORMS}

\b
EXAMPLES
  aicost rerate --ledger ./ledger --window 2026-10                        by the books of the cluster: look
  aicost rerate --ledger ./ledger --window 2026-10 --prices invoice.yaml  by books in a file: look
  aicost rerate --ledger ./ledger --window 2026-10 --post                 post what changes
"""


@click.command("rerate", epilog=_EPILOG, short_help="What other prices change about the cost posted so far.")
@click.option("--window", "-w", required=True, metavar="WINDOW", help="The closed windows to rate again.")
@click.option("--ledger", required=True, metavar="DIR|URL", help="The ledger.")
@click.option("--cluster", metavar="ID", help="The cluster in the ledger, where it holds several.")
@click.option(
    "--prices",
    "-p",
    "places",
    multiple=True,
    metavar="FILE",
    help="PriceBooks to rate by; - for standard input. Default: those of the cluster.",
)
@POST
@click.option(
    "--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone in which days and months begin."
)
@in_form(("table", "json"), "json: integers beside texts.", "table")
@of_a_cluster
def rerate(  # noqa: PLR0913 -- one parameter per option
    *,
    window: str,
    ledger: str,
    cluster: str | None,
    places: Sequence[str],
    post: bool,
    time_zone: str,
    form: str,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Rate closed windows again by other price books, on the lifetimes and samples that were kept.

    Shows what would cost more or less. With --post the differences are posted as a new revision of each window, with
    the reason `price-change`: the sum is then what it would have been at these prices, and the figures as they were
    stay readable. Asking again changes nothing more. Who pays stays as it is; the open window follows the books of
    the cluster by itself.
    """
    span = _span(window, time_zone)
    if places and (kubeconfig or context):
        raise InvalidRequest("--prices needs no cluster: leave --kubeconfig and --context out")
    from aicost.entrypoints.cli.sources.receipts.rerating import books_to_rate_by  # noqa: PLC0415 -- aiohttp is slow

    books = books_to_rate_by(places, kubeconfig, context)
    outcome = _rerate(ledger, cluster, span, books, post=post)
    if form == "json":
        click.echo(json.dumps(rerate_document(outcome), indent=2, ensure_ascii=False))
    else:
        click.echo(rerate_screen(outcome, detect(sys.stdout, dict(os.environ))), color=True)


def _span(text: str, zone: str) -> Window:
    try:
        return parse_span(text, now_ms(), zone)
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("window:", "--window:", 1)) from problem


def _rerate(place: str, cluster: str | None, span: Window, books: Sequence[PriceBook], *, post: bool) -> RerateOutcome:
    """Look, or post, with a sign of life meanwhile."""
    from aicost.entrypoints.cli.sources.receipts.rerating import RatedLedger  # noqa: PLC0415 -- Delta is slow, too

    rated = RatedLedger(place, cluster, post=post)
    windows, changed, rows = 0, 0, 0
    left: Counter[str] = Counter()
    changes: defaultdict[Charged, Costs] = defaultdict(Costs)
    with progress("posting" if post else f"reading {place}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        for one in rated.rate(span, books):
            windows, changed, rows = windows + 1, changed + bool(one.found.rows), rows + len(one.found.rows)
            added(one.found.changes, changes)
            if one.not_rated:
                left[one.not_rated] += 1
    names = tuple(sorted(book.name for book in books))
    return RerateOutcome(place, rated.cluster, span, names, windows, changed, rows, changes, left, post, rated.version)
