"""`aicost pipeline`: what a feature costs, step by step."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.question import read_filters
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.options import beside_counters, in_form
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Whole windows of the ledger count, and what was counted in just these: kept when they were closed, or read now.

\b
EXAMPLES
  aicost pipeline --ledger ./ledger --window yesterday
  aicost pipeline --ledger ./ledger --feature chat --window month-to-date
  aicost pipeline --ledger ./ledger --prometheus http://localhost:9090 --feature chat -o json

\b
STEPS
  By the label aicost.dev/step: preprocess, embed, retrieve, infer, post-process, evaluate, and others of your own.
"""


@click.command("pipeline", epilog=_EPILOG, short_help="What a feature costs, step by step.")
@click.option("--window", "-w", default="today", show_default=True, metavar="WINDOW", help="The time; see below.")
@click.option("--feature", "features", multiple=True, metavar="NAME", help="Only this feature. Default: all.")
@click.option("--filter", "-f", "filters", multiple=True, metavar="KEY=VALUE[,VALUE]", help="Only what has this value.")
@click.option("--ledger", required=True, metavar="DIR|URL", help="Where the money is read.")
@click.option("--cluster", metavar="NAME", help="The cluster in the ledger, where it holds several.")
@click.option("--prometheus", "url", metavar="URL", help="Read counters here, not what was kept beside the ledger.")
@click.option("--bundle", metavar="DIR|FILE", help="Read the counters in this bundle.")
@beside_counters
@click.option("--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone in which days begin.")
@in_form(("table", "json"), "json: integers beside texts.", "table")
def pipeline(  # noqa: PLR0913 -- one parameter per option
    *,
    window: str,
    features: Sequence[str],
    filters: Sequence[str],
    ledger: str,
    cluster: str | None,
    url: str | None,
    bundle: str | None,
    objects: Sequence[str],
    kubeconfig: Path | None,
    context: str | None,
    time_zone: str,
    form: str,
) -> None:
    """Say what a feature costs along its pipeline: each step, what it does, and how often one answer needs it.

    FAN-OUT: units of a step for one request of `infer`. SHARED: the feature's part of endpoints that no feature owns,
    as gateways count. The steps sum to the feature's cost.
    """
    from aicost.entrypoints.cli.output.pipelines.pipeline import pipeline_document, pipeline_screen  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.sources.economics.pipelines import pipelines_of  # noqa: PLC0415 -- Delta takes long
    from aicost.entrypoints.cli.sources.economics.units import Where, find_places  # noqa: PLC0415 -- as above

    try:
        span, accepted = parse_span(window, now_ms(), time_zone), dict(read_filters(filters))
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    if features:
        accepted[Dimension.FEATURE.value] = tuple(features)
    places = find_places(ledger, cluster, (url, bundle), Where(kubeconfig, context), objects)
    notes: list[str] = []
    with progress("reading money and counters", sys.stderr, detect(sys.stderr, os.environ)):
        report = pipelines_of(places, span, accepted, notes)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if form == "json":
        click.echo(json.dumps(pipeline_document(report), indent=2, ensure_ascii=False))
    else:
        click.echo(pipeline_screen(report, detect(sys.stdout, os.environ)))
