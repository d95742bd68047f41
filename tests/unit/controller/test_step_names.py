"""Each step has a name of its own: what is told once while it lasts is remembered by it."""

import ast
from collections import defaultdict
from pathlib import Path

from aicost.entrypoints import controller

FOLDER = Path(controller.__file__).parent


def _names():
    """Module -> names of steps: what STEP says, and what attempts are called where they are made."""
    found = defaultdict(set)
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "STEP" for target in node.targets):
                found[ast.literal_eval(node.value)].add(str(path.relative_to(FOLDER)))
            called = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "attempt" and node.args
            if called and isinstance(node.args[0], ast.Constant):
                found[node.args[0].value].add(str(path.relative_to(FOLDER)))
    return found


def test_no_two_modules_call_a_step_the_same():
    names = _names()
    assert {"close", "count-units", "count-windows"} <= names.keys()
    assert {name: where for name, where in names.items() if len(where) > 1} == {}
