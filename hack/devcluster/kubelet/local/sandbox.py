"""How a container sees the machine: with mount namespaces where the kernel lets us, else by rewritten paths."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from devcluster.host.paths import REPOSITORY
from devcluster.kubelet.local import enter

__all__ = ["Mount", "Process", "isolation", "rewrite", "start"]

_NONROOT = 65532
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of this machine, and where the container sees it."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """All that is needed to start one container process. ``folder`` is scratch space of this container."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    mounts: Sequence[Mount]
    folder: Path
    hostname: str
    uid: int = _NONROOT
    gid: int = _NONROOT
    read_only_root: bool = False
    directory: str = "/"
    extra_environment: Mapping[str, str] = field(default_factory=dict)


def _instructions(process: Process, mode: str) -> dict[str, Any]:
    root = process.folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    mounts = [
        {"source": str(mount.source.resolve()), "target": mount.target, "read_only": mount.read_only}
        for mount in process.mounts
    ]
    return {
        "mode": mode,
        "argv": list(process.argv),
        "environment": _whole_environment(process),
        "mounts": mounts if mode else [],
        "root": str(root),
        "hostname": process.hostname[:63],
        "uid": process.uid,
        "gid": process.gid,
        "read_only_root": process.read_only_root,
        "directory": process.directory,
        "keep": sorted({str(REPOSITORY), sys.prefix, sys.base_prefix}),
    }


def _whole_environment(process: Process) -> dict[str, str]:
    """What the image and the runtime would set, then what the spec sets. Nothing of our own environment leaks."""
    base = {"PATH": f"{Path(sys.executable).parent}:{_PATH}", "HOME": "/", "HOSTNAME": process.hostname}
    return {**base, "LANG": "C.UTF-8", **process.extra_environment, **process.environment}


def _command(instructions: dict[str, Any], folder: Path) -> list[str]:
    path = folder / "instructions.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(instructions))
    return [sys.executable, "-I", "-S", enter.__file__, str(os.getpid()), str(path)]


@cache
def isolation(folder: Path) -> str:
    """``user`` when user namespaces work here, ``root`` when only mount namespaces do (as root), else empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for mode in ("user", "root"):
        trial = Process(["true"], {}, [Mount(folder, "/run/devcluster-trial")], folder, "trial", read_only_root=True)
        command = _command(_instructions(trial, mode), folder)
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return mode
    return ""


def rewrite(text: str, mounts: Sequence[Mount]) -> str:
    """Replace mount paths in a text by the places on this machine; the longest path first."""
    for mount in sorted(mounts, key=lambda mount: -len(mount.target)):
        source = str(mount.source).replace("\\", r"\\")
        text = re.sub(rf"(?<![\w./-]){re.escape(mount.target)}(?![\w.-])", source, text)
    return text


def _rewritten(process: Process) -> Process:
    return Process(
        argv=[rewrite(word, process.mounts) for word in process.argv],
        environment={name: rewrite(value, process.mounts) for name, value in process.environment.items()},
        mounts=process.mounts,
        folder=process.folder,
        hostname=process.hostname,
        extra_environment=process.extra_environment,
    )


async def start(process: Process, mode: str, log: Path) -> asyncio.subprocess.Process:
    """Start the process in a group of its own; its output goes to the log."""
    process.folder.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = _command(_instructions(process if mode else _rewritten(process), mode), process.folder)
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/"
        )
