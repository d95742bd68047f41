"""`aicost budget list` and `why`: where budgets stand, and why a gate is where it is."""

from enum import StrEnum

import click

from aicost.entrypoints.cli.commands.budget.options import (
    Where,
    asking,
    budget_options,
    everywhere_options,
    remark,
    show,
    stdout,
)
from aicost.entrypoints.cli.options import in_form


class Form(StrEnum):
    """What an explanation is printed as."""

    TEXT = "text"
    JSON = "json"


@click.command("list", short_help="Budgets and cluster budgets, the most used first.")
@everywhere_options
def list_budgets(*, where: Where) -> None:
    """List the budgets of a namespace and the cluster budgets, the most used first."""
    from aicost.entrypoints.cli.commands.budget.work.looking import budgets_of  # noqa: PLC0415 -- pydantic, aiohttp
    from aicost.entrypoints.cli.output.budget.list_table import list_table  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.budgets import at_desk  # noqa: PLC0415 -- as above

    place = where.find()
    namespace = None if place.everywhere else place.namespace
    with asking(place):
        found = at_desk(place.config, lambda desk: budgets_of(desk, namespace))
    remark(found.gaps)
    if found.budgets:
        show(list_table(found.budgets, found.now_ms, stdout()))
    else:
        show("No budget" + ("." if namespace is None else f" in namespace {namespace}. For all namespaces: -A"))


@click.command("why", short_help="Why the gate of a budget is where it is, and what comes next.")
@budget_options
@in_form(Form, "json: spec, status, steps and requests as they are in the cluster.", Form.TEXT.value)
def why(*, where: Where, budget: str, cluster: bool, form: str) -> None:
    """Explain the gate of a budget from its status: figures, rungs, what holds it back, what is next, how to stop it.

    The picture shows spend and forecast against the limit; the numbers below it are the rungs.
    """
    from aicost.entrypoints.cli.commands.budget.work.looking import look_at  # noqa: PLC0415 -- pydantic, aiohttp
    from aicost.entrypoints.cli.output.budget.why import screen  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.budgets import at_desk  # noqa: PLC0415 -- as above

    place = where.find()
    ref = place.ref(budget, cluster=cluster)
    with asking(place):
        found = at_desk(place.config, lambda desk: look_at(desk, ref))
    remark(found.gaps)
    asked = screen.Explained(found.budget, found.actions, found.requests, found.now_ms, place.program)
    if Form(form) is Form.JSON:
        click.echo(screen.why_document(asked))
    else:
        show(screen.why_screen(asked, stdout()))
