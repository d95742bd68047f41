"""`aicost prices check`: what each node costs, why, and what has no price."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aicost.adapters.clock import now_ms
from aicost.entrypoints.cli.options import in_form, of_a_cluster
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:  # pydantic and aiohttp take long to import
    from aicost.domain.pricing.review import PriceReview
    from aicost.entrypoints.cli.sources.prices import Shelf


class Form(StrEnum):
    """What the answer is printed as."""

    TEXT = "text"
    JSON = "json"


_UNPRICED = 1
_EPILOG = """\b
EXIT CODES
  0  done
  1  with --strict: a node has no price, or a book or an annotation is wrong; or the cluster did not answer
  2  the request makes no sense, or a file cannot be read

\b
EXAMPLES
  aicost prices check                                   the nodes and books of your cluster
  aicost prices check -f book.yaml                      your cluster's nodes, if this book were applied
  aicost prices check -f nodes.yaml -f book.yaml        without a cluster
  aicost prices check --at 2027-01-01 --strict          will everything have a price then?
"""


@click.command("check", epilog=_EPILOG, short_help="What each node costs, why, and what has no price.")
@click.option(
    "--filename",
    "-f",
    "filenames",
    multiple=True,
    metavar="FILE|DIR|-",
    help="PriceBooks that stand in for the cluster's of the same name. With Nodes in them no cluster is asked. "
    "Repeatable.",
)
@click.option("--at", metavar="TIME", help="The prices of this day or RFC 3339 time. Default: now.")
@click.option("--gpu-only", is_flag=True, help="Only nodes with GPUs.")
@click.option("--strict", is_flag=True, help="Exit with 1 where a node has no price, or a book or annotation is wrong.")
@in_form(Form, "json: every alternative, and prices as exact fractions.", Form.TEXT.value)
@of_a_cluster
def check_prices(
    *,
    filenames: Sequence[str],
    at: str | None,
    gpu_only: bool,
    strict: bool,
    form: str,
    kubeconfig: Path | None,
    context: str | None,
) -> int:
    """Show the price of each node, the alternatives with the reason against each, and the entry that is missing.

    The same decision as the controller's, by the nodes and PriceBooks of your cluster, read with your kubeconfig, or by
    those of files.
    """
    moment = _moment(at)
    shelf = _shelf(filenames, kubeconfig, context)
    from aicost.domain.pricing.review import review_prices  # noqa: PLC0415 -- as above

    review = review_prices([node for node in shelf.nodes if node.gpus or not gpu_only], shelf.books, moment)
    _show(review, shelf, Form(form))
    wrong = review.unpriced or review.defects or review.annotations or shelf.notes
    return _UNPRICED if strict and wrong else 0


def _moment(text: str | None) -> int:
    from aicost.domain.exact.windows import from_rfc3339  # noqa: PLC0415

    if text is None:
        return now_ms()
    try:
        return from_rfc3339(text if "T" in text else f"{text}T00:00:00Z")
    except (ValueError, OverflowError):
        fix = "write a day such as 2026-01-31 (midnight UTC) or an RFC 3339 time such as 2026-01-31T12:00:00+01:00"
        raise InvalidRequest(f"--at {text!r}: {fix}") from None


def _shelf(filenames: Sequence[str], kubeconfig: Path | None, context: str | None) -> "Shelf":
    from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.prices import read_files, shelf_of_cluster, shelf_of_files  # noqa: PLC0415

    files = read_files(filenames) if filenames else None
    if files is not None and files.nodes is not None:
        if kubeconfig or context:
            raise InvalidRequest("the files hold Nodes, so no cluster is asked: leave --kubeconfig and --context out")
        return shelf_of_files(files)
    config = find_cluster(kubeconfig, context, instead="or name Nodes and PriceBooks by -f")
    with progress(f"asking {config.server}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        return shelf_of_cluster(config, files)


def _show(review: "PriceReview", shelf: "Shelf", form: Form) -> None:
    from aicost.entrypoints.cli.output.prices.check_document import review_json  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.output.prices.check_text import draw_review  # noqa: PLC0415

    if form is Form.JSON:
        click.echo(review_json(review, shelf.of, shelf.notes))
        return
    for note in shelf.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(draw_review(review, shelf.of, detect(sys.stdout, dict(os.environ))), color=True)
