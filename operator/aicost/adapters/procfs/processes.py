"""Processes of the node, by `/proc`: when they began, and the pod whose cgroup holds them."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from aicost.adapters.procfs.names import PodNames
from aicost.domain.agent.cgroups import place_of
from aicost.domain.agent.pids import Alive
from aicost.domain.agent.values import Pod

_MPS = "nvidia-cuda-mps"
"""Names of processes are cut at 15 characters: this is the server of MPS and its control daemon."""
_LONGEST = 1 << 14
"""Files of a process are shorter."""
_START = 19
"""Which word after the name of a process says when it began (field 22 of proc_pid_stat(5))."""


class ProcFs:
    """Processes by `/proc`. What a process is, is read once in its life.

    Args:
        root: usually /proc, of the host's PID namespace.
        names: names of pods.
    """

    def __init__(self, root: Path, names: PodNames) -> None:
        self._root, self._names = root, names
        self._boot_us = _boot_us(root)
        self._known: dict[int, tuple[int, Alive]] = {}

    def alive(self, pids: Iterable[int]) -> Mapping[int, Alive]:
        """Those of the PIDs that run now. A PID that was used again is read again."""
        found = {}
        for pid in set(pids):
            name, ticks = _stat(_text(f"{self._root}/{pid}/stat"))
            if ticks is None:
                self._known.pop(pid, None)
                continue
            known = self._known.get(pid)
            if known is None or known[0] != ticks or (known[1].pod is not None and not known[1].pod.name):
                self._known[pid] = (ticks, self._read(pid, name, ticks))
            found[pid] = self._known[pid][1]
        self._known = {pid: self._known[pid] for pid in found}
        return found

    def uid_of(self, namespace: str, name: str) -> str:
        """UID of the newest pod of a name; empty where it is not known."""
        return self._names.uid_of(namespace, name)

    def exists(self, uid: str) -> bool:
        """Whether the node still has a pod."""
        return self._names.exists(uid)

    def _read(self, pid: int, name: str, ticks: int) -> Alive:
        uid = place_of(_text(f"{self._root}/{pid}/cgroup")).pod_uid
        pod = Pod(*self._names.name_of(uid), uid) if uid else None
        began_us = self._boot_us + ticks * 1_000_000 // os.sysconf("SC_CLK_TCK")
        return Alive(began_us, pod, name.startswith(_MPS))


def boot_id(root: Path) -> str:
    """Which boot this is; empty where the system does not say."""
    return _text(f"{root}/sys/kernel/random/boot_id").strip()


def _boot_us(root: Path) -> int:
    """When the system was started."""
    try:
        text = (root / "stat").read_text(encoding="utf-8")
    except OSError:
        return 0
    words = [line.split() for line in text.splitlines() if line.startswith("btime ")]
    return int(words[0][1]) * 1_000_000 if words else 0


def _stat(text: str) -> tuple[str, int | None]:
    """Name of a process, and when it began in ticks. The name may hold anything, brackets too."""
    name, closed, rest = text.partition("(")[2].rpartition(")")
    words = rest.split()
    return (name, int(words[_START])) if closed and len(words) > _START else ("", None)


def _text(path: str) -> str:
    """A file of /proc, by the cheapest way: hundreds are read each second. Empty where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(descriptor, _LONGEST).decode("utf-8", errors="replace")
        finally:
            os.close(descriptor)
    except OSError:
        return ""
