"""Runs of training from a ledger, and from what they showed: in a Prometheus or in a bundle, and in TrainJobs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aicost.adapters.bundle.bundle import Bundle, open_bundle
from aicost.adapters.bundle.measured.training import BundleTraining
from aicost.adapters.bundle.objects import Change
from aicost.adapters.clock import now_ms
from aicost.adapters.kube.seen.trainers import TRAIN_JOBS, reported
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.units import PrometheusUnits
from aicost.bootstrap import open_inputs
from aicost.crd.convert.training import training_plan
from aicost.domain.exact.windows import Window
from aicost.domain.training.terms import Measure, usual_shape
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.ledger import open_place
from aicost.entrypoints.cli.sources.objects import Wish, gather, own_resource
from aicost.entrypoints.cli.sources.receipts.clusters import one_cluster
from aicost.ports.errors import InvalidRequest
from aicost.ports.measured.training import Meter, Reported, TrainingPlan, TrainingSource
from aicost.ports.measured.units import Counter
from aicost.usecases.economics.spend.with_accounts import homes
from aicost.usecases.economics.training.cost_runs import CostRuns
from aicost.usecases.economics.training.questions import TrainingQuestion, TrainingReport

Body = Mapping[str, Any]
_NO_TRAINER = f"the cluster does not know {TRAIN_JOBS}"
"""Not every cluster runs Kubeflow's trainer."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where money, series and objects are.

    Attributes:
        ledger: directory or URL.
        cluster: the cluster in it; None where it knows one alone.
        url: base address of a Prometheus.
        bundle: a bundle, with its series and its objects.
        objects: files with AIWorkloads and TrainJobs.
        kubeconfig, context: the cluster whose AIWorkloads and TrainJobs are read; None and None for none.
        metrics: measure -> metric, for runs whose AIWorkload says nothing.
    """

    ledger: str
    cluster: str | None
    url: str | None = None
    bundle: str | None = None
    objects: Sequence[str] = ()
    kubeconfig: Path | None = None
    context: str | None = None
    metrics: Mapping[Measure, str] = field(default_factory=dict)

    @property
    def usual(self) -> TrainingPlan | None:
        """What holds for runs whose AIWorkload says nothing."""
        meters = [Meter(measure, Counter(name), usual_shape(name)) for measure, name in self.metrics.items()]
        return TrainingPlan("", "", tuple(meters)) if meters else None


@dataclass(slots=True)
class _Told:
    """What objects say.

    Attributes:
        problems: what is wrong with them.
    """

    plans: dict[tuple[str, str], TrainingPlan] = field(default_factory=dict)
    reported: list[Reported] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, body: Body, seen_ms: int) -> None:
        """Take an object, if it is one of ours."""
        if body.get("kind") == "TrainJob":
            said = reported(body, seen_ms)
            self.reported += [said] if said else []
        elif body.get("kind") == "AIWorkload":
            metadata = body.get("metadata") or {}
            place = str(metadata.get("namespace") or "default"), str(metadata.get("name"))
            read = training_plan({**body, "metadata": {"namespace": place[0], "name": place[1]}})
            self.problems += [f"AIWorkload {'/'.join(place)}: {problem}" for problem in read.problems]
            self.plans.pop(place, None)
            if read.value:
                self.plans[place] = read.value


def runs_of(places: Places, span: Window, question: TrainingQuestion) -> TrainingReport:
    """The runs of a span; errors as of `CostRuns`.

    Raises:
        InvalidRequest: there is no such ledger, cluster, bundle or file, or two sources of series were named.
    """
    ledger = open_place(places.ledger)
    snapshot = ledger.snapshot()
    cluster = one_cluster(homes(snapshot), places.cluster)
    told = _Told()
    _read_objects(places, told)
    with _opened(places) as bundle:
        for event in bundle.events() if bundle else ():
            if event.change is not Change.DELETED:
                told.take(event.body, event.at_ms)
        asked = replace(question, plans=tuple(told.plans.values()), usual=places.usual, reported=tuple(told.reported))
        with _source(places, bundle, asked) as source:
            report = CostRuns(cluster, snapshot, open_inputs(ledger).pinned(), source)(span, asked)
    return replace(report, notes=(*told.problems, *report.notes))


def _read_objects(places: Places, told: _Told) -> None:
    for document in read_documents(places.objects) if places.objects else ():
        told.take(document.body, now_ms())
    if places.kubeconfig or places.context:
        config = find_cluster(places.kubeconfig, places.context, instead="or name files by --objects")
        gathered = gather(config, [Wish(own_resource("AIWorkload")), Wish(TRAIN_JOBS)])
        for body in gathered.bodies:
            told.take(body, now_ms())
        told.problems += [gap for gap in gathered.gaps if gap != _NO_TRAINER]


@contextmanager
def _opened(places: Places) -> Iterator[Bundle | None]:
    if places.bundle and places.url:
        raise InvalidRequest("name one source of series: --prometheus URL or --bundle DIR")
    if not places.bundle:
        yield None
        return
    with open_bundle(places.bundle) as bundle:
        yield bundle


@contextmanager
def _source(places: Places, bundle: Bundle | None, asked: TrainingQuestion) -> Iterator[TrainingSource | None]:
    if bundle:
        plans = (*asked.plans, *((asked.usual,) if asked.usual else ()))
        yield BundleTraining(bundle, frozenset(meter.counter.metric for plan in plans for meter in plan.meters))
    elif places.url:
        units = PrometheusUnits(PrometheusConfig(places.url))
        try:
            yield units
        finally:
            units.close()
    else:
        yield None
