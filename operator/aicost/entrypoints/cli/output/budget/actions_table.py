"""Steps of a budget in a table."""

from collections.abc import Sequence

from aicost.domain.enforcement.values import ActionPhase
from aicost.entrypoints.cli.output.budget.ages import ABSENT, age
from aicost.entrypoints.cli.output.budget.reading import Body, moment, text, whole
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Terminal

_COLUMNS = (
    Column("NAMESPACE", shrinks=True),
    Column("TARGET", shrinks=True),
    Column("STEP"),
    Column("PHASE"),
    Column("GPUS", right=True),
    Column("SAVES/H", right=True),
    Column("SINCE", right=True),
    Column("RECORD", shrinks=True, drop=1),
)


def in_phase(actions: Sequence[Body], *phases: ActionPhase) -> list[Body]:
    """The steps in one of some phases, the last one first: in this order they are undone."""
    found = [one for one in actions if text(one, "status", "phase") in phases]
    return sorted(found, key=lambda one: (-(_since(one) or 0), -(whole(one, "spec", "order") or 0)))


def gpus_of(actions: Sequence[Body]) -> int:
    """Thousandths of a GPU that steps gave back."""
    return sum(whole(one, "spec", "estimate", "gpuMilli") or 0 for one in actions)


def gpus(milli: int) -> str:
    """Thousandths of a GPU for people."""
    count, rest = divmod(milli, 1000)
    digits = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{count}{digits} {'GPU' if milli == 1000 else 'GPUs'}"


def actions_table(actions: Sequence[Body], now_ms: int, terminal: Terminal) -> list[str]:
    """The table; without the namespace where all are of one."""
    first = len({text(one, "metadata", "namespace") for one in actions}) == 1
    lines = [Line(_cells(one, now_ms)[first:]) for one in actions]
    return list(draw(_COLUMNS[first:], [lines], terminal).lines)


def _cells(action: Body, now_ms: int) -> tuple[str, ...]:
    target = f"{text(action, 'spec', 'targetRef', 'kind')}/{text(action, 'spec', 'targetRef', 'name')}"
    milli = whole(action, "spec", "estimate", "gpuMilli")
    return (
        text(action, "metadata", "namespace"),
        target,
        text(action, "spec", "lever") or ABSENT,
        text(action, "status", "phase") or ABSENT,
        ABSENT if milli is None else gpus(milli).split(" ")[0],
        text(action, "spec", "estimate", "savePerHour") or ABSENT,
        age(_since(action), now_ms),
        text(action, "metadata", "name"),
    )


def _since(action: Body) -> int | None:
    """When a step was taken, or announced."""
    applied = moment(action, "status", "appliedAt")
    return moment(action, "status", "noticedAt") if applied is None else applied
