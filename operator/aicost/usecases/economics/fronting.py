"""What gateways counted of some pods, behind the gateway and by the names that AIWorkloads declare."""

from collections.abc import Collection, Iterable, Mapping

from aicost.domain.serving.counted import PodName
from aicost.domain.serving.pipelines.asking import Served, asking_of, served
from aicost.domain.serving.pipelines.fronts import Front, behind
from aicost.domain.serving.rounds.counting import RoundCount, scaled
from aicost.domain.serving.tenants import Asked, Asking
from aicost.usecases.economics.workload_costs import Did, Done, done_of, parts_of

_UNNAMED = ""
"""All gateways that no workload names."""


class Fronting:
    """What each gateway may have counted: of the pods that it fronts alone.

    Args:
        did: pod -> model -> what its engine did.
        fronts: what AIWorkloads say of gateways and aliases, by pod.
    """

    def __init__(self, did: Did, fronts: Mapping[PodName, Front]) -> None:
        self._fronts = fronts
        gateways = {front.gateway for pod, front in fronts.items() if pod in did} | {_UNNAMED}
        self._did: Mapping[str, Did] = {gateway: behind(did, fronts, gateway) for gateway in sorted(gateways)}
        self._served: Mapping[str, Served] = {name: served(one.values()) for name, one in self._did.items()}
        self._done: Mapping[str, Done] = {name: done_of(one, one) for name, one in self._did.items()}

    def names(self, pods: Iterable[PodName]) -> tuple[str, ...]:
        """All names by which gateways may call the models of some pods, in small letters."""
        seen = ((pod, did) for pod in pods for did in self._did.values())
        return tuple(sorted({model.lower() for pod, did in seen for model in did.get(pod, {}) if model}))

    def gateway(self, pods: Iterable[PodName]) -> str:
        """The gateway that all of some pods name; empty where one does not."""
        named = {self._fronts[pod].gateway if pod in self._fronts else _UNNAMED for pod in pods}
        return named.pop() if len(named) == 1 else _UNNAMED

    def asked(self, asking: Asking, pods: Collection[PodName]) -> Asking:
        """What was asked of some pods, of all that was."""
        mine = {view: served(did[pod] for pod in pods if pod in did) for view, did in self._did.items()}
        found: dict[str, Mapping[str, Mapping[str, Asked]]] = {}
        for gateway, models in asking.items():
            view = self._view(gateway)
            found |= asking_of({gateway: models}, mine[view], self._served[view])
        return found

    def rounds(self, rounds: Iterable[RoundCount], pods: Collection[PodName]) -> tuple[RoundCount, ...]:
        """What is behind the requests for some pods, of all that is."""
        parts = {
            view: parts_of(done_of((pod for pod in pods if pod in did), did), self._done[view])
            for view, did in self._did.items()
        }
        return tuple(part for one in rounds for part in scaled([one], parts[self._view(one.gateway)]))

    def _view(self, gateway: str) -> str:
        return gateway if gateway in self._did else _UNNAMED
