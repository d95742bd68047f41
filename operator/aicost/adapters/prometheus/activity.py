"""What pods do on their hosts, by the series of the kubelet (cAdvisor).

The server sums rates here, unlike for costs: whether a pod is idle asks for an order of magnitude, and raw samples of
all disks and interfaces of all pods would be a hundred times as many. A rate does not tell whether there were samples
all the time: half an hour of which five minutes are known looks like rest. So it is also asked at how many moments of
the span there were any.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from math import isfinite

from aicost.adapters.prometheus.client import PrometheusClient
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration, one_of, selector
from aicost.adapters.prometheus.replies import Vector
from aicost.domain.enforcement.victims.idleness import HostActivity
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.sampling.placement import PodName

_METRICS: Mapping[str, str] = {
    "cpu_cores": "container_cpu_usage_seconds_total",
    "read_bytes_per_s": "container_fs_reads_bytes_total",
    "written_bytes_per_s": "container_fs_writes_bytes_total",
    "received_bytes_per_s": "container_network_receive_bytes_total",
    "sent_bytes_per_s": "container_network_transmit_bytes_total",
}
"""What is known of a pod -> the counter that tells it."""
_POD = "namespace,pod,exported_namespace,exported_pod"
_STEPS = 30
"""At so many moments of a span it is asked whether there are samples: each minute of half an hour."""
_ENOUGH_PERCENT = 90
"""Share of the moments that must have had samples."""
_MOST_NAMES = 200
"""More pods than this are not named one by one: the pods of their namespaces are read, and cut here."""
_PAUSE = "POD"
"""The container that holds the network of a pod and does nothing else, as older runtimes call it."""


class PrometheusActivity:
    """A `HostActivities` over the HTTP API."""

    def __init__(self, config: PrometheusConfig, matchers: Mapping[str, str] | None = None) -> None:
        """Read activities.

        Args:
            config: the server.
            matchers: further labels that the kubelet's series must have, such as its job: then no pod can look busy by
                series of its own that it calls the same.
        """
        self._client = PrometheusClient(config)
        self._matchers = {**config.matchers, **(matchers or {})}

    def activity(self, pods: Collection[PodName], span: Window) -> Mapping[PodName, HostActivity]:
        """What each pod did on its host, as means over the span; see the port."""
        found = dict.fromkeys(pods, HostActivity())
        if not found or not span.length_ms:
            return found
        for name, metric in _METRICS.items():
            for pod, rate in self._rates(metric, found.keys(), span).items():
                found[pod] = replace(found[pod], **{name: rate})
        return found

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _rates(self, metric: str, pods: Collection[PodName], span: Window) -> dict[PodName, float]:
        """Rate per second of the pods that had samples for enough of the span."""
        over = duration(span.length_ms)
        rates = " or ".join(f"rate({one}[{over}])" for one in self._selectors(metric, pods))
        known = self._enough(metric, pods, span)
        parts: dict[PodName, dict[str, float]] = {pod: {} for pod in known}
        for pod, labels, value in self._ask(f"sum by ({_POD},container) ({rates})", span.end_ms):
            if pod in known:
                container = labels.get("container", "")
                parts[pod][container] = parts[pod].get(container, 0.0) + value
        return {pod: _of_a_pod(one) for pod, one in parts.items() if one and all(map(isfinite, one.values()))}

    def _enough(self, metric: str, pods: Collection[PodName], span: Window) -> set[PodName]:
        """Pods that have samples at enough moments of the span."""
        anything = " or ".join(self._selectors(metric, pods))
        step_ms = max(SECOND_MS, span.length_ms // _STEPS)
        steps = max(1, span.length_ms // step_ms)
        over = f"{duration(steps * step_ms)}:{duration(step_ms)}"
        query = f"count_over_time(count by ({_POD}) ({anything})[{over}])"
        moments: dict[PodName, float] = {}
        for pod, _, count in self._ask(query, span.end_ms):
            moments[pod] = max(moments.get(pod, 0.0), count)
        return {pod for pod in pods if moments.get(pod, 0.0) * 100 >= steps * _ENOUGH_PERCENT}

    def _selectors(self, metric: str, pods: Collection[PodName]) -> Iterator[str]:
        """Series without one in common: those that name the pod themselves, and those whose labels were renamed."""
        namespaces, names = sorted({pod[0] for pod in pods}), sorted({pod[1] for pod in pods})
        for prefix in ("", "exported_"):
            scope = [one_of(f"{prefix}namespace", namespaces)]
            scope += [one_of(f"{prefix}pod", names)] if len(names) <= _MOST_NAMES else [f'{prefix}pod!=""']
            scope += [] if prefix else ['exported_pod=""']
            yield selector((metric,), self._matchers, *scope)

    def _ask(self, query: str, at_ms: int) -> Iterator[tuple[PodName, Mapping[str, str], float]]:
        """Pod, labels and value of each answer; the pod as the labels name it."""
        for one in self._client.query(query, at_ms, Vector).result:
            labels = one.metric
            prefix = "exported_" if labels.get("exported_pod") else ""
            namespace = labels.get(f"{prefix}namespace") or labels.get("namespace", "")
            yield (namespace, labels.get(f"{prefix}pod", "")), labels, float(one.value[1])


def _of_a_pod(containers: Mapping[str, float]) -> float:
    """The pod's own row, or the sum of its containers, whichever is more: where both are, they say the same twice."""
    whole = containers.get("", 0.0) + containers.get(_PAUSE, 0.0)
    return max(whole, sum(rate for name, rate in containers.items() if name not in {"", _PAUSE}))
