"""`aicost ledger drop`: rows of long ago go for good, and it is said what goes."""

import os
import sys
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import click

from aicost.domain.exact.amounts import format_decimal
from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.cli.commands.ledger.place import of_ledger
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:
    from aicost.ports.upkeep import Dropped


@click.command("drop", short_help="Drop rows of long ago for good, after saying what goes.")
@of_ledger
@click.option("--before", required=True, metavar="DATE", help="The first day that stays, such as 2026-01-01 (UTC).")
@click.option("--cluster", metavar="ID", help="The cluster whose rows go, where the ledger holds several.")
@click.option("--yes", is_flag=True, help="Drop them. Without it nothing is written.")
def drop(*, place: str, before: str, cluster: str | None, yes: bool) -> None:
    """Drop the rows of whole days, as the setting `ledger.retentionDays` does by itself.

    Says which days, how many rows and which sums go. Their files go a week later, so that nobody loses them while
    reading. What was dropped, and how many rows it was, stays in the ledger's log.
    """
    from aicost.bootstrap import open_upkeep  # noqa: PLC0415 -- Delta takes a second to import
    from aicost.entrypoints.cli.sources.ledger import open_place, the_cluster  # noqa: PLC0415

    before_ms, ledger = _midnight(before), open_place(place)
    name, upkeep = the_cluster(ledger.snapshot(), cluster), open_upkeep(ledger)
    with progress("dropping" if yes else f"reading {place}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        gone = upkeep.drop(name, before_ms) if yes else upkeep.droppable(name, before_ms)
    for line in _lines(name, before, gone, done=yes):
        click.echo(line)


def _midnight(text: str) -> int:
    try:
        return from_rfc3339(f"{date.fromisoformat(text).isoformat()}T00:00:00Z")
    except ValueError as problem:
        raise InvalidRequest(f"--before: {text[:40]!r} is no date: write one such as 2026-01-01") from problem


def _lines(cluster: str, before: str, gone: "Dropped | None", *, done: bool) -> Iterator[str]:
    if gone is None:
        yield f"cluster {cluster}: no rows before {before}"
        return
    verb = "dropped" if done else "would be dropped"
    yield f"cluster {cluster}: {gone.rows} rows of {gone.windows} windows, {gone.first} to {gone.last}, {verb}"
    for currency, nanos in sorted(gone.cost_nanos.items()):
        yield f"  {format_decimal(nanos)} {currency}"
    if not done:
        yield "Nothing was written. To drop them: --yes"
