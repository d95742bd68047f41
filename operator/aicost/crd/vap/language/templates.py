"""Where CEL finds what objects say of their pods: the table of kinds, turned into expressions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aicost.crd.vap.language.cel import MANY, stands
from aicost.domain.workloads.kinds import KINDS
from aicost.domain.workloads.places import Form, JudgedKind

_HEIRS_ASK: Mapping[str, Sequence[str]] = {"": ("namespaces", "serviceaccounts"), "kueue.x-k8s.io": ("localqueues",)}
"""What pods inherit labels from."""
_HANDED_DOWN = (
    "/spec/labels",
    "/spec/predictor/labels",
    "/spec/transformer/labels",
    "/spec/explainer/labels",
    "/spec/driver/labels",
    "/spec/executor/labels",
    "/spec/services/*/labels",
    "/spec/services/*/spec/labels",
    "/spec/services/*/extraPodMetadata/labels",
    "/spec/podMetadata/labels",
    "/spec/templates/*/metadata/labels",
    "/spec/workflowMetadata/labels",
    "/spec/workflowSpec/podMetadata/labels",
    "/spec/workflowSpec/templates/*/metadata/labels",
)
"""Labels that operators put on the pods of objects without a pod template."""


def plurals(kinds: Iterable[JudgedKind], *more: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Plurals by API group."""
    by_group = defaultdict[str, set[str]](set)
    for kind in kinds:
        by_group[kind.group].add(kind.plural)
    for others in more:
        for group, names in others.items():
            by_group[group] |= set(names)
    return {group: sorted(names) for group, names in sorted(by_group.items())}


SPEAKING = plurals(KINDS, _HEIRS_ASK)
"""All that can say whom a cost is charged to."""
OWNERS = tuple(sorted({kind.kind for kind in KINDS}))
"""Kinds that own what controllers make."""
_WRAPPED = tuple(sorted({place.at for kind in KINDS for place in kind.places if place.form is Form.OBJECT}))
_METADATA = {f"{at}/metadata/labels" for kind in KINDS for at in kind.patched_at if at}
_INNER = {f"{at}/labels" for kind in KINDS for at in kind.inner}
_ALL_LABELS = sorted({*_METADATA, *_INNER, *_HANDED_DOWN})
POD_LABELS = tuple(at for at in _ALL_LABELS if at.count(MANY) <= 1)
"""Where objects put labels on their pods, or on what makes these; not in lists of lists, which CEL cannot follow."""


def with_wrapped(root: str) -> str:
    """An object and the objects that it wraps, as a list."""
    return f"[{root}] + {stands(root, *_WRAPPED)}"
