"""The kinds of objects that run pods: where each describes them and how many it makes. A new kind is a new line."""

from collections.abc import Mapping

from aicost.domain.workloads.places import JudgedKind
from aicost.domain.workloads.table import batch, kubernetes, ray, serving

AI_WORKLOAD = JudgedKind("aicost.dev", ("v1alpha1",), "AIWorkload", "aiworkloads", models=("/spec/model",))
"""It runs nothing itself; what it says of the pods of others is judged as their labels are."""

KINDS: tuple[JudgedKind, ...] = (*kubernetes.KINDS, *batch.KINDS, *ray.KINDS, *serving.KINDS, AI_WORKLOAD)
"""All kinds that can be read."""

JUDGED_KINDS: tuple[JudgedKind, ...] = tuple(kind for kind in KINDS if kind.in_scope)
"""The kinds that policies judge."""

_BY_NAME: Mapping[tuple[str, str], JudgedKind] = {(kind.group, kind.kind): kind for kind in KINDS}


def kind_of(api_version: str, kind: str) -> JudgedKind | None:
    """The line of the table for an object, None for kinds that run nothing. Any version of a group will do."""
    return _BY_NAME.get((api_version.rpartition("/")[0], kind))
