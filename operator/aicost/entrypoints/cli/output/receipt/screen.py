"""A receipt as it stands on the screen; read from its document, so that it looks the same wherever it was made."""

from collections.abc import Iterator

from aicost.crd.status.texts import gpu_hours, share
from aicost.entrypoints.cli.output.facts import Fact, fact_lines, wrapped
from aicost.entrypoints.cli.output.receipt.detail import detail_lines
from aicost.entrypoints.cli.output.receipt.texts import Document, cost, exact_cost, quantity, span
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_SHOWN = 10
"""Differences that are shown; the document has all."""


def receipt_screen(document: Document, terminal: Terminal) -> str:
    """The receipt: what it is about, its windows, one of them in detail, and whether it could be computed again."""
    lines = [*_head(document, terminal), "", *fact_lines(_facts(document), terminal)]
    windows = document["windows"]
    if len(windows) > 1:
        lines += ["", *_windows(document, terminal)]
    for window in windows:
        if window["detail"] is not None or len(windows) == 1:
            title = f"Window {span(window)}, revision {window['revision']}"
            told = title if window["revision"] is not None else f"Window {span(window)}, provisional"
            lines += ["", terminal.paint(told, Style.HEAD), *detail_lines(window, terminal)]
    return "\n".join([*lines, "", *_verdict(document, terminal)])


def _head(document: Document, terminal: Terminal) -> list[str]:
    subject = document["subject"]
    name = f"{subject['namespace']}/{subject['name']}" if subject["namespace"] else subject["name"]
    title = f"Receipt of {subject['kind']} {name} · cluster {document['cluster']}"
    told = [(title, Style.HEAD), (f"{span(document['window'])} UTC", Style.DIM)]
    return [terminal.paint(line, style) for text, style in told for line in wrapped(text, terminal)]


def _facts(document: Document) -> Iterator[Fact]:
    for total in document["totals"]:
        hours = f"{gpu_hours(total['gpu_milliseconds'])} GPU-hours"
        covered = share(total["measured_milliseconds"], total["gpu_milliseconds"])
        measured = f", {covered} of them with samples" if covered else ""
        told = f"{cost(total['cost_nanos'], total['currency'])} for {hours}{measured}"
        yield "Cost", told, Style.PLAIN if total["currency"] else Style.WARN
    for holder in document["holders"]:
        name = f"{holder['namespace']}/{holder['pod']}" if holder["pod"] else f"{holder['namespace']} (other pods)"
        by = [f"of {holder['controller']}"] if holder["controller"] else []
        by += [f"claimed by AIWorkload {holder['workload']}"] if holder["workload"] else []
        yield "Held by", " ".join([name, *by]), Style.PLAIN
        for key, one in sorted(holder["dimensions"].items()):
            yield "Charged to", f"{key} {one['value']}, by {one['source']} {one['origin']}".rstrip(), Style.PLAIN


def _windows(document: Document, terminal: Terminal) -> list[str]:
    columns = (
        Column("WINDOW"),
        Column("COST", right=True),
        Column("GPU-HOURS", right=True),
        Column("SAMPLED", right=True, drop=2),
        Column("REVISION", right=True, drop=1),
        Column("REPLAYED"),
    )
    lines = [_window(one) for one in document["windows"]]
    return list(draw(columns, [lines], terminal).lines)


def _window(one: Document) -> Line:
    totals = one["totals"]
    time, measured = (sum(each[key] for each in totals) for key in ("gpu_milliseconds", "measured_milliseconds"))
    costs = ", ".join(cost(each["cost_nanos"], each["currency"]) for each in totals)
    revision = "-" if one["revision"] is None else str(one["revision"])
    style = Style.PLAIN if one["replayed"] in {"equal", "provisional"} else Style.WARN
    return Line((span(one), costs, gpu_hours(time), share(measured, time) or "-", revision, one["replayed"]), style)


def _verdict(document: Document, terminal: Terminal) -> list[str]:
    """What came of computing it again. The last line is for people and for programs."""
    lines: list[str] = []
    for one in document["windows"]:
        lines += _window_verdict(one, terminal)
    if any(one.get("customer_erased") for one in document["windows"]):
        told = "a customer was erased from these rows and from what they rest on; the amounts are as they were posted"
        lines += wrapped(told, terminal)
    closed = [one for one in document["windows"] if one["revision"] is not None]
    equal = sum(one["replayed"] == "equal" for one in closed)
    said = document["replayed"]
    if said == "equal":
        basis = sum(one["basis"]["samples"] for one in closed)
        lines.append(f"computed again from {basis:,} stored samples, in a process that cannot see the ledger")
    last = {
        "partly": f"{equal} of {len(closed)} windows equal, the others could not be computed again",
        "provisional": "not yet: the window is open and its figures may still change",
    }.get(said, said)
    return [*lines, terminal.paint(f"replayed: {last}", Style.HEAD if said == "equal" else Style.WARN)]


def _window_verdict(one: Document, terminal: Terminal) -> list[str]:
    lines: list[str] = []
    where = f"window {span(one)}: "
    for told in (one["not_replayed"], one["altered"]):
        if told:
            lines += [terminal.paint(line, Style.WARN) for line in wrapped(where + told, terminal)]
    for each in one["differences"][:_SHOWN]:
        lines += [terminal.paint(line, Style.WARN) for line in wrapped(where + _difference(each), terminal)]
    more = len(one["differences"]) - _SHOWN
    return [*lines, f"{where}and {more} more amounts; -o json tells all"] if more > 0 else lines


def _difference(each: Document) -> str:
    holder = f"{each['namespace']}/{each['pod']}" if each["namespace"] else "nobody"
    what = f"{each['component']} of {each['device'] or each['node']}, {each['bucket']}, {holder}, {each['price']}"
    stored, again = (_amounts(each, each[side]) for side in ("stored", "recomputed"))
    return f"{what}: the ledger says {stored}, its inputs say {again}"


def _amounts(each: Document, sums: Document) -> str:
    told = quantity({**sums, "component": each["component"]})
    return f"{exact_cost(sums['cost_nanos'], each['currency'])} for {told} ({sums['measured_milliseconds']} ms sampled)"
