"""Label coverage and the inventory as they stand on the screen, drawn from their documents."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aicost.crd.status.texts import share
from aicost.entrypoints.cli.output.facts import Fact, fact_lines, wrapped
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

Document = Mapping[str, Any]
_ABSENT = "-"
_KEYS = (
    Column("KEY", shrinks=True),
    Column("COVERAGE", right=True),
    Column("UNCOVERED", right=True, drop=1),
    Column("OBJECTS", right=True),
    Column("SET BY", shrinks=True, drop=2),
)
_NAMESPACES = (
    Column("NAMESPACE", shrinks=True),
    Column("COVERAGE", right=True),
    Column("COST", right=True, drop=1),
    Column("UNCOVERED", right=True),
    Column("OBJECTS", right=True),
)
_OFFENDERS = (
    Column("NAMESPACE", shrinks=True),
    Column("OBJECT", shrinks=True),
    Column("OWNER", shrinks=True),
    Column("COST", right=True, drop=1),
    Column("30 DAYS", right=True),
    Column("LACKS", shrinks=True),
)
_VALUES = (
    Column("KEY", shrinks=True),
    Column("VALUE", shrinks=True),
    Column("FINDING"),
    Column("COST", right=True, drop=1),
    Column("OBJECTS", right=True),
    Column("WHERE", shrinks=True, drop=2),
)
_INVENTORY = (
    Column("NAMESPACE", shrinks=True),
    Column("OBJECT", shrinks=True),
    Column("TYPE", shrinks=True),
    Column("MODEL", shrinks=True),
    Column("OWNER", shrinks=True),
    Column("PRODUCT", shrinks=True, drop=4),
    Column("SCALES", drop=3),
    Column("GPUS", right=True, drop=2),
    Column("COST", right=True, drop=1),
    Column("30 DAYS", right=True),
    Column("AIWORKLOAD", shrinks=True),
)
_HINT = re.compile(r" \([^()]*\)")
"""What a problem says in brackets: helpful at `kubectl apply`, too long for a column."""
_FINDINGS = {"used-once": "used once", "unused": "not used any more"}


def coverage_screen(document: Document, terminal: Terminal) -> str:
    """Label coverage, for each currency: what it is, per key, per namespace, offenders, odd values."""
    return "\n\n\n".join("\n".join(_coverage(document, one, terminal)) for one in document["reports"])


def inventory_screen(document: Document, terminal: Terminal) -> str:
    """Every AI workload in one table."""
    lines = [*_title("AI workloads", document, terminal), ""]
    rows = document["rows"]
    if not rows:
        return "\n".join([*lines, "No AI workload is known.", "", *fact_lines(_left_out(document), terminal)])
    lines += _table("", _INVENTORY, [_workload(row) for row in rows], terminal)[1:]
    return "\n".join([*lines, "", *fact_lines(_inventory_facts(document), terminal)])


def _coverage(document: Document, report: Document, terminal: Terminal) -> list[str]:
    keys = ", ".join(report["required_keys"]) or "no key"
    lines = [*_title(f"Label coverage by {keys}", document, terminal, report["currency"]), ""]
    lines += fact_lines(_standing(report), terminal)
    lines += _table("Keys", _KEYS, [_key(one) for one in report["keys"]], terminal)
    if document["namespace"] is None:
        lines += _table("Namespaces", _NAMESPACES, [_namespace(one) for one in report["namespaces"]], terminal)
    offenders, values = report["offenders"], report["values"]
    lines += _table(_counted("Costliest offenders", offenders), _OFFENDERS, map(_offender, offenders["rows"]), terminal)
    lines += _table(_counted("Odd values", values), _VALUES, map(_value, values["rows"]), terminal)
    return [*lines, "", *fact_lines(_left_out(report), terminal)]


def _title(title: str, document: Document, terminal: Terminal, currency: str = "") -> list[str]:
    place = f"namespace {document['namespace']}" if document["namespace"] else "all namespaces"
    head = " · ".join(part for part in (title, place, currency) if part)
    window = document["window"]
    return [
        *(terminal.paint(line, Style.HEAD) for line in wrapped(head, terminal)),
        terminal.paint(f"{window['from']} → {window['to']}", Style.DIM),
    ]


def _counted(title: str, listed: Document) -> str:
    shown, count = len(listed["rows"]), listed["count"]
    return title if shown == count else f"{title}, {shown} of {count}"


def _table(title: str, columns: Sequence[Column], rows: Any, terminal: Terminal) -> list[str]:
    """A heading and a table; nothing where there are no rows."""
    cells = [Line(row) for row in rows]
    if not cells:
        return []
    heading = ["", terminal.paint(title, Style.HEAD)] if title else [""]
    return [*heading, *draw(columns, [cells], terminal).lines]


def _standing(report: Document) -> Iterator[Fact]:
    total, top, denied = report["total"], report["top_spend"], report["would_deny"]
    yield "By cost", f"{total['by_cost'] or 'not known'} of {total['cost'] or 'no cost'}", Style.PLAIN
    yield "By objects", f"{total['by_objects'] or 'not known'} of {total['objects']}", Style.PLAIN
    if top["objects"]:
        text = f"{top['objects']} of {top['objects_with_cost']} objects make up 80% of the cost; {top['by_cost']} of it"
        yield "Top spend", f"{text} is covered", Style.PLAIN
    bare = report["unlabelled"]["count"]
    yield "No label", f"{bare} {'object has' if bare == 1 else 'objects have'} no label at all", Style.PLAIN
    yield from _way(report["line"])
    if denied:
        text = f"{denied['in_mode_deny']} of {denied['objects']} objects in mode Deny, {denied['today']} today"
        yield "Would deny", text, Style.PLAIN
    maturity = report["maturity"]
    level = "not known yet" if maturity["level"] is None else maturity["level"]
    yield "Maturity", f"level {level}, stage {maturity['stage']}", Style.PLAIN
    if maturity["next_step"]:
        yield "Next step", maturity["next_step"], Style.WARN


def _way(line: Document | None) -> Iterator[Fact]:
    if line is None:
        return
    if line["reached"]:
        yield "Line", f"{line['target']} is reached", Style.PLAIN
        return
    count = line["objects_to_label"]
    enough = "the costliest offender is enough" if count == 1 else f"the {count} costliest offenders are enough"
    yield "Line", f"{line['missing']} more must be covered to reach {line['target']}: {enough}", Style.PLAIN


def _left_out(document: Document) -> Iterator[Fact]:
    if document.get("audited_at"):
        yield "Objects", f"as they were at {document['audited_at']}", Style.DIM
    for reason in document["not_assessed"]:
        yield "Not assessed", reason, Style.DIM


def _inventory_facts(document: Document) -> Iterator[Fact]:
    shown, count = len(document["rows"]), document["workloads"]
    claimed = sum(row["aiworkload"] is not None for row in document["rows"])
    more = "" if shown == count else f", the {shown} costliest of them shown"
    yield "Workloads", f"{count}{more}; {claimed} of these have an AIWorkload", Style.PLAIN
    yield from _left_out(document)


def _key(one: Document) -> tuple[str, ...]:
    whole = one["cost_nanos"] or 0
    parts = (f"{source.replace('_', ' ')} {share(by['cost_nanos'], whole)}" for source, by in one["sources"].items())
    name = one["key"] if one["required"] else f"{one['key']} (not required)"
    return name, one["by_cost"] or _ABSENT, one["uncovered"] or _ABSENT, _objects(one), ", ".join(parts) or _ABSENT


def _objects(weight: Document) -> str:
    return f"{weight['covered_objects']}/{weight['objects']}" if weight["objects"] else _ABSENT


def _namespace(one: Document) -> tuple[str, ...]:
    texts = (one["by_cost"], one["cost"], one["uncovered"])
    return one["namespace"] or "(none)", *(text or _ABSENT for text in texts), _objects(one)


def _offender(one: Document) -> tuple[str, ...]:
    texts = (one["owner"], one["cost"], one["monthly_cost"])
    lacks = "; ".join(_HINT.sub("", problem) for problem in one["problems"])
    return one["namespace"], one["object"], *(text or _ABSENT for text in texts), lacks


def _value(one: Document) -> tuple[str, ...]:
    finding = _FINDINGS.get(one["finding"], f"nearly {one['nearest']}")
    where = f"{one['where']['namespace']} {one['where']['object']}" if one["where"] else _ABSENT
    return one["key"], one["value"], finding, one["cost"] or _ABSENT, str(one["objects"]), where


def _workload(one: Document) -> tuple[str, ...]:
    names = ("type", "model", "owner", "product", "scaling", "gpus", "cost", "monthly_cost", "aiworkload")
    gone = "" if one["there"] is not False else " (gone)"
    return one["namespace"], one["object"] + gone, *(one[name] or _ABSENT for name in names)
