"""`aicost explain`: the receipt of a figure, computed again from what it rests on."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import Window
from aicost.domain.receipts.subjects import Subject, SubjectKind
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.options import in_form, of_a_cluster
from aicost.entrypoints.cli.output.receipt.screen import receipt_screen
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Billing windows that share time with it are explained as a whole.

\b
EXAMPLES
  aicost explain team-a/train-0 --window 2026-11-25                       with your kubeconfig
  aicost explain team-a/train-0 --window 2026-11-25 --ledger ./ledger
  aicost explain --workload team-a/chat --window 7d --ledger ./ledger     an AIWorkload, or a Deployment, Job ...
  aicost explain --node gpu-1 --window 24h --ledger ./ledger              all that a node cost
  aicost explain --device GPU-5f1c... --window 24h --ledger ./ledger -o json

\b
EXIT CODES
  0  the figures were computed again and are equal, or are provisional
  1  they differ, or could not be computed again
"""


_GOOD = frozenset({"equal", "provisional"})
"""Verdicts of a receipt that need nobody's attention."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the receipt comes from: a ledger, or the query API of a cluster.

    Attributes:
        cluster: the cluster in the ledger.
        team: the team with whose rights the query API is asked.
    """

    ledger: str | None
    cluster: str | None
    kubeconfig: Path | None
    context: str | None
    team: str | None

    def __post_init__(self) -> None:
        if self.ledger and (self.kubeconfig or self.context or self.team):
            raise InvalidRequest("--ledger reads without a cluster: leave --kubeconfig, --context and --team out")
        if self.cluster and not self.ledger:
            raise InvalidRequest(f"--cluster {self.cluster} is one of a ledger: name that by --ledger")


@click.command("explain", epilog=_EPILOG, short_help="The receipt of a figure, computed again from what it rests on.")
@click.argument("pod", required=False, metavar="[NAMESPACE/POD]")
@click.option("--workload", metavar="NAMESPACE/NAME", help="Explain an AIWorkload or a controller of pods instead.")
@click.option("--node", metavar="NAME", help="Explain a node instead: all its devices and all who held them.")
@click.option("--device", metavar="UUID", help="Explain a GPU instead.")
@click.option("--window", "-w", required=True, metavar="WINDOW", help="The time to explain; see below.")
@click.option("--detail", "-d", metavar="TIME", help="The window to show in detail. Default: the one that cost most.")
@click.option("--team", metavar="NAME", help="Ask with the rights that you have over this team.")
@click.option("--ledger", metavar="DIR|URL", help="Read this ledger; no cluster is asked.")
@click.option("--cluster", metavar="ID", help="The cluster in the ledger, where it holds several.")
@click.option(
    "--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone in which days and months begin."
)
@in_form(("table", "json"), "json: integers beside texts, and every window.", "table")
@of_a_cluster
def explain(  # noqa: PLR0913 -- one parameter per option
    *,
    pod: str | None,
    workload: str | None,
    node: str | None,
    device: str | None,
    window: str,
    detail: str | None,
    team: str | None,
    ledger: str | None,
    cluster: str | None,
    time_zone: str,
    form: str,
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Take a figure apart: prices considered, samples used, how it was divided and rounded, and every revision.

    The figure is computed again from the inputs that were kept beside the ledger, in a process that cannot see the
    ledger's amounts. The last line says `replayed: equal`, or what differs.

    Without --ledger the query API of the cluster is asked, with the rights of your kubeconfig. Who may not see all
    namespaces sees the own figure, and of others on the same device one sum without a name.
    """
    subject = read_subject(pod, workload, node, device)
    span = _span(window, "window", time_zone)
    shown = None if detail is None else _span(detail, "detail", time_zone)
    place = Place(ledger, cluster, kubeconfig, context, team)
    document = _obtain(place, subject, span, shown)
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(receipt_screen(document, detect(sys.stdout, dict(os.environ))), color=True)
    return 0 if document["replayed"] in _GOOD else 1


def _obtain(place: Place, subject: Subject, span: Window, detail: Window | None) -> Mapping[str, Any]:
    """The document. What takes long to import is imported where it is needed."""
    terminal = detect(sys.stderr, dict(os.environ))
    if place.ledger is not None:
        from aicost.crd.receipts.document import receipt_document  # noqa: PLC0415 -- numpy is slow to import
        from aicost.entrypoints.cli.sources.receipts.explaining import receipt_of_ledger  # noqa: PLC0415 -- Delta is slow

        with progress(f"explaining {subject}", sys.stderr, terminal):
            receipt = receipt_of_ledger(place.ledger, place.cluster, subject, span, detail)
        return receipt_document(receipt, now_ms())
    from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- aiohttp takes long to import
    from aicost.entrypoints.cli.sources.query.receipts import receipt_of_cluster  # noqa: PLC0415 -- as above

    config = find_cluster(place.kubeconfig, place.context)
    with progress(f"asking {config.server}", sys.stderr, terminal):
        return receipt_of_cluster(config, subject, span, detail, place.team)


def read_subject(pod: str | None, workload: str | None, node: str | None, device: str | None) -> Subject:
    """What was named.

    Raises:
        InvalidRequest: nothing, or more than one thing, or a name that is none.
    """
    named = {
        SubjectKind.POD: pod,
        SubjectKind.WORKLOAD: workload,
        SubjectKind.NODE: node,
        SubjectKind.DEVICE: device,
    }
    given = [(kind, name) for kind, name in named.items() if name]
    if len(given) != 1:
        told = "nothing was named" if not given else f"{len(given)} things were named"
        raise InvalidRequest(f"{told}: name one of NAMESPACE/POD, --workload, --node and --device")
    kind, name = given[0]
    if kind in {SubjectKind.NODE, SubjectKind.DEVICE}:
        return Subject(kind, name)
    namespace, slash, own = name.partition("/")
    if not (namespace and slash and own):
        what = "NAMESPACE/POD" if kind is SubjectKind.POD else "--workload"
        raise InvalidRequest(f"{what}: {name!r} names no namespace: write NAMESPACE/{own or name or 'NAME'}")
    return Subject(kind, own, namespace)


def _span(text: str, option: str, zone: str) -> Window:
    try:
        return parse_span(text, now_ms(), zone)
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("window:", f"--{option}:", 1)) from problem
