"""`aicost spend estimate`: tokens that gateways counted, at list prices, until the bill comes."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.entrypoints.cli.commands.spend.options import check_account, into_a_ledger, read_mapped, whole_days
from aicost.entrypoints.cli.output.spend.screen import show
from aicost.entrypoints.cli.terminal import detect, progress

_EPILOG = """\b
EXAMPLES
  aicost spend estimate --ledger ./ledger --account counted                                             look
  aicost spend estimate --ledger ./ledger --account counted --since yesterday --post
  aicost spend estimate --ledger ./ledger --account counted --prometheus http://localhost:9090 --post

\b
Prices are those of the package genai-prices, as installed: nothing is fetched. --api-prices goes before it. Only base
prices are taken: a sum of requests has no long context.
"""


@click.command("estimate", epilog=_EPILOG, short_help="Counted tokens at list prices, until the bill comes.")
@click.option("--since", default="7d", show_default=True, metavar="WINDOW", help="Whole days in UTC that are over.")
@click.option("--cluster", metavar="ID", help="Whose counts, where the ledger has several clusters.")
@click.option("--prometheus", "url", metavar="URL", help="Read counters there, not what was kept beside the ledger.")
@click.option("--api-prices", type=click.Path(path_type=Path), metavar="FILE", help="Prices of your own, CSV or YAML.")
@into_a_ledger
def estimate_spend(  # noqa: PLR0913 -- one parameter per option
    *,
    since: str,
    cluster: str | None,
    url: str | None,
    api_prices: Path | None,
    ledger: str,
    account: str,
    maps: Sequence[str],
    values: Sequence[str],
    post: bool,
    form: str,
) -> None:
    """Price the tokens that gateways counted, for models that no pod serves, and post that as an estimate.

    A day whose provider has billed it counts as billed, and the estimate stays visible beside it. Models that pods
    serve are left out: their GPUs are costed. A model that several sell at their own prices has none here.
    """
    from aicost.entrypoints.cli.sources.economics.spend import Into, estimate_in  # noqa: PLC0415 -- Delta takes long to import
    from aicost.entrypoints.cli.sources.economics.units import Places  # noqa: PLC0415 -- as above

    check_account(account)
    into = Into(ledger, account, read_mapped(maps, values), post=post)
    days = whole_days(since, now_ms(), "--since")
    with progress(f"reading {url or ledger}", sys.stderr, detect(sys.stderr, os.environ)):
        found = estimate_in(Places(ledger, cluster, url), days, api_prices, into)
    click.echo(show(found, form, detect(sys.stdout, os.environ)))
