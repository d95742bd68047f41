"""A statement as CSV: one row per amount, with exact integers. The rows of each type sum up as their name says."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from aicost.domain.exact.amounts import format_decimal
from aicost.domain.exact.windows import HOUR_MS
from aicost.entrypoints.cli.output.documents import safe_cell

Document = Mapping[str, Any]
Record = dict[str, Any]
_HEAD = ("row_type", "statement", "period_from", "period_to", "time_zone", "currency", "payer")
_TAIL = (
    "cluster",
    "bucket",
    "reason",
    "cost",
    "cost_nanos",
    "gpu_hours",
    "gpu_milliseconds",
    "used_nanos",
    "idle_nanos",
    "unmeasured_nanos",
    "system_nanos",
    "unpriced_gpu_milliseconds",
    "provisional_nanos",
    "list_price_nanos",
    "pool_nanos",
    "basis",
    "whole",
    "merged_lines",
)


def as_sheet(document: Document) -> str:
    """One table. `own` and `shared` rows of a payer sum to its `total`; `adjustment` rows are part of them already.

    The `total` rows, `other-payers` and `platform` sum to `ledger`.
    """
    keys = [f"key_{key}" for key in document["keys"]]
    out = io.StringIO()
    writer = csv.DictWriter(out, [*_HEAD, *keys, *_TAIL], restval="", lineterminator="\n")
    writer.writeheader()
    for part in document["parts"]:
        common = _common(document, part["currency"])
        for record in _part(document, part):
            writer.writerow({name: _cell(value) for name, value in {**common, **record}.items()})
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Texts of people as cells that no spreadsheet runs; what is not known is empty."""
    return "" if value is None else safe_cell(value) if isinstance(value, str) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").replace(".", "", 1).isdecimal()


def _common(document: Document, currency: str) -> Record:
    period = document["period"]
    return {
        "statement": document["number"],
        "period_from": period["from"],
        "period_to": period["to"],
        "time_zone": period["time_zone"],
        "currency": currency,
    }


def _part(document: Document, part: Document) -> Iterator[Record]:
    for account in part["accounts"]:
        payer = {"payer": "; ".join(f"{key}={value}" for key, value in account["payer"].items())}
        yield from ({**payer, **record} for record in _account(document, account))
    books = part["reconciliation"]
    if books is not None:
        yield {"row_type": "other-payers", **_cost(books["others_nanos"])}
        yield from ({"row_type": "platform", **_place(one), **_money(one)} for one in books["left"])
        yield {"row_type": "ledger", **_cost(books["ledger_nanos"])}


def _account(document: Document, account: Document) -> Iterator[Record]:
    for section in account["sections"]:
        for line in section["lines"]:
            merged = {"merged_lines": line["merged_lines"]}
            yield {"row_type": "own", **_keys(document, line["keys"]), **_figures(line), **merged}
    for line in account["shared"]:
        basis = {name: line[name] for name in ("pool_nanos", "basis", "whole")}
        yield {"row_type": "shared", **_place(line), **_cost(line["cost_nanos"]), **basis}
    for one in account["adjustments"]:
        for line in one["lines"]:
            keys = _keys(document, line["keys"]) if line["keys"] else {}
            yield {"row_type": "adjustment", "reason": one["reason"], **keys, **_money(line)}
    yield {"row_type": "total", **_figures(account["own"]), **_cost(account["total_nanos"])}


def _keys(document: Document, values: list[str]) -> Record:
    return {f"key_{key}": value for key, value in zip(document["keys"], values, strict=True)}


def _place(one: Document) -> Record:
    return {"cluster": one["cluster"], "bucket": one["bucket"]}


def _cost(nanos: int | None) -> Record:
    return {"cost": None if nanos is None else format_decimal(nanos), "cost_nanos": nanos}


def _money(one: Document) -> Record:
    time = one["gpu_milliseconds"]
    return {**_cost(one["cost_nanos"]), "gpu_hours": _hours(time), "gpu_milliseconds": time}


def _figures(figures: Document) -> Record:
    names = (
        "used_nanos",
        "idle_nanos",
        "unmeasured_nanos",
        "system_nanos",
        "unpriced_gpu_milliseconds",
        "provisional_nanos",
        "list_price_nanos",
    )
    return {**_money(figures), **{name: figures[name] for name in names}}


def _hours(milliseconds: int) -> str:
    """Hours with four decimals, rounded half up, for reading; the milliseconds beside them are exact."""
    parts = (abs(milliseconds) * 10_000 + HOUR_MS // 2) // HOUR_MS
    return f"{'-' if milliseconds < 0 else ''}{parts // 10_000}.{parts % 10_000:04d}"
