"""The reference of our resources as Markdown: fields, rules, columns and conditions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aicost.crd.reasons import CONDITIONS
from aicost.crd.schema.definition import GROUP, VERSION, Kind
from aicost.crd.schema.markers import RULES, UNIT

_INTRO = f"""# Resources

<!-- Generated from operator/aicost/crd by hack/generate.py. Do not edit. -->

Group `{GROUP}`, version `{VERSION}`. `kubectl get aicost -A` lists them all, `kubectl explain KIND.spec` describes each
field. Amounts in a spec are decimal strings; amounts in a status stand twice, as an integer of nano-units of the
currency (`costNanos`) and as a text for people. A field that is absent is not known: it is never zero in its place.
A field marked with `*` is required.
"""


def reference(kinds: Sequence[Kind]) -> str:
    """The whole page."""
    contents = "\n".join(f"- [{kind.kind}](#{kind.kind.lower()})" for kind in kinds)
    return "\n".join([_INTRO, contents, "", *(_kind(kind) for kind in kinds)])


def _kind(kind: Kind) -> str:
    schema = kind.described()
    short = f", short name `{kind.short}`" if kind.short else ""
    spec, status = (list(_fields(schema["properties"][part], part, required=True)) for part in ("spec", "status"))
    selectable = ", ".join(f"`{path.removeprefix('.')}`" for path in kind.selectable)
    return "\n".join(
        [
            f"## {kind.kind}",
            "",
            f"{_line(schema['description'])} {kind.scope}{short}.",
            "",
            f"Field selectors: {selectable}.",
            "",
            "### Spec",
            "",
            *_table(("Field", "Type", "Default", "Unit", "Meaning"), spec),
            "### Rules",
            "",
            *_table(("Where", "Rule (CEL)", "Message"), list(_rules(schema["properties"]["spec"], "spec"))),
            "### Status",
            "",
            *_table(("Field", "Type", "Default", "Unit", "Meaning"), status),
            "### Columns",
            "",
            *_table(("Column", "Shown", "Meaning"), [_column(column) for column in kind.columns]),
            "### Conditions",
            "",
            *_table(("Type", "Status", "Reason", "Meaning"), list(_conditions(kind.kind))),
        ]
    )


def _column(column: Any) -> tuple[str, ...]:
    return (f"`{column.name.upper()}`", "with `-o wide`" if column.wide else "always", column.description)


def _conditions(kind: str) -> Iterator[tuple[str, ...]]:
    for condition, causes in CONDITIONS[kind].items():
        for cause in causes:
            yield (f"`{condition}`", f"`{cause.status}`", f"`{cause.reason}`", cause.meaning)


def _fields(schema: Mapping[str, Any], path: str, *, required: bool) -> Iterator[tuple[str, ...]]:
    mark = "*" if required else ""
    default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
    yield (f"`{path}`{mark}", _type(schema), default, schema.get(UNIT, ""), _line(schema.get("description", "")))
    inner, prefix = _inside(schema, path)
    for name, field in inner.get("properties", {}).items():
        if name != "conditions":
            yield from _fields(field, f"{prefix}.{name}", required=name in inner.get("required", ()))


def _inside(schema: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], str]:
    """The object whose fields stand below this one: itself, or the items of a list."""
    return (schema["items"], f"{path}[]") if "items" in schema else (schema, path)


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " \\| ".join(f"`{choice}`" for choice in schema["enum"])
    if "items" in schema:
        return f"list of {_type(schema['items'])}{_at_most(schema, 'maxItems')}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_type(schema['additionalProperties'])}{_at_most(schema, 'maxProperties')}"
    bounds = "".join(
        f", {word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema
    )
    return str(schema.get("format", schema.get("type", ""))) + bounds


def _at_most(schema: Mapping[str, Any], key: str) -> str:
    return f", at most {schema[key]}" if key in schema else ""


def _rules(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, ...]]:
    for rule in schema.get(RULES, ()):
        yield (f"`{path}`", f"`{rule['rule'].replace('|', chr(92) + '|')}`", rule["message"])
    for name, field in schema.get("properties", {}).items():
        yield from _rules(field, f"{path}.{name}")
    for key, suffix in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(schema.get(key), dict):
            yield from _rules(schema[key], f"{path}{suffix}")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return [*lines, ""]


def _line(text: str) -> str:
    return " ".join(text.split())
