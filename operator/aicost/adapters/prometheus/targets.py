"""Which pod and node a series was scraped from.

A series alone does not tell: with `honor_labels` the exporter's labels win, and `pod` may be the workload or the
exporter. The series `up` always has the target's own labels.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Labels = Mapping[str, str]
_NODE_LABELS = ("node", "kubernetes_node")


@dataclass(frozen=True, slots=True)
class Target:
    """A scraped exporter, as far as it is known."""

    pod: tuple[str, str] | None = None
    node: str | None = None


UNKNOWN = Target()


def scrape_of(labels: Labels) -> tuple[str, str]:
    """What `up` and the series of one target share."""
    return labels.get("job", ""), labels.get("instance", "")


def targets_of(up: Iterable[Labels], series: Iterable[Labels]) -> Mapping[tuple[str, str], Target]:
    """The target behind each job and instance.

    Args:
        up: labels of the `up` series.
        series: labels of the samples' series: where they have `exported_pod`, their `pod` is the target.
    """
    found: dict[tuple[str, str], set[Target]] = {}
    for labels in up:
        node = next((labels[label] for label in _NODE_LABELS if labels.get(label)), None)
        found.setdefault(scrape_of(labels), set()).add(Target(_pod(labels), node))
    for labels in series:
        if labels.get("exported_pod") and scrape_of(labels) not in found:
            found[scrape_of(labels)] = {Target(_pod(labels))}
    return {key: _agreed(targets) for key, targets in found.items()}


def _pod(labels: Labels) -> tuple[str, str] | None:
    pod = labels.get("pod")
    return (labels.get("namespace", ""), pod) if pod else None


def _agreed(targets: set[Target]) -> Target:
    """An address that was two pods in the span names neither; they may still agree on the node."""
    pods, nodes = {target.pod for target in targets}, {target.node for target in targets}
    return Target(pods.pop() if len(pods) == 1 else None, nodes.pop() if len(nodes) == 1 else None)
