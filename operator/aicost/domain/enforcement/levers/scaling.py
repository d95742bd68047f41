"""Levers of what scales by itself: autoscalers of Kubernetes, KEDA, Ray and KServe."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from aicost.domain.budgets.gates import Destruction
from aicost.domain.enforcement.levers.lever import Ask, Lever, Writes, first_of, kept_by, number_at, text_at
from aicost.domain.enforcement.values import Json, LeverName
from aicost.domain.enforcement.writing.pointers import annotation, is_there, item, read

KEDA = "keda.sh"
PAUSED_SCALE_OUT = annotation("autoscaling.keda.sh/paused-scale-out")
PAUSED = annotation("autoscaling.keda.sh/paused")
_PAUSED_REPLICAS = annotation("autoscaling.keda.sh/paused-replicas")
_DEPLOYMENT_MODE = annotation("serving.kserve.io/deploymentMode")
_PREDICTOR_MOST, _PREDICTOR_LEAST = "/spec/predictor/maxReplicas", "/spec/predictor/minReplicas"
_OFF = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def _switched_on(at: str) -> Writes:
    """KEDA reads whatever is not false as true."""
    return lambda obj, _: [(at, "true")] if text_at(obj, at, "false") in _OFF else []


def _held_by_keda(obj: Json, _: Ask) -> str:
    """Up to KEDA 2.18 this annotation wins over `paused`, and KEDA scales back to its number."""
    count = text_at(obj, _PAUSED_REPLICAS)
    holds = count not in {"", "0"}
    return f"its annotation autoscaling.keda.sh/paused-replicas holds {count} pods: set that to 0" if holds else ""


PAUSE_AUTOSCALER = Lever(
    LeverName.PAUSE_AUTOSCALER,
    KEDA,
    "ScaledObject",
    "scaledobjects",
    Destruction.FREEZE,
    _switched_on(PAUSED),
    _held_by_keda,
    "KEDA takes its HPA away and scales no more; its target is scaled then. paused-replicas is not used: KEDA once "
    "made an HPA of it that fought for one replica. Where somebody set it, this is refused.",
    "annotation autoscaling.keda.sh/paused: true",
)


def _running(obj: Json, ask: Ask) -> int:
    """Pods that run or are asked for; 0 where the autoscaler has not looked yet, or its target is at 0."""
    said = (number_at(obj, f"/status/{field}") for field in ("currentReplicas", "desiredReplicas"))
    return max(*said, ask.live)


def _not_looked_yet(obj: Json, ask: Ask) -> str:
    return "" if _running(obj, ask) else "it has not counted its pods yet, or its target is at 0 and does not grow"


def _cap(obj: Json, ask: Ask) -> Iterable[tuple[str, Any]]:
    """At what runs now, and never below what it asks for at least: nothing is taken away."""
    now, least = _running(obj, ask), number_at(obj, "/spec/minReplicas", 1)
    most = number_at(obj, "/spec/maxReplicas", 1)
    return [("/spec/maxReplicas", min(most, max(now, least, 1)))]


def _lower(obj: Json, ask: Ask) -> Iterable[tuple[str, Any]]:
    """Bounds at what has to stay, so that it does not scale up again."""
    stays = max(1, ask.floor)
    least = read(obj, "/spec/minReplicas")
    bounds: list[tuple[str, Any]] = [("/spec/maxReplicas", min(number_at(obj, "/spec/maxReplicas", 1), stays))]
    if is_there(least) and number_at(obj, "/spec/minReplicas", 1) > stays:
        bounds.append(("/spec/minReplicas", stays))
    return bounds


LOWER_AUTOSCALER = Lever(
    LeverName.LOWER_AUTOSCALER,
    "autoscaling",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    Destruction.STOP,
    _lower,
    kept_by(),
    "Only where pods have to stay: at 0 replicas an HPA stops by itself. It takes pods away, so it is announced like "
    "the scaling that it goes with.",
    "spec.maxReplicas and spec.minReplicas: what has to stay, 1 at least",
)


def _cap_workers(obj: Json, _: Ask) -> Iterable[tuple[str, Any]]:
    """Each group of workers at what it has now; only where Ray scales by itself.

    Groups of one name are told apart by nothing, so they stay as they are.
    """
    groups = read(obj, "/spec/workerGroupSpecs")
    if read(obj, "/spec/enableInTreeAutoscaling") is not True or not isinstance(groups, list):
        return []
    named = [one for one in groups if isinstance(one, dict) and isinstance(one.get("groupName"), str)]
    count = Counter(one["groupName"] for one in named)
    return [
        (f"/spec/workerGroupSpecs/{item('groupName', one['groupName'])}/maxReplicas", _workers(one))
        for one in named
        if count[one["groupName"]] == 1
    ]


def _workers(group: Json) -> int:
    now = max(number_at(group, "/replicas"), number_at(group, "/minReplicas"))
    return min(now, number_at(group, "/maxReplicas", now))


def _cap_serving(obj: Json, ask: Ask) -> Iterable[tuple[str, Any]]:
    """At what runs now. Without a maximum KServe's HPA does not grow at all."""
    stays = max(1, number_at(obj, _PREDICTOR_LEAST, 1), ask.live)
    return [(_PREDICTOR_MOST, stays)] if number_at(obj, _PREDICTOR_MOST) > stays else []


def _as_revisions(obj: Json, _: Ask) -> str:
    """With Knative the maximum stands in the pod template: another one is another revision, all pods anew."""
    mode = text_at(obj, "/status/deploymentMode") or text_at(obj, _DEPLOYMENT_MODE)
    plain = mode in {"RawDeployment", "Standard"}
    return "" if plain else f"in deployment mode {mode or 'unknown'} another maximum would start all its pods anew"


FREEZE = (
    Lever(
        LeverName.CAP_AUTOSCALER,
        "autoscaling",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        Destruction.FREEZE,
        _cap,
        first_of(kept_by(), _not_looked_yet),
        "One that another object keeps (KEDA, KServe) is written back: refused, its owner is capped instead. So is one "
        "that has not counted its pods yet: it would be capped below them.",
        "spec.maxReplicas: what runs now",
    ),
    Lever(
        LeverName.PAUSE_SCALE_OUT,
        KEDA,
        "ScaledObject",
        "scaledobjects",
        Destruction.FREEZE,
        _switched_on(PAUSED_SCALE_OUT),
        trap="Scaling in goes on. A KEDA that does not know the annotation yet scales out all the same.",
        what="annotation autoscaling.keda.sh/paused-scale-out: true",
    ),
    Lever(
        LeverName.CAP_WORKERS,
        "ray.io",
        "RayCluster",
        "rayclusters",
        Destruction.FREEZE,
        _cap_workers,
        trap="Only where Ray scales by itself; each group stays at what it has.",
        what="spec.workerGroupSpecs[].maxReplicas: what the group has now",
    ),
    Lever(
        LeverName.CAP_SERVING,
        "serving.kserve.io",
        "InferenceService",
        "inferenceservices",
        Destruction.FREEZE,
        _cap_serving,
        _as_revisions,
        "Never below the pods that run: nothing is taken away. Refused with Knative, where another maximum starts all "
        "pods anew.",
        "spec.predictor.maxReplicas: what runs now",
    ),
)
