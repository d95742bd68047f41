"""The AI lines of a cloud's bill in FOCUS format: models behind an API and services for machine learning.

Lines for machines, disks and networks are no AI lines: a cluster's nodes are costed where they run, and their lines in
the bill would count them twice. Those that name a resource are kept aside, to be matched with nodes; what counts
nowhere is summed up by service, so that nothing vanishes.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from aicost.adapters.pricing.bills import values
from aicost.adapters.pricing.bills.values import WrongCell, cell
from aicost.adapters.pricing.tables import cells
from aicost.adapters.pricing.tables.reading import Table, Wrong
from aicost.domain.exact.apportion import apportion
from aicost.domain.exact.windows import Window
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


@dataclass(slots=True)
class Others:
    """All lines of a bill that are not about AI, summed as they are read: there may be millions.

    Attributes:
        machines: by day, resource, currency and whether time is charged -> amount in 10^-18.
        ignored: by category, service and currency -> lines, amount in 10^-18, lines without an amount.
    """

    machines: dict[tuple[Window, str, str, bool], int] = field(default_factory=dict)
    ignored: dict[tuple[str, str, str], tuple[int, int, int]] = field(default_factory=dict)

    def begin(self, columns: Collection[str]) -> Callable[[Mapping[str, str]], bool] | None:
        """Whether a row is kept, for a bill in FOCUS format; all are of another table."""
        return self._keep if is_focus(columns) else None

    def _keep(self, said: Mapping[str, str]) -> bool:
        if _is_ai(said):
            return True
        self._ignore(said)
        machine = _machine(said)
        if machine is not None:
            key, amount = machine
            self.machines[key] = self.machines.get(key, 0) + amount
        return False

    def _ignore(self, said: Mapping[str, str]) -> None:
        tax = said.get("charge_category", "").lower() in _LEFT_OUT
        category = said["charge_category"] if tax else said.get("service_category", "")
        key = category, said.get("service_name", ""), said.get("billing_currency", "").upper()
        lines, known, unread = self.ignored.get(key, (0, 0, 0))
        amount = _amount_or_none(said)
        self.ignored[key] = lines + 1, known + (amount or 0), unread + (amount is None)

    def machine_lines(self) -> tuple[MachineLine, ...]:
        """Lines about resources, one for each day of one."""
        return tuple(
            MachineLine(day, resource, amount, currency, by_time)
            for (day, resource, currency, by_time), amount in self.machines.items()
        )

    def ignored_lines(self) -> tuple[Ignored, ...]:
        """All lines, by service."""
        return tuple(Ignored(*key, *sums) for key, sums in sorted(self.ignored.items()))


def is_focus(columns: Collection[str]) -> bool:
    """Whether columns are those of a bill in FOCUS format."""
    return set(columns) >= COLUMNS and bool(set(_AMOUNTS) & set(columns))


def read_focus(table: Table) -> Iterator[SpendLine]:
    """The AI lines of what was kept; what is wrong with one is added to the table's complaints.

    The effective cost counts: a payment in advance is spread over what it was for, and is nothing itself. What is
    charged for several days is spread over them by time, to the last part.
    """
    for row in table.rows:
        try:
            yield from _lines(row.cells)
        except WrongCell as wrong:
            table.complain(row, wrong.column, str(wrong))


def _is_ai(said: Mapping[str, str]) -> bool:
    service = said.get("service_name", "")
    named = said.get("service_category", "").lower() == _CATEGORY or bool(_SERVICES.search(service))
    return named and said.get("charge_category", "").lower() not in _LEFT_OUT


def _machine(said: Mapping[str, str]) -> tuple[tuple[Window, str, str, bool], int] | None:
    """A line about a resource; None for one that names none, or of which no day or amount can be read."""
    resource = said.get("resource_id", "")
    if not resource or said.get("charge_category", "").lower() in _LEFT_OUT:
        return None
    unit = said.get("pricing_unit", said.get("consumed_unit", ""))
    try:
        day = values.day_of(values.moment(said["charge_period_start"]))
        currency = cells.currency(said.get("billing_currency", ""))
        return (day, resource, currency, bool(_TIME.search(unit))), _amount(said)
    except (KeyError, Wrong):
        return None


def _amount(said: Mapping[str, str]) -> int:
    return values.attos(said.get(next((name for name in _AMOUNTS if name in said), ""), ""))


def _amount_or_none(said: Mapping[str, str]) -> int | None:
    try:
        return _amount(said)
    except Wrong:
        return None


def _lines(said: Mapping[str, str]) -> Iterator[SpendLine]:
    column = next((name for name in _AMOUNTS if name in said), _AMOUNTS[0])
    start = cell(said, "charge_period_start", values.moment)
    end = cell(said, "charge_period_end", values.moment) if "charge_period_end" in said else start
    cost = cell(said, column, values.attos)
    days = cell(said, "charge_period_end", lambda _: values.days_of(start, end if cost else start))
    item = said.get("charge_description", said.get("service_name", ""))
    line = SpendLine(
        day=days[0][0],
        provider=_provider(said),
        cost_attos=cost,
        currency=cell(said, "billing_currency", cells.currency),
        item=item,
        model=_model(item),
        region=said.get("region_id", ""),
        quantity=values.count(said.get("consumed_quantity", "")),
        tags=_tags(said),
    )
    times = [time for _, time in days]
    parts = zip(days, apportion(line.cost_attos, times), apportion(line.quantity, times), strict=True)
    return (replace(line, day=day, cost_attos=attos, quantity=quantity) for (day, _), attos, quantity in parts)


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
