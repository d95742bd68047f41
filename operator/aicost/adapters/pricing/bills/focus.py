"""The AI lines of a cloud's bill in FOCUS format: models behind an API and services for machine learning.

Lines for machines, disks and networks are no AI lines: a cluster's nodes are costed where they run, and their lines in
the bill would count them twice.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aicost.adapters.pricing.bills import values
from aicost.adapters.pricing.bills.values import WrongCell, cell
from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.reading import Table, TableRow
from aicost.domain.thirdparty.lines import SpendLine

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


@dataclass(frozen=True, slots=True)
class Read:
    """The AI lines of a bill, and how many lines are about something else."""

    lines: tuple[SpendLine, ...]
    others: int


def is_focus(table: Table) -> bool:
    """Whether a table is a bill in FOCUS format."""
    return set(table.columns) >= COLUMNS and bool(set(_AMOUNTS) & set(table.columns))


def read_focus(table: Table) -> Read:
    """The AI lines; what is wrong with one is added to the table's complaints.

    The effective cost counts: a payment in advance is spread over what it was for.
    """
    mine = [row for row in table.rows if _is_ai(row.cells)]
    return Read(tuple(_lines(table, mine)), len(table.rows) - len(mine))


def _is_ai(said: Mapping[str, str]) -> bool:
    service = said.get("service_name", "")
    named = said.get("service_category", "").lower() == _CATEGORY or bool(_SERVICES.search(service))
    return named and said.get("charge_category", "").lower() not in _LEFT_OUT


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
