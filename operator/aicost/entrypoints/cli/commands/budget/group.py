"""`aicost budget`: where budgets stand, and how to ask for more."""

import click

from aicost.entrypoints.cli.commands.budget.asking import break_glass, request
from aicost.entrypoints.cli.commands.budget.deciding import approve, deny, requests, review
from aicost.entrypoints.cli.commands.budget.explaining import list_budgets, why
from aicost.entrypoints.cli.commands.budget.marking import accept_prices, ack, restore
from aicost.entrypoints.cli.commands.budget.simulating import simulate

_EPILOG = """\b
EXAMPLES
  aicost budget list -A                                        where all budgets stand
  aicost budget why month -n research                          why a gate is open, and how to stop it
  aicost budget request month -n research --percent 10 --reason "the evaluation takes longer"
  aicost budget approve month-x7k2p -n research
  aicost budget simulate -f budget.yaml --window last-month    what a budget would have done to the past
"""


@click.group("budget", epilog=_EPILOG, short_help="Where budgets stand, and how to ask for more.")
def budget() -> None:
    """Where budgets stand, why their gates are open, and how to ask for more.

    Everything is done with the rights that your kubeconfig gives you, and the API server checks each decision.
    """


for _command in (
    list_budgets,
    why,
    request,
    requests,
    approve,
    deny,
    break_glass,
    review,
    ack,
    accept_prices,
    restore,
    simulate,
):
    budget.add_command(_command)
