"""What a retag moves, for people and for programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aicost.crd.status.texts import gpu_hours, money
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.ledger.retagging import Moved, Turn
from aicost.entrypoints.cli.output.facts import Fact, fact_lines, wrapped
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_COLUMNS = (
    Column("DIMENSION"),
    Column("FROM", shrinks=True),
    Column("TO", shrinks=True),
    Column("BY", drop=1, shrinks=True),
    Column("COST", right=True),
    Column("GPU-HOURS", right=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found, and whether it was posted.

    Attributes:
        policies: names of the policies that were asked.
        windows: closed windows that were looked at.
        changed: how many of them change.
        rows: difference rows in all.
        moves: what moves, over all windows.
        posted: whether the differences were posted.
        version: version of the ledger before.
    """

    ledger: str
    cluster: str
    span: Window
    policies: tuple[str, ...]
    windows: int
    changed: int
    rows: int
    moves: Mapping[Turn, Moved]
    posted: bool
    version: int | None


def retag_screen(outcome: Outcome, terminal: Terminal) -> str:
    """The outcome as it stands on the screen."""
    asked = ", ".join(outcome.policies) or "no policy"
    head = wrapped(f"Tags by {asked} · cluster {outcome.cluster}", terminal)
    span = f"{to_rfc3339(outcome.span.start_ms)} → {to_rfc3339(outcome.span.end_ms)}"
    lines = [*(terminal.paint(line, Style.HEAD) for line in head), terminal.paint(span, Style.DIM), ""]
    if outcome.moves:
        cells = [_line(turn, moved) for turn, moved in _largest_first(outcome.moves)]
        lines += [*draw(_COLUMNS, [cells], terminal).lines, ""]
    return "\n".join([*lines, *fact_lines(_facts(outcome), terminal)])


def retag_document(outcome: Outcome) -> Mapping[str, Any]:
    """The outcome for programs: integers beside texts."""
    return {
        "ledger": outcome.ledger,
        "cluster": outcome.cluster,
        "window": {"from": to_rfc3339(outcome.span.start_ms), "to": to_rfc3339(outcome.span.end_ms)},
        "policies": list(outcome.policies),
        "posted": outcome.posted,
        "ledger_version_before": outcome.version,
        "windows": outcome.windows,
        "windows_changed": outcome.changed,
        "difference_rows": outcome.rows,
        "moves": [_record(turn, moved) for turn, moved in _largest_first(outcome.moves)],
    }


def _largest_first(moves: Mapping[Turn, Moved]) -> list[tuple[Turn, Moved]]:
    return sorted(moves.items(), key=lambda item: (-abs(item[1].cost_nanos), -item[1].gpu_milliseconds, item[0]))


def _line(turn: Turn, moved: Moved) -> Line:
    return Line(
        (turn.dimension, turn.before, turn.after, turn.by, _cost(turn, moved), gpu_hours(moved.gpu_milliseconds))
    )


def _cost(turn: Turn, moved: Moved) -> str:
    """The cost that moves; what has no price is never shown as zero."""
    return money(moved.cost_nanos, turn.currency) if turn.currency else "unpriced"


def _record(turn: Turn, moved: Moved) -> Mapping[str, Any]:
    return {
        "dimension": turn.dimension,
        "from": turn.before,
        "to": turn.after,
        "by": turn.by,
        "currency": turn.currency or None,
        "cost": money(moved.cost_nanos, turn.currency) if turn.currency else None,
        "cost_nanos": moved.cost_nanos if turn.currency else None,
        "gpu_milliseconds": moved.gpu_milliseconds,
        "unpriced_gpu_milliseconds": moved.unpriced_milliseconds,
    }


def _facts(outcome: Outcome) -> Iterator[Fact]:
    if not outcome.changed:
        yield "Windows", f"{outcome.windows} closed; their tags stay as they are", Style.PLAIN
        return
    told = f"{outcome.changed} of {outcome.windows} closed windows change, by {outcome.rows} difference rows"
    yield "Windows", told, Style.PLAIN
    if not outcome.moves:
        yield "Sources", "every value stays; only who gives it changes", Style.PLAIN
    yield "Total", "stays as it is: cost moves, none is added and none is lost", Style.PLAIN
    if outcome.posted:
        before = f"aicost report --ledger {outcome.ledger} --ledger-version {outcome.version}"
        yield "Posted", f"as a new revision of each window; the figures as they were: {before}", Style.PLAIN
    else:
        yield "Not posted", "this is what would move; to post it, add --post", Style.WARN
