"""Bills beside what gateways saw, on the screen and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.allocations.view import key_title
from aicost.crd.status.texts import counted, money, percent
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.thirdparty.capture import Captured, CaptureLine
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_AMOUNTS = ("BILLED", "SEEN", "CAPTURED", "SHADOW")


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared.

    Attributes:
        span: whole days.
        keys: what bills were told apart by, beside the provider.
        daily: whether days were told apart.
    """

    span: Window
    keys: Sequence[str]
    daily: bool
    found: Captured


def show_capture(one: Compared, form: str, terminal: Terminal) -> str:
    """As `json`, else as text."""
    return json.dumps(capture_document(one), indent=2) if form == "json" else _screen(one, terminal)


def _screen(one: Compared, terminal: Terminal) -> str:
    days = f"{to_rfc3339(one.span.start_ms)[:10]} to {to_rfc3339(one.span.end_ms - 1)[:10]}"
    lines = [terminal.paint(f"Bills and gateways, {days}", Style.HEAD), ""]
    if one.found.lines:
        names = [*(["DAY"] if one.daily else []), "PROVIDER", *map(key_title, one.keys)]
        columns = [*(Column(name, shrinks=True) for name in names), *(Column(name, right=True) for name in _AMOUNTS)]
        body = [Line((*_names(line, daily=one.daily), *_cells(line))) for line in one.found.lines]
        totals = [Line(("TOTAL", *[""] * (len(names) - 1), *_cells(line)), Style.HEAD) for line in one.found.totals]
        lines += [*draw(columns, [body, totals], terminal).lines, ""]
    return "\n".join([*lines, *fact_lines(_facts(one.found), terminal)])


def _names(line: CaptureLine, *, daily: bool) -> Iterator[str]:
    if daily and line.day:
        yield to_rfc3339(line.day.start_ms)[:10]
    yield line.provider
    yield from (key or "-" for key in line.keys)


def _cells(line: CaptureLine) -> tuple[str, ...]:
    amounts = (money(nanos, line.currency) for nanos in (line.billed_nanos, line.seen_nanos))
    return (*amounts, percent(line.rate) or "-", money(line.shadow_nanos, line.currency))


def _facts(found: Captured) -> Iterator[Fact]:
    if not found.lines:
        yield "Nothing", "to compare: no day has both a bill and a gateway's estimate", Style.WARN
    for provider, days in found.unbilled.items():
        yield "Waiting", f"{provider}: {counted(days, 'day')} seen and not billed yet: the estimate counts", Style.PLAIN
    if found.blind:
        yield "Unseen", f"{counted(found.blind, 'day')} billed that no gateway answers for: not compared", Style.PLAIN
    if any(line.past_nanos is None and line.shadow_nanos for line in found.lines):
        yield (
            "Shadow",
            "is what is billed beyond what was seen; --through says which keys are the gateways'",
            Style.PLAIN,
        )


def capture_document(one: Compared) -> Mapping[str, Any]:
    """All of it."""
    return {
        "start": to_rfc3339(one.span.start_ms),
        "end": to_rfc3339(one.span.end_ms),
        "lines": [_record(line, one.keys) for line in one.found.lines],
        "totals": [_record(line, ()) for line in one.found.totals],
        "unbilled_days": dict(one.found.unbilled),
        "blind_days": one.found.blind,
    }


def _record(line: CaptureLine, keys: Sequence[str]) -> Mapping[str, Any]:
    rate = line.rate
    return {
        **({"day": to_rfc3339(line.day.start_ms)[:10]} if line.day else {}),
        **({"provider": line.provider} if line.provider else {}),
        **({"keys": dict(zip(keys, line.keys, strict=True))} if keys else {}),
        "currency": line.currency,
        "billed_nanos": line.billed_nanos,
        "seen_nanos": line.seen_nanos,
        "shadow_nanos": line.shadow_nanos,
        "capture_rate": None if rate is None else {"numerator": rate.numerator, "denominator": rate.denominator},
    }
