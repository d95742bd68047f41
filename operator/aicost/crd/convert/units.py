"""The unit of an AIWorkload as the domain knows it: what counts it, and what one may cost."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.convert.parsing import Converted, parse
from aicost.crd.models.aiworkload import AIWorkloadSpec
from aicost.crd.models.counter import Counter as CounterModel
from aicost.domain.budgets.units.targets import UnitTarget
from aicost.domain.exact.amounts import parse_nanos
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
    target = UnitTarget(
        workload=place,
        nanos=None if metric.target_price is None else parse_nanos(metric.target_price),
        per=metric.per,
        currency=metric.currency or "",
        margin_percent=metric.margin_percent or 0,
    )
    return Converted(WorkloadUnit(CounterQuery(*place, _counter(metric.units), successes), target))


def _counter(model: CounterModel) -> Counter:
    return Counter(model.metric, dict(model.match_labels or {}))
