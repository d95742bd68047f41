"""`aicost estimate`: what manifests will cost, before they are applied."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aicost.domain.estimates.values import Market
from aicost.domain.inventory.gpu_models import canonical_model
from aicost.entrypoints.cli.options import CONTEXT, KUBECONFIG, in_form
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:  # pydantic takes long to import
    from aicost.domain.workloads.shapes import Workload
    from aicost.entrypoints.cli.manifests.workloads import Found
    from aicost.entrypoints.cli.sources.priced import PricedMarket

WHERE = {"provider", "region", "instance-type", "capacity-type", "gpu-model"}


class Form(StrEnum):
    """What an estimate is printed as."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"


_EPILOG = """\b
KEYS of --where
  provider, region, instance-type, capacity-type, gpu-model

\b
EXAMPLES
  aicost estimate -f job.yaml                                   at the prices of your cluster
  aicost estimate -f job.yaml --offline --where provider=aws    at public list prices, without a cluster
  aicost estimate -f manifests/ --prices book.yaml --offline    a folder, at prices of your own
  helm template ./chart | aicost estimate -f - -o json          what a chart would cost, for a program
"""


def input_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is read, and from which cluster: the options that commands over manifests share."""
    options = (
        click.argument("files", nargs=-1, metavar="[FILE]..."),
        click.option(
            "--filename",
            "-f",
            "filenames",
            multiple=True,
            metavar="FILE|DIR|-",
            help="Manifests: a file, a folder with all that is in it, or - for standard input. Repeatable.",
        ),
        click.option(
            "--namespace", "-n", metavar="NAME", help="Where objects go that name no namespace. Default: default."
        ),
        KUBECONFIG,
        CONTEXT,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("estimate", epilog=_EPILOG, short_help="What manifests will cost, before they are applied.")
@input_options
@click.option("--offline", is_flag=True, help="Ask no cluster: prices of --prices, or public list prices.")
@click.option(
    "--prices",
    multiple=True,
    metavar="FILE",
    help="PriceBooks to use in place of the cluster's or of the list prices. Repeatable.",
)
@click.option("--gpu-model", metavar="MODEL", help="Take this GPU for objects that name none, such as h100-80gb.")
@click.option(
    "--where", "-w", multiple=True, metavar="KEY=VALUE", help="Only machines with this value; see below. Repeatable."
)
@in_form(Form, "wide: every price with its receipt. json: integers beside texts.", Form.TABLE.value)
def estimate(  # noqa: PLR0913 -- one parameter per option
    *,
    files: Sequence[str],
    filenames: Sequence[str],
    namespace: str | None,
    kubeconfig: Path | None,
    context: str | None,
    offline: bool,
    prices: Sequence[str],
    gpu_model: str | None,
    where: Sequence[str],
    form: str,
) -> None:
    """Estimate what the GPUs of manifests will cost: per hour, and over their expected duration.

    Prices are those of your cluster's nodes, read with your kubeconfig, or told by the query API where nodes and price
    books are not for you to read; with --offline those of price books. Where
    several machines would do, the answer is a range. What is not known is said, never guessed.
    """
    places = named_places(files, filenames)
    if offline and (kubeconfig or context):
        raise InvalidRequest("--offline asks no cluster: leave --kubeconfig and --context out")
    narrow = _narrowing(where)
    objects = _objects(places, namespace or "default")
    found = _market(prices, None if offline else (kubeconfig, context), [one.workload for one in objects])
    market = narrow(found.market)
    model = canonical_model(gpu_model) or "" if gpu_model else ""
    _show(objects, replace(found, market=replace(market, assumed_model=model)), Form(form))


def named_places(files: Sequence[str], filenames: Sequence[str]) -> tuple[str, ...]:
    """What is to be read, each once.

    Raises:
        InvalidRequest: nothing was named.
    """
    places = tuple(dict.fromkeys((*filenames, *files)))
    if not places:
        raise InvalidRequest("no manifests: name a file or a folder by -f, or - for standard input")
    return places


def _objects(places: Sequence[str], namespace: str) -> "tuple[Found, ...]":
    from aicost.entrypoints.cli.manifests.documents import read_documents  # noqa: PLC0415 -- yaml
    from aicost.entrypoints.cli.manifests.workloads import workloads_of  # noqa: PLC0415

    return workloads_of(read_documents(places), namespace)


def _market(
    prices: Sequence[str], cluster: tuple[Path | None, str | None] | None, workloads: "Sequence[Workload]"
) -> "PricedMarket":
    from aicost.entrypoints.cli.sources import market  # noqa: PLC0415 -- pydantic and aiohttp take long to import

    if cluster is None:
        return market.market_of_files(prices)
    from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- as above

    config = find_cluster(*cluster, instead="or leave the cluster out by --offline")
    with progress(f"asking {config.server}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        return market.market_of_cluster(config, prices, workloads)


def _narrowing(where: Sequence[str]) -> Callable[[Market], Market]:
    """Leave out offers that have another value of one of the keys."""
    wanted = dict(_pair(text) for text in where)

    def narrow(market: Market) -> Market:
        offers = (o for o in market.offers if all(_is(getattr(o, key), text) for key, text in wanted.items()))
        return replace(market, offers=tuple(offers))

    return narrow


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not value or key not in WHERE:
        raise InvalidRequest(f"--where {text!r}: write KEY=VALUE with a key of {', '.join(sorted(WHERE))}")
    return key.replace("-", "_"), (canonical_model(value) or value) if key == "gpu-model" else value


def _is(found: str, wanted: str) -> bool:
    return found.casefold() == wanted.casefold()


def _show(objects: "Sequence[Found]", found: "PricedMarket", form: Form) -> None:
    from aicost.domain.estimates.estimate import estimate as estimate_of  # noqa: PLC0415
    from aicost.entrypoints.cli.output import estimate_document, estimate_table  # noqa: PLC0415

    estimates = [
        estimate_table.Estimated(one, estimate_of(one.workload, found.market), found.budgets_of(one.workload))
        for one in objects
    ]
    if form is Form.JSON:
        click.echo(estimate_document.as_json(estimates, found.of, found.gaps))
        return
    for gap in found.gaps:
        click.echo(f"note: {gap}", err=True)
    terminal = detect(sys.stdout, dict(os.environ))
    click.echo(estimate_table.draw_estimates(estimates, found.of, terminal, wide=form is Form.WIDE), color=True)
