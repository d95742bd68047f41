"""Which pod a process belongs to, by its cgroup.

| Runtime | What a line of `/proc/PID/cgroup` looks like |
|---|---|
| containerd, systemd | `0::/kubepods.slice/.../kubepods-burstable-podUID_.slice/cri-containerd-ID.scope` |
| containerd, cgroupfs | `0::/kubepods/burstable/podUID/ID` |
| containerd, its service | `0::/system.slice/containerd.service/kubepods-besteffort-podUID_.slice:cri-containerd:ID` |
| CRI-O | `0::/kubepods.slice/.../kubepods-podUID_.slice/crio-ID.scope` |
| docker | `0::/kubepods.slice/.../kubepods-podUID_.slice/docker-ID.scope` |
| cgroup v1 | the same, once per controller |
"""

import re
from dataclasses import dataclass

_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])")
_CONTAINER = re.compile(r"(?:cri-containerd[-:]|crio-(?:conmon-)?|docker-|/|:)([0-9a-f]{64})(?:\.scope)?(?=$|/)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process runs.

    Attributes:
        pod_uid: empty where the cgroup names none. Of a static pod: the hash of its manifest.
        container: id of the container, empty where the cgroup names none.
    """

    pod_uid: str = ""
    container: str = ""


def place_of(text: str) -> Place:
    """Where a process runs, by the text of its cgroup file. The innermost names count: nodes may be containers."""
    lines = [line.split(":", 2)[2] for line in text.splitlines() if line.count(":") >= 2]
    return max(
        (_place(path) for path in lines), key=lambda one: (one.pod_uid != "", one.container != ""), default=Place()
    )


def _place(path: str) -> Place:
    pods, containers = _POD.findall(path), _CONTAINER.findall(path)
    return Place(pods[-1].replace("_", "-") if pods else "", containers[-1] if containers else "")
