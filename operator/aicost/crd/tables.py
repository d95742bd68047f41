"""Columns of a Table, as `kubectl get` reads them."""

from collections.abc import Iterable, Mapping
from typing import Any


def column_definitions(columns: Iterable[tuple[str, str, bool]], about: Mapping[str, str]) -> list[dict[str, Any]]:
    """The definitions of columns of text.

    Args:
        columns: title, source in the document, and whether only `-o wide` shows it; the first is the name.
        about: source -> description.
    """
    return [
        {
            "name": title,
            "type": "string",
            "format": "" if number else "name",
            "description": about[source],
            "priority": int(wide),
        }
        for number, (title, source, wide) in enumerate(columns)
    ]
