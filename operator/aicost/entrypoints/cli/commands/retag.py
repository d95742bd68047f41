"""`aicost retag`: what changed label policies move of the cost that is posted already."""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aicost.adapters.clock import now_ms
from aicost.domain.attribution.customers import KeyedTagger
from aicost.domain.exact.windows import Window
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.ledger.retagging import Moved, Turn
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.options import POST, in_form, of_a_cluster
from aicost.entrypoints.cli.output.retag_screen import Outcome, retag_document, retag_screen
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest
from aicost.usecases.retag import Retag

if TYPE_CHECKING:
    from aicost.adapters.ledger.delta import DeltaLedger

_EPILOG = f"""\b
TIMES
  {FORMS}

\b
EXAMPLES
  aicost retag --ledger ./ledger --since 30d                        by the policies of the cluster: look
  aicost retag --ledger ./ledger --since 30d --policies clp.yaml    by policies in a file: look
  aicost retag --ledger ./ledger --since 30d --post                 post what changes
"""


@click.command("retag", epilog=_EPILOG, short_help="What changed label policies move of the cost posted so far.")
@click.option("--since", "-s", required=True, metavar="TIME", help="The closed windows to look at, such as 30d.")
@click.option("--ledger", required=True, metavar="DIR|URL", help="The ledger.")
@click.option("--cluster", metavar="ID", help="The cluster in the ledger, where it holds several.")
@click.option(
    "--policies",
    "-p",
    "places",
    multiple=True,
    metavar="FILE",
    help="CostLabelPolicies to tag by; - for standard input. Default: those of the cluster.",
)
@click.option(
    "--key-file", metavar="FILE", help="The key of privacy.customerKeyFile: customers are named by their ids, as there."
)
@POST
@in_form(("table", "json"), "json: integers beside texts.", "table")
@of_a_cluster
def retag(  # noqa: PLR0913 -- one parameter per option
    *,
    since: str,
    ledger: str,
    cluster: str | None,
    places: Sequence[str],
    key_file: str | None,
    post: bool,
    form: str,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Tag posted cost again by the label policies as they are now: aliases, defaults and attribution rules.

    Shows what would move from whom to whom. With --post the differences are posted as a new revision of each window:
    every total stays to the last nano, and the figures as they were stay readable. Asking again changes nothing more.
    Labels are those that were seen when the cost arose; the open window follows the policies by itself.
    """
    span = _span(since)
    if places and (kubeconfig or context):
        raise InvalidRequest("--policies needs no cluster: leave --kubeconfig and --context out")
    from aicost.entrypoints.cli.sources.retagging import policies_to_tag_by  # noqa: PLC0415 -- aiohttp is slow, too

    policies = policies_to_tag_by(places, kubeconfig, context)
    outcome = _retag(ledger, cluster, span, _tagger(policies, key_file), policies, post=post)
    if form == "json":
        click.echo(json.dumps(retag_document(outcome), indent=2, ensure_ascii=False))
    else:
        click.echo(retag_screen(outcome, detect(sys.stdout, dict(os.environ))), color=True)


def _span(since: str) -> Window:
    try:
        return parse_span(since, now_ms())
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("window:", "since:", 1)) from problem


def _tagger(policies: Sequence[LabelPolicy], key_file: str | None) -> Tagger:
    """By names, or by ids as the controller makes them."""
    if key_file is None:
        return Tagger(policies)
    from aicost.bootstrap import customer_ids  # noqa: PLC0415 -- Delta takes a second to import

    return KeyedTagger(policies, customer_ids(key_file))


def _retag(
    place: str,
    cluster: str | None,
    span: Window,
    tagger: Tagger,
    policies: Sequence[LabelPolicy],
    *,
    post: bool,
) -> Outcome:
    """Look, or post, with a sign of life meanwhile."""
    from aicost.entrypoints.cli.sources.ledger import open_place  # noqa: PLC0415 -- Delta takes a second to import

    ledger = open_place(place)
    name, version = _cluster(ledger, cluster), ledger.version()
    reader, writer = (ledger, ledger) if post else (ledger.snapshot(), None)
    windows, changed, rows = 0, 0, 0
    moves: defaultdict[Turn, Moved] = defaultdict(Moved)
    with progress("posting" if post else f"reading {place}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        for one in Retag(name, reader, writer)(span, tagger):
            windows, changed, rows = windows + 1, changed + bool(one.found.rows), rows + len(one.found.rows)
            for turn, moved in one.found.moves:
                moves[turn] += moved
    names = tuple(sorted(policy.name for policy in policies))
    return Outcome(place, name, span, names, windows, changed, rows, moves, post, version)


def _cluster(ledger: "DeltaLedger", named: str | None) -> str:
    """The cluster to tag again: policies are those of one cluster, so another one's cost is never touched by chance."""
    known = ledger.clusters()
    if named is None and len(known) == 1:
        return known[0]
    if named is None or named not in known:
        shown = ", ".join(known) or "none: nothing was posted yet"
        asked = "" if named is None else f"cluster: {named!r} has no rows in this ledger. "
        raise InvalidRequest(f"{asked}cluster: name one by --cluster; the ledger holds {shown}")
    return named
