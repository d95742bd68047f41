"""`aicost ledger verify`: is each row what was posted?"""

import json
import os
import sys

import click

from aicost.entrypoints.cli.commands.ledger.place import of_ledger
from aicost.entrypoints.cli.options import in_form
from aicost.entrypoints.cli.terminal import Doing, detect, progress


@click.command("verify", short_help="Walk the checksums of all that was posted.")
@of_ledger
@click.option("--cluster", metavar="ID", help="Only this cluster. Default: all.")
@in_form(("text", "json"), "json: all findings, for programs.", "text")
def verify(*, place: str, cluster: str | None, form: str) -> int:
    """Hold each row of a ledger against what was posted. Nothing is written.

    Each posting of a window has a checksum of its rows in the ledger's log. Found are rows that were altered, that are
    gone, that stand there twice or that nobody posted; gaps and overlaps between windows; devices with more time than
    there is; rows that retention should have dropped; counts of tokens and requests beside the ledger that are not
    as many as were kept. The exit code is 1 if anything is wrong.
    """
    from aicost.bootstrap import open_record  # noqa: PLC0415 -- Delta takes a second to import
    from aicost.entrypoints.cli.output.ledger.verification import as_document, as_text  # noqa: PLC0415
    from aicost.entrypoints.cli.sources.ledger import open_place  # noqa: PLC0415
    from aicost.usecases.upkeep.verify_ledger import VerifyLedger  # noqa: PLC0415

    terminal, doing = detect(sys.stdout, dict(os.environ)), Doing(f"reading {place}")
    record = open_record(open_place(place))

    def tell(done: int, whole: int) -> None:
        doing.say(f"verifying {place}: window {done} of {whole}")

    with progress(doing, sys.stderr, detect(sys.stderr, dict(os.environ))):
        outcome = VerifyLedger(record, tell)(cluster)
    if form == "json":
        click.echo(json.dumps(as_document(place, outcome), indent=2, ensure_ascii=False))
    else:
        click.echo(as_text(place, outcome, terminal), color=True)
    return 1 if outcome.findings else 0
