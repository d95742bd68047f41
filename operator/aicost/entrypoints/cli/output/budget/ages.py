"""Lengths of time in few characters, as kubectl shows them."""

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_UNITS = (("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS), ("s", SECOND_MS))
ABSENT = "-"


def length(milliseconds: int) -> str:
    """A length in its two largest units, such as `3d4h`, `2h5m` or `12s`."""
    rest, parts = max(0, milliseconds), list[str]()
    for name, unit in _UNITS:
        count, rest = divmod(rest, unit)
        if parts and not count:
            break
        if count:
            parts.append(f"{count}{name}")
        if len(parts) == 2:
            break
    return "".join(parts) or "0s"


def age(since_ms: int | None, now_ms: int) -> str:
    """Time since a moment; a dash where it is not known."""
    return ABSENT if since_ms is None else length(now_ms - since_ms)


def when(at_ms: int | None, now_ms: int) -> str:
    """How far away a moment is, such as `in 30m` or `2h5m ago`."""
    if at_ms is None:
        return "at an unknown moment"
    return f"in {length(at_ms - now_ms)}" if at_ms > now_ms else f"{length(now_ms - at_ms)} ago"
