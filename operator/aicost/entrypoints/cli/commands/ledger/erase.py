"""`aicost ledger erase`: a customer's name goes for good, the money stays."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from aicost.domain.attribution.customers import ERASED
from aicost.domain.exact.amounts import format_decimal
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.entrypoints.cli.commands.ledger.place import of_ledger
from aicost.entrypoints.cli.output.table import printable
from aicost.entrypoints.cli.terminal import Doing, detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:
    from aicost.ports.upkeep import Erased


@click.command("erase", short_help="Erase a customer for good, after saying from where.")
@of_ledger
@click.option("--customer", "names", multiple=True, required=True, metavar="NAME", help="The customer, or their id.")
@click.option("--key-file", metavar="FILE", help="The key of privacy.customerKeyFile: the ids of the names go, too.")
@click.option("--label", "labels", multiple=True, metavar="KEY", help="One more label that meant the customer.")
@click.option("--cluster", metavar="ID", help="Only from the rows of this cluster. Default: of all.")
@click.option("--yes", is_flag=True, help="Erase. Without it nothing is written.")
def erase(
    *, place: str, names: Sequence[str], key_file: str | None, labels: Sequence[str], cluster: str | None, yes: bool
) -> None:
    """Erase a customer from rows, from what they rest on and from the open window. What stood there is `erased` then.

    No amount changes, checksums are made anew, and receipts still come out equal. Files of before are deleted at once,
    and so the ledger cannot be read any more as it stood at an earlier version. First take the name off the objects and
    policies of the cluster, else it comes back with the next window.
    """
    from aicost.bootstrap import customer_ids, open_eraser  # noqa: PLC0415 -- Delta takes a second to import
    from aicost.entrypoints.cli.sources.ledger import open_place, the_cluster  # noqa: PLC0415

    _check(names)
    ledger, doing = open_place(place), Doing(f"reading {place}")
    if cluster is not None:
        the_cluster(ledger.snapshot(), cluster)
    wanted = (*names, *map(customer_ids(key_file).id_of, names)) if key_file else tuple(names)
    eraser = open_eraser(ledger, lambda day: doing.say(f"{'erasing from' if yes else 'reading'} {place}: {day}"))
    with progress(doing, sys.stderr, detect(sys.stderr, dict(os.environ))):
        found = (eraser.erase if yes else eraser.find)(wanted, labels, cluster)
    for line in _lines(found, done=yes):
        click.echo(line)


def _check(names: Sequence[str]) -> None:
    for name in names:
        if normalise(Dimension.CUSTOMER, name) in {None, ERASED}:
            raise InvalidRequest(f"--customer: {name[:63]!r} is nobody: name a customer as reports show them")


def _lines(found: "Erased", *, done: bool) -> Iterator[str]:
    yield f"looked for {_listed(found.names)} as a customer, by the labels {_listed(found.labels)}"
    if found.nothing:
        yield "nothing in the ledger names them"
    verb = "erased from" if done else "would be erased from"
    for cluster, rows in sorted(found.rows.items()):
        yield f"cluster {printable(cluster)}: {verb} {rows} rows"
    if found.days:
        sums = [f"{format_decimal(nanos)} {currency}" for currency, nanos in sorted(found.cost_nanos.items())]
        yield f"  {found.days[0]} to {found.days[1]}: {', '.join(sums) or 'unpriced'}, which stays as it is"
    if found.provisional:
        yield f"  {verb} {found.provisional} rows of open windows"
    if found.parts:
        yield f"  {verb} {found.parts} parts of kept inputs"
    if found.outcomes:
        yield f"  {verb} {found.outcomes} statements about requests"
    if found.counts:
        yield f"  {verb} {found.counts} counts of tokens"
    for column, rows in sorted(found.elsewhere.items()):
        yield f"  stays: {rows} rows hold the name as a part of their {column}"
    if not done and not found.nothing:
        yield "Nothing was written. To erase for good, earlier versions of the ledger included: --yes"


def _listed(values: Sequence[str]) -> str:
    return ", ".join(map(printable, values)) or "nobody"
