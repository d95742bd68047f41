"""Which ledger is looked after: the first word, or `--ledger` as other commands name it."""

import functools
from collections.abc import Callable
from typing import TypeVar

import click

from aicost.ports.errors import InvalidRequest

Result = TypeVar("Result")


def of_ledger(command: Callable[..., Result]) -> Callable[..., Result]:
    """Hand the place of the ledger to a command, however it was named."""

    @click.argument("place", metavar="[DIR|URL]", required=False)
    @click.option("--ledger", "named", metavar="DIR|URL", help="The ledger, in place of the first word.")
    @functools.wraps(command)
    def run(*, place: str | None, named: str | None, **rest: object) -> Result:
        chosen = place or named
        if not chosen or (place and named):
            raise InvalidRequest(
                "which ledger? Name one, as in `aicost ledger verify ./ledger` or with --ledger ./ledger"
            )
        return command(place=chosen, **rest)

    return run
