"""What all commands about third-party spend ask for."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.cli.options import POST, in_form
from aicost.ports.errors import InvalidRequest

Command = TypeVar("Command", bound=Callable[..., Any])
_ACCOUNT = re.compile(r"[a-z0-9]([-a-z0-9._:/]{0,61}[a-z0-9])?")


def into_a_ledger(command: Command) -> Command:
    """Where the bill goes, and what its tags mean: `ledger`, `account`, `maps`, `post`, `form`."""
    options = (
        click.option("--ledger", required=True, metavar="DIR|URL", help="The ledger."),
        click.option("--account", required=True, metavar="NAME", help="The account billed; its key in the ledger."),
        click.option(
            "--map", "maps", multiple=True, metavar="TAG=DIMENSION", help="What a tag of the bill names. Repeatable."
        ),
        POST,
        in_form(("table", "json"), "json: integers beside texts.", "table"),
    )
    for option in reversed(options):
        command = option(command)
    return command


def check_account(account: str) -> None:
    """Refuse what is no key.

    Raises:
        InvalidRequest: it is none.
    """
    if not _ACCOUNT.fullmatch(account):
        raise InvalidRequest(
            f"--account {account[:63]!r}: write lower-case letters, digits and -._:/, such as aws-main"
        )


def read_maps(maps: Sequence[str]) -> Mapping[str, Dimension]:
    """Tag -> dimension.

    Raises:
        InvalidRequest: one names no dimension.
    """
    found = {}
    for text in maps:
        key, equals, name = text.partition("=")
        if not equals or not key or name not in set(Dimension):
            raise InvalidRequest(f"--map {text[:80]!r}: write TAG=DIMENSION with one of {', '.join(Dimension)}")
        found[key] = Dimension(name)
    return found


def whole_days(text: str, now: int, option: str) -> Window:
    """Whole days in UTC that lie in a window and are over.

    Raises:
        InvalidRequest: it is no window, or no day of it is over.
    """
    try:
        span = parse_span(text, now)
    except ValueError as problem:
        raise InvalidRequest(f"{option}: {problem}") from problem
    start = -(-span.start_ms // DAY_MS) * DAY_MS
    end = min(span.end_ms, now) // DAY_MS * DAY_MS
    if start >= end:
        raise InvalidRequest(f"{option} {text!r}: no day in UTC of it is over: ask for more, such as 7d")
    return Window(start, end)
