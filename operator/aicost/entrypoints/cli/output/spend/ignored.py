"""Lines of a bill that count nowhere: what they are about and what they come to."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aicost.crd.status.texts import counted, money
from aicost.domain.exact.apportion import rescale
from aicost.domain.thirdparty.lines import ATTOS_PER_NANO
from aicost.domain.thirdparty.machines import Ignored
from aicost.entrypoints.cli.output.facts import Fact
from aicost.entrypoints.cli.output.table import printable
from aicost.entrypoints.cli.terminal import Style

_SHOWN = 8


def ignored_facts(ignored: Sequence[Ignored]) -> Iterator[Fact]:
    """What they come to by currency, and the dearest services."""
    nanos = _nanos(ignored)
    totals, lines = defaultdict[str, int](int), defaultdict[str, int](int)
    for one, amount in zip(ignored, nanos, strict=True):
        totals[one.currency] += amount
        lines[one.currency] += one.lines
    for currency, amount in sorted(totals.items()):
        yield (
            "Ignored",
            f"{money(amount, currency)} in {counted(lines[currency], 'line')} about something else",
            Style.PLAIN,
        )
    ranked = sorted(zip(ignored, nanos, strict=True), key=lambda pair: (-abs(pair[1]), pair[0].service))
    for one, amount in ranked[:_SHOWN]:
        lines_of = counted(one.lines, "line")
        yield "", f"{_name(one)}: {money(amount, one.currency)}, {lines_of}{_unread(one)}", Style.PLAIN
    if len(ranked) > _SHOWN:
        yield "", f"and {counted(len(ranked) - _SHOWN, 'other service')}: --output json has all", Style.PLAIN


def _name(one: Ignored) -> str:
    return f"{printable(one.service) or 'no service named'} ({printable(one.category) or 'no category'})"


def _unread(one: Ignored) -> str:
    return f", {one.unread:,} of them without an amount" if one.unread else ""


def ignored_documents(ignored: Sequence[Ignored]) -> list[Mapping[str, Any]]:
    """All of them."""
    return [
        {
            "category": one.category,
            "service": one.service,
            "currency": one.currency,
            "lines": one.lines,
            "cost_nanos": nanos,
            "unread": one.unread,
        }
        for one, nanos in zip(ignored, _nanos(ignored), strict=True)
    ]


def _nanos(ignored: Sequence[Ignored]) -> list[int]:
    """Each service's sum, rounded so that those of a currency sum to theirs."""
    found = [0] * len(ignored)
    for currency in {one.currency for one in ignored}:
        places = [place for place, one in enumerate(ignored) if one.currency == currency]
        parts = rescale([ignored[place].cost_attos for place in places], 1, ATTOS_PER_NANO)
        for place, part in zip(places, parts, strict=True):
            found[place] = part
    return found
