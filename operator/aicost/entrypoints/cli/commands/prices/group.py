"""`aicost prices`: what nodes cost and why, and prices from tables."""

import click

from aicost.entrypoints.cli.commands.prices.check import check_prices
from aicost.entrypoints.cli.commands.prices.importing import import_table

_EPILOG = """\b
EXAMPLES
  aicost prices check                                what each node costs, why, and what has no price
  aicost prices check -f nodes.yaml -f book.yaml     without a cluster
  aicost prices import contract.csv > book.yaml      a price table as PriceBooks
"""


@click.group("prices", epilog=_EPILOG, short_help="What nodes cost and why, and prices from tables.")
def prices() -> None:
    """What nodes cost and why, and prices from tables."""


prices.add_command(check_prices)
prices.add_command(import_table)
