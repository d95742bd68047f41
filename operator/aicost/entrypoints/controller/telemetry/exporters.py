"""The exporters of the cluster: their pods as the watch shows them, with what the last scrape of each said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aicost.adapters.kube.discovery import is_exporter
from aicost.adapters.kube.seen.values import SeenPod
from aicost.domain.inventory.lifetimes import TERMINAL_PHASES
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.scrapes import Scrape
from aicost.domain.trust.values import ExporterSeen, Stranger
from aicost.entrypoints.controller.watching import Sighted


@dataclass(slots=True)
class ClusterExporters:
    """The exporters now (port `Exporters`).

    Attributes:
        ask: asks the source for names that nobody knows.
    """

    sighted: Sighted
    ask: Callable[[], Sequence[Stranger]]
    _scrapes: dict[PodName, Scrape] = field(default_factory=dict)

    def heard(self, scrapes: Sequence[Scrape]) -> None:
        """What all targets answered last; empty where we do not scrape."""
        self._scrapes = {scrape.target.pod: scrape for scrape in scrapes if scrape.target.pod is not None}

    def exporters(self) -> Sequence[ExporterSeen]:
        """Their pods that have not ended."""
        pods = [pod for pod in list(self.sighted.pods.values()) if is_exporter(pod)]
        return tuple(self._seen(pod) for pod in pods if pod.facts.phase not in TERMINAL_PHASES)

    def strangers(self) -> Sequence[Stranger]:
        """What the source has by names that no dialect has; see the port."""
        return self.ask()

    def _seen(self, pod: SeenPod) -> ExporterSeen:
        name, node = (pod.facts.namespace, pod.facts.name), pod.facts.node or ""
        scrape = self._scrapes.get(name)
        if scrape is None:
            return ExporterSeen(name, node, pod.host_pid)
        return ExporterSeen(name, node, pod.host_pid, scrape.error or "", scrape.clock_skew_ms, scrape.foreign)
