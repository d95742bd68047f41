"""Queries as text. Every value is escaped here, so none can add to a query."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REGEX_SIGNS = frozenset("\\.+*?()|[]{}^$")


def quote(text: str) -> str:
    """A PromQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def is_label_name(text: str) -> bool:
    """Whether a text can stand in a query as the name of a label: names are not quoted, so nothing else may."""
    return _LABEL_NAME.fullmatch(text) is not None


def is_text(text: str) -> bool:
    """Whether a text can stand in a query at all: half of a surrogate pair has no bytes to send."""
    return text.encode(errors="replace").decode() == text


def exact(label: str, value: str) -> str:
    """A matcher for one literal value."""
    return f"{label}={quote(value)}"


def one_of(label: str, values: Iterable[str]) -> str:
    """A matcher for any of some literal values."""
    return f"{label}=~{quote(alternatives(values))}"


def alternatives(values: Iterable[str]) -> str:
    """A regular expression for any of some literal values."""
    return "|".join("".join(f"\\{sign}" if sign in _REGEX_SIGNS else sign for sign in value) for value in values)


def selector(names: Iterable[str], matchers: Mapping[str, str], *more: str) -> str:
    """A selector of series by metric names, exact labels and further matchers."""
    literal = (exact(label, value) for label, value in sorted(matchers.items()))
    return "{" + ",".join((one_of("__name__", names), *literal, *more)) + "}"


class Selection(NamedTuple):
    """Series by their names, by labels that all of them must have, and by labels that must have one of some values."""

    names: Sequence[str]
    labels: Sequence[tuple[str, str]] = ()
    among: Sequence[tuple[str, Sequence[str]]] = ()

    def __str__(self) -> str:
        return self._written()

    def having(self, label: str) -> str:
        """Those that have a further label, whatever its value."""
        return self._written(f'{label}!=""')

    def _written(self, *more: str) -> str:
        labels = (exact(name, value) for name, value in self.labels)
        return selector(self.names, {}, *labels, *(one_of(name, values) for name, values in self.among), *more)


def duration(millis: int) -> str:
    """A PromQL duration."""
    return f"{millis}ms"
