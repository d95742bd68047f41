"""What else stands around workloads in their namespaces: autoscalers, schedules, queues, disruption budgets."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from aicost.domain.enforcement.levers.lever import number_at, text_at
from aicost.domain.enforcement.values import Json, ObjectRef
from aicost.domain.enforcement.victims.candidates import Candidate
from aicost.domain.enforcement.writing.pointers import read
from aicost.domain.identity.claims import LabelExpression, LabelSelector
from aicost.domain.identity.selectors import selects, unknown_operators


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Objects by kind, as the API server shows them, of the namespaces that a budget acts in.

    Attributes:
        autoscalers: HorizontalPodAutoscalers.
        scaled: KEDA's ScaledObjects.
        schedules: CronJobs and their like.
        queued: Kueue's Workloads.
        queues: Kueue's LocalQueues.
        disruptions: PodDisruptionBudgets.
        quotas: ResourceQuotas.
        others: RayClusters, InferenceServices and what else may grow by itself.
        missing: kinds that we may not read, with the right that is missing.
    """

    autoscalers: Sequence[Json] = ()
    scaled: Sequence[Json] = ()
    schedules: Sequence[Json] = ()
    queued: Sequence[Json] = ()
    queues: Sequence[Json] = ()
    disruptions: Sequence[Json] = ()
    quotas: Sequence[Json] = ()
    others: Sequence[Json] = ()
    missing: Sequence[str] = ()

    def within(self, namespaces: Container[str]) -> "Surroundings":
        """Those in some namespaces alone."""
        names = (one.name for one in fields(self) if one.name != "missing")
        kept = {name: tuple(one for one in getattr(self, name) if _space(one) in namespaces) for name in names}
        return replace(self, **kept)

    def autoscalers_of(self, target: ObjectRef) -> list[Json]:
        """HorizontalPodAutoscalers that scale an object and that nobody else keeps."""
        return [
            one for one in self.autoscalers if _scales(one, target) and not read_list(one, "/metadata/ownerReferences")
        ]

    def scaled_of(self, target: ObjectRef) -> list[Json]:
        """ScaledObjects that scale an object."""
        return [one for one in self.scaled if _scales(one, target)]

    def queued_of(self, target: ObjectRef) -> Json | None:
        """The Workload by which Kueue manages an object."""
        return next((one for one in self.queued if target.uid in _owner_uids(one)), None)

    def floors(self, found: Sequence[Candidate]) -> Mapping[str, int]:
        """Uid of a workload -> pods that disruption budgets keep, where it alone is stopped."""
        return {one.target.uid: floor for one in found if (floor := self._floor(one))}

    def floors_together(self, going: Sequence[Candidate]) -> Mapping[str, int]:
        """The same for workloads that are all stopped: what one gives up of a disruption budget, others must keep."""
        found: dict[str, int] = {}
        gone: Counter[int] = Counter()
        for one in going:
            mine = {at: count for at, budget in enumerate(self.disruptions) if (count := _selected(budget, one))}
            floor = max((_kept(self.disruptions[at], count, gone[at]) for at, count in mine.items()), default=0)
            gone.update({at: min(count, one.live - floor) for at, count in mine.items()})
            if floor:
                found[one.target.uid] = floor
        return found

    def keeping(self, one: Candidate) -> "Surroundings":
        """With the disruption budgets alone that keep pods of a workload."""
        return replace(self, disruptions=tuple(each for each in self.disruptions if _selected(each, one)))

    def _floor(self, one: Candidate) -> int:
        return max((_kept(budget, _selected(budget, one)) for budget in self.disruptions), default=0)


def _space(obj: Json) -> str:
    return text_at(obj, "/metadata/namespace")


def ref_of(obj: Json) -> ObjectRef:
    """The object as it is referred to."""
    metadata = obj.get("metadata") or {}
    texts = (str(metadata.get(name, "")) for name in ("namespace", "name", "uid"))
    return ObjectRef(str(obj.get("apiVersion", "")), str(obj.get("kind", "")), *texts)


def read_list(obj: Json, pointer: str) -> list[Any]:
    """A list, empty where none stands there."""
    found = read(obj, pointer)
    return found if isinstance(found, list) else []


def _scales(scaler: Json, target: ObjectRef) -> bool:
    """Whether an autoscaler is about an object. KEDA leaves the kind out where it means a Deployment."""
    at = "/spec/scaleTargetRef"
    kind = text_at(scaler, f"{at}/kind") or "Deployment"
    namespace = text_at(scaler, "/metadata/namespace")
    return (kind, text_at(scaler, f"{at}/name"), namespace) == (target.kind, target.name, target.namespace)


def _owner_uids(obj: Json) -> set[str]:
    return {str(one.get("uid", "")) for one in read_list(obj, "/metadata/ownerReferences") if isinstance(one, dict)}


def _selected(budget: Json, one: Candidate) -> int:
    """Pods of a workload that one disruption budget is about."""
    if text_at(budget, "/metadata/namespace") != one.target.namespace:
        return 0
    selector = _selector(read(budget, "/spec/selector"))
    return sum(1 for pod in one.pods if selector is not None and selects(selector, pod.record.facts.labels))


def _kept(budget: Json, mine: int, gone: int = 0) -> int:
    """Pods that one disruption budget keeps of so many, as its status counts them, once others of it are gone."""
    desired, healthy = number_at(budget, "/status/desiredHealthy"), number_at(budget, "/status/currentHealthy")
    return max(0, min(mine, desired - max(0, healthy - mine - gone)))


def _selector(raw: Any) -> LabelSelector | None:
    """A label selector of Kubernetes; None where it is none or says something that nobody knows."""
    if not isinstance(raw, Mapping):
        return None
    terms = [one for one in raw.get("matchExpressions") or () if isinstance(one, Mapping)]
    found = LabelSelector(
        {str(key): str(value) for key, value in (raw.get("matchLabels") or {}).items()},
        tuple(
            LabelExpression(str(one.get("key", "")), str(one.get("operator", "")), tuple(one.get("values") or ()))
            for one in terms
        ),
    )
    return None if unknown_operators(found) else found
