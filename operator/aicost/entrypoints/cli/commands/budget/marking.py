"""`aicost budget ack`, `accept-prices` and `restore`: marks that people set on a budget."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from aicost.domain.exact.windows import to_rfc3339
from aicost.entrypoints.cli.commands.budget.options import Place, Where, asking, budget_options, remark, show, stdout

if TYPE_CHECKING:  # aiohttp and pydantic take long to import
    from aicost.entrypoints.cli.sources.budgets import Asker, Desk

Answer = TypeVar("Answer")


@click.command("ack", short_help="Say that messages of a budget were seen.")
@budget_options
@click.argument("ids", nargs=-1, metavar="[ID]...")
def ack(*, where: Where, budget: str, cluster: bool, ids: Sequence[str]) -> None:
    """Say that messages of a budget were seen, all of them unless some are named; `why` shows their names.

    What was seen is not escalated. What others have acknowledged stays.
    """
    from aicost.entrypoints.cli.commands.budget.work.marking import acknowledge  # noqa: PLC0415 -- aiohttp, pydantic
    from aicost.entrypoints.cli.output.budget.marks_screen import acknowledged_screen  # noqa: PLC0415 -- as above

    place = where.find()
    ref = place.ref(budget, cluster=cluster)
    seen, asker = _do(place, lambda desk: acknowledge(desk, ref, ids))
    show(acknowledged_screen(ref, seen.ids, seen.before, asker.name, stdout()))


@click.command("accept-prices", short_help="Say that prices that jumped are right.")
@budget_options
def accept_prices(*, where: Where, budget: str, cluster: bool) -> None:
    """Say that all unit prices up to now were looked at and are right.

    A budget that saw a unit price jump opens and closes nothing until somebody does. It takes the verb edit-limit on
    the budget.
    """
    from aicost.entrypoints.cli.commands.budget.work import marking as work  # noqa: PLC0415 -- aiohttp, pydantic
    from aicost.entrypoints.cli.output.budget.marks_screen import prices_screen  # noqa: PLC0415 -- as above

    place = where.find()
    ref = place.ref(budget, cluster=cluster)
    before, asker = _do(place, lambda desk: work.accept_prices(desk, ref))
    show(prices_screen(before, ref, to_rfc3339(asker.now_ms), stdout()))


@click.command("restore", short_help="Bring back what a budget has stopped.")
@budget_options
def restore(*, where: Where, budget: str, cluster: bool) -> None:
    """Bring back everything that a budget has stopped up to now, a few GPUs at a time.

    It takes the verb edit-limit on the budget. Only what still is as the budget left it is set back.
    """
    from aicost.entrypoints.cli.commands.budget.work import marking as work  # noqa: PLC0415 -- aiohttp, pydantic
    from aicost.entrypoints.cli.output.budget.marks_screen import restore_screen  # noqa: PLC0415 -- as above

    place = where.find()
    ref = place.ref(budget, cluster=cluster)
    looked, _ = _do(place, lambda desk: work.restore(desk, ref))
    remark(looked.gaps)
    show(restore_screen(looked.budget, ref, looked.actions, looked.now_ms, place.program, stdout()))


def _do(place: Place, work: "Callable[[Desk], Awaitable[Answer]]") -> "tuple[Answer, Asker]":
    """Do it; with who did."""
    from aicost.entrypoints.cli.sources.budgets import at_desk  # noqa: PLC0415 -- aiohttp, pydantic

    async def done(desk: "Desk") -> "tuple[Answer, Asker]":
        return await work(desk), desk.asker

    with asking(place):
        return at_desk(place.config, done)
