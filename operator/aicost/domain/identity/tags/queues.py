"""Which queue a pod was submitted to: its labels speak for all that run through it."""

from collections.abc import Iterator, Mapping

from aicost.domain.inventory.cluster import QueueFacts
from aicost.domain.inventory.pods import PodFacts
from aicost.domain.workloads.queues import QUEUE_LABELS


def queue_of(pod: PodFacts, queues: Mapping[tuple[str, str], QueueFacts]) -> QueueFacts | None:
    """The queue of a pod, None where it names none that is known. A queue of its namespace goes before a cluster's.

    Kueue's label stands on the job, not on each of its pods, so owners are asked too.
    """
    if not queues:
        return None
    for name in _names(pod):
        found = queues.get((pod.namespace, name)) or queues.get(("", name))
        if found is not None:
            return found
    return None


def _names(pod: PodFacts) -> Iterator[str]:
    """Names of queues, the nearest first."""
    for words in (pod.labels, pod.annotations, *(owner.labels for owner in pod.owners)):
        yield from (words[key] for key in QUEUE_LABELS if key in words)
