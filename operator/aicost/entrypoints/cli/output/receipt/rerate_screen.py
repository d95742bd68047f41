"""What other prices change about posted cost, for people and for programs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.crd.status.texts import change, gpu_hours, money
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.ledger.rerating import Charged, Costs
from aicost.entrypoints.cli.output.facts import Fact, fact_lines, wrapped
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_COLUMNS = (
    Column("NAMESPACE", shrinks=True),
    Column("COMPONENT", drop=3),
    Column("PRICE WAS", shrinks=True, drop=1),
    Column("PRICE IS", shrinks=True),
    Column("COST WAS", right=True),
    Column("COST IS", right=True),
    Column("DIFFERENCE", right=True),
    Column("CHANGE", right=True, drop=2),
)


@dataclass(frozen=True, slots=True)
class RerateOutcome:
    """What was found, and whether it was posted.

    Attributes:
        books: names of the books that were asked.
        windows: closed windows that were looked at.
        changed: how many of them change.
        rows: difference rows in all.
        changes: what costs more or less, over all windows.
        left: reason -> number of windows that were left as they are for it.
        posted: whether the differences were posted.
        version: version of the ledger before.
    """

    ledger: str
    cluster: str
    span: Window
    books: tuple[str, ...]
    windows: int
    changed: int
    rows: int
    changes: Mapping[Charged, Costs]
    left: Mapping[str, int]
    posted: bool
    version: int | None


def rerate_screen(outcome: RerateOutcome, terminal: Terminal) -> str:
    """The outcome as it stands on the screen."""
    head = wrapped(f"Prices of {', '.join(outcome.books)} · cluster {outcome.cluster}", terminal)
    span = f"{to_rfc3339(outcome.span.start_ms)} → {to_rfc3339(outcome.span.end_ms)}"
    lines = [*(terminal.paint(line, Style.HEAD) for line in head), terminal.paint(span, Style.DIM), ""]
    if outcome.changes:
        cells = [_line(charged, costs) for charged, costs in _largest_first(outcome.changes)]
        lines += [*draw(_COLUMNS, [cells, _totals(outcome.changes)], terminal).lines, ""]
    return "\n".join([*lines, *fact_lines(_facts(outcome), terminal)])


def rerate_document(outcome: RerateOutcome) -> Mapping[str, Any]:
    """The outcome for programs: integers beside texts."""
    return {
        "ledger": outcome.ledger,
        "cluster": outcome.cluster,
        "window": {"from": to_rfc3339(outcome.span.start_ms), "to": to_rfc3339(outcome.span.end_ms)},
        "books": list(outcome.books),
        "posted": outcome.posted,
        "ledger_version_before": outcome.version,
        "windows": outcome.windows,
        "windows_changed": outcome.changed,
        "windows_left": sum(outcome.left.values()),
        "left": dict(outcome.left),
        "difference_rows": outcome.rows,
        "totals": [
            {"currency": currency, "before_nanos": before, "after_nanos": after, "difference_nanos": after - before}
            for currency, (before, after) in sorted(_sums(outcome.changes).items())
        ],
        "changes": [_record(charged, costs) for charged, costs in _largest_first(outcome.changes)],
    }


def added(changes: Sequence[tuple[Charged, Costs]], to: defaultdict[Charged, Costs]) -> None:
    """Add the changes of one more window."""
    for charged, costs in changes:
        to[charged] += costs


def _largest_first(changes: Mapping[Charged, Costs]) -> list[tuple[Charged, Costs]]:
    return sorted(changes.items(), key=lambda item: (-abs(item[1].after_nanos - item[1].before_nanos), item[0]))


def _sums(changes: Mapping[Charged, Costs]) -> Mapping[str, tuple[int, int]]:
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for charged, costs in changes.items():
        if charged.currency:
            before[charged.currency] += costs.before_nanos
            after[charged.currency] += costs.after_nanos
    return {currency: (before[currency], after[currency]) for currency in before}


def _line(charged: Charged, costs: Costs) -> Line:
    who = (charged.namespace or "nobody", charged.component, charged.before or "none", charged.after or "none")
    return Line((*who, *_figures(costs.before_nanos, costs.after_nanos, charged.currency)))


def _figures(before: int, after: int, currency: str) -> tuple[str, ...]:
    step = after - before
    signed = f"+{money(step, currency)}" if step > 0 else money(step, currency)
    return money(before, currency), money(after, currency), signed, change(after, before) or "-"


def _totals(changes: Mapping[Charged, Costs]) -> list[Line]:
    return [
        Line(("changed", "", "", "", *_figures(before, after, currency)), Style.HEAD)
        for currency, (before, after) in sorted(_sums(changes).items())
    ]


def _record(charged: Charged, costs: Costs) -> Mapping[str, Any]:
    return {
        "namespace": charged.namespace,
        "component": charged.component,
        "price_before": charged.before or None,
        "price_after": charged.after or None,
        "currency": charged.currency or None,
        "before_nanos": costs.before_nanos,
        "after_nanos": costs.after_nanos,
        "difference_nanos": costs.after_nanos - costs.before_nanos,
        "unpriced_gpu_milliseconds_before": costs.unpriced_before_ms,
        "unpriced_gpu_milliseconds_after": costs.unpriced_after_ms,
    }


def _facts(outcome: RerateOutcome) -> Iterator[Fact]:
    looked = f"{outcome.changed} of {outcome.windows} closed windows change, by {outcome.rows} difference rows"
    unchanged = f"{outcome.windows} closed; none costs anything else at these prices"
    yield "Windows", looked if outcome.changed else unchanged, Style.PLAIN
    for reason, count in outcome.left.items():
        yield "Left", f"{count} as {'it is' if count == 1 else 'they are'}: {reason}", Style.WARN
    before = sum(costs.unpriced_before_ms for costs in outcome.changes.values())
    after = sum(costs.unpriced_after_ms for costs in outcome.changes.values())
    if before or after:
        yield "Unpriced", f"{gpu_hours(before)} GPU-hours before, {gpu_hours(after)} after", Style.PLAIN
    if outcome.changed and outcome.posted:
        told = f"aicost report --ledger {outcome.ledger} --ledger-version {outcome.version}"
        yield "Posted", f"as a new revision of each window; the figures as they were: {told}", Style.PLAIN
    elif outcome.changed:
        yield "Not posted", "this is what would change; to post it, add --post", Style.WARN
