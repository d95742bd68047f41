"""An earlier statement, as `-o json` wrote it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aicost.domain.statements.comparing import other_subject
from aicost.domain.statements.document import check_document
from aicost.entrypoints.cli.output.table import printable
from aicost.ports.errors import InvalidRequest

_LARGEST = 64_000_000


def issued_file(issued: str) -> Path | None:
    """The file that is named; None for a version or a moment."""
    if issued.isascii() and issued.isdecimal():
        return None
    file = Path(issued)
    return file if file.is_file() else None


def read_issued(file: Path) -> Mapping[str, Any]:
    """The statement of a file, as it was issued.

    Raises:
        InvalidRequest: it cannot be read, is none of ours, or was changed since.
    """
    try:
        return check_document(json.loads(text_of(file, "--issued", _LARGEST)))
    except (ValueError, RecursionError) as problem:
        raise InvalidRequest(f"--issued: {file}: {problem}") from problem


def check_issued(issued: str | None, document: Mapping[str, Any]) -> None:
    """Refuse adjustments since a statement of something else.

    Raises:
        InvalidRequest: the file is of another payer, time or rule.
    """
    file = None if issued is None else issued_file(issued)
    if file is None:
        return
    if other := other_subject(read_issued(file), document):
        raise InvalidRequest(
            f"--issued: {file} is another statement: {printable(other)}: name one of the same payer, time and rule"
        )


def text_of(file: Path, option: str, largest: int) -> str:
    """The text of a file that a user named.

    Raises:
        InvalidRequest: it cannot be read, is too large or no text.
    """
    try:
        if file.stat().st_size > largest:
            raise InvalidRequest(f"{option}: {file} is larger than {largest:,} bytes: name another file")
        return file.read_text(encoding="utf-8")
    except OSError as problem:
        raise InvalidRequest(f"{option}: {file} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise InvalidRequest(f"{option}: {file} is no text in UTF-8") from problem
