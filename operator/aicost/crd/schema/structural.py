"""From pydantic's JSON schema to the structural schema of `apiextensions.k8s.io/v1`."""

import json
from collections.abc import Mapping
from typing import Any

from aicost.crd.schema.markers import LIST_TYPE, RULES, UNIT

Schema = dict[str, Any]

_KEPT = (
    "type",
    "format",
    "description",
    "default",
    "enum",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "items",
    "properties",
    "additionalProperties",
    LIST_TYPE,
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    RULES,
)
"""Keys that a published schema may have, in the order in which they are written."""
_NOT_SAID_HERE = frozenset({"title", "$defs", "examples", UNIT})


class SchemaError(Exception):
    """A model uses something that a structural schema cannot say; the message names where and what."""


def resolve(schema: Mapping[str, Any]) -> Schema:
    """Inline all references of a model's JSON schema; our own marks (units) are still in it.

    Raises:
        SchemaError: a model refers to itself.
    """
    return _resolve(schema, schema.get("$defs", {}), ())


def publish(resolved: Mapping[str, Any], where: str = "", *, in_list: bool = False) -> Schema:
    """The structural schema of a resolved one: units in the descriptions, only keys that the API server knows.

    A default inside the item of a list is told in words and not published: client-side apply and GitOps tools compare
    lists as a whole, and would see a change of ours in each of them for ever.

    Raises:
        SchemaError: a key has no meaning there, or a list does not say how it merges.
    """
    told = _default_in_words(resolved) if in_list else dict(resolved)
    said = _with_description(_with_boolean_bounds(_in_words_of_v3(told)))
    unknown = said.keys() - set(_KEPT) - _NOT_SAID_HERE
    if unknown:
        raise SchemaError(f"{where or 'schema'}: {', '.join(sorted(unknown))} cannot be said in a structural schema")
    if said.get("type") == "array" and LIST_TYPE not in said:
        raise SchemaError(f"{where}: say how the list merges: map_list(...), SET_LIST or ATOMIC_LIST")
    return _in_order(_nested(said, where, in_list=in_list))


def _resolve(node: Mapping[str, Any], definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Schema:
    flat = _without_null(_without_reference(dict(node), definitions, inside))
    seen = (*inside, *_references(node))
    for key in ("items", "additionalProperties"):
        if isinstance(flat.get(key), dict):
            flat[key] = _resolve(flat[key], definitions, seen)
    if "properties" in flat:
        flat["properties"] = {name: _resolve(part, definitions, seen) for name, part in flat["properties"].items()}
    if "anyOf" in flat or "$ref" in flat:
        return _resolve(flat, definitions, seen)
    return flat


def _references(node: Mapping[str, Any]) -> tuple[str, ...]:
    return (node["$ref"],) if "$ref" in node else ()


def _without_reference(node: Schema, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Schema:
    reference = node.pop("$ref", None)
    if reference is None:
        return node
    if reference in inside:
        raise SchemaError(f"{reference} contains itself: a structural schema has no recursion")
    return _merge(definitions[reference.removeprefix("#/$defs/")], node)


def _without_null(node: Schema) -> Schema:
    """An optional field is one that may be absent: null is not stored."""
    choices = node.pop("anyOf", None)
    if choices is None:
        return node
    real = [choice for choice in choices if choice != {"type": "null"}]
    if len(real) != 1:
        raise SchemaError(f"{node.get('title', 'a field')} may be of {len(real)} types: a structural schema allows one")
    if node.get("default", ...) is None:
        del node["default"]
    return _merge(real[0], node)


def _merge(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> Schema:
    merged = {**inner, **outer}
    rules = [*inner.get(RULES, []), *outer.get(RULES, [])]
    return {**merged, RULES: rules} if rules else merged


def _with_description(said: Schema) -> Schema:
    """The description in one line, with the unit as its last sentence."""
    unit = f" Unit: {said[UNIT]}." if UNIT in said else ""
    text = " ".join(said.get("description", "").split()) + unit
    return {**said, "description": text.strip()} if text else said


def _in_words_of_v3(said: Schema) -> Schema:
    """What OpenAPI v3.0 says otherwise: a constant is an enum of one, and an object is closed without saying so."""
    if "const" in said:
        said["enum"] = [said.pop("const")]
    if said.get("additionalProperties") is False:
        del said["additionalProperties"]
    return said


def _with_boolean_bounds(said: Schema) -> Schema:
    """JSON Schema 2020 says `exclusiveMinimum: 0`; the API server says `minimum: 0, exclusiveMinimum: true`."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in said:
            said = {**said, bound: said[exclusive], exclusive: True}
    if said.get("type") == "integer":
        said.setdefault("format", "int64")
    return said


def _default_in_words(resolved: Mapping[str, Any]) -> Schema:
    told = dict(resolved)
    if "default" in told:
        words = json.dumps(told.pop("default"))
        told["description"] = f"{told.get('description', '')} Default: {words}."
    return told


def _nested(said: Schema, where: str, *, in_list: bool) -> Schema:
    if "properties" in said:
        parts = said["properties"].items()
        said["properties"] = {name: publish(part, f"{where}.{name}", in_list=in_list) for name, part in parts}
    for key in ("items", "additionalProperties"):
        if isinstance(said.get(key), dict):
            said[key] = publish(said[key], f"{where}[]", in_list=in_list or key == "items")
    return said


def _in_order(said: Schema) -> Schema:
    return {key: said[key] for key in _KEPT if key in said}
