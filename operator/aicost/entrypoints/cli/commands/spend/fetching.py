"""`aicost spend fetch`: what a model provider billed, or what a gateway saw, asked of its own API."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.entrypoints.cli.commands.spend.options import check_account, into_a_ledger, read_mapped, whole_days
from aicost.entrypoints.cli.output.spend.screen import show
from aicost.entrypoints.cli.terminal import detect, progress

PROVIDERS = ("anthropic", "openai", "litellm", "litellm-daily")
_EPILOG = """\b
EXAMPLES
  aicost spend fetch --provider anthropic --key-file key --ledger ./ledger --account anthropic            look
  aicost spend fetch --provider openai --key-file key --ledger ./ledger --account openai --since 7d --post
  aicost spend fetch --provider litellm --url http://litellm:4000 --key-file key --ledger ./ledger --account gateway

\b
Providers correct their figures for weeks: fetch the last 35 days each day. What changed is posted as differences.
"""


@click.command("fetch", epilog=_EPILOG, short_help="Ask a provider's cost API, or a gateway.")
@click.option("--provider", required=True, type=click.Choice(PROVIDERS), help="Who is asked.")
@click.option("--key-file", required=True, type=click.Path(path_type=Path), metavar="FILE", help="An admin key.")
@click.option("--since", default="35d", show_default=True, metavar="WINDOW", help="Whole days in UTC that are over.")
@click.option("--url", metavar="URL", help="Another address than the provider's own, such as that of a proxy.")
@into_a_ledger
def fetch_bill(  # noqa: PLR0913 -- one parameter per option
    *,
    provider: str,
    key_file: Path,
    since: str,
    url: str | None,
    ledger: str,
    account: str,
    maps: Sequence[str],
    values: Sequence[str],
    post: bool,
    form: str,
) -> None:
    """Ask a provider what it billed, and bring it into the ledger as `import` does.

    What a gateway (litellm) saw is an estimate: it counts until the provider's bill of the day is there, and both stay
    visible. Only days that are over in UTC are asked for. The key is read from a file, goes to the provider alone and
    stands in no message.
    """
    from aicost.entrypoints.cli.sources.economics.spend import Into, fetch_in  # noqa: PLC0415 -- Delta takes long to import

    check_account(account)
    into = Into(ledger, account, read_mapped(maps, values), post=post)
    days = whole_days(since, now_ms(), "--since")
    with progress(f"asking {url or provider}", sys.stderr, detect(sys.stderr, os.environ)):
        found = fetch_in(provider, key_file, url, days, into)
    click.echo(show(found, form, detect(sys.stdout, os.environ)))
