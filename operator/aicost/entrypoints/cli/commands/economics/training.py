"""`aicost training`: what a run, a step, an epoch and a million tokens of training cost."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aicost.adapters.clock import now_ms
from aicost.domain.reporting.question import read_filters
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.domain.training.terms import Measure
from aicost.entrypoints.cli.options import in_form
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:  # numpy and Delta take long to import
    from aicost.usecases.economics.training.questions import TrainingReport

_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Whole windows of the ledger count, and what runs showed in just these.

\b
EXAMPLES
  aicost training --ledger ./ledger --prometheus http://localhost:9090 --window 7d --steps train_global_step
  aicost training --ledger ./ledger --prometheus http://localhost:9090 --context prod
  aicost training --ledger ./ledger --bundle ./bundle --window 2026-03-02 -o json
  aicost training --ledger ./ledger --by experiment --filter team=vision --objects objects.yaml

\b
RUNS
  TrainJob, PyTorchJob, TFJob, MPIJob, JAXJob, PaddleJob, XGBoostJob and HyperPodPyTorchJob; and Jobs, JobSets, RayJobs
  and others whose workload type is training or fine-tuning, or whose AIWorkload has spec.training.

\b
PROGRESS
  From the metrics that spec.training of an AIWorkload names, from options such as --steps for runs whose AIWorkload
  names none, and from status.trainerStatus of TrainJobs. Objects are read from the bundle, from files such as
  `kubectl get aiworkloads,trainjobs -A -o yaml` writes, or from the cluster of --context or --kubeconfig.
"""


@click.command("training", epilog=_EPILOG, short_help="What a run, a step and an epoch of training cost.")
@click.option("--window", "-w", default="today", show_default=True, metavar="WINDOW", help="The time; see below.")
@click.option(
    "--by",
    "-b",
    default="run",
    show_default=True,
    type=click.Choice(["run", "experiment", "workload"]),
    help="What counts as one run: the object, all with one experiment or run id, or all of one AIWorkload.",
)
@click.option("--filter", "-f", "filters", multiple=True, metavar="KEY=VALUE[,VALUE]", help="Only what has this value.")
@click.option("--ledger", required=True, metavar="DIR|URL", help="Where the money is read.")
@click.option("--cluster", metavar="NAME", help="The cluster in the ledger, where it holds several.")
@click.option("--prometheus", "url", metavar="URL", help="Where the metrics of runs are read.")
@click.option("--bundle", metavar="DIR|FILE", help="Read metrics and objects in this bundle instead.")
@click.option("--objects", multiple=True, metavar="FILE", help="AIWorkloads and TrainJobs in files, `-` for stdin.")
@click.option("--steps", metavar="METRIC", help="Metric of steps.")
@click.option("--samples", metavar="METRIC", help="Metric of samples.")
@click.option("--tokens", metavar="METRIC", help="Metric of tokens.")
@click.option("--epochs", metavar="METRIC", help="Metric of epochs.")
@click.option("--quality", metavar="METRIC", help="Metric of the quality: an accuracy, a loss.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), metavar="FILE", help="Read objects of this cluster.")
@click.option("--context", metavar="NAME", help="The same, by a context of the kubeconfig.")
@click.option("--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone in which days begin.")
@in_form(("table", "json", "csv"), "json: integers beside texts.", "table")
def training(  # noqa: PLR0913 -- one parameter per option
    *,
    window: str,
    by: str,
    filters: Sequence[str],
    ledger: str,
    cluster: str | None,
    url: str | None,
    bundle: str | None,
    objects: Sequence[str],
    steps: str | None,
    samples: str | None,
    tokens: str | None,
    epochs: str | None,
    quality: str | None,
    kubeconfig: Path | None,
    context: str | None,
    time_zone: str,
    form: str,
) -> None:
    """Say what runs of training cost: for a step, an epoch, a million samples or tokens, a point of quality.

    LOST is what restarts and failures cost: steps that were done again, the time until a new one, pods that failed.
    GOODPUT is the part of the cost that went into work that stands. TO COMPLETE is what the rest will cost if the run
    goes on as it went.
    """
    from aicost.entrypoints.cli.sources.economics.training import Places, runs_of  # noqa: PLC0415 -- Delta takes long
    from aicost.usecases.economics.training.questions import RunKey, TrainingQuestion  # noqa: PLC0415 -- as above

    try:
        span, accepted = parse_span(window, now_ms(), time_zone), read_filters(filters)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    named = {"steps": steps, "samples": samples, "tokens": tokens, "epochs": epochs, "quality": quality}
    metrics = {Measure(measure): metric for measure, metric in named.items() if metric}
    if metrics and not (url or bundle):
        raise InvalidRequest(f"--{next(iter(metrics))}: name where metrics are read: --prometheus URL or --bundle DIR")
    places = Places(ledger, cluster, url, bundle, objects, kubeconfig, context, metrics)
    with progress("reading money and metrics", sys.stderr, detect(sys.stderr, os.environ)):
        report = runs_of(places, span, TrainingQuestion(RunKey(by), accepted))
    click.echo(_written(report, form), nl=form != "csv")


def _written(report: "TrainingReport", form: str) -> str:
    from aicost.entrypoints.cli.output.training.document import training_csv, training_document  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.output.training.screen import training_screen  # noqa: PLC0415 -- numpy

    if form == "json":
        return json.dumps(training_document(report), indent=2, ensure_ascii=False)
    if form == "csv":
        return training_csv(report)
    return training_screen(report, detect(sys.stdout, os.environ))
