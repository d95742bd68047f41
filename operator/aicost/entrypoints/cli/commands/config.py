"""`aicost config`: the settings file of the servers, checked and explained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click


@click.group("config", short_help="Check and explain the settings file of the servers.")
def config() -> None:
    """The settings file that the controller and the query API read."""


@config.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say whether FILE is a good settings file, and name what is wrong with it."""
    from aicost.settings import load_settings  # noqa: PLC0415 -- pydantic takes long to import

    load_settings(file)
    click.echo(f"{file}: good")


@config.command("print")
@click.option("--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="Show the values of this file.")
def show(file: Path | None) -> None:
    """Print every setting with its meaning: the defaults, or what FILE sets. The output is a settings file."""
    from aicost.settings import load_settings  # noqa: PLC0415 -- as above

    click.echo("\n".join(_lines(load_settings(file), 0)))


def _lines(section: Any, depth: int) -> Iterator[str]:
    """A section of the settings as commented YAML."""
    import json  # noqa: PLC0415

    indent = "  " * depth
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        yield f"{indent}# {field.description}"
        if hasattr(type(value), "model_fields"):
            yield f"{indent}{field.alias or name}:"
            yield from _lines(value, depth + 1)
        else:
            yield f"{indent}{field.alias or name}: {json.dumps(value)}"
