"""Statements from ledgers that are read directly, and the files that they refer to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.cli.commands.report import Source
from aicost.entrypoints.cli.sources.ledger import open_ledgers, open_place
from aicost.entrypoints.cli.sources.statements.issued import issued_file, read_issued, text_of
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.build_statement import Earlier, StatementRequest, build_statement
from aicost.usecases.join_ledgers import join

_LARGEST = 1_000_000


def state_ledgers(source: Source, request: StatementRequest, issued: str | None, now_ms: int) -> Mapping[str, Any]:
    """The statement of the ledgers that are named.

    Args:
        source: the ledgers, and which cluster and version of them.
        request: what is stated.
        issued: what adjustments are counted from: a file, a version or a moment; None for the first postings.
        now_ms: the present moment.

    Raises:
        InvalidRequest: something that is named is not there, or makes no sense.
        LedgerUnavailable: a ledger cannot be read.
    """
    opened = open_ledgers(source.ledgers, version=source.version, cluster=source.cluster)
    earlier = None if issued is None else _earlier(source, issued)
    return build_statement(
        opened.reader, request, now_ms, cluster=source.cluster, earlier=earlier, ledgers=opened.marks
    )


def read_shares(file: Path) -> Mapping[Any, Any]:
    """The shares of a YAML or JSON file: a mapping from payer to share.

    Raises:
        InvalidRequest: it cannot be read, or is no such mapping.
    """
    try:
        found = yaml.safe_load(text_of(file, "--shares", _LARGEST))
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        said = " ".join(str(problem).split())[:200]
        raise InvalidRequest(f"--shares: {file} is neither YAML nor JSON: {said}") from problem
    if not isinstance(found, Mapping) or not found:
        raise InvalidRequest(f"--shares: {file} holds no shares: write one payer a line, such as `vision: 40%`")
    return found


def _earlier(source: Source, issued: str) -> Earlier:
    """The ledgers as they stood when an earlier statement was issued."""
    versions = _versions(source, issued)
    readers: dict[str, LedgerReader] = {
        place: open_place(place).as_of(version) for place, version in versions.items() if version is not None
    }
    if not readers:
        raise InvalidRequest(f"--issued: {issued[:80]!r}: the ledger was empty then: leave --issued out")
    return Earlier(join(readers), tuple(versions.values()))


def _versions(source: Source, issued: str) -> dict[str, int | None]:
    """The version of each ledger at that time."""
    if issued.isascii() and issued.isdecimal():
        if len(source.ledgers) != 1:
            raise InvalidRequest(
                f"--issued: version {issued} is one of one ledger: name a file or a moment for several"
            )
        return {source.ledgers[0]: int(issued)}
    if (file := issued_file(issued)) is not None:
        return _versions_of(file, source)
    try:
        at_ms = from_rfc3339(issued)
    except ValueError as problem:
        raise InvalidRequest(
            f"--issued: {issued[:80]!r} is no file, version or moment: name a statement that -o json wrote, a version "
            "such as 1412, or a moment such as 2026-11-03T08:00:00Z"
        ) from problem
    return {place: open_place(place).version_at(at_ms) for place in source.ledgers}


def _versions_of(file: Path, source: Source) -> dict[str, int | None]:
    """The versions that a statement was made of, in the order of the ledgers."""
    versions = [one["version"] for one in read_issued(file)["ledgers"]]
    if len(versions) != len(source.ledgers):
        raise InvalidRequest(
            f"--issued: {file} was made of {len(versions)} ledgers, and {len(source.ledgers)} are named: "
            "name the same ones, in the same order"
        )
    return dict(zip(source.ledgers, versions, strict=True))
