"""The queue that an object is submitted to."""

from collections.abc import Mapping

from aicost.domain.inventory.node_labels import first_label
from aicost.domain.workloads.foreign import Json, at, pointer, text
from aicost.domain.workloads.places import JudgedKind

QUEUE_LABELS = (
    "kueue.x-k8s.io/queue-name",
    "kai.scheduler/queue",
    "runai/queue",
    "volcano.sh/queue-name",
    "scheduling.volcano.sh/queue-name",
)
"""Labels, and annotations too, that name the queue of Kueue, KAI, Run:ai and Volcano, the first that is set counts."""


def queue_of(kind: JudgedKind, obj: Json, labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """The queue by the kind's own field, by a label or by an annotation; empty for none."""
    own = text(at(obj, pointer(kind.queue))) if kind.queue else ""
    return own or first_label(labels, QUEUE_LABELS) or first_label(annotations, QUEUE_LABELS)
