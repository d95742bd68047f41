"""The unit of an AIWorkload as the domain knows it: what counts it, and what one may cost."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.convert.parsing import Converted, parse
from aicost.crd.convert.success import workload_success
from aicost.crd.models.aiworkload import AIWorkloadSpec, Engine, Telemetry, UnitMetric
from aicost.crd.models.counter import Counter as CounterModel
from aicost.crd.models.serving.fronted import FrontGateway
from aicost.domain.budgets.units.targets import UnitTarget
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.own_units import OwnUnit
from aicost.domain.serving.pipelines.fronts import Front
from aicost.ports.measured.units import Counter, CounterQuery, WorkloadUnit


def workload_unit(body: Mapping[str, Any]) -> Converted[WorkloadUnit]:
    """Read the unit of an AIWorkload; nothing for one that names no counter."""
    read = parse(AIWorkloadSpec, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    metric = read.value.unit_metric
    if metric is None or metric.units is None:
        return Converted(None)
    place = str(body["metadata"]["namespace"]), str(body["metadata"]["name"])
    successes = _counter(metric.successes) if metric.successes else None
    query = CounterQuery(*place, _counter(metric.units), successes)
    return Converted(WorkloadUnit(query, _target(place, metric)))


def own_unit(body: Mapping[str, Any]) -> Converted[OwnUnit]:
    """Read the unit that an AIWorkload is judged by, whoever counts it; nothing for one that names none."""
    read = parse(AIWorkloadSpec, body.get("spec") or {}, "spec")
    metric = None if read.value is None else read.value.unit_metric
    if metric is None:
        return Converted(None, read.problems)
    place = str(body["metadata"]["namespace"]), str(body["metadata"]["name"])
    return Converted(OwnUnit(metric.name, _target(place, metric), metric.units is not None))


def declared_engine(body: Mapping[str, Any]) -> Converted[DeclaredEngine]:
    """Read what an AIWorkload says of its engine, its gateway and success; nothing for one that says nothing of them.

    What is said of success counts where all of it makes sense.
    """
    read = parse(AIWorkloadSpec, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    success, telemetry = workload_success(body).value, read.value.telemetry or Telemetry()
    if read.value.telemetry is None and success is None:
        return Converted(None, read.problems)
    place = str(body["metadata"]["namespace"]), str(body["metadata"]["name"])
    engine = "" if telemetry.engine is Engine.AUTO else telemetry.engine.value
    gateway = "" if telemetry.gateway is FrontGateway.AUTO else telemetry.gateway.value
    aliases = frozenset(alias.lower() for alias in telemetry.model_aliases or ())
    rule = None if success is None else success.rule
    return Converted(DeclaredEngine(place, engine, telemetry.port, Front(gateway, aliases), rule))


def _target(place: tuple[str, str], metric: UnitMetric) -> UnitTarget:
    return UnitTarget(
        workload=place,
        nanos=None if metric.target_price is None else parse_nanos(metric.target_price),
        per=metric.per,
        currency=metric.currency or "",
        margin_percent=metric.margin_percent or 0,
    )


def _counter(model: CounterModel) -> Counter:
    return Counter(model.metric, dict(model.match_labels or {}))
