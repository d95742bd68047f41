"""`aicost spend match`: machines of a cloud's bill beside the nodes that the ledger costs."""

import os
import sys
from collections.abc import Sequence

import click

from aicost.entrypoints.cli.commands.spend.options import content_of
from aicost.entrypoints.cli.options import in_form
from aicost.entrypoints.cli.output.spend.machines_screen import show_matched
from aicost.entrypoints.cli.terminal import detect, progress

_EPILOG = """\b
EXAMPLES
  kubectl get nodes -o json > nodes.json
  aicost spend match bill.csv --ledger ./ledger --nodes nodes.json
  kubectl get nodes -o yaml | aicost spend match bill.csv --ledger ./ledger --nodes - --output json
"""


@click.command("match", epilog=_EPILOG, short_help="Machines of a cloud's bill against the ledger's nodes.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--ledger", required=True, metavar="DIR|URL", help="The ledger.")
@click.option("--nodes", multiple=True, required=True, metavar="FILE", help="Nodes, as kubectl gives them. Repeatable.")
@click.option("--cluster", metavar="ID", help="Whose nodes they are, where the ledger has several clusters.")
@in_form(("table", "json"), "json: integers beside texts.", "table")
def match_bill(files: Sequence[str], ledger: str, nodes: Sequence[str], cluster: str | None, form: str) -> None:
    """Put the machines of a bill in FOCUS format beside the nodes that the ledger costs; nothing is posted.

    A machine is found by spec.providerID of its node and by the resource of the bill, whatever their spelling. What the
    ledger says of its GPUs, CPU and memory stands beside what the bill says of its time, on the days of the bill. All
    lines that count nowhere are summed up by service.
    """
    from aicost.entrypoints.cli.sources.economics.machines import match_in  # noqa: PLC0415 -- Delta takes long to import

    contents = [(place, content_of(place)) for place in files]
    with progress(f"reading {', '.join(files)}", sys.stderr, detect(sys.stderr, os.environ)):
        found = match_in(contents, nodes, ledger, cluster)
    click.echo(show_matched(found, form, detect(sys.stdout, os.environ)))
