"""How the proof is written for people: tables of whole nanos, each difference with its reason."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

from demo.proof import Claim, Line, Told, View

_NAME, _AMOUNT, _DIFFERENCE = 23, 16, 14


def views(figures: Told) -> str:
    """The table of the views."""
    head = f"{'summed by':<{_NAME}}{'rows':>5}{'sum of rows':>{_AMOUNT}}{'idle':>{_AMOUNT}}{'total':>{_AMOUNT}}"
    buckets = sum(figures.buckets.values())
    last = f"{'bucket':<{_NAME}}{len(figures.buckets):>5}{'':>{2 * _AMOUNT}}{buckets:>{_AMOUNT},}"
    return "\n".join([head, *(_view(view) for view in figures.views), last])


def _view(view: View) -> str:
    amounts = "".join(f"{nanos:>{_AMOUNT},}" for nanos in (view.rows_nanos, view.idle_nanos, view.total_nanos))
    return f"{view.name:<{_NAME}}{view.rows:>5}{amounts}"


def lines(found: Sequence[Line]) -> str:
    """The table of amounts beside the truth."""
    head = f"{'':<{_NAME}}{'aicost':>{_AMOUNT}}{'the truth':>{_AMOUNT}}{'difference':>{_DIFFERENCE}}   allowed"
    return "\n".join([head, *(_line(line) for line in found)])


def _line(line: Line) -> str:
    amounts = f"{line.ours:>{_AMOUNT},}{round(line.truth):>{_AMOUNT},}{round(line.difference):>+{_DIFFERENCE},}"
    allowed = f"{_bound(-line.low)} to {_bound(line.high)}"
    return f"{line.name:<{_NAME}}{amounts}   {allowed}{'' if line.ok else '  WRONG'}"


def _bound(nanos: Fraction) -> str:
    return f"{round(nanos):+,}" if round(nanos) else "0"


def claims(found: Sequence[Claim]) -> str:
    """What holds and what does not."""
    return "\n".join(f"{'yes' if claim.ok else 'NO '}  {claim.text}" for claim in found)


def clock(at_ms: int) -> str:
    """A moment of today, in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def share(part: int, whole: int) -> str:
    """A part of an amount in words."""
    return "All" if part == whole else f"{100 * part / whole:.0f} %" if whole else "Nothing"
