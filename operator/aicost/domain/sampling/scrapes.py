"""Who was scraped, and one answer of one exporter: as it is read, and as a journal keeps it.

A series alone does not tell which pod and node it was scraped from: with `honor_labels` the exporter's labels win, and
`pod` may be the workload or the exporter. The series `up` always has the target's own labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Labels = Mapping[str, str]
_NODE_LABELS = ("node", "kubernetes_node")


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """Who was asked.

    Attributes:
        url: where its metrics are: what tells targets apart.
        node: the node that the exporter runs on, None where it is not known.
        pod: (namespace, name) of the exporter's pod.
    """

    url: str
    node: str | None = None
    pod: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Which series a value belongs to.

    Attributes:
        name: metric name as the exporter writes it.
        labels: label pairs, sorted by name.
        help: HELP text of the metric, empty where there is none.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one series, as one scrape shows it: the scalar form of a `RawSeries`."""

    name: str
    labels: Mapping[str, str]
    value: float
    help: str = ""

    @property
    def key(self) -> SeriesKey:
        """Which series the value belongs to."""
        return SeriesKey(self.name, tuple(sorted(self.labels.items())), self.help)


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one target answered once.

    Attributes:
        target: who was asked.
        at_ms: when it was asked, by our own clock: the time of each reading, whatever the exporter stamped.
        readings: the needed values; NaN, infinities and sentinels included.
        defects: lines that could not be read; the others were.
        clock_skew_ms: how far the exporter's own stamps are ahead of ours, None where it stamps nothing.
        error: why there is no reading, None where there is an answer.
        foreign: names of GPU metrics in the answer that nobody needs, or that no dialect has.
    """

    target: ScrapeTarget
    at_ms: int
    readings: tuple[Reading, ...] = ()
    defects: int = 0
    clock_skew_ms: int | None = None
    error: str | None = None
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A scraped exporter, as far as it is known."""

    pod: tuple[str, str] | None = None
    node: str | None = None


UNKNOWN = Target()


@dataclass(frozen=True, slots=True)
class Targets:
    """Which exporter each series was scraped from.

    Attributes:
        by_scrape: what the targets of one job and instance agree on.
        pods: each pod that is known to be a target -> its node, None where it is not known.
    """

    by_scrape: Mapping[tuple[str, str], Target]
    pods: Mapping[tuple[str, str], str | None]

    def of(self, labels: Labels) -> Target:
        """The target of a series: the pod of its labels if that is one, else what its job and instance agree on.

        An address has several targets in turn where an exporter is restarted; whoever writes samples by hand leaves
        job and instance out.
        """
        agreed, pod = self.by_scrape.get(scrape_of(labels), UNKNOWN), _pod(labels)
        if pod is None or pod == agreed.pod or pod not in self.pods:
            return agreed
        return Target(pod, self.pods[pod] or agreed.node)


def scrape_of(labels: Labels) -> tuple[str, str]:
    """What `up` and the series of one target share."""
    return labels.get("job", ""), labels.get("instance", "")


def targets_of(up: Iterable[Labels], series: Sequence[Labels]) -> Targets:
    """The targets of series.

    Args:
        up: labels of the `up` series. Where series have neither job nor instance, each `up` may be theirs.
        series: labels of the samples' series: where they have `exported_pod`, their `pod` is the target.
    """
    told: dict[tuple[str, str], set[Target]] = {}
    for labels in up:
        node = next((labels[label] for label in _NODE_LABELS if labels.get(label)), None)
        told.setdefault(scrape_of(labels), set()).add(Target(_pod(labels), node))
    beside: dict[tuple[str, str], set[Target]] = {}
    for labels in series:
        if labels.get("exported_pod"):
            beside.setdefault(scrape_of(labels), set()).add(Target(_pod(labels)))
    asked = {scrape_of(labels) for labels in series}
    mine = [told[scrape] for scrape in told if scrape in asked or ("", "") in asked]
    return Targets(
        {scrape: _agreed(targets) for scrape, targets in (beside | told).items()},
        _pods_of(set().union(*mine, *beside.values())),
    )


def _pods_of(targets: Iterable[Target]) -> dict[tuple[str, str], str | None]:
    """The pods of targets with their nodes; also without the namespace, which whoever writes by hand leaves out."""
    nodes: dict[tuple[str, str], set[str]] = {}
    for target in targets:
        if target.pod:
            for pod in (target.pod, ("", target.pod[1])):
                nodes.setdefault(pod, set()).update([target.node] if target.node else [])
    return {pod: next(iter(found)) if len(found) == 1 else None for pod, found in nodes.items()}


def _pod(labels: Labels) -> tuple[str, str] | None:
    pod = labels.get("pod")
    return (labels.get("namespace", ""), pod) if pod else None


def _agreed(targets: set[Target]) -> Target:
    """An address that was two pods in the span names neither; they may still agree on the node."""
    pods, nodes = {target.pod for target in targets}, {target.node for target in targets}
    return Target(pods.pop() if len(pods) == 1 else None, nodes.pop() if len(nodes) == 1 else None)
