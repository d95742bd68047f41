"""Budgets and cluster budgets in one table, the most used first."""

from collections.abc import Sequence

from aicost.crd.status.texts import share
from aicost.domain.budgets.plans import PPM
from aicost.domain.exact.apportion import divide
from aicost.entrypoints.cli.output.budget.ages import ABSENT, age
from aicost.entrypoints.cli.output.budget.bar import bar
from aicost.entrypoints.cli.output.budget.figures import money_of
from aicost.entrypoints.cli.output.budget.reading import Body, at, moment, ref_of, text
from aicost.entrypoints.cli.output.facts import wrapped
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

_COLUMNS = (
    Column("NAMESPACE", shrinks=True),
    Column("BUDGET", shrinks=True),
    Column("LIMIT", right=True),
    Column("SPENT", right=True),
    Column("%USED", right=True),
    Column("", drop=3),
    Column("FORECAST", right=True, drop=2),
    Column("TTE", right=True, drop=1),
    Column("COMMITTED/H", right=True, drop=4),
    Column("GATE"),
    Column("NEXT", shrinks=True, drop=5),
    Column("DATA-AGE", right=True),
)
_NOWHERE = "(cluster)"


def list_table(budgets: Sequence[Body], now_ms: int, terminal: Terminal) -> str:
    """The table, and what of it has no room."""
    rows = sorted(budgets, key=lambda body: (-used_ppm(body), str(ref_of(body))))
    drawn = draw(_COLUMNS, [[Line(_cells(body, now_ms), _style(body)) for body in rows]], terminal)
    left_out = ", ".join(filter(None, drawn.dropped))
    note = wrapped(f"Columns that do not fit: {left_out}. `why` shows all of one budget.", terminal) if left_out else []
    return "\n".join([*drawn.lines, *(terminal.paint(line, Style.DIM) for line in note)])


def used_ppm(budget: Body) -> int:
    """Spend over limit, all that the budget is judged by; below 0 for one that was never computed."""
    amounts = money_of(budget)
    return -1 if amounts is None else divide(amounts.counted * PPM, amounts.limit)


def _style(budget: Body) -> Style:
    if used_ppm(budget) < 0:
        return Style.DIM
    return Style.WARN if used_ppm(budget) >= PPM else Style.PLAIN


def _cells(budget: Body, now_ms: int) -> tuple[str, ...]:
    ref, status, used = ref_of(budget), at(budget, "status"), used_ppm(budget)
    limit = text(status, "limit") or f"{text(budget, 'spec', 'limit')} {text(budget, 'spec', 'currency')}".strip()
    return (
        ref.namespace or _NOWHERE,
        ref.name,
        limit or ABSENT,
        text(status, "spent", "total") or ABSENT,
        ABSENT if used < 0 else share(used, PPM) or ABSENT,
        "" if used < 0 else bar(used),
        text(status, "forecast", "total") or ABSENT,
        text(status, "timeToExhaustion") or ABSENT,
        text(status, "committedPerHour") or ABSENT,
        text(status, "gate") or ABSENT,
        text(status, "nextAction") or ("nothing was computed yet" if used < 0 else ABSENT),
        age(moment(status, "data", "asOf"), now_ms),
    )
