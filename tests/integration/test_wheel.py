"""The steps of the image without Docker: a wheel of what the Dockerfile copies, which runs with the lock alone."""

import os
import shutil
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

from support.dockerfile import stages, words_of

ROOT = Path(__file__).parents[2]
_OFFLINE = ("NewConnectionError", "Name or service not known", "name resolution", "Max retries exceeded", "timed out")
_FLAGS = ("--disable-pip-version-check", "--retries", "1")
_INSTALL = ("install", "--quiet", "--no-compile", *_FLAGS)
_IMPORT_ALL = """
import importlib, pkgutil, warnings, aicost
warnings.simplefilter("error", DeprecationWarning)
names = [one.name for one in pkgutil.walk_packages(aicost.__path__, "aicost.") if not one.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(len(names), aicost.__file__)
"""


def _run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command that sees nothing of the source tree."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def _must(*command: object, cwd: Path) -> str:
    result = _run(*command, cwd=cwd)
    assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the locked tools in a folder that has what the Dockerfile copies and nothing else."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for words in words_of("COPY", stages()[0]):
        *names, target = words.split()
        for name in names:
            path = source / target / name if target.endswith("/") else source / target
            path.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, path, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, path)
    pip = _environment(tmp_path_factory.mktemp("tools") / "venv", "build.lock")
    _must(*pip, "wheel", "--quiet", *_FLAGS, "--no-build-isolation", "--no-deps", "--wheel-dir", out, ".", cwd=source)
    (found,) = out.glob("*.whl")
    return found


def _environment(folder: Path, lock: str) -> tuple[Path, ...]:
    """Make a virtual environment with what a lock names and nothing else; its pip."""
    venv.create(folder, with_pip=True)
    pip = (folder / "bin/pip",)
    locked = _run(*pip, *_INSTALL, "--require-hashes", "-r", ROOT / "requirements" / lock, cwd=folder)
    if locked.returncode and any(word in locked.stderr for word in _OFFLINE):
        pytest.skip("no registry of packages can be reached and not all of the lock is cached")
    assert locked.returncode == 0, locked.stderr
    return pip


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the locked dependencies and the wheel; the folder of its commands."""
    folder = tmp_path_factory.mktemp("image") / "aicost"
    pip = _environment(folder, "runtime.lock")
    _must(*pip, *_INSTALL, "--no-deps", wheel, cwd=folder)
    return folder / "bin"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"aicost"}
    assert "aicost/py.typed" in names
    assert "aicost/bootstrap.py" in names
    assert not [name for name in names if name.endswith(".pyc") or "/tests/" in name]


def test_the_command_runs_without_the_source_tree(installed: Path, tmp_path: Path) -> None:
    version = yaml.safe_load((ROOT / "charts/aicost/Chart.yaml").read_text(encoding="utf-8"))["appVersion"]
    assert _must(installed / "aicost", "version", cwd=tmp_path).split()[-1] == version
    assert _must(installed / "kubectl-aicost", "version", cwd=tmp_path).split()[-1] == version
    told = _must(installed / "aicost", "--help", cwd=tmp_path)
    assert "Usage: aicost" in told
    assert "report" in told


@pytest.mark.parametrize("server", ["controller", "query"])
def test_the_arguments_of_the_chart_reach_a_command(installed: Path, tmp_path: Path, server: str) -> None:
    told = _must(installed / "aicost", server, "--help", cwd=tmp_path)
    assert "--config" in told


def test_each_module_imports_with_the_locked_dependencies_alone(installed: Path, tmp_path: Path) -> None:
    count, where = _must(installed / "python", "-c", _IMPORT_ALL, cwd=tmp_path).split()
    assert int(count) > 100
    assert Path(where).is_relative_to(installed.parent)


def test_a_wrong_setting_is_refused_by_name_before_anything_is_asked_of_a_cluster(installed, tmp_path) -> None:
    (tmp_path / "settings.yaml").write_text("window: {length: 2h}\n")
    result = _run(installed / "aicost", "controller", "--config", "settings.yaml", cwd=tmp_path)
    assert result.returncode != 0
    assert "window.length '2h'" in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_to_install_with_is_left(installed: Path, tmp_path: Path) -> None:
    _must(installed / "pip", "uninstall", "--yes", "--quiet", "pip", cwd=tmp_path)
    assert _run(installed / "python", "-m", "pip", "--version", cwd=tmp_path).returncode != 0
    _must(installed / "aicost", "version", cwd=tmp_path)
