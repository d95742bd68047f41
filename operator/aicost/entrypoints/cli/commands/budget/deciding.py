"""`aicost budget requests`, `approve`, `deny` and `review`: what was asked for, and what becomes of it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from aicost.domain.budgets.overrides.values import OverrideClass, Ruling
from aicost.entrypoints.cli.commands.budget.options import (
    Where,
    asking,
    everywhere_options,
    place_options,
    remark,
    show,
    stdout,
)

if TYPE_CHECKING:  # aiohttp and pydantic take long to import
    from aicost.entrypoints.cli.commands.budget.work.deciding import Outcome, Which
    from aicost.entrypoints.cli.sources.budgets import Desk

_CLASSES = {one.value.lower(): one for one in OverrideClass}
_CLASS = click.option(
    "--class",
    "named",
    type=click.Choice(list(_CLASSES)),
    help="As what to decide it. Default: what the budget's rules say.",
)
_NAME = click.argument("name", metavar="NAME")


@click.command("requests", short_help="Requests for more: by whom, what became of them, who may decide.")
@everywhere_options
def requests(*, where: Where) -> None:
    """List requests for more (BudgetOverrides): what they ask for, by whom, what became of them, who may decide.

    What waits for somebody comes first.
    """
    from aicost.entrypoints.cli.commands.budget.work.looking import requests_of  # noqa: PLC0415 -- pydantic, aiohttp
    from aicost.entrypoints.cli.output.budget.requests_table import requests_table  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.budgets import at_desk  # noqa: PLC0415 -- as above

    place = where.find()
    namespace = None if place.everywhere else place.namespace
    with asking(place):
        found = at_desk(place.config, lambda desk: requests_of(desk, namespace))
    remark(found.gaps)
    if found.requests:
        show(requests_table(found.requests, found.budgets, found.now_ms, stdout()))
    else:
        show("Nobody asks for more" + ("." if namespace is None else f" in namespace {namespace}. For all: -A"))


@click.command("approve", short_help="Approve a request for more.")
@_NAME
@place_options
@click.option("--comment", default="", metavar="TEXT", help="Why.")
@_CLASS
def approve(*, where: Where, name: str, comment: str, named: str | None) -> None:
    """Approve a request for more, in your name.

    A minor overrun takes the verb approve-minor on the budget, a major one approve-major and other eyes than those of
    who asks. The API server checks it; nothing can be decided twice.
    """
    _decide(where, name, Ruling.APPROVED, comment, named)


@click.command("deny", short_help="Deny a request for more.")
@_NAME
@place_options
@click.option("--comment", required=True, metavar="TEXT", help="Why.")
@_CLASS
def deny(*, where: Where, name: str, comment: str, named: str | None) -> None:
    """Deny a request for more, in your name. It takes the verb that an approval takes."""
    _decide(where, name, Ruling.DENIED, comment, named)


@click.command("review", short_help="Say what was found of a break-glass, afterwards.")
@_NAME
@place_options
@click.option(
    "--comment", required=True, metavar="TEXT", help="What was found and what follows, 10 characters or more."
)
def review(*, where: Where, name: str, comment: str) -> None:
    """Say what was found of a break-glass afterwards, in your name.

    It takes the verb approve-major on the budget, and other eyes than those of who broke the glass.
    """
    from aicost.entrypoints.cli.commands.budget.work import deciding as work  # noqa: PLC0415 -- pydantic, aiohttp

    _run(where, name, lambda desk, which: work.review(desk, which, comment))


def _decide(where: Where, name: str, ruling: Ruling, comment: str, named: str | None) -> None:
    from aicost.entrypoints.cli.commands.budget.work import deciding as work  # noqa: PLC0415 -- pydantic, aiohttp

    as_class = _CLASSES[named] if named else None
    _run(where, name, lambda desk, which: work.decide(desk, which, ruling, comment, as_class))


def _run(where: Where, name: str, work: "Callable[[Desk, Which], Awaitable[Outcome]]") -> None:
    """Do it and show what came of it."""
    from aicost.entrypoints.cli.commands.budget.work.deciding import Which  # noqa: PLC0415 -- pydantic, aiohttp
    from aicost.entrypoints.cli.output.budget.decision_screen import decision_screen  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.budgets import at_desk  # noqa: PLC0415 -- as above

    place = where.find()
    which = Which(place.namespace, name)
    with asking(place):
        done = at_desk(place.config, lambda desk: work(desk, which))
    remark(done.gaps)
    show(decision_screen(done.body, done.one, done.as_class, place.program, stdout()))
