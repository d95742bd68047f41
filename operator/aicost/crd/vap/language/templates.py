"""Where CEL finds what objects say of their pods: the table of kinds, turned into expressions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aicost.crd.vap.language.cel import MANY, stands
from aicost.domain.workloads.kinds import KINDS
from aicost.domain.workloads.places import Form, JudgedKind

_HEIRS_ASK: Mapping[str, Sequence[str]] = {"": ("namespaces", "serviceaccounts"), "kueue.x-k8s.io": ("localqueues",)}
"""What pods inherit labels from."""
_HANDED_DOWN = (
    "/spec",
    "/spec/predictor",
    "/spec/transformer",
    "/spec/explainer",
    "/spec/driver",
    "/spec/executor",
    "/spec/services/*",
    "/spec/services/*/spec",
    "/spec/services/*/extraPodMetadata",
    "/spec/podMetadata",
    "/spec/templates/*/metadata",
    "/spec/workflowMetadata",
    "/spec/workflowSpec/podMetadata",
    "/spec/workflowSpec/templates/*/metadata",
)
"""What holds labels and annotations that operators put on the pods of objects without a pod template."""


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
WRAPPED = tuple(sorted({place.at for kind in KINDS for place in kind.places if place.form is Form.OBJECT}))
"""Where kinds hold a whole object of another kind."""
_METADATA = {f"{at}/metadata" for kind in KINDS for at in kind.patched_at if at}
_INNER = {at for kind in KINDS for at in kind.inner}


def _within(metadata: Iterable[str], field: str) -> tuple[str, ...]:
    """A field of metadata; not in lists of lists, which CEL cannot follow."""
    return tuple(sorted(f"{at}/{field}" for at in set(metadata) if at.count(MANY) <= 1))


POD_LABELS = _within({*_METADATA, *_INNER, *_HANDED_DOWN}, "labels")
"""Where objects put labels on their pods, or on what makes these."""
INNER_LABELS = _within(_INNER - set(_HANDED_DOWN), "labels")
"""Those of them that are of what makes the pods, such as the Jobs of a CronJob."""
POD_NOTES = _within({*_METADATA, *_INNER, *_HANDED_DOWN}, "annotations")
"""Where objects put annotations on their pods, or on what makes these."""


def with_wrapped(root: str) -> str:
    """An object and the objects that it wraps, as a list."""
    return f"[{root}] + {stands(root, *WRAPPED)}"
