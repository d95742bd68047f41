"""Levers of what serves: replicas of whatever kind, and KServe."""

from typing import Any

from aicost.domain.budgets.gates import Destruction
from aicost.domain.enforcement.levers.lever import Ask, Lever, Writes, kept_by, number_at, setting, text_at
from aicost.domain.enforcement.values import Json, LeverName
from aicost.domain.enforcement.writing.pointers import annotation, is_there, read

REPLICAS = "/spec/replicas"
SCALE_REPLICAS = "/scale/spec/replicas"
"""Where the number stands in an object that is read together with its `/scale`."""
STOP_SERVING = annotation("serving.kserve.io/stop")


def _down(at: str) -> Writes:
    """Down to what has to stay; never up."""
    return lambda obj, ask: [(at, min(number_at(obj, at, 1), ask.floor))]


def _no_number(obj: Json, _: Ask) -> str:
    said = is_there(read(obj, SCALE_REPLICAS))
    return "" if said else "its /scale names no number of replicas: its own controller chooses it"


_STAYS = "spec.replicas: 0, or what has to stay"


def _loses_volumes(obj: Json, _: Ask) -> str:
    policy = text_at(obj, "/spec/persistentVolumeClaimRetentionPolicy/whenScaled")
    return "its volumes are deleted when it is scaled down (whenScaled: Delete)" if policy == "Delete" else ""


def _replicated(group: str, kind: str, trap: str = "", **more: Any) -> Lever:
    plural = f"{kind.lower()}s"
    return Lever(
        LeverName.SCALE, group, kind, plural, Destruction.STOP, _down(REPLICAS), trap=trap, what=_STAYS, **more
    )


def _serving(kind: str) -> Lever:
    return Lever(
        LeverName.STOP_SERVING,
        "serving.kserve.io",
        kind,
        f"{kind.lower()}s",
        Destruction.STOP,
        setting(STOP_SERVING, "true"),
        trap="KServe takes all its pods away; the endpoint answers no more.",
        what="annotation serving.kserve.io/stop: true",
    )


ANY_SCALE = Lever(
    LeverName.SCALE,
    "",
    "",
    "",
    Destruction.STOP,
    _down(SCALE_REPLICAS),
    _no_number,
    "Any other kind with a /scale. Who else writes its replicas is found out by a fight.",
    "replicas of its /scale: 0, or what has to stay",
)
"""For kinds that are in no table and can be scaled."""

STOP = (
    *map(_serving, ("InferenceService", "LLMInferenceService", "InferenceGraph")),
    _replicated("apps", "Deployment", "An HPA stops at 0 replicas by itself; KEDA does not and is paused first."),
    _replicated(
        "apps", "StatefulSet", "With whenScaled: Delete its volumes would go: refused.", refuses=_loses_volumes
    ),
    _replicated("apps", "ReplicaSet", "One that a Deployment or a Rollout keeps is refused.", refuses=kept_by()),
    _replicated("leaderworkerset.x-k8s.io", "LeaderWorkerSet", "Whole groups of leader and workers go."),
    _replicated("argoproj.io", "Rollout", "As a Deployment; an update that is under way stops with it."),
)
