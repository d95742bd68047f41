"""Build a Go module of ours once, and keep the result under a key made of everything that went into it."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster.golang.toolchain import Toolchain, find_toolchain
from devcluster.host.paths import PACKAGE, cache_dir
from devcluster.host.progress import Failure, say, step

__all__ = [
    "KUBE",
    "KUBERNETES_VERSION",
    "KUEUE",
    "OBJECT_STORE",
    "PROMETHEUS",
    "Data",
    "Module",
    "cached",
    "data_of",
    "ensure",
]

KUBERNETES_VERSION = "1.36.3"
_VERSION_PACKAGE = "k8s.io/component-base/version"


@dataclass(frozen=True, slots=True)
class Data:
    """Files of a foreign module that its program needs at run time; ``pattern`` is a glob in that module."""

    module: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Module:
    """One Go module of ours and how its program is built. ``cold`` says how long the first build takes.

    ``data`` is kept beside the program, so that a cached program needs no module cache; see :func:`data_of`.
    """

    folder: Path
    program: str
    package: str
    flags: tuple[str, ...]
    cold: str
    data: Data | None = None


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
KUEUE = Module(
    folder=PACKAGE / "kueue",
    program="kueue",
    package="sigs.k8s.io/kueue/cmd/kueue",
    flags=("-ldflags", "-s -w"),
    cold="about 5 minutes on two cores",
    data=Data("sigs.k8s.io/kueue", "config/components/crd/bases/*.yaml"),
)
OBJECT_STORE = Module(
    folder=PACKAGE / "objectstore",
    program="versitygw",
    package="github.com/versity/versitygw/cmd/versitygw",
    flags=("-ldflags", "-s -w"),
    cold="about 2 minutes on two cores",
)
_COMMON = ("-trimpath", "-buildvcs=false")
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}


def _key(module: Module, go_version: str) -> str:
    digest = hashlib.sha256()
    for source in sorted(module.folder.glob("*")):
        if source.name in {"go.mod", "go.sum"} or source.suffix == ".go":
            digest.update(f"{source.name}\0".encode() + source.read_bytes() + b"\0")
    data = (module.data.module, module.data.pattern) if module.data else ()
    facts = (go_version, platform.system(), platform.machine(), module.package, *module.flags, *_COMMON, *data)
    digest.update("\0".join(facts).encode())
    return digest.hexdigest()


def _target(module: Module, toolchain: Toolchain) -> Path:
    return cache_dir() / _key(module, toolchain.version) / module.program


def data_of(program: Path) -> Path:
    """The folder with the files that were kept for a program."""
    return program.parent / "data"


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
    go = str(toolchain.command())
    partial = target.with_suffix(".partial")
    say(f"building {module.program} with Go {toolchain.version} ({module.cold} when nothing is cached)")
    try:
        with step(f"building {module.program}"):
            _run(module, [go, "build", *_COMMON, *module.flags, "-o", str(partial), module.package])
        if module.data:
            _keep(module.data, _run(module, [go, "list", "-m", "-f", "{{.Dir}}", module.data.module]), data_of(target))
    except Failure:
        partial.unlink(missing_ok=True)
        raise
    # Last, because a program that is there stands for everything that it needs.
    partial.replace(target)


def _run(module: Module, command: list[str]) -> str:
    result = subprocess.run(
        command, cwd=module.folder, env={**os.environ, **_ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise Failure(_advice(module, command, result.stderr))
    return result.stdout


def _keep(data: Data, source: str, folder: Path) -> None:
    """Copy the files of a module out of the module cache, whose files are read-only; none at all is a failure."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    found = sorted(Path(source.strip()).glob(data.pattern))
    if not found:
        raise Failure(f"{data.module} has no files {data.pattern}: its layout changed, adapt it in {__name__}")
    for path in found:
        shutil.copyfile(path, folder / path.name)


def _advice(module: Module, command: list[str], errors: str) -> str:
    tail = "\n".join(errors.strip().splitlines()[-20:])
    return (
        f"building {module.program} failed.\n{tail}\n"
        f"Run it by hand to see everything: cd {module.folder} && CGO_ENABLED=0 {' '.join(command)!s}\n"
        "If modules could not be downloaded, set GOPROXY to a Go module proxy that this machine can reach. "
        "If the linker was killed, it needs about 2.5 GB of memory; the caches need about 8 GB of disk."
    )
