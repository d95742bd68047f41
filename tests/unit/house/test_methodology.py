"""The methodology is run: each example against the code that it explains, each table against the enum that it lists."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aicost.domain.attribution.resolvers.scene import ASSUMED, IGNORED, MOVED
from aicost.domain.attribution.resources.wording import UNDIVIDED
from aicost.domain.attribution.stating.rows import ASSUMED_DEVICE
from aicost.domain.ledger.rows import Bucket, Component, Method, Quality
from aicost.domain.pricing.fit import RULES
from aicost.domain.reporting.query import IdlePolicy
from aicost.domain.thirdparty.settling import TAKEN_BACK
from support.documents import ROOT, documents, row_names

PATH = ROOT / "docs/methodology.md"
TEXT = PATH.read_text(encoding="utf-8")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE_LINK = re.compile(r"\[`(\w+)`\]\(([^()\s]+\.py)\)")


@dataclass(frozen=True)
class Section:
    """One part of the document with its blocks: (language, line, text)."""

    title: str
    text: str
    blocks: tuple[tuple[str, int, str], ...]

    def has(self, language: str) -> bool:
        return any(one == language for one, _, _ in self.blocks)


def _sections() -> Iterator[Section]:
    heads = list(_HEADING.finditer(TEXT))
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        end = following.start() if following else len(TEXT)
        found = _BLOCK.finditer(TEXT, head.end(), end)
        blocks = ((one[1], TEXT.count("\n", 0, one.start(2)), one[2]) for one in found)
        yield Section(head[1], TEXT[head.end() : end], tuple(blocks))


SECTIONS = tuple(_sections())
WITH_EXAMPLES = [one for one in SECTIONS if one.has("python")]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Exception | None]:
    """The document is one programme, read from top to bottom: what went wrong in each section."""
    names: dict[str, Any] = {"__name__": "methodology"}
    return {one.title: _run(one, names) for one in SECTIONS}


def _run(part: Section, names: dict[str, Any]) -> Exception | None:
    try:
        for language, line, text in part.blocks:
            if language == "python":
                # Empty lines put the document's own line numbers into tracebacks.
                exec(compile("\n" * line + text, str(PATH), "exec"), names)
    except Exception as error:  # noqa: BLE001 -- told by the section's own test
        return error
    return None


@pytest.mark.parametrize("part", WITH_EXAMPLES, ids=lambda part: part.title)
def test_an_example_holds(part: Section, outcomes: dict[str, Exception | None]) -> None:
    error = outcomes[part.title]
    if error is not None:
        raise error


@pytest.mark.parametrize("part", SECTIONS, ids=lambda part: part.title)
def test_a_formula_has_an_example_with_an_assertion(part: Section) -> None:
    examples = [text for language, _, text in part.blocks if language == "python"]
    if part.has("text"):
        assert examples, "a formula that no example runs"
    if examples and part is not SECTIONS[0]:
        assert any(isinstance(node, ast.Assert) for text in examples for node in ast.walk(ast.parse(text)))


def _names_in(path: Path) -> set[str]:
    """Functions, classes, methods and constants that a module defines."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


@pytest.mark.parametrize("path", documents(), ids=str)
def test_code_that_a_document_links_to_by_name_is_there(path: Path) -> None:
    for name, target in _CODE_LINK.findall((ROOT / path).read_text(encoding="utf-8")):
        assert name in _names_in((ROOT / path).parent / target), f"{path}: {target} has no {name}"


def _section(heading: str) -> str:
    return next(one.text for one in SECTIONS if one.title == heading)


def _table(heading: str, first_column: str) -> list[str]:
    """The first column of the table whose head begins so."""
    text = _section(heading)
    return row_names(text[text.index(f"| {first_column} |") :].split("\n\n")[0])


def test_each_bucket_is_explained() -> None:
    assert sorted(_table("The split of a device into buckets", "Bucket")) == sorted(Bucket)


def test_each_quality_method_and_flag_is_explained() -> None:
    marks = "What the marks on a row mean"
    assert _table(marks, "Quality") == list(Quality)
    assert sorted(_table(marks, "Method")) == sorted(Method)
    source = (ROOT / "operator/aicost/domain/attribution/stating/rows.py").read_text(encoding="utf-8")
    flags = next(node for node in ast.walk(ast.parse(source)) if getattr(node, "name", "") == "_flags")
    names = {node.value for node in ast.walk(flags) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    told = {name for name in names if re.fullmatch(r"[a-z-]+", name)}
    assert set(_table(marks, "Flag")) == told | {ASSUMED_DEVICE, UNDIVIDED, MOVED, IGNORED, ASSUMED, TAKEN_BACK}


def test_each_idle_policy_is_explained() -> None:
    assert sorted(_table("Reports and idle policies", "Policy")) == sorted(IdlePolicy)


def test_the_order_of_prices_is_the_one_in_use() -> None:
    listed = re.findall(r"^\d+\. (.+)$", _section("Price of a GPU-hour"), re.MULTILINE)
    assert listed == list(RULES)


def test_what_is_not_covered_names_each_component_but_the_gpu() -> None:
    named = set(re.findall(r"`([a-z]+)`", _section("What is not covered").split("\n- ")[1]))
    assert named == set(Component) - {Component.GPU}
