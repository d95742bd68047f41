"""Figures of budgets as texts for people."""

from aicost.crd.status.texts import money
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, to_rfc3339


def moment(at_ms: int | None) -> str | None:
    """A moment to the second; None for none."""
    return None if at_ms is None else to_rfc3339(at_ms - at_ms % 1000)


def rate(nanos: int | None, currency: str) -> str | None:
    """An amount per hour; None where it is not known."""
    return None if nanos is None else money(nanos, currency)


def duration(milliseconds: int) -> str:
    """A length of time in its two largest units: `3d4h`, `2h5m`, `0m`."""
    units = (("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS))
    parts: list[str] = []
    rest = milliseconds
    for name, length in units:
        count, rest = divmod(rest, length)
        if count or parts:
            parts.append(f"{count}{name}")
    return "".join(parts[:2]) or "0m"
