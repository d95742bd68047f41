"""What an AIWorkload says of its runs of training, as the domain knows it."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from aicost.crd.convert.parsing import Converted, parse
from aicost.crd.models.aiworkload import AIWorkloadSpec
from aicost.crd.models.counter import Counter as CounterModel
from aicost.crd.models.training import ProgressMeter, RunMeter, Training
from aicost.domain.exact.amounts import NANOS_PER_UNIT, parse_nanos
from aicost.domain.training.run_costs import Aims
from aicost.domain.training.terms import Measure, Shape, usual_shape
from aicost.ports.measured.training import Meter, TrainingPlan
from aicost.ports.measured.units import Counter


def training_plan(body: Mapping[str, Any]) -> Converted[TrainingPlan]:
    """Read the plan of an AIWorkload; nothing for one that names no metric of training."""
    read = parse(AIWorkloadSpec, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    if read.value.training is None:
        return Converted(None)
    place = str(body["metadata"]["namespace"]), str(body["metadata"]["name"])
    return Converted(TrainingPlan(*place, tuple(_meters(read.value.training)), _aims(read.value.training)))


def _named(training: Training) -> Iterator[tuple[Measure, CounterModel]]:
    for measure in Measure:
        named = getattr(training, measure.value, None)
        if named is not None:
            yield measure, named


def _meters(training: Training) -> Iterator[Meter]:
    for measure, named in _named(training):
        usual = usual_shape(named.metric) if isinstance(named, RunMeter) else Shape.GAUGE
        stated = named.type if isinstance(named, RunMeter) else None
        yield Meter(measure, Counter(named.metric, dict(named.match_labels or {})), stated or usual)


def _aims(training: Training) -> Aims:
    wholes = {
        measure: Fraction(named.whole)
        for measure, named in _named(training)
        if isinstance(named, RunMeter | ProgressMeter) and named.whole is not None
    }
    if training.quality is None:
        return Aims(wholes)
    return Aims(wholes, Fraction(parse_nanos(training.quality.point), NANOS_PER_UNIT), training.quality.better)
