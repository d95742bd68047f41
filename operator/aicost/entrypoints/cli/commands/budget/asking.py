"""`aicost budget request` and `break-glass`: ask for more, or lift the gates at once."""

import click

from aicost.domain.budgets.overrides.values import Purpose
from aicost.entrypoints.cli.commands.budget.options import (
    Place,
    Where,
    asking,
    budget_options,
    remark,
    show,
    stdout,
)
from aicost.entrypoints.cli.commands.budget.wanted import Wanted
from aicost.ports.errors import InvalidRequest

_REASON = click.option("--reason", required=True, metavar="TEXT", help="Why it is needed, in at least 10 characters.")
_TICKET = click.option("--ticket", default="", metavar="TEXT", help="Where it is discussed.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Ask the API server and keep nothing.")
_EPILOG = """\b
EXAMPLES
  aicost budget request month -n research --amount 200 --reason "the evaluation takes a week longer"
  aicost budget request month -n research --percent 10 --until 2026-12-01 --reason "second seed" --ticket ML-12
  aicost budget request company --cluster --amount 5000 --reason "launch of the new assistant" --dry-run
"""


@click.command("request", epilog=_EPILOG, short_help="Ask for more than a budget allows.")
@budget_options
@click.option("--amount", default="", metavar="AMOUNT", help="How much more, in the budget's currency, such as 200.")
@click.option("--percent", type=click.IntRange(1, 1000), metavar="N", help="How much more, in percent of the limit.")
@click.option("--until", default="", metavar="WHEN", help="Until this day or time. Default: the end of the period.")
@_REASON
@_TICKET
@click.option(
    "--stop-production",
    is_flag=True,
    help="Ask for no money: let the budget stop workloads of stage production.",
)
@_DRY_RUN
def request(  # noqa: PLR0913 -- one parameter per option
    *,
    where: Where,
    budget: str,
    cluster: bool,
    amount: str,
    percent: int | None,
    until: str,
    reason: str,
    ticket: str,
    stop_production: bool,
    dry_run: bool,
) -> None:
    """Ask for more than a budget allows, for a while.

    It creates a BudgetOverride in your name and shows what the budget's approvals take it for: a minor overrun, which
    takes the verb approve-minor, or a major one, which takes approve-major and other eyes. Nothing changes before
    somebody approves it. For a ClusterBudget the request is put into the namespace that you are in.
    """
    purpose = Purpose.STOP_PRODUCTION if stop_production else Purpose.RAISE_LIMIT
    _check_amounts(amount, percent, stop_production=stop_production)
    place = where.find()
    ref = place.ref(budget, cluster=cluster)
    wanted = Wanted(ref, place.namespace, purpose, reason, ticket, amount, percent, until)
    _file(place, wanted, dry_run=dry_run)


@click.command("break-glass", short_help="Lift the gates of a budget at once, for a day at most.")
@budget_options
@_REASON
@_TICKET
@click.option("--yes", "-y", is_flag=True, help="Do not ask again.")
@_DRY_RUN
def break_glass(
    *, where: Where, budget: str, cluster: bool, reason: str, ticket: str, yes: bool, dry_run: bool
) -> None:
    """Lift all gates of a budget at once, in an emergency, for as long as it allows: a day, unless it says otherwise.

    It takes the verb breakglass on the budget, and nobody's approval. It is in the audit log under your name, and
    somebody else reviews it afterwards.
    """
    place = where.find()
    ref = place.ref(budget, cluster=cluster)
    wanted = Wanted(ref, place.namespace, Purpose.BREAK_GLASS, reason, ticket)
    if not (yes or dry_run):
        _confirm(place, wanted)
    _file(place, wanted, dry_run=dry_run)


def _check_amounts(amount: str, percent: int | None, *, stop_production: bool) -> None:
    """A request says how much in one way, and one to stop production says nothing of money."""
    given = [name for name, value in (("--amount", amount), ("--percent", percent)) if value]
    if stop_production and given:
        raise InvalidRequest(f"--stop-production asks for no money: leave {given[0]} out")
    if len(given) == 2:
        raise InvalidRequest(f"--amount {amount} and --percent {percent} contradict: leave one out")
    if not (given or stop_production):
        raise InvalidRequest("how much: give --amount 200 or --percent 10")


def _file(place: Place, wanted: Wanted, *, dry_run: bool) -> None:
    """Send it and show what came of it. What takes long to import is imported here."""
    from aicost.entrypoints.cli.commands.budget.work.filing import file_request  # noqa: PLC0415
    from aicost.entrypoints.cli.output.budget.request_screen import request_screen  # noqa: PLC0415
    from aicost.entrypoints.cli.sources.budgets import at_desk  # noqa: PLC0415

    with asking(place):
        filed = at_desk(place.config, lambda desk: file_request(desk, wanted, dry_run=dry_run))
    remark(filed.gaps)
    show(request_screen(filed, place.program, stdout()))


def _confirm(place: Place, wanted: Wanted) -> None:
    """Say what it does, and go on only where somebody says so."""
    from aicost.entrypoints.cli.commands.budget.work.filing import look  # noqa: PLC0415
    from aicost.entrypoints.cli.output.budget.request_screen import break_glass_warning  # noqa: PLC0415
    from aicost.entrypoints.cli.sources.budgets import at_desk  # noqa: PLC0415

    with asking(place):
        budget, _ = at_desk(place.config, lambda desk: look(desk, wanted))
    for line in break_glass_warning(budget, wanted.budget):
        click.echo(line, err=True)
    if not click.confirm("Break the glass?", err=True):
        raise click.Abort
