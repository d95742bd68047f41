"""`aicost ledger compact`: fewer files, the same rows."""

import os
import sys

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import DAY_MS
from aicost.entrypoints.cli.commands.ledger.place import of_ledger
from aicost.entrypoints.cli.terminal import detect, progress


@click.command("compact", short_help="Put the files of past days together.")
@of_ledger
def compact(*, place: str) -> None:
    """Put the files of each past day together, as the controller does once a day. No row and no checksum changes.

    Files that an earlier version of the ledger needs stay while that version may be read: 400 days.
    """
    from aicost.bootstrap import open_upkeep  # noqa: PLC0415 -- Delta takes a second to import
    from aicost.entrypoints.cli.sources.ledger import open_place  # noqa: PLC0415

    now, ledger = now_ms(), open_place(place)
    with progress(f"compacting {place}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        done = open_upkeep(ledger).compact(now - now % DAY_MS)
    days = f"{len(done.dates)} days, {done.before} files to {done.after}" if done.dates else "nothing to put together"
    click.echo(f"{place}: {days}; {done.deleted} unused files taken away")
