"""Texts with a form: names, label parts, dimension values, moments and durations."""

from typing import Annotated

from pydantic import Field

from aicost.crd.schema.markers import Rule, formatted, matches
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, from_rfc3339

_DAY = r"\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|[12]\d))"
_TIME = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})"

ShortText = Annotated[str, Field(min_length=1, max_length=253)]
"""A name that has no form of its own."""
LongText = Annotated[str, Field(max_length=1024)]
"""A sentence for people."""

ObjectName = Annotated[
    str,
    Field(max_length=253),
    matches(
        r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
        "write the name of an object: lower-case letters, digits, dashes and dots, for example chat-api",
    ),
]
ItemName = Annotated[
    str,
    Field(max_length=63),
    matches(
        r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
        "name the item with lower-case letters, digits, dashes and dots, at most 63, for example h100-on-demand",
    ),
]
Kind = Annotated[
    str,
    Field(max_length=63),
    matches(r"[A-Z][A-Za-z0-9]*", "write the kind as the API does, in CamelCase, for example Deployment"),
]
ApiVersion = Annotated[
    str,
    Field(max_length=317),
    matches(
        r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9]+((alpha|beta)[0-9]+)?",
        "write group and version, for example apps/v1, or v1 for a Pod",
    ),
]
LabelKey = Annotated[
    str,
    Field(max_length=317),
    matches(
        r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?",
        "write a label key, for example app.kubernetes.io/name",
    ),
]
LabelValue = Annotated[
    str,
    Field(max_length=63),
    matches(
        r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?",
        "write a label value: letters, digits, dashes, dots and underscores, at most 63",
    ),
]
NormalForm = Annotated[
    str,
    Field(max_length=63),
    matches(
        r"[a-z0-9]+([-.][a-z0-9]+)*",
        "use lower-case letters and digits, joined by single dashes or dots, for example recommendation-engine",
    ),
]
"""The value of a dimension as it stands in reports."""
ModelName = Annotated[
    str,
    Field(max_length=253),
    matches(
        r"[A-Za-z0-9]([-A-Za-z0-9._:/@]*[A-Za-z0-9])?",
        "write the model's name without blanks, for example meta-llama/Llama-3.1-8B-Instruct",
    ),
]
TimeZone = Annotated[
    str,
    Field(max_length=64),
    matches(
        r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*",
        "write an IANA time zone, for example Europe/Berlin or UTC",
    ),
]
Duration = Annotated[
    str,
    Field(max_length=8),
    matches(r"[1-9]\d{0,5}(s|m|h|d)", "write a whole number above zero and a unit (s, m, h or d), for example 30m"),
]
Moment = Annotated[
    str,
    Field(max_length=40),
    matches(
        f"{_DAY}({_TIME})?",
        "write a day such as 2026-01-31 (midnight UTC) or an RFC 3339 time such as 2026-01-31T12:00:00+01:00",
    ),
]
"""A day (its midnight in UTC) or a time with its zone."""
Timestamp = Annotated[str, formatted("date-time")]
"""A time in a status, RFC 3339, UTC."""


def moment_cel(path: str) -> str:
    """CEL for the time that a `Moment` at a path stands for."""
    return f"timestamp({path}.contains('T') ? {path} : {path} + 'T00:00:00Z')"


def moment_ms(text: str) -> int:
    """The milliseconds of a `Moment`: a day stands for its midnight in UTC."""
    return from_rfc3339(text if "T" in text else f"{text}T00:00:00Z")


_UNITS_MS = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


def duration_ms(text: str) -> int:
    """The milliseconds of a `Duration`."""
    return int(text[:-1]) * _UNITS_MS[text[-1]]


def unique(what: str) -> Rule:
    """A rule that a short list names nothing twice."""
    return Rule(
        "self.all(x, self.exists_one(y, x == y))",
        f"name each {what} once",
        lambda items: len(set(items)) == len(items),
    )
