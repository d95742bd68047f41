"""Statements about requests from a file: JSON lines, a JSON list, or CSV."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.serving.outcomes.posted import BadStatement, Statement, read_statements
from aicost.ports.errors import InvalidRequest

_TOKENS = "tokens"


def read_file(place: str, content: bytes, now_ms: int, namespace: str | None) -> tuple[Statement, ...]:
    """What a file states, by what it begins with: `[` or `{` for JSON, else CSV.

    Args:
        place: the file, for people.
        content: what it holds.
        now_ms: the present moment.
        namespace: where a statement belongs that names no namespace; None where each has to.

    Raises:
        InvalidRequest: it makes no sense; the message names the line and the field.
    """
    try:
        text = content.decode("utf-8-sig")
        items = ((line, _placed(item, namespace)) for line, item in _items(text))
        found = read_statements(items, now_ms=now_ms)
    except (BadStatement, UnicodeDecodeError) as problem:
        raise InvalidRequest(f"{place}: {problem}") from problem
    if not found:
        raise InvalidRequest(f"{place}: there is no statement in it: write one a line, such as {_EXAMPLE}")
    return found


_EXAMPLE = '{"id": "req-1", "at": "2026-03-02T09:30:00Z", "workload": "chat", "outcome": "success"}'


def document_of(one: Statement) -> dict[str, Any]:
    """A statement as it is posted."""
    said = {
        "id": one.id,
        "at": to_rfc3339(one.at_ms),
        "workload": one.workload,
        "model": one.model,
        "outcome": "success" if one.success else "failure",
        "reason": one.reason,
        _TOKENS: one.tokens,
        "team": one.team,
        "feature": one.feature,
        "customer": one.customer,
    }
    return {name: value for name, value in said.items() if value not in ("", None)}


def _items(text: str) -> Iterator[tuple[str, Any]]:
    begin = text.lstrip()[:1]
    if begin == "[":
        for number, item in enumerate(_decoded(text, "the file"), 1):
            yield f"item {number}", item
    elif begin == "{":
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield f"line {number}", _decoded(line, f"line {number}")
    else:
        yield from _rows(text)


def _decoded(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadStatement(f"{place} is no JSON: {str(problem)[:120]}") from problem


def _rows(text: str) -> Iterator[tuple[str, Any]]:
    """Rows of CSV: the first line names the fields; an empty cell says nothing."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            place = f"line {reader.line_num}"
            if len(cells) != len(head):
                raise BadStatement(f"{place}: it has {len(cells)} cells, the first line names {len(head)}")
            yield place, {name: _cell(name, cell) for name, cell in zip(head, cells, strict=True) if cell != ""}
    except csv.Error as problem:
        raise BadStatement(f"line {reader.line_num} is no CSV: {problem}") from problem


def _cell(name: str, cell: str) -> Any:
    """Tokens are a number, all else is text."""
    is_number = name == _TOKENS and cell.isascii() and cell.isdigit() and len(cell) < 20
    return int(cell) if is_number else cell


def _placed(item: Any, namespace: str | None) -> Any:
    if isinstance(item, dict) and namespace is not None and not item.get("namespace"):
        return {**item, "namespace": namespace}
    return item
