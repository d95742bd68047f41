"""Pages of the cost APIs of model providers, as they come from the wire or were saved in a file.

Anthropic counts in cents, as decimal texts; OpenAI in dollars, as numbers. A number is read with the digits that it is
written with, not as a binary fraction.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from aicost.adapters.pricing.bills import values
from aicost.adapters.pricing.tables.reading import Wrong
from aicost.domain.exact.windows import SECOND_MS
from aicost.domain.thirdparty.lines import SpendLine
from aicost.ports.errors import InvalidRequest

ANTHROPIC, OPENAI = "anthropic", "openai"
_CENTS = 100
_ANTHROPIC_TAGS = ("workspace_id", "service_tier", "context_window", "inference_geo", "cost_type", "token_type")
_OPENAI_TAGS = ("project_id", "project_name", "api_key_id", "user_id", "api_source")


def decode(content: bytes, name: str) -> list[Mapping[str, Any]]:
    """The buckets of one page, of a list of pages, or of a file with a page on each line.

    Raises:
        InvalidRequest: it is no such file.
    """
    try:
        text = content.decode()
        try:
            pages = json.loads(text, parse_float=Decimal)
        except ValueError:
            pages = [json.loads(line, parse_float=Decimal) for line in text.splitlines() if line.strip()]
        found = [page["data"] for page in (pages if isinstance(pages, list) else [pages])]
        return [bucket for buckets in found for bucket in buckets if isinstance(bucket["results"], list)]
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        fix = "give pages of a cost API as JSON, each with `data`, or a CSV"
        raise InvalidRequest(f"{name}: no bill is in it ({_said(problem)}): {fix}") from problem


def read_pages(buckets: list[Mapping[str, Any]], name: str) -> tuple[str, tuple[SpendLine, ...]]:
    """The provider and the lines of buckets of days.

    Raises:
        InvalidRequest: a bucket is none, with the field, the value and the fix.
    """
    openai = any("start_time" in bucket for bucket in buckets)
    read = _openai if openai else _anthropic
    return OPENAI if openai else ANTHROPIC, tuple(line for bucket in buckets for line in _told(read, bucket, name))


def _told(read: Any, bucket: Mapping[str, Any], name: str) -> Iterator[SpendLine]:
    try:
        yield from read(bucket)
    except (KeyError, TypeError, AttributeError, Wrong) as problem:
        shown = json.dumps(bucket, default=str)[:120]
        fix = "this is no bucket of a cost API: give pages of cost_report (Anthropic) or costs (OpenAI)"
        raise InvalidRequest(f"{name}: {shown}: {_said(problem)}: {fix}") from problem


def _said(problem: Exception) -> str:
    """What is wrong, for people; of what is missing Python says its name alone."""
    return f"no field {problem}" if isinstance(problem, KeyError) else str(problem)


def _anthropic(bucket: Mapping[str, Any]) -> Iterator[SpendLine]:
    day = values.day_of(values.moment(bucket["starting_at"]), values.moment(bucket["ending_at"]))
    for one in bucket["results"]:
        yield SpendLine(
            day=day,
            provider=ANTHROPIC,
            cost_attos=values.attos(str(one["amount"]), _CENTS),
            currency=str(one.get("currency") or "USD").upper(),
            item=one.get("description") or one.get("cost_type") or "",
            model=one.get("model") or "",
            tags=_tags(one, _ANTHROPIC_TAGS),
        )


def _openai(bucket: Mapping[str, Any]) -> Iterator[SpendLine]:
    day = values.day_of(int(bucket["start_time"]) * SECOND_MS, int(bucket["end_time"]) * SECOND_MS)
    for one in bucket["results"]:
        item = one.get("line_item") or ""
        model, comma, _ = item.partition(",")
        yield SpendLine(
            day=day,
            provider=OPENAI,
            cost_attos=values.attos(str(one["amount"]["value"])),
            currency=str(one["amount"].get("currency") or "USD").upper(),
            item=item,
            model=model.strip() if comma else "",
            quantity=values.count(str(one.get("quantity") or 0)),
            tags=_tags(one, _OPENAI_TAGS),
        )


def _tags(one: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: str(one[name]) for name in names if one.get(name)}
