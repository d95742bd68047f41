"""The house keeps its shape."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "operator"
FILES = sorted((SOURCE / "aicost").rglob("*.py"))
MAX_FILE, MAX_FUNCTION, MAX_FOLDER = 500, 60, 14


def test_the_source_root_is_no_package() -> None:
    assert not (SOURCE / "__init__.py").exists(), "operator/__init__.py would shadow Python's own module"


def test_no_module_of_the_package_is_named_like_one_of_the_standard_library() -> None:
    names = {path.stem for path in (SOURCE / "aicost").iterdir()}
    assert not names & set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < MAX_FUNCTION, f"{node.name} wants to be split"


def test_folders_stay_small() -> None:
    for folder in {path.parent for path in FILES}:
        assert len(list(folder.glob("*.py"))) <= MAX_FOLDER, f"{folder} wants sub-packages"


@pytest.mark.parametrize("layer", ["domain", "ports", "usecases", "crd", "telemetry"])
def test_the_core_is_not_asynchronous(layer: str) -> None:
    for path in (SOURCE / "aicost" / layer).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)], path


def test_only_the_clock_reads_the_clock() -> None:
    for path in FILES:
        if path.match("adapters/clock.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert name not in {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow"}, f"{path}: {name}"
