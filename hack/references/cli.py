"""The reference of the command line, from the commands themselves."""

import inspect
from collections.abc import Iterator

import click

from aicost.entrypoints.agent.main import agent
from aicost.entrypoints.cli.main import cli
from references.tables import table

_INTRO = """# Command line

<!-- Generated from operator/aicost/entrypoints/cli by hack/generate.py. Do not edit. -->

`aicost` is one program; installed as `kubectl-aicost` beside it, `kubectl aicost` runs the same commands. Tables go to
standard output, progress and errors to standard error. Colours show on a terminal alone, and never with `NO_COLOR` set.
A table takes the width of the terminal, or that of `COLUMNS`; a pipe gets every column in full.

"""
_PROGRAM = "aicost"


def render() -> str:
    """The reference page."""
    commands = sorted([*_commands(cli, _PROGRAM), (f"{_PROGRAM} agent", agent)], key=lambda one: one[0])
    pages = [_page(words, command) for words, command in commands]
    return _INTRO + "\n".join(pages)


def _commands(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _commands(inner, f"{words} {name}")


def _page(words: str, command: click.Command) -> str:
    parts = [f"## `{words}`\n", _text(command.help), *_usage(words, command), *_options(command), *_notes(command)]
    return "\n".join(parts)


def _text(help_text: str | None) -> str:
    return f"{inspect.cleandoc(help_text or '')}\n"


def _usage(words: str, command: click.Command) -> Iterator[str]:
    pieces = command.collect_usage_pieces(click.Context(command, info_name=words))
    yield f"```\n{' '.join([words, *pieces])}\n```\n"


def _options(command: click.Command) -> Iterator[str]:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield table(("Option", "Value", "Default", "Meaning"), [_row(option) for option in options])


def _row(option: click.Option) -> tuple[str, ...]:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    default = f"`{option.default}`" if option.show_default and option.default else ""
    return (names, _value(option), default, option.help or "")


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in option.type.choices)
    return f"`{option.metavar}`"


def _notes(command: click.Command) -> Iterator[str]:
    """The blocks of the epilogue: a heading in capitals each, and lines that are kept as they are."""
    for block in (command.epilog or "").split("\b\n"):
        heading, _, body = block.strip("\n").partition("\n")
        if heading:
            yield f"{_heading(heading)}\n\n```\n{inspect.cleandoc(body)}\n```\n"


def _heading(text: str) -> str:
    """Terminals show headings in capitals, a page does not."""
    first, blank, rest = text.partition(" ")
    return text.capitalize() if text.isupper() else first.capitalize() + blank + rest
