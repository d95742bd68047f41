"""The manifests and values that documents and examples show would be taken by the API server and by Helm."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from aicost.crd.kinds import KINDS
from support.documents import ROOT, documents

MODELS = {kind.kind: kind.model for kind in KINDS}
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _manifests() -> Iterator[Any]:
    """Each object of ours in a document or an example."""
    for path in (*documents(), *sorted((ROOT / "examples").rglob("*.yaml"))):
        text = (ROOT / path).read_text(encoding="utf-8")
        blocks = _YAML.findall(text) if path.suffix == ".md" else [text]
        found = [body for block in blocks for body in yaml.safe_load_all(block) if _is_ours(body)]
        relative = path.relative_to(ROOT) if path.is_absolute() else path
        yield from (pytest.param(body, id=f"{relative}:{number}") for number, body in enumerate(found, start=1))


def _is_ours(body: Any) -> bool:
    return isinstance(body, Mapping) and str(body.get("apiVersion", "")).startswith("aicost.dev/")


DEFAULTS = yaml.safe_load((ROOT / "charts/aicost/values.yaml").read_text(encoding="utf-8"))


def _merged(defaults: Any, given: Any) -> Any:
    """Values on top of defaults, as Helm merges them."""
    if not (isinstance(defaults, Mapping) and isinstance(given, Mapping)):
        return given
    return {**defaults, **{key: _merged(defaults.get(key), value) for key, value in given.items()}}


def _blocks(path: Path) -> Iterator[Any]:
    """All that stands in a document as YAML."""
    found = _YAML.findall((ROOT / path).read_text(encoding="utf-8"))
    return (body for block in found for body in yaml.safe_load_all(block))


def _values() -> Iterator[Any]:
    """Each block of chart values in a document: a mapping whose first key is a value of the chart."""
    for path in documents():
        blocks = _blocks(path)
        found = [block for block in blocks if isinstance(block, Mapping) and next(iter(block)) in DEFAULTS]
        yield from (pytest.param(block, id=f"{path}:{number}") for number, block in enumerate(found, start=1))


def _entries() -> Iterator[Any]:
    """Each list of price entries that a document shows by itself."""
    for path in documents():
        blocks = _blocks(path)
        found = [block for block in blocks if isinstance(block, list) and "match" in block[0]]
        yield from (pytest.param(block, id=f"{path}:{number}") for number, block in enumerate(found, start=1))


@pytest.mark.parametrize("body", list(_manifests()))
def test_an_object_of_ours_is_valid(body: Mapping[str, Any]) -> None:
    MODELS[body["kind"]].model_validate(body)


@pytest.mark.parametrize("block", list(_values()))
def test_values_of_the_chart_fit_its_schema(block: Mapping[str, Any]) -> None:
    schema = json.loads((ROOT / "charts/aicost/values.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(_merged(DEFAULTS, block), schema)


@pytest.mark.parametrize("entries", list(_entries()))
def test_price_entries_are_valid(entries: list[Any]) -> None:
    spec = {"currency": "USD", "entries": entries}
    MODELS["PriceBook"].model_validate({"metadata": {"name": "x"}, "spec": spec})


def test_each_kind_but_the_cluster_wide_twins_is_shown_in_a_guide() -> None:
    guides = "".join(
        (ROOT / path).read_text(encoding="utf-8") for path in documents() if Path("docs/guide") in path.parents
    )
    shown = set(re.findall(r"^kind: (\w+)$", guides, re.MULTILINE))
    assert {"AIWorkload", "PriceBook", "AICostReport", "Budget", "CostLabelPolicy"} <= shown
