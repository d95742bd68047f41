"""Requests for more in one table: what, how much, by whom, what became of it, and who may decide."""

from collections.abc import Sequence
from typing import NamedTuple

from aicost.domain.budgets.overrides.values import Phase, Purpose
from aicost.entrypoints.cli.output.budget.ages import age
from aicost.entrypoints.cli.output.budget.classes import Prediction, asked_words, predict
from aicost.entrypoints.cli.output.budget.reading import Body, at, budget_of, moment, name_of, ref_of, text
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_COLUMNS = (
    Column("NAMESPACE", shrinks=True),
    Column("NAME", shrinks=True),
    Column("BUDGET", shrinks=True),
    Column("ASKS FOR"),
    Column("BY", shrinks=True),
    Column("PHASE"),
    Column("DECISION", shrinks=True),
    Column("AGE", right=True),
    Column("BECAUSE", shrinks=True, drop=1),
)
_NEW = "New"
"""What nobody has looked at yet."""
_TO_DO = (Phase.PENDING.value, Phase.REVIEW_DUE.value)
_ORDER = (*_TO_DO, _NEW, Phase.ACTIVE.value)
"""What somebody has to do something about comes first."""


class _Row(NamedTuple):
    body: Body
    one: Prediction
    phase: str
    made_ms: int


def requests_table(requests: Sequence[Body], budgets: Sequence[Body], now_ms: int, terminal: Terminal) -> str:
    """The table; what waits for somebody first, then the latest. Without the namespace where all are of one."""
    known = {(one.namespace, one.name): body for body in budgets for one in (ref_of(body),)}
    rows = [_row(body, known.get((ref.namespace, ref.name)), now_ms) for body in requests for ref in (budget_of(body),)]
    rows.sort(key=lambda row: (_place(row.phase), -row.made_ms, name_of(row.body)))
    first = len({row.one.override.namespace for row in rows}) == 1
    lines = [Line(_cells(row, now_ms)[first:], _style(row.phase)) for row in rows]
    return "\n".join(draw(_COLUMNS[first:], [lines], terminal).lines)


def _row(body: Body, budget: Body | None, now_ms: int) -> _Row:
    made_ms = moment(body, "metadata", "creationTimestamp") or 0
    return _Row(body, predict(body, budget, now_ms), text(body, "status", "phase") or _NEW, made_ms)


def _place(phase: str) -> int:
    return _ORDER.index(phase) if phase in _ORDER else len(_ORDER)


def _style(phase: str) -> Style:
    if phase in _TO_DO:
        return Style.WARN
    return Style.PLAIN if phase in _ORDER else Style.DIM


def _cells(row: _Row, now_ms: int) -> tuple[str, ...]:
    override, budget = row.one.override, row.one.budget
    return (
        override.namespace,
        override.name,
        budget.name if budget.namespace else f"{budget.name} (cluster)",
        asked_words(row.one),
        override.requested_by or "-",
        row.phase,
        _decision(row),
        age(row.made_ms or None, now_ms),
        override.reason,
    )


def _decision(row: _Row) -> str:
    """What was decided and by whom; while nothing was, who may."""
    override, spec = row.one.override, at(row.body, "spec")
    decision, reviewed = at(spec, "decision"), text(spec, "review", "by")
    if reviewed:
        return f"reviewed by {reviewed}"
    if override.purpose is Purpose.BREAK_GLASS:
        due = row.phase == Phase.REVIEW_DUE
        return f"review takes approve-major, not {override.requested_by}" if due else "none is needed; reviewed later"
    if decision is not None:
        return f"{text(decision, 'state')} as {text(decision, 'class')} by {text(decision, 'by')}"
    if row.phase not in {_NEW, Phase.PENDING}:
        return "-"
    if row.one.found is None:
        return "takes approve-minor or approve-major"
    return f"takes {row.one.verb}" + ("" if row.one.allows_own else f", not {override.requested_by}")
