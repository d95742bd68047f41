"""What all commands about third-party spend ask for."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.spans import parse_span
from aicost.domain.thirdparty.lines import NAMESPACE, Mapped, named_value
from aicost.entrypoints.cli.options import POST, in_form
from aicost.ports.errors import InvalidRequest

Command = TypeVar("Command", bound=Callable[..., Any])
_ACCOUNT = re.compile(r"[a-z0-9]([-a-z0-9._:/]{0,61}[a-z0-9])?")


def into_a_ledger(command: Command) -> Command:
    """Where the bill goes, and what its tags mean: `ledger`, `account`, `maps`, `values`, `post`, `form`."""
    options = (
        click.option("--ledger", required=True, metavar="DIR|URL", help="The ledger."),
        click.option("--account", required=True, metavar="NAME", help="The account billed; its key in the ledger."),
        click.option(
            "--map",
            "maps",
            multiple=True,
            metavar="TAG=DIMENSION",
            help="What a tag names, a dimension or namespace. Repeatable.",
        ),
        click.option(
            "--value",
            "values",
            multiple=True,
            metavar="DIMENSION:VALUE=NAME",
            help="What a value is called here. Repeatable.",
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


def read_mapped(maps: Sequence[str], values: Sequence[str]) -> Mapped:
    """What tags and their values mean.

    Args:
        maps: TAG=DIMENSION each, or TAG=namespace.
        values: DIMENSION:VALUE=NAME each.

    Raises:
        InvalidRequest: one means nothing.
    """
    named = [_named(text) for text in maps]
    return Mapped(
        keys={tag: Dimension(name) for tag, name in named if name != NAMESPACE},
        values=dict(_renamed(text) for text in values),
        namespaces=frozenset(tag for tag, name in named if name == NAMESPACE),
    )


def _named(text: str) -> tuple[str, str]:
    tag, equals, name = text.partition("=")
    if not equals or not tag or name not in {*Dimension, NAMESPACE}:
        raise InvalidRequest(
            f"--map {text[:80]!r}: write TAG=DIMENSION with one of {', '.join(Dimension)}, or namespace"
        )
    return tag, name


def _renamed(text: str) -> tuple[tuple[str, str], str]:
    value, equals, name = text.rpartition("=")
    key, colon, raw = value.partition(":")
    if not (equals and colon and raw and name) or key not in {*Dimension, NAMESPACE}:
        raise InvalidRequest(f"--value {text[:80]!r}: write DIMENSION:VALUE=NAME, such as team:wrkspc_01=search")
    return named_value(key, raw, name)


def content_of(place: str) -> bytes:
    """What a file holds.

    Raises:
        InvalidRequest: it cannot be read.
    """
    try:
        return Path(place).read_bytes()
    except OSError as problem:
        raise InvalidRequest(f"{place}: cannot be read ({problem.strerror}): name a file") from problem


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
