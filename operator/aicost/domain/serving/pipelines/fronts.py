"""Which gateway stands in front of a workload, and what it calls the models there: as declared, never by a guess.

An alias that several workloads claim is one model that several serve: its tokens are divided among them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.serving.tallies import Tally, add_up

PodName = tuple[str, str]
Did = Mapping[PodName, Mapping[str, Tally]]


@dataclass(frozen=True, slots=True)
class Front:
    """What a workload says of those who call its models.

    Attributes:
        gateway: the one that fronts it; empty for any.
        aliases: names of its model beside those of its engine, in small letters.
    """

    gateway: str = ""
    aliases: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return bool(self.gateway or self.aliases)

    def lets(self, gateway: str) -> bool:
        """Whether what this gateway counts may be of the workload; an empty name is one that no workload names."""
        return self.gateway in {"", gateway}

    def called(self, by_model: Mapping[str, Tally]) -> Mapping[str, Tally]:
        """What was done by each name: an alias stands for all models of the workload."""
        known = {model.lower() for model in by_model}
        aliases = sorted(self.aliases - known)
        if not aliases:
            return by_model
        return {**by_model, **dict.fromkeys(aliases, add_up(list(by_model.values())))}


Fronts = Mapping[WorkloadName, Front]
NO_FRONT = Front()
"""Nothing is said."""


def fronts_of_pods(charged: Iterable[tuple[str, str, str]], fronts: Fronts) -> Mapping[PodName, Front]:
    """Pods whose workload says something.

    Args:
        charged: namespace, pod and AIWorkload, as the ledger charged them.
        fronts: what AIWorkloads say.
    """
    return {
        (namespace, pod): fronts[namespace, workload]
        for namespace, pod, workload in charged
        if (namespace, workload) in fronts
    }


def behind(did: Did, fronts: Mapping[PodName, Front], gateway: str) -> Did:
    """What was done behind one gateway, by each name that it may know it by.

    Args:
        did: pod -> model -> what its engine did.
        fronts: what workloads say, by pod.
        gateway: the gateway; empty for all that no workload names.
    """
    if not fronts:
        return did
    said = ((pod, models, fronts.get(pod, NO_FRONT)) for pod, models in did.items())
    return {pod: front.called(models) for pod, models, front in said if front.lets(gateway)}
