"""The pods of a node as holders of CPU and memory; those that are no AI workload are summed by namespace."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from aicost.domain.attribution.resolvers.table import may_hold
from aicost.domain.attribution.resources.stating import Resident
from aicost.domain.attribution.resources.use import ClusterUse, PodUse
from aicost.domain.attribution.system_pods import is_system
from aicost.domain.attribution.tenancies import whole_span
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.inventory.resizes import requests_over
from aicost.domain.ledger.rows import Component, Holder
from aicost.domain.sampling.series import DeviceSeries


@dataclass(frozen=True, slots=True)
class Counting:
    """What a statement counts beside the GPUs.

    Attributes:
        components: of cpu, memory and storage those that are charged, in this order.
        each_pod: rows for every pod, and not only for AI workloads.
    """

    components: tuple[Component, ...] = (Component.CPU, Component.MEMORY, Component.STORAGE)
    each_pod: bool = False


ALL_COUNTED = Counting()


class Identify(Protocol):
    """Says who a pod is, and who a pod is that looks like it; see `Identifier`."""

    def __call__(self, record: PodRecord, /) -> Holder:
        """Who it is."""
        ...

    def like(self, record: PodRecord, /) -> Holder:
        """Who the first pod is that differs from it in no more than its name."""
        ...


class Payers:
    """Who a pod is in rows of CPU, memory and storage.

    A pod is an AI workload if it asks for accelerators, if an AIWorkload claims it, or if anything beside its
    namespace says who pays for it. All others of a namespace are one holder: their rows would say nothing that the
    namespace does not, and there are many of them.

    Args:
        identify: who a pod is.
        of_namespace: who pays for a namespace where nothing else is known.
        each_pod: no pods are summed.
    """

    def __init__(self, identify: Identify, of_namespace: Callable[[str], Holder], *, each_pod: bool) -> None:
        self._identify, self._of_namespace, self._each_pod = identify, of_namespace, each_pod
        self._pods: dict[str, Holder] = {}
        self._namespaces: dict[str, Holder] = {}

    def of(self, record: PodRecord) -> Holder:
        """The holder that a pod's rows go to; the same object each time."""
        uid = record.facts.uid
        if uid not in self._pods:
            self._pods[uid] = self._decide(record)
        return self._pods[uid]

    def of_namespace(self, name: str) -> Holder:
        """The holder of what belongs to a namespace and to no pod."""
        if name not in self._namespaces:
            self._namespaces[name] = self._of_namespace(name)
        return self._namespaces[name]

    def _decide(self, record: PodRecord) -> Holder:
        if self._each_pod or may_hold(record.facts):
            return self._identify(record)
        alike, common = self._identify.like(record), self.of_namespace(record.facts.namespace)
        same = not alike.workload and (alike.dimensions, alike.provenance) == (common.dimensions, common.provenance)
        return common if same else self._identify(record)


def residents_of(
    presence: Window,
    pods: Iterable[tuple[int, PodRecord]],
    series: Sequence[DeviceSeries],
    interval_ms: int,
    use: ClusterUse,
    payers: Payers,
) -> Iterator[Resident]:
    """The pods that were on a node, in an order of their own: the last nano of a division goes by it.

    Args:
        presence: the part of the window in which the node was there.
        pods: index and record of each pod that was bound to it.
        series: samples of the node's devices: they may tell when a pod ended that nobody saw end.
        interval_ms: time between these samples.
        use: what pods used.
        payers: who they are.
    """
    for _, record in sorted(pods, key=lambda one: one[1].facts.uid):
        facts, gap = record.facts, record.gap
        used = use.of((facts.namespace, facts.name))
        span = _held(record, presence) if gap is None else _told(record, gap, series, interval_ms, used, presence)
        if span is not None:
            steps, uncertain = tuple(requests_over(record, span)), gap is not None and gap.overlaps(presence)
            yield Resident(payers.of(record), steps, used, is_system(facts.containers), uncertain)


def _held(record: PodRecord, presence: Window) -> Window | None:
    """The part of the presence in which a pod held what it asked for; that is the whole presence of most pods."""
    bound_ms, until_ms = record.facts.bound_ms, record.held_until_ms
    there = bound_ms is not None and bound_ms <= presence.start_ms and (until_ms is None or until_ms >= presence.end_ms)
    return presence if there else record.holding(presence)


def _told(
    record: PodRecord, gap: Window, series: Sequence[DeviceSeries], interval_ms: int, use: PodUse, presence: Window
) -> Window | None:
    """The same of a pod whose end went unseen: it is told by samples of it."""
    if record.facts.bound_ms is None:
        return None
    span = whole_span(record, series, interval_ms, presence.end_ms)
    seen = [int(end) for levels in (use.cpu, use.memory) for end in levels.end_ms if end in gap]
    span = replace(span, end_ms=max(span.end_ms, *seen)) if seen else span
    return span.overlap(presence)
