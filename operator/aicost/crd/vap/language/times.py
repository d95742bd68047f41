"""Moments in CEL, which tells no time itself and fails on a text that is none."""

from aicost.crd.vap.language.cel import first_or, stands, text

NEVER = "timestamp('9999-12-31T00:00:00Z')"
_DAYS = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
_LEAP_DAY = "[0-9]{2}(0[48]|[2468][048]|[13579][26])-02-29"
_TIME = "([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
RFC3339 = text(f"^([0-9]{{4}}-({_DAYS})|{_LEAP_DAY})T{_TIME}$")
"""A time that is one: CEL fails on the 31st of February, and what fails is let in."""
MADE = first_or(f"{stands('object', '/metadata/creationTimestamp')}.map(v, timestamp(v))", NEVER)
"""When the object is made: at its creation this is now, by the clock of the API server."""


def is_time(value: str) -> str:
    """True for something that `timestamp` can read."""
    return f"type({value}) == string && {value}.matches({RFC3339})"
