"""The simulator shares no code with what it checks."""

import ast
from pathlib import Path

FLEET = Path(__file__).parents[3] / "hack" / "fleet"


def imported_roots(path):
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            yield from (alias.name.split(".")[0] for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            yield "(relative)" if item.level else item.module.split(".")[0]


def test_the_simulator_imports_nothing_from_the_product():
    files = sorted(FLEET.rglob("*.py"))
    roots = {root for path in files for root in imported_roots(path)}
    assert len(files) > 10
    assert "fleet" in roots
    assert "aicost" not in roots
    assert "importlib" not in roots
