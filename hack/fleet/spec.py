"""The text form of an activity program, as it stands in the pod annotation `fleet.aicost.dev/activity`.

| text | program |
|---|---|
| `0.7` | steady at 0.7 |
| `idle` | steady at 0 |
| `duty:0.9/0.1/40s` | each 40 s: half at 0.9, then 0.1; `duty:0.9/0.1/40s/0.25` is busy for a quarter |
| `ramp:0.1/0.9/5/60s` | five steps of 60 s from 0.1 to 0.9 |
| `burst:0.05/0.95/5m/20s` | 0.05, and once in each 5 minutes 20 s at 0.95 |
| `steps:0s=0.2,90s=0.8` | the level from each moment on |
"""

import re
from collections.abc import Callable
from fractions import Fraction

from fleet.activity import IDLE, Burst, Duty, Program, Steady, Steps, ramp

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def duration_ms(text: str) -> int:
    """Milliseconds of `500ms`, `40s`, `5m` or `1h`."""
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", text.strip())
    if match is None:
        raise ValueError(f"duration {text!r} is not understood: write a whole number with ms, s, m or h")
    return int(match[1]) * UNITS_MS[match[2]]


def _duty(high: str, low: str, period: str, busy_part: str = "1/2") -> Program:
    period_ms = duration_ms(period)
    return Duty(Fraction(high), Fraction(low), period_ms, int(period_ms * Fraction(busy_part)))


def _ramp(first: str, last: str, count: str, step: str) -> Program:
    return ramp(Fraction(first), Fraction(last), int(count), duration_ms(step))


def _burst(base: str, peak: str, period: str, length: str) -> Program:
    return Burst(Fraction(base), Fraction(peak), duration_ms(period), duration_ms(length))


def _steps(text: str) -> Program:
    pairs = (item.split("=") for item in text.split(","))
    return Steps(tuple((duration_ms(at), Fraction(level)) for at, level in pairs))


FORMS: dict[str, Callable[..., Program]] = {"duty": _duty, "ramp": _ramp, "burst": _burst}


def parse(text: str) -> Program:
    """The program that a text describes.

    Raises:
        ValueError: the text is in no known form; the message shows the forms.
    """
    kind, _, rest = text.strip().partition(":")
    try:
        if kind == "idle":
            return IDLE
        if kind == "steps":
            return _steps(rest)
        return FORMS[kind](*rest.split("/")) if rest else Steady(Fraction(kind))
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        forms = "0.7, idle, duty:0.9/0.1/40s, ramp:0.1/0.9/5/60s, burst:0.05/0.95/5m/20s, steps:0s=0.2,90s=0.8"
        raise ValueError(f"activity {text!r} is not understood ({error}): write one of {forms}") from error
