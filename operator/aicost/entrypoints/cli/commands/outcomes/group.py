"""`aicost outcomes`: which answers were a success, by those who know."""

import click

from aicost.entrypoints.cli.commands.outcomes.posting import post


@click.group("outcomes", short_help="Say which answers were a success, and why others were not.")
def outcomes() -> None:
    """Statements about requests: success or failure, with a reason. `aicost units --outcomes` says what they cost."""


outcomes.add_command(post)
