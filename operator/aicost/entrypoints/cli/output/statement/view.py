"""A statement as tables and sentences, from its document: what each form of output then draws in its own way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aicost.crd.status.texts import UNPRICED, gpu_hours, money, share
from aicost.domain.exact.amounts import format_decimal
from aicost.domain.identity.dimensions import UNTAGGED
from aicost.domain.statements.values import Spread
from aicost.entrypoints.cli.output.statement.texts import (
    Fact,
    account_notes,
    adjusted_texts,
    amount,
    basis_text,
    identity_facts,
    local,
    payer_text,
    period_facts,
    ppm,
    windows_text,
)

Document = Mapping[str, Any]
Cells = tuple[str, ...]
_ABSENT = "-"
_MOST_ADJUSTED = 10
"""Groups that are listed for an adjustment; CSV and JSON have them all."""


class Kind(StrEnum):
    """What a row of a table is."""

    PLAIN = "plain"
    DETAIL = "detail"
    SUBTOTAL = "subtotal"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: a cell per column."""

    cells: Cells
    kind: Kind = Kind.PLAIN


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        texts: how many columns, from the left, are texts of people; the others are figures.
        note: a sentence above it.
    """

    title: str
    columns: Cells
    rows: tuple[TableRow, ...]
    texts: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: parts of one amount, each with what it is."""

    label: str
    parts: tuple[tuple[str, int], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """An account, or what stands around them."""

    title: str
    tables: tuple[Table, ...]
    notes: tuple[Fact, ...] = ()
    bars: tuple[Bar, ...] = ()
    total: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A whole statement."""

    title: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    identity: tuple[Fact, ...]


def view_of(document: Document) -> View:
    """The view of a statement document."""
    parts = document["parts"]
    sections = [section for part in parts for section in _part(document, part)]
    return View(_title(document), tuple(period_facts(document)), tuple(sections), tuple(identity_facts(document)))


def _title(document: Document) -> str:
    payer = payer_text(document["payer"])
    whose = f"of {payer}" if payer else f"by {' and '.join(document['payer_keys'])}"
    return f"Cost statement {whose} · {document['period']['label']}"


def _part(document: Document, part: Document) -> Iterable[Section]:
    accounts, several = part["accounts"], len(document["parts"]) > 1
    suffix = f" · {part['currency'] or 'no currency'}" if several else ""
    if not document["payer"]:
        yield Section(f"All payers{suffix}", (_summary(part),), bars=_payer_bars(part), total=_total(part))
    for account in accounts:
        yield _account(document, part, account, suffix)
    if part["reconciliation"] is not None:
        yield Section(f"How it adds up{suffix}", (_reconciliation(part),))


def _total(part: Document) -> str:
    nanos, currency = part["total_nanos"], part["currency"]
    return UNPRICED if nanos is None else money(nanos, currency)


def _account(document: Document, part: Document, account: Document, suffix: str) -> Section:
    currency = part["currency"]
    tables = [_lines(document, account, currency)]
    if account["shared"]:
        tables.append(_shared(document, account, currency))
    if account["adjustments"]:
        tables.append(_adjustments(document, account, currency))
    return Section(
        title=f"{payer_text(account['payer'])}{suffix}",
        tables=tuple(tables),
        notes=tuple(account_notes(document, account, currency)),
        bars=_line_bars(account, currency),
        total=amount(account["total_nanos"], currency),
    )


def _shown_keys(document: Document, account: Document) -> list[int]:
    """Keys that some line has a value for; the first of all where none has."""
    keys = range(len(document["keys"]))
    lines = [line["keys"] for section in account["sections"] for line in section["lines"]]
    return [index for index in keys if any(line[index] not in {"", UNTAGGED} for line in lines)] or [0]


@dataclass(frozen=True, slots=True)
class _Figures:
    """Which figures the lines of an account have."""

    currency: str
    components: tuple[str, ...]
    unmeasured: bool
    system: bool

    @property
    def columns(self) -> Cells:
        extra = [*(("UNMEASURED",) if self.unmeasured else ()), *(("SYSTEM",) if self.system else ())]
        return ("GPU-HOURS", "UTIL", *map(str.upper, self.components), "USED", "IDLE", *extra, "COST")

    def cells(self, figures: Document, components: Mapping[str, int]) -> Cells:
        """The figures of a line or of a sum."""
        extra = [
            *((self._part(figures["unmeasured_nanos"]),) if self.unmeasured else ()),
            *((self._part(figures["system_nanos"]),) if self.system else ()),
        ]
        return (
            gpu_hours(figures["gpu_milliseconds"]) if figures["gpu_milliseconds"] else _ABSENT,
            ppm(figures["utilisation_ppm"]),
            *(self._part(components.get(name, 0)) for name in self.components),
            self._part(figures["used_nanos"]),
            self._part(figures["idle_nanos"]),
            *extra,
            amount(figures["cost_nanos"], self.currency),
        )

    def sums(self, cost: int | None, milliseconds: int) -> Cells:
        """The figures of a subtotal."""
        blank = ("",) * (len(self.columns) - 2)
        return (gpu_hours(milliseconds) if milliseconds else _ABSENT, *blank, amount(cost, self.currency))

    def _part(self, nanos: int) -> str:
        return money(nanos, self.currency) if nanos else _ABSENT


def _figures(keys: Sequence[str], account: Document, currency: str) -> _Figures:
    lines = [line for section in account["sections"] for line in section["lines"]]
    components = tuple(sorted({name for line in lines for name, nanos in line["components"].items() if nanos}))
    own = account["own"]
    return _Figures(
        currency,
        components if len(components) > 1 and "component" not in keys else (),
        any(line["unmeasured_nanos"] for line in (*lines, own)),
        any(line["system_nanos"] for line in (*lines, own)),
    )


def _components(account: Document) -> dict[str, int]:
    found: dict[str, int] = {}
    for section in account["sections"]:
        for line in section["lines"]:
            for name, nanos in line["components"].items():
                found[name] = found.get(name, 0) + nanos
    return found


def _lines(document: Document, account: Document, currency: str) -> Table:
    shown, figures = _shown_keys(document, account), _figures(document["keys"], account, currency)
    blank = ("",) * (len(shown) - 1)
    several = len([one for one in account["sections"] if not one["merged"]]) > 1 and shown[0] == 0 and len(shown) > 1
    rows: list[TableRow] = []
    for section in account["sections"]:
        rows += [TableRow((*_keys(line, shown), *figures.cells(line, line["components"]))) for line in section["lines"]]
        if several and not section["merged"]:
            sums = figures.sums(section["cost_nanos"], section["gpu_milliseconds"])
            rows.append(TableRow((f"{section['value'] or _ABSENT}: sum", *blank, *sums), Kind.SUBTOTAL))
    own = account["own"]
    rows.append(TableRow(("Own cost", *blank, *figures.cells(own, _components(account))), Kind.TOTAL))
    columns = (*(document["keys"][index].upper() for index in shown), *figures.columns)
    return Table("Own cost", columns, tuple(rows), texts=len(shown))


def _keys(line: Document, shown: Sequence[int]) -> Cells:
    if line["merged_lines"]:
        return (f"other ({line['merged_lines']})", *("" for _ in shown[1:]))
    return tuple(line["keys"][index] or _ABSENT for index in shown)


def _shared(document: Document, account: Document, currency: str) -> Table:
    rule = document["shared_rule"]
    several = len({line["cluster"] for line in account["shared"]}) > 1
    rows = [
        TableRow(
            (
                *((line["cluster"],) if several else ()),
                line["bucket"],
                money(line["pool_nanos"], currency),
                basis_text(Spread(rule["spread"]), line, currency),
                money(line["cost_nanos"], currency),
            )
        )
        for line in account["shared"]
    ]
    head = (*(("CLUSTER",) if several else ()), "SHARED", "IN ALL", "PART", "COST")
    blank = ("",) * (len(head) - 2)
    rows.append(TableRow(("Shared costs", *blank, money(account["shared_nanos"], currency)), Kind.TOTAL))
    return Table("Shared costs", head, tuple(rows), texts=1 + several, note=rule["words"])


def _adjustments(document: Document, account: Document, currency: str) -> Table:
    first, last, note = adjusted_texts(document)
    rows = [TableRow((first, "", "", amount(account["issued_nanos"], currency)), Kind.SUBTOTAL)]
    for one in account["adjustments"]:
        when = _when(document, one)
        rows.append(TableRow((one["reason"], when, _hours(one), _signed(one["cost_nanos"], currency))))
        rows += _adjusted(one, currency)
    total = amount(account["total_nanos"], currency)
    rows.append(TableRow((last, "", "", total), Kind.TOTAL))
    return Table("Adjustments", ("REASON", "WINDOWS", "GPU-HOURS", "COST"), tuple(rows), texts=2, note=note)


def _when(document: Document, one: Document) -> str:
    """The windows of an adjustment: one by its hour, several by their days, in the zone of the statement."""
    if not one["windows"]:
        return ""
    zone = document["period"]["time_zone"]
    first, last = local(one["from"], zone), local(one["to"], zone)
    return first if one["windows"] == 1 else f"{windows_text(one['windows'])}, {first[:10]} to {last[:10]}"


def _adjusted(one: Document, currency: str) -> list[TableRow]:
    """The groups that an adjustment changes, the largest changes first."""
    lines = [line for line in one["lines"] if line["keys"]]
    rows = [
        TableRow(("", _group(line["keys"]), _hours(line), _signed(line["cost_nanos"], currency)), Kind.DETAIL)
        for line in lines[:_MOST_ADJUSTED]
    ]
    more = len(lines) - _MOST_ADJUSTED
    return [*rows, TableRow(("", f"and {more} more", "", ""), Kind.DETAIL)] if more > 0 else rows


def _group(keys: Sequence[str]) -> str:
    return ", ".join(key for key in keys if key not in {"", UNTAGGED}) or UNTAGGED


def _hours(one: Document) -> str:
    time = one["gpu_milliseconds"]
    return f"{'+' if time > 0 else ''}{gpu_hours(time)}" if time else _ABSENT


def _signed(nanos: int, currency: str) -> str:
    return f"{'+' if nanos > 0 else ''}{money(nanos, currency)}" if currency else _ABSENT


def _reconciliation(part: Document) -> Table:
    books, currency = part["reconciliation"], part["currency"]
    stated = None if part["total_nanos"] is None else books["stated_nanos"]
    rows = [_sum_row("This statement", stated, books, currency)]
    if books["others"]:
        rows.append(_sum_row(f"{books['others']} other payers", books["others_nanos"], books, currency))
    several = len({one["cluster"] for one in books["left"]}) > 1
    for one in books["left"]:
        where = f" · {one['cluster']}" if several else ""
        rows.append(_sum_row(f"Platform: {one['bucket']}{where}", one["cost_nanos"], books, currency))
    rows.append(_sum_row("Ledger", books["ledger_nanos"], books, currency, Kind.TOTAL))
    note = "What payers owe and what stays with the platform are the ledger's total, to the last nano-unit."
    return Table("How it adds up", ("WHAT", "SHARE", "EXACTLY", "COST"), tuple(rows), note=note)


def _sum_row(what: str, nanos: int | None, books: Document, currency: str, kind: Kind = Kind.PLAIN) -> TableRow:
    exact = _ABSENT if nanos is None else f"{format_decimal(nanos)} {currency}".strip()
    part = share(nanos or 0, books["ledger_nanos"] or 0)
    cells = (what, part or _ABSENT, exact, amount(nanos, currency))
    return TableRow(cells, kind)


def _summary(part: Document) -> Table:
    currency = part["currency"]
    rows = [_summary_row(account, currency) for account in part["accounts"]]
    total = [sum(account[name] for account in part["accounts"]) for name in ("shared_nanos", "adjusted_nanos")]
    own = sum(account["own"]["cost_nanos"] or 0 for account in part["accounts"])
    time = sum(account["own"]["gpu_milliseconds"] for account in part["accounts"])
    sums = (gpu_hours(time), *(money(nanos, currency) for nanos in (own, *total)), _total(part))
    rows.append(TableRow(("All payers", *sums), Kind.TOTAL))
    return Table("Payers", ("PAYER", "GPU-HOURS", "OWN", "SHARED", "ADJUSTED", "TOTAL"), tuple(rows))


def _summary_row(account: Document, currency: str) -> TableRow:
    own = account["own"]
    return TableRow(
        (
            payer_text(account["payer"]),
            gpu_hours(own["gpu_milliseconds"]) if own["gpu_milliseconds"] else _ABSENT,
            amount(own["cost_nanos"], currency),
            money(account["shared_nanos"], currency) if account["shared_nanos"] else _ABSENT,
            _signed(account["adjusted_nanos"], currency) if account["adjusted_nanos"] else _ABSENT,
            amount(account["total_nanos"], currency),
        )
    )


def _payer_bars(part: Document) -> tuple[Bar, ...]:
    currency = part["currency"]
    return tuple(
        Bar(
            payer_text(account["payer"]),
            (("own", account["own"]["cost_nanos"] or 0), ("shared", account["shared_nanos"])),
            amount(account["total_nanos"], currency),
        )
        for account in part["accounts"]
    )


def _line_bars(account: Document, currency: str) -> tuple[Bar, ...]:
    lines = [line for section in account["sections"] for line in section["lines"]]
    bars = [
        Bar(
            f"other ({line['merged_lines']})" if line["merged_lines"] else _group(line["keys"]),
            (("used", line["used_nanos"]), ("idle", line["idle_nanos"]), ("other", _rest(line))),
            amount(line["cost_nanos"], currency),
        )
        for line in lines
    ]
    if account["shared_nanos"]:
        text = money(account["shared_nanos"], currency)
        bars.append(Bar("shared costs", (("shared", account["shared_nanos"]),), text))
    return tuple(bars)


def _rest(line: Document) -> int:
    return int((line["cost_nanos"] or 0) - line["used_nanos"] - line["idle_nanos"])
