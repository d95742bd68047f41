"""What a verification found, for people and for programs."""

from collections.abc import Iterator
from typing import Any

from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.ledger.audit import ClusterLog, Finding
from aicost.entrypoints.cli.output.table import Column, Line, draw, printable
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.upkeep.verify_ledger import Verification

SHOWN = 100
"""More findings than these are counted, and stand in the JSON."""
_COLUMNS = (
    Column("CLUSTER", shrinks=True, drop=1),
    Column("WINDOW"),
    Column("REVISION", right=True),
    Column("FAULT"),
    Column("WHAT IS WRONG", shrinks=True),
)


def as_text(place: str, outcome: Verification, terminal: Terminal) -> str:
    """The outcome as it stands on the screen."""
    lines = [terminal.paint(f"{place} · schema version {outcome.schema_version}", Style.HEAD)]
    lines += [line for log in outcome.logs for line in _cluster(log)]
    for gap in outcome.gaps:
        lines.append(f"  gap {gap.window} of cluster {printable(gap.cluster)}: a backfill ended there; no fault")
    if outcome.findings:
        shown = [_line(one) for one in outcome.findings[:SHOWN]]
        lines += ["", *draw(_COLUMNS, [shown], terminal).lines, ""]
        if more := len(outcome.findings) - SHOWN:
            lines += [f"{more} more: -o json"] if more > 0 else []
    return "\n".join([*lines, *_end(outcome, terminal)])


def as_document(place: str, outcome: Verification) -> dict[str, Any]:
    """The same for programs."""
    return {
        "ledger": place,
        "schemaVersion": outcome.schema_version,
        "windows": outcome.windows,
        "postings": outcome.postings,
        "rows": outcome.rows,
        "unsealed": outcome.unsealed,
        "sound": not outcome.findings,
        "gaps": [{name: _finding(one)[name] for name in ("cluster", "from", "to")} for one in outcome.gaps],
        "clusters": [_document_of(log) for log in outcome.logs],
        "findings": [_finding(one) for one in outcome.findings],
    }


def _document_of(log: ClusterLog) -> dict[str, Any]:
    return {
        "cluster": log.cluster,
        "windows": len(log.windows),
        "from": to_rfc3339(log.windows[0].window.start_ms) if log.windows else None,
        "to": to_rfc3339(log.windows[-1].window.end_ms) if log.windows else None,
        "term": log.term,
        "keptFrom": None if log.kept_from is None else to_rfc3339(log.kept_from),
        "droppedRows": log.dropped_rows,
        "erasedRows": log.erased_rows,
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "cluster": one.cluster,
        "from": to_rfc3339(one.window.start_ms),
        "to": to_rfc3339(one.window.end_ms),
        "revision": one.revision,
        "fault": one.fault.value,
        "text": one.text,
    }


def _cluster(log: ClusterLog) -> Iterator[str]:
    name = printable(log.cluster)
    if log.windows:
        first, last = log.windows[0].window.start_ms, log.windows[-1].window.end_ms
        yield f"cluster {name}: {len(log.windows)} windows, {to_rfc3339(first)} to {to_rfc3339(last)}"
    else:
        yield f"cluster {name}: nothing was posted"
    if log.kept_from is not None:
        yield f"  retention dropped {log.dropped_rows} rows of before {to_rfc3339(log.kept_from)}"
    if log.erased_rows:
        yield f"  customers were erased from {log.erased_rows} rows"


def _line(one: Finding) -> Line:
    revision = "" if one.revision is None else str(one.revision)
    return Line((printable(one.cluster), str(one.window), revision, one.fault.value, printable(one.text)))


def _end(outcome: Verification, terminal: Terminal) -> Iterator[str]:
    if outcome.unsealed:
        yield (
            f"{outcome.unsealed} of {outcome.postings} postings are of an older aicost and have no checksum: "
            "only their windows and sums were checked"
        )
    if outcome.findings:
        yield terminal.paint(f"{len(outcome.findings)} things are wrong: docs/runbooks/ledger-damaged.md", Style.WARN)
    else:
        yield f"sound: {outcome.rows} rows of {outcome.postings} postings are what was posted"
