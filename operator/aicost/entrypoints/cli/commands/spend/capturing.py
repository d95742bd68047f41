"""`aicost spend capture`: how much of what is billed went through a gateway."""

import os
import sys
from collections import defaultdict
from collections.abc import Sequence

import click

from aicost.adapters.clock import now_ms
from aicost.domain.thirdparty.capture import Through
from aicost.entrypoints.cli.commands.spend.options import whole_days
from aicost.entrypoints.cli.options import in_form
from aicost.entrypoints.cli.output.spend.capture_screen import Compared, show_capture
from aicost.entrypoints.cli.terminal import detect
from aicost.ports.errors import InvalidRequest

_EPILOG = """\b
EXAMPLES
  aicost spend capture --ledger ./ledger
  aicost spend capture --ledger ./ledger --window 7d --daily
  aicost spend capture --ledger ./ledger --by label:workspace_id --through workspace_id=wrkspc_gateway

\b
CAPTURED is what gateways saw at list prices over what was billed. SHADOW was billed and nobody saw it.
"""


@click.command("capture", epilog=_EPILOG, short_help="Bills against gateways: capture rate and shadow spend.")
@click.option("--ledger", required=True, metavar="DIR|URL", help="The ledger.")
@click.option("--window", default="30d", show_default=True, metavar="WINDOW", help="Whole days in UTC that are over.")
@click.option("--by", "keys", default="", metavar="KEYS", help="Beside the provider: team, label:workspace_id ...")
@click.option("--through", multiple=True, metavar="TAG=VALUE", help="A key of bills that is a gateway's. Repeatable.")
@click.option("--daily", is_flag=True, help="Tell days apart.")
@in_form(("table", "json"), "json: integers beside texts.", "table")
def capture_rate(ledger: str, window: str, keys: str, through: Sequence[str], *, daily: bool, form: str) -> None:
    """Compare what providers billed with what gateways saw, on the days that have both.

    Spend that no gateway saw comes from keys that go past it: find them by the tags of the bill, such as
    label:workspace_id or label:api_key_id, and say with --through which of them are the gateways'.
    """
    from aicost.bootstrap import open_ledger  # noqa: PLC0415 -- Delta takes long to import
    from aicost.usecases.economics.spend.capture_spend import capture_spend  # noqa: PLC0415 -- as above

    span = whole_days(window, now_ms(), "--window")
    by = tuple(key.strip() for key in keys.split(",") if key.strip())
    found = capture_spend(open_ledger(ledger).snapshot(), span, by, _through(through), daily=daily)
    click.echo(show_capture(Compared(span, by, daily, found), form, detect(sys.stdout, os.environ)))


def _through(texts: Sequence[str]) -> Through | None:
    found = defaultdict[str, set[str]](set)
    for text in texts:
        tag, equals, value = text.partition("=")
        if not equals or not tag or not value:
            raise InvalidRequest(f"--through {text[:80]!r}: write TAG=VALUE, such as workspace_id=wrkspc_gateway")
        found[tag].add(value)
    return {tag: frozenset(values) for tag, values in found.items()} or None
