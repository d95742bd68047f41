"""`aicost spend`: what others bill us for, in the same ledger."""

import click

from aicost.entrypoints.cli.commands.spend.capturing import capture_rate
from aicost.entrypoints.cli.commands.spend.estimating import estimate_spend
from aicost.entrypoints.cli.commands.spend.fetching import fetch_bill
from aicost.entrypoints.cli.commands.spend.importing import import_bill
from aicost.entrypoints.cli.commands.spend.matching import match_bill


@click.group("spend", short_help="What model providers and clouds bill, in the same ledger.")
def spend() -> None:
    """Bring what others bill into the ledger, beside the cost of GPUs: the same dimensions and reports."""


spend.add_command(import_bill)
spend.add_command(fetch_bill)
spend.add_command(estimate_spend)
spend.add_command(capture_rate)
spend.add_command(match_bill)
