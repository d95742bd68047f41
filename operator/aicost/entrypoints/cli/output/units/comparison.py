"""Self-hosted models beside the prices of APIs, on the screen and as JSON."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from aicost.crd.status.texts import money
from aicost.domain.serving.api_prices import ApiPrice, Comparison
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.output.units.amounts import ABSENT, percent, price, whole, whole_or_none
from aicost.entrypoints.cli.terminal import Style, Terminal
from aicost.usecases.economics.compare_prices import Compared, LineComparison
from aicost.usecases.economics.cost_units import UnitLine

_SHOWN = 5
_COLUMNS = (
    Column("API", shrinks=True),
    Column("IN/M", right=True, drop=3),
    Column("CACHED/M", right=True, drop=4),
    Column("OUT/M", right=True, drop=3),
    Column("THERE", right=True),
    Column("HERE", right=True),
    Column("HERE IT IS"),
    Column("NOW/H", right=True, drop=1),
    Column("BREAK-EVEN/H", right=True),
    Column("BUSY", right=True, drop=2),
    Column("BUSY THEN", right=True, drop=1),
)


def comparison_screen(compared: Compared, keys: Sequence[str], terminal: Terminal) -> str:
    """The table, and what one should know of it."""
    sections = [[_line(line, one) for one in line.found[:_SHOWN]] for line in compared.lines if line.found]
    lines = [terminal.paint("Beside the prices of APIs, full cost", Style.HEAD), ""]
    if sections:
        columns = (*(Column(key.upper(), shrinks=True) for key in keys), *_COLUMNS)
        lines += [*draw(columns, sections, terminal).lines, ""]
    return "\n".join([*lines, *fact_lines(_facts(compared), terminal)])


def _line(line: LineComparison, one: Comparison) -> Line:
    currency = one.price.currency
    cells = (
        one.price.name,
        price(one.price.input_nanos, currency),
        price(one.price.cached_nanos, currency),
        price(one.price.output_nanos, currency),
        money(whole(one.there_nanos), currency),
        money(one.here_nanos, currency),
        _difference(one),
        _count(one.load),
        _count(one.break_even),
        percent(one.busy),
        percent(one.break_even_busy),
    )
    return Line((*line.line.keys, *cells))


def _difference(one: Comparison) -> str:
    if not one.dearer_nanos:
        return "the same"
    amount = money(abs(whole(one.dearer_nanos)), one.price.currency)
    times = "" if one.ratio is None else f" ({float(one.ratio):.3g}x)"
    return f"{amount} {'dearer' if one.dearer_nanos > 0 else 'cheaper'}{times}"


def _count(tokens: Fraction | None) -> str:
    return ABSENT if tokens is None else f"{whole(tokens):,}"


def _facts(compared: Compared) -> Iterator[Fact]:
    for line in compared.lines:
        yield from _of_line(line)
    if compared.mixed:
        named = ", ".join(map(_named, compared.mixed[:_SHOWN]))
        yield "Not compared", f"several models in one line, their tokens are one sum: {named}", Style.WARN
    if compared.unpriced:
        named = ", ".join(compared.unpriced[:_SHOWN])
        yield "No price", f"{named}: name one with --compare MODEL=PROVIDER/REF or --api-prices FILE", Style.WARN
    if compared.unserved:
        yield "Not served", f"{', '.join(compared.unserved[:_SHOWN])}: no engine of this time serves it", Style.WARN
    found = [one for line in compared.lines for one in line.found]
    if found:
        yield "Prices", "; ".join(sorted({one.price.source for one in found})), Style.PLAIN
    for note in sorted({note for one in found for note in one.price.notes}):
        named = ", ".join(sorted({one.price.name for one in found if note in one.price.notes})[:_SHOWN])
        yield "Prices", f"{note} ({named})", Style.PLAIN
    if any(one.price.cached_nanos is None for one in found):
        yield "Cached", "without a price of their own, cached tokens are counted as prompts", Style.PLAIN
    if found:
        said = "tokens an hour in the same mix; BUSY THEN grows as they do, above 100% these GPUs cannot reach it"
        yield "Break-even", said, Style.PLAIN


def _of_line(line: LineComparison) -> Iterator[Fact]:
    name = _named(line.line)
    if line.line.counted < line.line.pods or line.line.costs.did.at_least:
        yield "At least", f"{name}: tokens are missing, there it would have cost at least this", Style.WARN
    if len(line.found) > _SHOWN:
        yield "More", f"{name}: {len(line.found) - _SHOWN} dearer APIs are in -o json", Style.PLAIN
    for why in sorted({why for _, why in line.refused}):
        named = ", ".join(sorted(price.name for price, each in line.refused if each is why)[:_SHOWN])
        yield "Not compared", f"{name}: {why} ({named})", Style.WARN


def _named(line: UnitLine) -> str:
    return "/".join(line.keys)


def comparison_document(compared: Compared, keys: Sequence[str]) -> dict[str, Any]:
    """All of it: integers of nano-units and whole tokens."""
    return {
        "rows": [
            {
                "keys": dict(zip(keys, line.line.keys, strict=True)),
                "model": line.line.models[0],
                "tokens_missing": line.line.counted < line.line.pods or line.line.costs.did.at_least,
                "apis": [_row(one) for one in line.found],
                "not_compared": [{**_price(price), "because": why.value} for price, why in line.refused],
            }
            for line in compared.lines
        ],
        "without_price": list(compared.unpriced),
        "several_models": [dict(zip(keys, line.keys, strict=True)) for line in compared.mixed],
        "not_served": list(compared.unserved),
    }


def _row(one: Comparison) -> dict[str, Any]:
    return {
        **_price(one.price),
        "here_nanos": one.here_nanos,
        "there_nanos": whole(one.there_nanos),
        "dearer_nanos": whole(one.dearer_nanos),
        "tokens_per_hour": whole(one.load),
        "break_even_tokens_per_hour": whole_or_none(one.break_even),
        "busy": None if one.busy is None else percent(one.busy),
        "break_even_busy": None if one.break_even_busy is None else percent(one.break_even_busy),
    }


def _price(price: ApiPrice) -> dict[str, Any]:
    return {
        "provider": price.provider,
        "model": price.model,
        "currency": price.currency,
        "input_per_million_nanos": price.input_nanos,
        "cached_per_million_nanos": price.cached_nanos,
        "output_per_million_nanos": price.output_nanos,
        "source": price.source,
        "notes": list(price.notes),
    }
