"""The programs of the cluster: found where a person or setup-envtest put them, else built by us."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.golang import gobuild

__all__ = [
    "KUBE_PROGRAMS",
    "Programs",
    "find_kueue",
    "find_object_store",
    "find_programs",
    "find_prometheus",
    "programs_without_building",
]

KUBE_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "helm")
_OFFERED_BY_ENVTEST = ("etcd", "kube-apiserver", "kubectl")


@dataclass(frozen=True, slots=True)
class Programs:
    """How each program is called, and where it came from (``origin`` is for people)."""

    commands: Mapping[str, Path]
    origin: str

    def argv(self, name: str, *arguments: str) -> list[str]:
        """The command line of a program."""
        return [str(self.commands[name]), *arguments]


def _links(binary: Path) -> dict[str, Path]:
    """One link per program beside the multi-call binary, which looks at the name that it was called by.

    The links are relative, so that a cache may be restored in another home.
    """
    folder = binary.parent / "bin"
    folder.mkdir(exist_ok=True)
    for name in KUBE_PROGRAMS:
        link = folder / name
        if not link.exists():
            partial = folder / f".{name}.{os.getpid()}"
            partial.symlink_to(Path("..") / binary.name)
            partial.replace(link)
    return {name: folder / name for name in KUBE_PROGRAMS}


def _envtest_stores() -> list[Path]:
    """Folders that may hold test binaries: KUBEBUILDER_ASSETS first, then what setup-envtest downloaded."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    store = data / "kubebuilder-envtest" / "k8s"
    return [*([Path(named)] if named else []), *sorted(store.glob("*"), reverse=True)]


def _minor(version_text: str) -> str:
    found = re.search(r"v?(\d+\.\d+)\.\d+", version_text)
    return found[1] if found else "unknown"


def _version(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout


def _offered(store: Path) -> tuple[dict[str, Path], str]:
    """What a store offers, with the sentence that says so; a whole set of another minor release is refused."""
    found = {name: store / name for name in _OFFERED_BY_ENVTEST if os.access(store / name, os.X_OK)}
    if "etcd" not in found or "kube-apiserver" not in found:
        return {}, f"{store} lacks etcd or kube-apiserver: not used"
    theirs, ours = _minor(_version(found["kube-apiserver"])), _minor(gobuild.KUBERNETES_VERSION)
    if theirs != ours:
        return {}, f"{store} is Kubernetes {theirs}, the rest would be {ours}: not used"
    return found, f"{', '.join(sorted(found))} from {store}"


def _choose_store() -> tuple[dict[str, Path], list[str]]:
    remarks: list[str] = []
    for store in _envtest_stores():
        found, remark = _offered(store)
        remarks.append(remark)
        if found:
            return found, remarks
    return {}, remarks


def _assemble(binary: Path) -> Programs:
    """Programs of a store where one fits, ours for the rest: a store has no controller-manager and no scheduler."""
    offered, remarks = _choose_store()
    commands = {**_links(binary), **offered}
    ours = [name for name in KUBE_PROGRAMS if name not in offered]
    own = f"{', '.join(ours)} {gobuild.KUBERNETES_VERSION} from {binary}"
    return Programs(commands, "; ".join([*remarks, own]))


def find_programs() -> Programs:
    """All programs of the control plane, built now if they have to be.

    Raises:
        Failure: what is missing could not be built; the text ends with what to do.
    """
    return _assemble(gobuild.ensure(gobuild.KUBE))


def programs_without_building() -> Programs | None:
    """All programs of the control plane if none has to be built, else None."""
    binary = gobuild.cached(gobuild.KUBE)
    return _assemble(binary) if binary else None


def find_prometheus() -> Path:
    """Prometheus 3: from the PATH, else ours, built now if it has to be."""
    on_path = shutil.which("prometheus")
    if on_path and "version 3." in _version(Path(on_path)):
        return Path(on_path)
    return gobuild.ensure(gobuild.PROMETHEUS)


def find_kueue() -> Path:
    """The manager of Kueue, ours, built now if it has to be; its definitions lie in :func:`gobuild.data_of` it."""
    return gobuild.ensure(gobuild.KUEUE)


def find_object_store() -> Path:
    """A server that speaks S3 over a folder, ours, built now if it has to be."""
    return gobuild.ensure(gobuild.OBJECT_STORE)


def platform_problem() -> str | None:
    """Why the devcluster cannot run on this machine, or None."""
    return None if platform.system() == "Linux" else f"the devcluster needs Linux, this is {platform.system()}"
