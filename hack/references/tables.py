"""Markdown tables of references, and JSON schemas in words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_WORDS = {"string": "text", "boolean": "true or false", "integer": "integer", "object": "map", "array": "list"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a bar inside a cell is escaped."""
    lines = [tuple(head), ("---",) * len(head), *(tuple(map(_cell, row)) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def shown(value: Any) -> str:
    """A default as JSON."""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def kind_of(schema: Mapping[str, Any]) -> str:
    """What a schema allows, in words."""
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    word = _WORDS[schema["type"]]
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map to {kind_of(schema['additionalProperties'])}"
    if "items" in schema:
        return f"list of {kind_of(schema['items'])}"
    return word + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    limits = "" if low is None else f" from {low}" + ("" if high is None else f" to {high}")
    return limits + "".join(f", such as `{example}`" for example in schema.get("examples", ())[:1])
