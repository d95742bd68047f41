"""The status of a pod as a kubelet writes it. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from devcluster.host.clock import rfc3339

__all__ = ["ContainerView", "PodView", "conditions", "pod_status", "running", "terminated", "waiting"]

State = dict[str, Any]


def waiting(reason: str, message: str = "") -> State:
    """A container that does not run yet, or not now."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def running(since: datetime) -> State:
    """A container that runs."""
    return {"running": {"startedAt": rfc3339(since)}}


def terminated(since: datetime, until: datetime, exit_code: int, reason: str | None = None) -> State:
    """A container that has ended."""
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason or ("Completed" if exit_code == 0 else "Error"),
            "startedAt": rfc3339(since),
            "finishedAt": rfc3339(until),
        }
    }


@dataclass(frozen=True, slots=True)
class ContainerView:
    """What is known of one container."""

    name: str
    image: str
    state: State = field(default_factory=lambda: waiting("ContainerCreating"))
    last_state: State = field(default_factory=dict)
    ready: bool = False
    started: bool = False
    restarts: int = 0
    identity: str = ""

    @classmethod
    def read(cls, entry: State) -> "ContainerView":
        """Read an entry of ``containerStatuses``."""
        return cls(
            name=entry["name"],
            image=entry["image"],
            state=entry["state"],
            last_state=entry["lastState"],
            ready=entry["ready"],
            started=entry.get("started") or False,
            restarts=entry["restartCount"],
            identity=entry.get("containerID", "").rpartition("/")[2],
        )

    def after_restart(self) -> "ContainerView":
        """The view of the next run: the state becomes the last one."""
        return replace(self, last_state=self.state, ready=False, started=False, restarts=self.restarts + 1)

    @property
    def exit_code(self) -> int | None:
        """The exit code if it has ended, else None."""
        ended = self.state.get("terminated")
        return ended["exitCode"] if ended else None

    def document(self) -> State:
        """As an entry of ``containerStatuses``."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"devcluster://{self.image}" if "waiting" not in self.state else "",
            "containerID": f"devcluster://{self.identity}" if self.identity else "",
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
        }


@dataclass(frozen=True, slots=True)
class PodView:
    """What is known of one pod."""

    phase: str
    containers: Sequence[ContainerView]
    init_containers: Sequence[ContainerView] = ()
    reason: str = ""
    message: str = ""

    @property
    def initialized(self) -> bool:
        """Whether all init containers are done (those that restart for ever count as soon as they have started)."""
        return all(view.exit_code == 0 or view.started for view in self.init_containers)

    @property
    def unready(self) -> list[str]:
        """Names of the containers that are not ready."""
        return [view.name for view in self.containers if not view.ready]


def _wanted(view: PodView) -> dict[str, tuple[bool, str, str]]:
    """Each condition's status, reason and message."""
    ended = view.phase in {"Succeeded", "Failed"}
    ready = view.phase == "Running" and not view.unready
    reason = "" if ready else "PodCompleted" if view.phase == "Succeeded" else "ContainersNotReady"
    message = f"containers with unready status: [{' '.join(view.unready)}]" if reason == "ContainersNotReady" else ""
    return {
        "PodReadyToStartContainers": (not ended, "", ""),
        "Initialized": (view.initialized or ended, "" if view.initialized or ended else "ContainersNotInitialized", ""),
        "ContainersReady": (ready, reason, message),
        "Ready": (ready, reason, message),
    }


def conditions(view: PodView, before: Sequence[Mapping[str, Any]], now: datetime) -> list[State]:
    """The conditions that a kubelet owns; the time of the last transition stays while the status stays."""
    known = {entry["type"]: entry for entry in before}
    result = []
    for kind, (holds, reason, message) in _wanted(view).items():
        status = str(holds)
        old = known.get(kind)
        since = old["lastTransitionTime"] if old and old["status"] == status else rfc3339(now)
        entry = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
        result.append({**entry, "reason": reason or None, "message": message or None})
    return result


def pod_status(view: PodView, pod: Mapping[str, Any], host_ip: str, pod_ip: str, now: datetime) -> State:
    """The part of ``status`` that a kubelet writes, as a strategic merge patch. The scheduler's condition stays."""
    before = pod.get("status", {})
    return {
        "phase": view.phase,
        "reason": view.reason or None,
        "message": view.message or None,
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "startTime": before.get("startTime") or rfc3339(now),
        "conditions": conditions(view, before.get("conditions", []), now),
        "containerStatuses": [container.document() for container in view.containers],
        "initContainerStatuses": [container.document() for container in view.init_containers],
    }
