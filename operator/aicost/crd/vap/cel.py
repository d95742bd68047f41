"""Texts of CEL, put together from parts that cannot fail on an object of another shape than expected.

A field is looked for in a list of nothing or of one thing, so that each step is one `map` and the text grows with the
path, not with its power: CEL has no way to name a part of an expression.
"""

import json
from collections.abc import Iterable, Mapping

MANY = "*"
"""A step of a pointer that stands for each item of a list, or each value of a map."""


def text(value: str) -> str:
    """A string literal."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def texts(values: Iterable[str]) -> str:
    """A list of string literals."""
    return f"[{', '.join(map(text, values))}]"


def text_map(values: Mapping[str, str]) -> str:
    """A map from string literals to string literals."""
    return "{" + ", ".join(f"{text(key)}: {text(value)}" for key, value in values.items()) + "}"


def found(root: str, pointer: str) -> str:
    """What stands at a JSON pointer, as a list: empty where nothing does, or something has another shape.

    Args:
        root: expression of the object; null has nothing at any pointer.
        pointer: such as `/spec/template`; `*` stands for each item of a list or each value of a map, once at most.

    Raises:
        ValueError: the pointer has `*` twice: CEL cannot flatten lists.
    """
    if pointer.count(MANY) > 1:
        raise ValueError(f"pointer {pointer!r}: CEL cannot follow `*` twice")
    expression = f"[{root}]"
    for step in pointer.split("/")[1:]:
        expression = _each(expression) if step == MANY else _step(expression, step)
    return expression


def _step(expression: str, name: str) -> str:
    key = text(name.replace("~1", "/").replace("~0", "~"))
    return f"{expression}.map(x, type(x) == map && {key} in x, x[{key}])"


def _each(expression: str) -> str:
    lists = f"{expression}.filter(x, type(x) == list || type(x) == map)"
    return f"({lists}.map(x, type(x) == map ? x.map(k, x[k]) : x) + [[]])[0]"


def any_of(terms: Iterable[str]) -> str:
    """Terms of which one must hold; `false` where there are none."""
    return _joined(terms, " || ", "false")


def all_of(terms: Iterable[str]) -> str:
    """Terms of which each must hold; `true` where there are none."""
    return _joined(terms, " && ", "true")


def _joined(terms: Iterable[str], sign: str, empty: str) -> str:
    found_terms = [f"({term})" for term in terms]
    return sign.join(found_terms) or empty
