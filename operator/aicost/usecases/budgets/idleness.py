"""Whether pods do something: by samples of their GPUs, and by what they do on their hosts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aicost.domain.attribution.timeline import Timelines
from aicost.domain.enforcement.names import PHASE
from aicost.domain.enforcement.victims.idleness import IDLE_SPAN_MS, HostActivity, Use, idle
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.inventory.pods import PodFacts
from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.identity import context_of
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import DeviceSeries, Telemetry
from aicost.ports.inventory import Inventory
from aicost.ports.measured.activity import HostActivities
from aicost.ports.telemetry import TelemetrySource

_PADDING_MS = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class PodUses:
    """Says of pods whether they are idle, busy, or unknown."""

    inventory: Inventory
    telemetry: TelemetrySource
    hosts: HostActivities

    def __call__(self, pods: Sequence[PodFacts], now_ms: int) -> Mapping[str, Use]:
        """Uid of a pod -> whether it does something.

        A pod that has held its devices for less than half an hour is unknown, and so is one whose samples name nobody.

        Raises:
            SourceUnavailable, InvalidAnswer, NotPermitted, InvalidRequest: the source did not answer.
        """
        span = Window(now_ms - IDLE_SPAN_MS, now_ms)
        old = [pod for pod in pods if pod.bound_ms is not None and pod.bound_ms <= span.start_ms]
        if not old:
            return {}
        telemetry = self._read(span, now_ms)
        devices = devices_of(telemetry.series)
        lines = Timelines(telemetry.series, telemetry.interval_ms, collection_ms=telemetry.collection_ms)
        hosts = self.hosts.activity({(pod.namespace, pod.name) for pod in old}, span)
        return {pod.uid: self._use(pod, devices, lines, hosts, span) for pod in old}

    def _read(self, span: Window, now_ms: int) -> Telemetry:
        padded = Window(span.start_ms - _PADDING_MS, span.end_ms)
        facts = self.inventory.facts(padded)
        return read_telemetry(
            tuple(self.telemetry.samples(padded)), context_of(facts, self.telemetry.interval_ms), now_ms
        )

    def _use(
        self,
        pod: PodFacts,
        devices: Mapping[PodName, frozenset[str]],
        lines: Timelines,
        hosts: Mapping[PodName, HostActivity],
        span: Window,
    ) -> Use:
        name = (pod.namespace, pod.name)
        found = [lines.of_device(device, span) for device in sorted(devices.get(name, ()))]
        gpu = [one for one in found if one is not None]
        host = [hosts[name]] if name in hosts else []
        phase = [pod.annotations[PHASE]] if pod.annotations.get(PHASE) else []
        return idle(gpu, host, phase, span).use


def devices_of(series: Iterable[DeviceSeries]) -> Mapping[PodName, frozenset[str]]:
    """Pod -> devices that samples show it on."""
    found: defaultdict[PodName, set[str]] = defaultdict(set)
    for one in series:
        for pod in (one.holder, *one.holders):
            if pod is not None:
                found[pod].add(one.device)
    return {pod: frozenset(devices) for pod, devices in found.items()}
