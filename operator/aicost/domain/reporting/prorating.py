"""The part of a row that lies in a span, so that the parts of neighbouring spans sum to the row."""

from dataclasses import replace

from aicost.domain.exact.apportion import prorate
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row


def _part(amount: int, window: Window, part: Window) -> int:
    """`prorate(A, end) - prorate(A, start)`: differences of one rounded function telescope."""
    before = prorate(amount, part.start_ms - window.start_ms, window.length_ms)
    return prorate(amount, part.end_ms - window.start_ms, window.length_ms) - before


def clip(row: Row, span: Window) -> Row | None:
    """The row cut to the span, in proportion to time; None where they share none.

    A row that lies inside the span is returned as it is.
    """
    part = row.window.overlap(span)
    if part is None or part == row.window:
        return None if part is None else row
    return replace(
        row,
        window=part,
        cost_nanos=None if row.cost_nanos is None else _part(row.cost_nanos, row.window, part),
        gpu_milliseconds=_part(row.gpu_milliseconds, row.window, part),
        measured_milliseconds=_part(row.measured_milliseconds, row.window, part),
        error_nanos=None if row.error_nanos is None else _part(row.error_nanos, row.window, part),
        quantity=_part(row.quantity, row.window, part),
    )
