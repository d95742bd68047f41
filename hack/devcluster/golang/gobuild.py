"""Build a Go module of ours once, and keep the result under a key made of everything that went into it."""

import fcntl
import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster.golang.toolchain import Toolchain, find_toolchain
from devcluster.host.paths import PACKAGE, cache_dir
from devcluster.host.progress import Failure, say, step

__all__ = ["KUBE", "KUBERNETES_VERSION", "PROMETHEUS", "Module", "cached", "ensure"]

KUBERNETES_VERSION = "1.36.3"
_VERSION_PACKAGE = "k8s.io/component-base/version"


@dataclass(frozen=True, slots=True)
class Module:
    """One Go module of ours and how its program is built. ``cold`` says how long the first build takes."""

    folder: Path
    program: str
    package: str
    flags: tuple[str, ...]
    cold: str


KUBE = Module(
    folder=PACKAGE / "kube",
    program="aicost-kube",
    package=".",
    flags=(
        "-ldflags",
        # Without these the server would call itself v0.0.0.
        " ".join(
            (
                f"-s -w -X {_VERSION_PACKAGE}.gitVersion=v{KUBERNETES_VERSION}",
                f"-X {_VERSION_PACKAGE}.gitMajor=1",
                f"-X {_VERSION_PACKAGE}.gitMinor={KUBERNETES_VERSION.split('.')[1]}",
            )
        ),
    ),
    cold="about 6 minutes on two cores",
)
PROMETHEUS = Module(
    folder=PACKAGE / "prometheus",
    program="prometheus",
    package="github.com/prometheus/prometheus/cmd/prometheus",
    flags=("-tags", "remove_all_sd", "-ldflags", "-s -w"),
    cold="about 2 minutes on two cores",
)
_COMMON = ("-trimpath", "-buildvcs=false")
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}


def _key(module: Module, go_version: str) -> str:
    digest = hashlib.sha256()
    for source in sorted(module.folder.glob("*")):
        if source.name in {"go.mod", "go.sum"} or source.suffix == ".go":
            digest.update(f"{source.name}\0".encode() + source.read_bytes() + b"\0")
    facts = (go_version, platform.system(), platform.machine(), module.package, *module.flags, *_COMMON)
    digest.update("\0".join(facts).encode())
    return digest.hexdigest()


def _target(module: Module, toolchain: Toolchain) -> Path:
    return cache_dir() / _key(module, toolchain.version) / module.program


def cached(module: Module) -> Path | None:
    """The program if it was built before with exactly these inputs, else None."""
    target = _target(module, find_toolchain())
    return target if target.exists() else None


@contextmanager
def _only_one(target: Path, module: Module) -> Iterator[None]:
    """Hold the lock of this build: a second run waits for the first instead of building again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        with step(f"waiting for another run that builds {module.program}"):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure(module: Module) -> Path:
    """The program, built now if it has to be.

    Raises:
        Failure: it could not be built; the text ends with what to do.
    """
    toolchain = find_toolchain()
    target = _target(module, toolchain)
    if target.exists():
        return target
    with _only_one(target, module):
        if not target.exists():
            _build(module, toolchain, target)
    return target


def _build(module: Module, toolchain: Toolchain, target: Path) -> None:
    go = toolchain.command()
    partial = target.with_suffix(".partial")
    command = [str(go), "build", *_COMMON, *module.flags, "-o", str(partial), module.package]
    say(f"building {module.program} with Go {toolchain.version} ({module.cold} when nothing is cached)")
    with step(f"building {module.program}"):
        result = subprocess.run(
            command, cwd=module.folder, env={**os.environ, **_ENVIRONMENT}, capture_output=True, text=True, check=False
        )
    if result.returncode:
        partial.unlink(missing_ok=True)
        raise Failure(_advice(module, command, result.stderr))
    partial.replace(target)


def _advice(module: Module, command: list[str], errors: str) -> str:
    tail = "\n".join(errors.strip().splitlines()[-20:])
    return (
        f"building {module.program} failed.\n{tail}\n"
        f"Run it by hand to see everything: cd {module.folder} && CGO_ENABLED=0 {' '.join(command)!s}\n"
        "If modules could not be downloaded, set GOPROXY to a Go module proxy that this machine can reach. "
        "If the linker was killed, it needs about 2.5 GB of memory; the caches need about 4 GB of disk."
    )
