"""What a statement says in words: about its time, its rule, what it rests on, and which one it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aicost.crd.status.texts import UNPRICED, gpu_hours, money, share
from aicost.domain.exact.amounts import format_decimal
from aicost.domain.reporting.ratios import PPM
from aicost.domain.statements.values import Spread

Document = Mapping[str, Any]
_ABSENT = "-"
_CENT = 10_000_000


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and a sentence.

    Attributes:
        caution: whether a reader must know it to trust the total.
    """

    label: str
    text: str
    caution: bool = False


def amount(nanos: int | None, currency: str) -> str:
    """A cost for people; `unpriced` where it is not known."""
    return UNPRICED if nanos is None else money(nanos, currency)


def ppm(value: int | None) -> str:
    """Parts per million in percent."""
    return (share(value, PPM) if value is not None else None) or _ABSENT


def payer_text(payer: Mapping[str, str]) -> str:
    """`team vision`, or `team vision, namespace search`."""
    return ", ".join(f"{key} {value or _ABSENT}" for key, value in payer.items())


def period_facts(document: Document) -> Iterator[Fact]:
    """Which time it is about, and whether it can still grow."""
    period = document["period"]
    zone = period["time_zone"]
    yield Fact("Period", f"{local(period['from'], zone)} to {local(period['to'], zone)} ({zone})")
    yield Fact("Issued", f"{local(document['generated_at'], zone)} ({zone})")
    if period["complete"]:
        yield Fact("State", "closed: what is corrected from now on is an adjustment of a later statement")
    else:
        yield Fact("State", _open_text(period), caution=True)
    if period["prorated"]:
        text = "the period begins or ends inside a billing window, whose rows count in proportion to time"
        yield Fact("Pro-rated", text, caution=True)
    if document["not_covered"]:
        text = f"{', '.join(document['not_covered'])}: nothing measures or prices them, they are in no amount"
        yield Fact("Not covered", text)
    if document["partly_covered"]:
        text = f"{', '.join(document['partly_covered'])}: some nodes or volumes have no price and are in no amount"
        yield Fact("In part", text, caution=True)
    if document["near"]:
        meant = " or ".join(document["near"])
        yield Fact("Spelling", f"nothing is charged to that name; did you mean {meant}?", caution=True)
    yield from _displayed(document)


def _open_text(period: Document) -> str:
    covered = period["covered"]
    if covered is None:
        return "the ledger holds nothing for this period"
    if (covered["from"], covered["to"]) == (period["from"], period["to"]):
        return "not final: the last windows of the period are not closed yet"
    zone = period["time_zone"]
    return f"not final: the ledger covers {local(covered['from'], zone)} to {local(covered['to'], zone)} of it"


def _displayed(document: Document) -> Iterator[Fact]:
    """Totals in another currency, for display only."""
    for one in document.get("display", []):
        if one.get("total_nanos") is None:
            yield Fact(f"In {one['currency']}", one["explanation"], caution=True)
        else:
            text = f"about {money(one['total_nanos'], one['currency'])} for {money(one['of_nanos'], one['of'])}"
            yield Fact(f"In {one['currency']}", f"{text}, for display only: {one['explanation']}")


def local(moment: str, zone: str) -> str:
    """A moment by the clocks of a zone, to the minute."""
    return f"{datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def basis_text(spread: Spread, line: Document, currency: str) -> str:
    """The figures that a payer's part of a shared cost was made by."""
    basis, whole = line["basis"], line["whole"]
    part = share(basis, whole) or _ABSENT
    if spread is Spread.COST:
        return f"{money(basis, currency)} of {money(whole, currency)} ({part})"
    if spread is Spread.GPU_HOURS:
        return f"{gpu_hours(basis)} of {gpu_hours(whole)} GPU-hours ({part})"
    if spread is Spread.EVEN:
        return f"1 of {whole} payers ({part})"
    return f"{basis}/{whole} ({part})"


def adjusted_texts(document: Document) -> tuple[str, str, str]:
    """What stands before the adjustments, after them, and above them."""
    baseline = document["baseline"]
    if baseline["kind"] == "first-postings":
        return "As first posted", "Total", "What was posted for closed windows after they were first posted."
    versions = " and ".join("none" if version is None else str(version) for version in baseline["versions"])
    return f"As of ledger version {versions}", "Total", f"What was posted since version {versions} of the ledger."


def account_notes(document: Document, account: Document, currency: str) -> Iterator[Fact]:
    """What makes the account smaller, rougher or less final than it looks."""
    own = account["own"]
    if not own["gpu_milliseconds"] and not own["cost_nanos"] and not account["shared"]:
        yield Fact("Nothing", "no row of the ledger is charged here for this period")
        return
    labels = own["label_coverage_ppm"]
    parts = [("telemetry", own["telemetry_coverage_ppm"]), ("price", own["price_coverage_ppm"])]
    parts += [(f"label {key}", value) for key, value in labels.items() if key not in document["payer"]]
    yield Fact("Coverage", ", ".join(f"{name} {ppm(value)}" for name, value in parts))
    if own["error_nanos"] is not None and currency:
        yield Fact("Error bar", f"± {_error(own['error_nanos'], currency)} on the own cost of GPUs, at 95 %")
    if own["unpriced_gpu_milliseconds"]:
        hours = gpu_hours(own["unpriced_gpu_milliseconds"])
        yield Fact("Unpriced", f"{hours} GPU-hours have no price and are in no amount", caution=True)
    if own["list_price_nanos"]:
        nanos = own["list_price_nanos"]
        text = f"{money(nanos, currency)} ({share(nanos, own['cost_nanos'] or 0) or 'all'}) rests on public list prices"
        yield Fact("List prices", text, caution=True)
    if own["provisional_nanos"]:
        text = f"{money(own['provisional_nanos'], currency)} is the open window and may still change"
        yield Fact("Provisional", text, caution=True)
    if account["total_nanos"] is not None:
        yield Fact("Exactly", f"{format_decimal(account['total_nanos'])} {currency}")


def _error(nanos: int, currency: str) -> str:
    return f"<{money(_CENT, currency)}" if 0 < nanos < _CENT else money(nanos, currency)


def windows_text(count: int) -> str:
    """`1 window`, `3 windows`."""
    return f"{count} window" + ("" if count == 1 else "s")


def identity_facts(document: Document) -> Iterator[Fact]:
    """Which statement it is, and what it was made of."""
    yield Fact("Number", document["number"])
    yield Fact("Checksum", document["checksum"])
    for one in document["ledgers"]:
        yield Fact("Ledger", f"{one['place']}, version {one['version']}")
    for one in document["posted"]:
        revised = f"{one['revised']} of them revised; " if one["revised"] else ""
        yield Fact("Rests on", f"{one['cluster']}: {_windows_with_rows(one)}; {revised}{one['digest']}")


def _windows_with_rows(one: Document) -> str:
    span = f"from {one['from']} to {one['to']}"
    if one["expected_windows"] in {None, one["windows"]}:
        return f"{windows_text(one['windows'])} {span}"
    return f"{one['windows']} of {windows_text(one['expected_windows'])} have rows, {span}"
