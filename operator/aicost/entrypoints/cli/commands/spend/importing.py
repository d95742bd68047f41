"""`aicost spend import`: bills of model providers and clouds into the ledger."""

import os
import sys
from collections.abc import Sequence

import click

from aicost.entrypoints.cli.commands.spend.options import check_account, content_of, into_a_ledger, read_mapped
from aicost.entrypoints.cli.output.spend.screen import show
from aicost.entrypoints.cli.terminal import detect, progress

_EPILOG = """\b
BILLS
  FOCUS 1.0 or later, as CSV: its AI lines; machines, disks and networks are left out, a cluster costs its own
  a table of your own, as CSV: a day and an amount; model, provider, item, currency and any tag beside them
  pages of the cost APIs of Anthropic and OpenAI, as JSON

\b
EXAMPLES
  aicost spend import bill.csv --ledger ./ledger --account aws-main            what would be posted
  aicost spend import bill.csv --ledger ./ledger --account aws-main --post     post it
  aicost spend import costs.json --ledger ./ledger --account openai --map project_id=team --post
  aicost report --ledger ./ledger --by component,provider,model
"""


@click.command("import", epilog=_EPILOG, short_help="A bill (CSV or JSON) into the ledger.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--provider", default="", metavar="NAME", help="Who billed, where the file does not say it.")
@click.option("--currency", default="USD", show_default=True, metavar="CODE", help="Where the file does not say it.")
@into_a_ledger
def import_bill(  # noqa: PLR0913 -- one parameter per option
    *,
    files: Sequence[str],
    ledger: str,
    account: str,
    provider: str,
    currency: str,
    maps: Sequence[str],
    values: Sequence[str],
    post: bool,
    form: str,
) -> None:
    """Bring a bill into the ledger, a day at a time; what a later bill says otherwise is posted as a difference.

    Without --post it shows what would change. A day that the bill does not name is left as it is, so hand in all files
    of a day together. The same bill again changes nothing.
    """
    from aicost.entrypoints.cli.sources.economics.spend import Into, bring_in  # noqa: PLC0415 -- Delta takes long to import

    check_account(account)
    into = Into(ledger, account, read_mapped(maps, values), post=post)
    contents = [(place, content_of(place)) for place in files]
    with progress(f"reading {', '.join(files)}", sys.stderr, detect(sys.stderr, os.environ)):
        found = bring_in(contents, into, provider=provider, currency=currency)
    click.echo(show(found, form, detect(sys.stdout, os.environ)))
