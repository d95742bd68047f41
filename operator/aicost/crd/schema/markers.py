"""What a field says beside its type: rules, units and how lists merge.

A rule is written once and holds twice: as CEL in the API server, with a message that names the fix, and as a Python
predicate for what never passes an API server (files on a laptop, tests).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

RULES = "x-kubernetes-validations"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
UNIT = "x-aicost-unit"
"""Ours alone: the unit of a field. It is folded into the description before a schema is published."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on a value or on a whole object.

    Attributes:
        cel: the rule for the API server; `self` is the value.
        message: what is wrong and how to put it right.
        holds: the same rule in Python, for the parsed value.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool]

    def published(self) -> dict[str, str]:
        """The rule as an entry of `x-kubernetes-validations`."""
        return {"rule": self.cel, "message": self.message}

    def check(self, value: Any) -> Any:
        """Return the value.

        Raises:
            ValueError: the rule does not hold; the text is the message.
        """
        if not self.holds(value):
            raise ValueError(self.message)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        return {**described, RULES: [*described.get(RULES, []), self.published()]}


def matches(pattern: str, message: str) -> Rule:
    """A rule that a string matches a pattern as a whole.

    The pattern is not published as `pattern`: the server's own words for that name a regular expression and no fix.
    """
    whole = re.compile(pattern, re.ASCII)  # as in the server, where a digit is one of ten
    return Rule(f"self.matches(r'^({pattern})$')", message, lambda text: whole.fullmatch(text) is not None)


@dataclass(frozen=True, slots=True)
class _Extra:
    """Keys to add to the schema of a field."""

    keys: tuple[tuple[str, str | tuple[str, ...]], ...]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        said = {key: list(value) if isinstance(value, tuple) else value for key, value in self.keys}
        return {**handler(schema), **said}


def unit(name: str) -> _Extra:
    """The unit of a field, such as `ms` or `nano-units of the currency`."""
    return _Extra(((UNIT, name),))


def formatted(name: str) -> _Extra:
    """The `format` of a string, such as `date-time`."""
    return _Extra((("format", name),))


def map_list(*keys: str) -> _Extra:
    """A list whose items are told apart by keys: server-side apply merges it item by item."""
    return _Extra(((LIST_TYPE, "map"), (LIST_KEYS, keys)))


SET_LIST = _Extra(((LIST_TYPE, "set"),))
"""A list of scalars without duplicates."""
ATOMIC_LIST = _Extra(((LIST_TYPE, "atomic"),))
"""A list that is replaced as a whole."""
ATOMIC_MAP = _Extra((("x-kubernetes-map-type", "atomic"),))
"""An object that is replaced as a whole."""
