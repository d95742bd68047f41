"""Fields that no schema has: the API server refuses or prunes them; in a file nobody would notice a wrong name."""

import types
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from aicost.crd.convert.parsing import SpecProblem
from aicost.crd.schema.base import ApiModel

_NEAR = 0.5


def unknown_fields(model: type[ApiModel], spec: object, where: str = "spec") -> Iterator[SpecProblem]:
    """What stands in an object's spec and is no field of its kind, with what it may have meant.

    Args:
        model: the spec's model.
        spec: as the object has it.
        where: path of the spec.
    """
    if not isinstance(spec, Mapping):
        return
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, value in spec.items():
        if key in fields:
            yield from _within(fields[key], value, f"{where}.{key}")
        else:
            near = get_close_matches(str(key), fields, 1, _NEAR)
            meant = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(fields)}"
            yield SpecProblem(f"{where}.{str(key)[:80]}", "no such field, so it says nothing", meant)


def _within(annotation: Any, value: object, where: str) -> Iterator[SpecProblem]:
    """The same for what a field holds: a model, several, or some by name."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, ApiModel):
        yield from unknown_fields(annotation, value, where)
    elif origin in {Union, types.UnionType}:
        for argument in arguments:
            yield from _within(argument, value, where)
    elif isinstance(value, list) and arguments:
        for index, item in enumerate(value):
            yield from _within(arguments[0], item, f"{where}[{index}]")
    elif isinstance(value, Mapping) and len(arguments) > 1:
        for key, item in value.items():
            yield from _within(arguments[1], item, f"{where}[{key}]")
    elif hasattr(annotation, "__metadata__") and arguments:
        yield from _within(arguments[0], value, where)
