"""Idle money as it stands on the screen, drawn from its document."""

from collections.abc import Iterator, Mapping
from typing import Any

from aicost.crd.status.texts import share
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

Document = Mapping[str, Any]
_ABSENT = "-"
_KINDS = (
    Column("KIND"),
    Column("COST", right=True),
    Column("A DAY", right=True),
    Column("GPU-HOURS", right=True, drop=1),
    Column("WHAT TO DO", shrinks=True),
)
_LINES = (
    Column("KIND"),
    Column("OWNER", shrinks=True),
    Column("WORKLOAD", shrinks=True),
    Column("MODEL", shrinks=True, drop=2),
    Column("GPU", drop=3),
    Column("WHAT", shrinks=True),
    Column("GPU-HOURS", right=True, drop=1),
    Column("COST", right=True),
    Column("A DAY", right=True),
)


def idle_screen(document: Document, terminal: Terminal) -> str:
    """Kinds in one table, lines with their owners in another, and what a reader must know beside them."""
    place = f"namespace {document['namespace']}" if document["namespace"] else "all namespaces"
    window = document["window"]
    lines = [
        terminal.paint(f"Idle GPUs · {place}", Style.HEAD),
        terminal.paint(f"{window['from']} → {window['to']}", Style.DIM),
    ]
    if document["kinds"]:
        lines += ["", *draw(_KINDS, [[Line(_kind(one)) for one in document["kinds"]]], terminal).lines]
    if document["rows"]:
        lines += ["", *draw(_LINES, [[Line(_line(one)) for one in document["rows"]]], terminal).lines]
    return "\n".join([*lines, "", *fact_lines(_facts(document), terminal)])


def _kind(one: Document) -> tuple[str, ...]:
    return one["kind"], one["cost"] or _ABSENT, one["per_day"] or _ABSENT, one["gpu_hours"] or _ABSENT, one["fix"]


def _line(one: Document) -> tuple[str, ...]:
    workload = "/".join(filter(None, (one["namespace"], one["workload"])))
    told = (one["model"], one["gpu_model"], _what(one), one["gpu_hours"], one["cost"], one["per_day"])
    return one["kind"], one["owner"], workload or _ABSENT, *(text or _ABSENT for text in told)


def _what(one: Document) -> str:
    """What is special of a line: the pod and its memory, or the replicas too many."""
    if one["pod"]:
        return f"{one['pod']}, {one['memory']} held" if one["memory"] else one["pod"]
    if one["phase"]:
        hours = f", {one['replica_hours']} replica-hours" if one["replica_hours"] else ""
        return f"{one['phase']}{hours}"
    return ""


def _facts(document: Document) -> Iterator[Fact]:
    if not document["covered_milliseconds"]:
        yield "No data", "no billing window was posted that lies within that time", Style.WARN
    for one in document["totals"]:
        if one["currency"]:
            part = share(one["cost_nanos"], one["gpu_cost_nanos"] or 0)
            yield "Idle", f"{one['cost']} of {one['gpu_cost']} of GPU cost" + (f", {part}" if part else ""), Style.PLAIN
        if one["unmeasured_nanos"]:
            yield "Not measured", f"{one['unmeasured']} was held without samples: it may be idle, too", Style.WARN
    left = document["lines"] - len(document["rows"])
    if left:
        yield "Left out", f"{left} more lines: --rows {document['lines']}", Style.DIM
    for note in document["notes"]:
        yield "Note", note, Style.WARN
