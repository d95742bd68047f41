"""Queries as text. Every value is escaped here, so none can add to a query."""

from collections.abc import Iterable, Mapping

_REGEX_SIGNS = frozenset("\\.+*?()|[]{}^$")


def quote(text: str) -> str:
    """A PromQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def one_of(label: str, values: Iterable[str]) -> str:
    """A matcher for any of some literal values."""
    literal = ("".join(f"\\{sign}" if sign in _REGEX_SIGNS else sign for sign in value) for value in values)
    return f"{label}=~{quote('|'.join(literal))}"


def selector(names: Iterable[str], matchers: Mapping[str, str], *more: str) -> str:
    """A selector of series by metric names, exact labels and further matchers."""
    exact = (f"{label}={quote(value)}" for label, value in sorted(matchers.items()))
    return "{" + ",".join((one_of("__name__", names), *exact, *more)) + "}"


def duration(millis: int) -> str:
    """A PromQL duration."""
    return f"{millis}ms"
