"""An AIWorkload as the domain knows it: a claim on pods."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.convert.parsing import Converted, parse
from aicost.crd.fields import selection
from aicost.crd.models.aiworkload import AIWorkloadSpec, Dimensions
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.identity.claims import LabelExpression, LabelSelector, TargetRef, WorkloadClaim
from aicost.domain.identity.dimensions import Dimension


def workload_claim(body: Mapping[str, Any]) -> Converted[WorkloadClaim]:
    """Read an AIWorkload as the API server shows it."""
    read = parse(AIWorkloadSpec, body.get("spec") or {}, "spec")
    if read.value is None:
        return Converted(None, read.problems)
    metadata, spec = body["metadata"], read.value
    claim = WorkloadClaim(
        namespace=str(metadata["namespace"]),
        name=str(metadata["name"]),
        uid=str(metadata["uid"]),
        created_ms=from_rfc3339(str(metadata["creationTimestamp"])),
        target=_target(spec.target_ref),
        selector=label_selector(spec.selector),
        dimensions=_dimensions(spec),
        gpu_split=spec.gpu_split,
    )
    return Converted(claim)


def _target(target: selection.TargetRef | None) -> TargetRef | None:
    return None if target is None else TargetRef(target.api_version, target.kind, target.name)


def label_selector(selector: selection.LabelSelector | None) -> LabelSelector | None:
    """A label selector as the domain knows it, None for none."""
    if selector is None:
        return None
    terms = selector.match_expressions or ()
    return LabelSelector(
        match_labels=selector.match_labels or {},
        expressions=tuple(LabelExpression(term.key, term.operator.value, tuple(term.values or ())) for term in terms),
    )


def _dimensions(spec: AIWorkloadSpec) -> dict[Dimension, str]:
    """The values by dimension: a field of `spec.dimensions` is the dimension's name with underscores."""
    named = (spec.dimensions or Dimensions()).model_dump(exclude_none=True)
    values = {Dimension(name.replace("_", "-")): str(value) for name, value in named.items()}
    said = ((Dimension.MODEL, spec.model), (Dimension.WORKLOAD_TYPE, spec.workload_type), (Dimension.STAGE, spec.stage))
    return {**values, **{dimension: str(value) for dimension, value in said if value is not None}}
