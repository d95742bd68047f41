"""The image is built in two stages, runs as nobody, and carries nothing to build with."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from support.dockerfile import stages, words_of

ROOT = Path(__file__).parents[3]


def test_both_stages_begin_with_the_same_base_of_one_release() -> None:
    bases = {words.split()[0] for stage in stages() for words in words_of("FROM", stage)}
    assert len(stages()) == 2
    assert len(bases) == 1, "the interpreter of the virtual environment is the one of the base"
    assert re.fullmatch(r"python:3\.(11|12|13)[\w.-]*-slim[\w-]*(@sha256:[0-9a-f]{64})?", bases.pop())


def test_it_runs_as_the_numeric_user_of_the_chart() -> None:
    chart = (ROOT / "charts/aicost/templates/deployment.yaml").read_text(encoding="utf-8")
    user, group = (re.search(rf"{key}: (\d+)", chart)[1] for key in ("runAsUser", "runAsGroup"))
    assert words_of("USER", stages()[-1]) == [f"{user}:{group}"]
    assert int(user) > 0


def test_the_last_stage_installs_nothing_and_takes_only_the_environment() -> None:
    last = stages()[-1]
    assert words_of("RUN", last) == [], "what the last stage runs, it also carries"
    assert words_of("COPY", last) == ["--from=build /opt/aicost /opt/aicost"]
    assert words_of("ADD", last) == []


def test_nothing_to_install_with_is_carried_over() -> None:
    runs = " ".join(words_of("RUN", stages()[0]))
    assert "pip uninstall --yes --quiet pip" in runs
    assert not re.search(r"apt|gcc|build-essential|curl|wget", runs)


def test_dependencies_are_those_of_the_lock_with_their_hashes() -> None:
    runs = words_of("RUN", stages()[0])
    assert any("--require-hashes -r requirements/runtime.lock" in run for run in runs)
    assert any(run.count("--no-deps") == 2 for run in runs), "the wheel is built and installed without dependencies"


def test_the_wheel_is_built_by_locked_tools_and_by_nothing_that_is_resolved_on_the_way() -> None:
    runs = words_of("RUN", stages()[0])
    (build,) = [run for run in runs if "pip wheel" in run]
    assert "pip wheel --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps" in build
    (locked,) = [run for run in runs if "requirements/build.lock" in run]
    assert "--require-hashes -r requirements/build.lock" in locked
    assert runs.index(locked) < runs.index(build)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    assert set(declared) <= {word for words in _pins("build.lock").values() for word in words}


def test_what_is_copied_is_in_the_context() -> None:
    """`.dockerignore` leaves everything out but what it names."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {word for words in words_of("COPY", stages()[0]) for word in words.split()[:-1]}
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied


def test_what_the_build_copies_is_there_and_holds_no_tests() -> None:
    copied = [word for words in words_of("COPY", stages()[0]) for word in words.split()[:-1]]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert not {"tests", "hack", "."} & set(copied)


@pytest.mark.parametrize("name", ["controller", "query"])
def test_the_arguments_of_the_chart_follow_the_entry_point(name: str) -> None:
    last = stages()[-1]
    assert words_of("ENTRYPOINT", last) == ['["aicost"]']
    assert yaml.safe_load(words_of("CMD", last)[0]) == ["--help"]
    chart = (ROOT / "charts/aicost/templates/deployment.yaml").read_text(encoding="utf-8")
    assert f"args: [{name}, " in chart
    assert "command:" not in chart


def _pins(name: str) -> dict[str, set[str]]:
    """Package -> its version and hashes. A marker may be wider where more is installed than what runs."""
    found: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / "requirements" / name).read_text(encoding="utf-8").strip()):
        words = entry.replace("\\\n", " ").split()
        name = words[0].partition("==")[0]
        found.setdefault(name, set()).update(word for word in words if "==" in word[1:] or word.startswith("--hash="))
    return found


@pytest.mark.parametrize("lock", ["runtime.lock", "build.lock"])
def test_the_image_is_built_and_runs_with_the_versions_that_are_tested(lock: str) -> None:
    locked, tested = _pins(lock), _pins("dev.lock")
    assert len(locked) > 3
    assert {name for name, words in locked.items() if words != tested.get(name)} == set()


def test_the_lock_has_each_dependency_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project.partition("\ndependencies = [")[2].partition("\n]")[0]
    declared = set(re.findall(r'^\s*"([a-z0-9-]+)', block, re.MULTILINE))
    assert len(declared) > 8
    assert declared <= set(_pins("runtime.lock"))
