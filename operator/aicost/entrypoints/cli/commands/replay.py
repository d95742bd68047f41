"""`aicost replay`: the controller's own computation over the files of a bundle."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from aicost.entrypoints.cli.options import in_form
from aicost.entrypoints.cli.terminal import Doing, detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:
    from aicost.entrypoints.cli.replay.run import Wanted
    from aicost.entrypoints.cli.replay.summary import ReplaySummary

_EPILOG = """\b
EXAMPLES
  aicost replay ./bundle --ledger ./ledger                       then: aicost report --ledger ./ledger --window ...
  aicost replay bundle.tar.gz --ledger ./ledger --list-prices    a bundle that says nothing about prices
  aicost replay ./bundle --ledger ./ledger --prices book.yaml    at prices of your own
"""


@click.command("replay", epilog=_EPILOG, short_help="Compute the cost of a recorded window, without a cluster.")
@click.argument("bundle", metavar="BUNDLE")
@click.option(
    "--ledger", required=True, metavar="DIR|URL", help="Where the windows are posted; made if it is not there."
)
@click.option("--cluster", metavar="NAME", help="Key of the cluster in the ledger. Default: what the bundle says.")
@click.option(
    "--prices",
    multiple=True,
    metavar="FILE",
    help="PriceBooks to use in place of the bundle's. Repeatable.",
)
@click.option("--list-prices", is_flag=True, help="Public list prices, where the bundle has no PriceBook.")
@in_form(("table", "json"), "json: integers, for a program.", "table")
def replay(
    *, bundle: str, ledger: str, cluster: str | None, prices: Sequence[str], list_prices: bool, form: str
) -> None:
    """Replay BUNDLE, a directory or tar file: state its windows as the controller would have, and post them.

    Needs no cluster. Windows that the ledger has already are computed again and compared: replaying twice adds nothing,
    and a replay that was interrupted goes on. Without prices GPU-hours are counted and cost is unpriced, never guessed.
    """
    if prices and list_prices:
        raise InvalidRequest("--prices and --list-prices contradict: leave one out")
    doing = Doing(f"reading {bundle}")
    with progress(doing, sys.stderr, detect(sys.stderr, dict(os.environ))):
        done = _replay(bundle, ledger, cluster, prices, list_prices=list_prices, doing=doing)
    if form == "json":
        click.echo(json.dumps(done.document(), indent=2, ensure_ascii=False))
        return
    from aicost.entrypoints.cli.output.replay_screen import replay_screen  # noqa: PLC0415 -- only once there is one

    click.echo(replay_screen(done, ledger, detect(sys.stdout, dict(os.environ))), color=True)


def _replay(
    bundle: str, ledger: str, cluster: str | None, prices: Sequence[str], *, list_prices: bool, doing: Doing
) -> "ReplaySummary":
    """Replay; what takes long to import is imported here."""
    from aicost.entrypoints.cli.replay.run import replay as run  # noqa: PLC0415 -- Delta takes a second to import

    return run(_wanted(bundle, ledger, cluster, prices, list_prices=list_prices), doing.say)


def _wanted(bundle: str, ledger: str, cluster: str | None, prices: Sequence[str], *, list_prices: bool) -> "Wanted":
    from aicost.entrypoints.cli.replay.run import Wanted  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.market import read_books  # noqa: PLC0415 -- as above

    books = read_books(prices) if prices else None
    return Wanted(bundle, ledger, cluster, books, read_books(()) if list_prices else ())
