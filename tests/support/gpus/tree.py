"""The truth as the node's files tell it: `/proc` with cgroups of each runtime, and folders of pods' logs."""

import hashlib
import os
from pathlib import Path

from support.gpus.truth import EPOCH_US, Process, Truth

BOOT_ID = "b0070000-0000-4000-8000-000000000001"
RUNTIMES = {
    "containerd, systemd, v2": "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid_}.slice/"
    "cri-containerd-{id}.scope",
    "containerd, guaranteed": "0::/kubepods.slice/kubepods-pod{uid_}.slice/cri-containerd-{id}.scope",
    "containerd, cgroupfs, v2": "0::/kubepods/burstable/pod{uid}/{id}",
    "containerd, cgroupfs, v1": "12:pids:/kubepods/besteffort/pod{uid}/{id}\n"
    "4:memory:/kubepods/besteffort/pod{uid}/{id}\n1:name=systemd:/kubepods/besteffort/pod{uid}/{id}\n0::/",
    "containerd, service, v1": "11:devices:/system.slice/containerd.service/kubepods-besteffort-pod{uid_}.slice:"
    "cri-containerd:{id}",
    "CRI-O, systemd, v2": "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid_}.slice/"
    "crio-{id}.scope",
    "CRI-O, v1": "8:cpu,cpuacct:/kubepods.slice/kubepods-pod{uid_}.slice/crio-{id}.scope\n0::/",
    "docker, systemd": "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{uid_}.slice/"
    "docker-{id}.scope",
    "docker, cgroupfs, v1": "5:devices:/kubepods/burstable/pod{uid}/{id}",
    "node in a container": "0::/docker-{id}.scope/kubelet.slice/kubelet-kubepods.slice/"
    "kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod{uid_}.slice/cri-containerd-{id}.scope",
    "seen from a private namespace": "0::/../../kubepods-burstable.slice/kubepods-burstable-pod{uid_}.slice/"
    "cri-containerd-{id}.scope",
}
HOST = "0::/system.slice/nvidia-persistenced.service"


def cgroup(uid: str, runtime: str) -> str:
    """Text of the cgroup file of a process in a container of a pod."""
    container = hashlib.sha256(uid.encode()).hexdigest()
    return RUNTIMES[runtime].format(uid=uid, uid_=uid.replace("-", "_"), id=container) + "\n"


class Tree:
    """Files of a node below a folder, kept as the truth has it."""

    def __init__(self, root: Path, truth: Truth, runtime: str = "containerd, systemd, v2") -> None:
        self.proc, self.logs = root / "proc", root / "logs"
        self._truth, self._runtime = truth, runtime
        self._there: dict[int, Process] = {}
        (self.proc / "sys/kernel/random").mkdir(parents=True)
        self.logs.mkdir()
        (self.proc / "stat").write_text(f"cpu  1 2 3\nbtime {EPOCH_US // 1_000_000}\nprocesses 9\n")
        self.booted(BOOT_ID)

    def booted(self, boot_id: str) -> None:
        (self.proc / "sys/kernel/random/boot_id").write_text(f"{boot_id}\n")

    def named(self, uid: str, namespace: str, name: str) -> None:
        """The kubelet's folder of a pod."""
        (self.logs / f"{namespace}_{name}_{uid}").mkdir(exist_ok=True)

    def update(self) -> None:
        """Make what began and remove what ended."""
        alive = {one.pid: one for one in self._truth.alive()}
        for pid in [pid for pid, one in self._there.items() if alive.get(pid) != one]:
            self._remove(pid)
        for pid, one in alive.items():
            if pid not in self._there:
                self._make(one)

    def _make(self, one: Process) -> None:
        folder = self.proc / str(one.pid)
        folder.mkdir()
        ticks = one.start_us * os.sysconf("SC_CLK_TCK") // 1_000_000
        words = ["S", *["0"] * 18, str(ticks), *["0"] * 20]
        (folder / "stat").write_text(f"{one.pid} ({one.name[:15]}) {' '.join(words)}\n")
        (folder / "cgroup").write_text(cgroup(one.pod, self._runtime) if one.pod else f"{HOST}\n")
        self._there[one.pid] = one

    def _remove(self, pid: int) -> None:
        for name in ("stat", "cgroup"):
            (self.proc / str(pid) / name).unlink()
        (self.proc / str(pid)).rmdir()
        del self._there[pid]
