"""The AI lines of a cloud's bill in FOCUS format: models behind an API and services for machine learning.

Lines for machines, disks and networks are no AI lines: a cluster's nodes are costed where they run, and their lines in
the bill would count them twice. Those that name a resource are kept aside, to be matched with nodes; what counts
nowhere is summed up by service, so that nothing vanishes.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aicost.adapters.pricing.bills import values
from aicost.adapters.pricing.bills.values import WrongCell, cell
from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.reading import Table, TableRow, Wrong
from aicost.domain.thirdparty.lines import SpendLine
from aicost.domain.thirdparty.machines import Ignored, MachineLine

COLUMNS = frozenset({"billing_currency", "charge_category", "charge_period_start"})
_CATEGORY = "ai and machine learning"
_SERVICES = re.compile(
    r"bedrock|sagemaker|vertex ai|gemini api|azure openai|foundry models|cognitive search|kendra|anthropic|openai"
    r"|pinecone|weaviate|qdrant|zilliz|mongodb atlas vector",
    re.IGNORECASE,
)
"""Names of services, for bills that put them elsewhere: marketplaces, managed vector databases."""
_MODEL = re.compile(
    r"\b((?:claude|gpt|o\d|gemini|llama|mistral|mixtral|nova|titan|command|deepseek|qwen|jamba)[-a-z0-9. ]*?)"
    r"(?=[,:;()/]|\s+(?:input|output|cache|tokens?|on-demand|batch|usage)\b|\s-\s|$)",
    re.IGNORECASE,
)
_PROVIDERS = (("aws", "aws"), ("amazon", "aws"), ("microsoft", "azure"), ("azure", "azure"), ("google", "gcp"))
_AMOUNTS = ("effective_cost", "billed_cost")
_LEFT_OUT = frozenset({"tax"})
_TIME = re.compile(r"\b(?:h|hrs?|hours?|seconds?)\b", re.IGNORECASE)
"""Units of time: what a machine costs while it runs, rather than what it sends."""


@dataclass(frozen=True, slots=True)
class Read:
    """A bill.

    Attributes:
        lines: the AI lines.
        machines: lines about something else that name a resource: some may be nodes.
        ignored: all lines about something else, by service.
    """

    lines: tuple[SpendLine, ...]
    machines: tuple[MachineLine, ...] = ()
    ignored: tuple[Ignored, ...] = ()


def is_focus(table: Table) -> bool:
    """Whether a table is a bill in FOCUS format."""
    return set(table.columns) >= COLUMNS and bool(set(_AMOUNTS) & set(table.columns))


def read_focus(table: Table) -> Read:
    """The AI lines; what is wrong with one is added to the table's complaints.

    The effective cost counts: a payment in advance is spread over what it was for.
    """
    mine = [row for row in table.rows if _is_ai(row.cells)]
    others = [row.cells for row in table.rows if not _is_ai(row.cells)]
    machines = tuple(line for said in others if (line := _machine(said)) is not None)
    return Read(tuple(_lines(table, mine)), machines, tuple(_ignored(others)))


def _is_ai(said: Mapping[str, str]) -> bool:
    service = said.get("service_name", "")
    named = said.get("service_category", "").lower() == _CATEGORY or bool(_SERVICES.search(service))
    return named and said.get("charge_category", "").lower() not in _LEFT_OUT


def _machine(said: Mapping[str, str]) -> MachineLine | None:
    """A line about a resource; None for one that names none, or of which no day or amount can be read."""
    resource = said.get("resource_id", "")
    if not resource or said.get("charge_category", "").lower() in _LEFT_OUT:
        return None
    unit = said.get("pricing_unit", said.get("consumed_unit", ""))
    try:
        day = values.day_of(values.moment(said["charge_period_start"]))
        currency = cells.currency(said.get("billing_currency", ""))
        return MachineLine(day, resource, _amount(said), currency, bool(_TIME.search(unit)))
    except (KeyError, Wrong):
        return None


def _ignored(others: Sequence[Mapping[str, str]]) -> Iterator[Ignored]:
    groups = defaultdict[tuple[str, str, str], list[Mapping[str, str]]](list)
    for said in others:
        tax = said.get("charge_category", "").lower() in _LEFT_OUT
        category = said["charge_category"] if tax else said.get("service_category", "")
        groups[category, said.get("service_name", ""), said.get("billing_currency", "").upper()].append(said)
    for (category, service, currency), mine in sorted(groups.items()):
        amounts = [_amount_or_none(said) for said in mine]
        known = [amount for amount in amounts if amount is not None]
        yield Ignored(category, service, currency, len(mine), sum(known), len(mine) - len(known))


def _amount(said: Mapping[str, str]) -> int:
    return values.attos(said.get(next((name for name in _AMOUNTS if name in said), ""), ""))


def _amount_or_none(said: Mapping[str, str]) -> int | None:
    try:
        return _amount(said)
    except Wrong:
        return None


def _lines(table: Table, rows: list[TableRow]) -> Iterator[SpendLine]:
    for row in rows:
        try:
            yield _line(row.cells)
        except WrongCell as wrong:
            table.complain(row, wrong.column, str(wrong))


def _line(said: Mapping[str, str]) -> SpendLine:
    column = next((name for name in _AMOUNTS if name in said), _AMOUNTS[0])
    start = cell(said, "charge_period_start", values.moment)
    end = cell(said, "charge_period_end", values.moment) if "charge_period_end" in said else None
    item = said.get("charge_description", said.get("service_name", ""))
    return SpendLine(
        day=cell(said, "charge_period_end", lambda _: values.day_of(start, end)),
        provider=_provider(said),
        cost_attos=cell(said, column, values.attos),
        currency=cell(said, "billing_currency", cells.currency),
        item=item,
        model=_model(item),
        region=said.get("region_id", ""),
        quantity=values.count(said.get("consumed_quantity", "")),
        tags=_tags(said),
    )


def _provider(said: Mapping[str, str]) -> str:
    name = said.get("service_provider_name", said.get("provider_name", said.get("publisher_name", ""))).lower()
    return next((short for words, short in _PROVIDERS if name.startswith(words)), name or "unknown")


def _model(text: str) -> str:
    found = _MODEL.search(text)
    return found[1].strip().replace(" ", "-") if found else ""


def _tags(said: Mapping[str, str]) -> dict[str, str]:
    """Tags of the resource, with the account and the service beside them."""
    try:
        tags = json.loads(said.get("tags", "{}"))
    except (ValueError, RecursionError):
        tags = {}
    found = {str(key).strip(): str(value) for key, value in tags.items()} if isinstance(tags, dict) else {}
    own = {"sub_account_id": "sub-account", "sub_account_name": "sub-account-name", "service_name": "service"}
    return found | {name: said[column] for column, name in own.items() if column in said}
