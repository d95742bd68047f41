"""What a bill changes about the ledger, on the screen and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.status.texts import money
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.ledger.rows import Row
from aicost.domain.thirdparty.machines import Ignored
from aicost.domain.thirdparty.settling import TAKEN_BACK, is_estimate
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.spend.ignored import ignored_documents, ignored_facts
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.spend.post_days import DayPosted

_COLUMNS = (
    Column("PROVIDER", shrinks=True),
    Column("MODEL", shrinks=True),
    Column("TEAM", shrinks=True),
    Column("ROWS", right=True),
    Column("COST", right=True),
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a bill.

    Attributes:
        account: key of the account in the ledger.
        days: each day of the bill.
        lines: lines that were read.
        ignored: lines that are about something else than AI, by service.
        posted_for_good: whether it was posted, or only looked at.
        notes: what else was said of the lines.
    """

    account: str
    days: Sequence[DayPosted]
    lines: int
    ignored: Sequence[Ignored]
    posted_for_good: bool
    notes: Sequence[str] = ()

    @property
    def changed(self) -> Sequence[Row]:
        """All rows that were posted, or would be."""
        return [row for day in self.days for row in day.rows if day.revision is not None]

    @property
    def taken_back(self) -> Sequence[Row]:
        """Those that take an estimate back, since its day is billed."""
        return [row for row in self.changed if TAKEN_BACK in row.flags]

    @property
    def title(self) -> str:
        """What kind of spend it is."""
        if not self.days:
            return "Spend"
        return "Estimate" if any(is_estimate(row) for day in self.days for row in day.rows) else "Bill"


def show(found: Imported, form: str, terminal: Terminal) -> str:
    """As `json`, else as text."""
    return json.dumps(import_document(found), indent=2) if form == "json" else import_screen(found, terminal)


def import_screen(found: Imported, terminal: Terminal) -> str:
    """By provider, model and team, and what was done."""
    lines = [terminal.paint(f"{found.title} of account {found.account}", Style.HEAD), ""]
    if found.changed:
        drawn = draw(
            _COLUMNS,
            [[Line(cells) for cells in _cells([row for row in found.changed if TAKEN_BACK not in row.flags])]],
            terminal,
        )
        lines += [*drawn.lines, ""]
    return "\n".join([*lines, *fact_lines(_facts(found), terminal)])


def _cells(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    costs: Counter[tuple[str, str, str, str]] = Counter()
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows:
        named = row.holder.dimensions
        key = row.place.provider, named.get("model", "-"), named.get("team", "-"), row.currency
        costs[key] += row.cost_nanos or 0
        counts[key] += 1
    for key, cost in sorted(costs.items(), key=lambda one: (-one[1], one[0])):
        yield (*key[:3], f"{counts[key]:,}", money(cost, key[3]))


def _facts(found: Imported) -> Iterator[Fact]:
    new = sum(day.revision == 0 for day in found.days)
    restated = sum(bool(day.revision) for day in found.days)
    same = len(found.days) - new - restated
    yield "Days", f"{len(found.days)}: {new} new, {restated} restated, {same} as they are", Style.PLAIN
    yield "Lines", f"{found.lines:,}", Style.PLAIN
    yield from ignored_facts(found.ignored)
    for note in found.notes:
        yield "Note", note, Style.PLAIN
    for currency, cost in sorted(_totals(found.taken_back).items()):
        yield "Billed", f"{money(-cost, currency)} of it by the provider already: the bill counts", Style.PLAIN
    for currency, cost in sorted(_totals(found.changed).items()):
        yield "Cost", f"{money(cost, currency)} {'posted' if found.posted_for_good else 'would be posted'}", Style.PLAIN
    if not found.posted_for_good and found.changed:
        yield "Nothing", "was posted: add --post", Style.WARN


def _totals(rows: Sequence[Row]) -> Mapping[str, int]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.currency] += row.cost_nanos or 0
    return totals


def import_document(found: Imported) -> Mapping[str, Any]:
    """All of it."""
    return {
        "account": found.account,
        "posted": found.posted_for_good,
        "lines": found.lines,
        "others": sum(one.lines for one in found.ignored),
        "ignored": ignored_documents(found.ignored),
        "notes": list(found.notes),
        "estimated": found.title == "Estimate",
        "taken_back_nanos": {name: -cost for name, cost in sorted(_totals(found.taken_back).items())},
        "cost_nanos": dict(sorted(_totals(found.changed).items())),
        "days": [
            {
                "day": to_rfc3339(day.day.start_ms)[:10],
                "revision": day.revision,
                "rows": len(day.rows) if day.revision is not None else 0,
                "cost_nanos": dict(sorted(_totals(day.rows).items())),
            }
            for day in found.days
        ],
    }
