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
    return below(f"[{root}]", pointer)


def below(listed: str, pointer: str) -> str:
    """What stands at a JSON pointer from each item of a list; with `*` only from the first.

    Args:
        listed: expression of the list.
        pointer: as in `found`.
    """
    expression = listed
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


def label_pointer(key: str) -> str:
    """Pointer from metadata to a label."""
    return f"/metadata/labels/{key.replace('~', '~0').replace('/', '~1')}"


def first_or(listed: str, default: str) -> str:
    """The first item of a list, or something else where it is empty."""
    return f"({listed} + [{default}])[0]"


def at(root: str, *path: str, default: str) -> str:
    """What stands at a path of fields that the API server has checked, or a default."""
    return f"{_optional(root, path)}.orValue({default})"


def stands(root: str, *pointers: str) -> str:
    """What stands at some pointers, as one list. Shorter than `found`, for fields that the API server has checked.

    Args:
        root: expression of the object.
        pointers: as in `found`.
    """
    plain = [f"?{_optional(root, _steps(pointer))}" for pointer in pointers if MANY not in pointer]
    return " + ".join([f"[{', '.join(plain)}]", *(_items(root, pointer) for pointer in pointers if MANY in pointer)])


def pointers_of(root: str, *pointers: str) -> str:
    """Where `stands` found something, as JSON pointers in the same order; for lists, not for maps."""
    plain = [
        f"({_optional(root, _steps(pointer))}.hasValue() ? [{text(pointer)}] : [])"
        for pointer in pointers
        if MANY not in pointer
    ]
    return " + ".join(["[]", *plain, *(_places(root, pointer) for pointer in pointers if MANY in pointer)])


def _places(root: str, pointer: str) -> str:
    prefix, _, rest = pointer.partition(f"/{MANY}")
    path, below = _steps(prefix), _steps(rest)
    whole = root + "".join(f"[{text(name)}]" for name in path)
    there = f"i < {_optional(root, path)}.orValue([]).size() && {_optional(f'{whole}[i]', below)}.hasValue()"
    return f"variables.all.filter(i, {there}).map(i, {text(f'{prefix}/')} + string(i) + {text(rest)})"


def _items(root: str, pointer: str) -> str:
    prefix, _, rest = pointer.partition(f"/{MANY}")
    path, below = _steps(prefix), _steps(rest)
    whole = root + "".join(f"[{text(name)}]" for name in path)
    items = f"{_optional(root, path)}.orValue([]).map(k, type({whole}) == map ? {whole}[k] : k)"
    return f"{items}.map(g, {_optional('g', below)}).filter(o, o.hasValue()).map(o, o.value())" if below else items


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _optional(root: str, path: Iterable[str]) -> str:
    return root + "".join(f".?{name}" if name.isidentifier() else f"[?{text(name)}]" for name in path)


def labels_of(root: str) -> str:
    """The labels of an object or a pod template as a map, empty where it has none."""
    return at(root, "metadata", "labels", default="{}")
