"""A statement as a plain document: integers, texts, lists and mappings, as JSON has them.

Amounts are integers of nano-units (10^-9) of the currency, device time is integers of milliseconds. `null` means not
known, which is not zero.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting.covering import Covering
from aicost.domain.reporting.query import Amounts
from aicost.domain.reporting.ratios import (
    gpu_time,
    is_unpriced,
    label_coverage,
    price_coverage,
    telemetry_coverage,
    to_ppm,
    utilisation,
)
from aicost.domain.statements.identity import checksum, number
from aicost.domain.statements.rules import words
from aicost.domain.statements.values import (
    Account,
    Adjustment,
    Keys,
    Part,
    Posted,
    SharedLine,
    SharedRule,
    Spread,
    StatementLine,
)

API_VERSION = "query.aicost.dev/v1alpha1"
KIND = "CostStatement"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """The time that is stated.

    Attributes:
        label: as it was asked for: `2026-10`.
        complete: whether all of it is over and closed, so that only corrections can still come.
        prorated: whether a bound lies inside a billing window.
        covered: the part that the ledger answers for.
    """

    label: str
    span: Window
    time_zone: str
    complete: bool
    prorated: bool
    covered: Window | None


@dataclass(frozen=True, slots=True)
class Statement:
    """All that a statement says.

    Attributes:
        payer: key -> value of the one payer; empty where each payer has an account.
        payer_keys: the keys that name a payer.
        keys: group keys of the lines; the first one has subtotals.
        ledgers: which versions of which ledgers were read.
        baseline: what adjustments are counted from: None for the first posting of each window, else the versions of the
            ledgers.
        open_books: whether others' sums and the ledger's total are told.
        near: payers that have a cost, where the named one has none and is spelt like them.
        covering: which components are in no amount, or in part.
    """

    period: Period
    payer: Mapping[str, str]
    payer_keys: Keys
    keys: Keys
    rule: SharedRule
    parts: tuple[Part, ...]
    posted: tuple[Posted, ...]
    ledgers: tuple[Mapping[str, Any], ...] = ()
    baseline: tuple[int | None, ...] | None = None
    open_books: bool = True
    near: tuple[str, ...] = ()
    covering: Covering = field(default_factory=lambda: Covering((), ()))


def statement_document(statement: Statement, now_ms: int) -> Document:
    """The document, with its number and the checksum over its content.

    Content is all but the moment of issue, the number itself and the versions of ledgers: a statement that is issued
    again from a ledger that has grown elsewhere has the same number.
    """
    content = _content(statement)
    digest = checksum(content)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "number": number(statement.period.label, tuple(statement.payer.values()), digest),
        "checksum": f"sha256:{digest}",
        "generated_at": to_rfc3339(now_ms),
        "ledgers": [dict(one) for one in statement.ledgers],
        **content,
    }


def content_of(document: Mapping[str, Any]) -> Document:
    """What the checksum of a document is made over."""
    apart = {"apiVersion", "kind", "number", "checksum", "generated_at", "ledgers", "display"}
    return {key: value for key, value in document.items() if key not in apart}


def check_document(document: Any) -> Mapping[str, Any]:
    """The document, if it is one of ours and as it was issued.

    Raises:
        ValueError: it is something else, or was changed since.
    """
    found = (document.get("apiVersion"), document.get("kind")) if isinstance(document, Mapping) else None
    if found != (API_VERSION, KIND):
        raise ValueError(f"statement: it is no {KIND} of {API_VERSION}, but {found}: name one that `-o json` wrote")
    if document.get("checksum") != f"sha256:{checksum(content_of(document))}":
        raise ValueError("statement: its content does not have its checksum: it was changed since it was issued")
    return dict(document)


def span_document(window: Window | None) -> dict[str, str] | None:
    """A span of time, None for none."""
    return None if window is None else {"from": to_rfc3339(window.start_ms), "to": to_rfc3339(window.end_ms)}


def _content(statement: Statement) -> Document:
    period = statement.period
    return {
        "period": {
            "label": period.label,
            **(span_document(period.span) or {}),
            "time_zone": period.time_zone,
            "complete": period.complete,
            "prorated": period.prorated,
            "covered": span_document(period.covered),
        },
        "payer": dict(statement.payer),
        "payer_keys": list(statement.payer_keys),
        "keys": list(statement.keys),
        "shared_rule": _rule(statement.rule),
        "baseline": {"kind": "first-postings"}
        if statement.baseline is None
        else {"kind": "ledger-versions", "versions": list(statement.baseline)},
        "posted": [_posted(one) for one in statement.posted],
        "not_covered": list(statement.covering.missing),
        "partly_covered": list(statement.covering.partly),
        "near": list(statement.near),
        "parts": [_part(statement, part) for part in statement.parts],
    }


def _rule(rule: SharedRule) -> Document:
    spread = rule.spread is not Spread.NONE
    return {
        "spread": rule.spread.value,
        "words": words(rule),
        "buckets": [bucket.value for bucket in rule.buckets] if spread else [],
        "shares": {payer: _fraction(share) for payer, share in rule.shares.items()},
    }


def _fraction(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"


def _posted(one: Posted) -> Document:
    return {
        "cluster": one.cluster,
        "windows": one.windows,
        "expected_windows": one.expected,
        "revised": one.revised,
        "highest_revision": one.highest,
        "from": to_rfc3339(one.first.start_ms),
        "to": to_rfc3339(one.last.end_ms),
        "digest": f"sha256:{one.digest}",
    }


def _part(statement: Statement, part: Part) -> Document:
    total = sum(account.total_nanos for account in part.accounts)
    accounts = [_account(statement, account) for account in part.accounts]
    unknown = bool(accounts) and all(account["total_nanos"] is None for account in accounts)
    return {
        "currency": part.currency,
        "total_nanos": None if unknown else _known(part, total),
        "accounts": accounts,
        "reconciliation": _reconciliation(part, total) if statement.open_books else None,
    }


def _known(part: Part, nanos: int) -> int | None:
    return nanos if part.currency else None


def _reconciliation(part: Part, total: int) -> Document:
    return {
        "ledger_nanos": _known(part, part.ledger.cost_nanos),
        "stated_nanos": total,
        "others": part.others,
        "others_nanos": part.others_nanos,
        "left_nanos": sum(one.nanos for one in part.left),
        "left": [
            {
                "cluster": one.cluster,
                "bucket": one.bucket,
                "cost_nanos": one.nanos,
                "gpu_milliseconds": one.gpu_milliseconds,
            }
            for one in part.left
            if one.nanos or one.gpu_milliseconds
        ],
    }


def _account(statement: Statement, account: Account) -> Document:
    return {
        "payer": dict(zip(statement.payer_keys, account.payer, strict=True)),
        "total_nanos": _cost(account.own, account.total_nanos),
        "own": figures(account.own),
        "sections": _sections(account.lines),
        "shared_nanos": account.shared_nanos,
        "shared": [_shared(line) for line in account.shared],
        "issued_nanos": _cost(account.issued, account.issued_nanos),
        "adjusted_nanos": sum(one.nanos for one in account.adjustments),
        "adjustments": [_adjustment(one) for one in account.adjustments],
    }


def _sections(lines: Sequence[StatementLine]) -> list[Document]:
    """Lines by the value of the first key, the costliest section first; a merged line is a section of its own."""
    found: defaultdict[tuple[str, bool], list[StatementLine]] = defaultdict(list)
    for line in lines:
        found[line.keys[0], line.merged > 0].append(line)
    sections = [
        {
            "value": value,
            "cost_nanos": _sum(own),
            "gpu_milliseconds": sum(gpu_time(line.amounts) for line in own),
            "lines": [_line(line) for line in own],
            "merged": merged,
        }
        for (value, merged), own in found.items()
    ]
    return sorted(sections, key=lambda one: (one["merged"], -(one["cost_nanos"] or 0), one["value"]))


def _sum(lines: Sequence[StatementLine]) -> int | None:
    """The cost of some lines; None where none of them is known."""
    known = [nanos for line in lines if (nanos := _cost(line.amounts, line.amounts.cost_nanos)) is not None]
    return sum(known) if known else None


def _line(line: StatementLine) -> Document:
    return {
        "keys": list(line.keys),
        "merged_lines": line.merged,
        **figures(line.amounts),
        "components": dict(line.components),
    }


def _cost(amounts: Amounts, nanos: int) -> int | None:
    """A cost; None where there is something to pay and no part of it has a price, or no currency."""
    return None if not amounts.currency or (is_unpriced(amounts) and not nanos) else nanos


def figures(amounts: Amounts) -> Document:
    """All that sums say."""
    return {
        "cost_nanos": _cost(amounts, amounts.cost_nanos),
        "used_nanos": amounts.buckets.get(Bucket.USED, 0),
        "idle_nanos": amounts.buckets.get(Bucket.ALLOCATED_IDLE, 0),
        "unmeasured_nanos": amounts.buckets.get(Bucket.ALLOCATED_UNMEASURED, 0),
        "system_nanos": amounts.buckets.get(Bucket.SYSTEM, 0),
        "gpu_milliseconds": gpu_time(amounts),
        "quantities": dict(amounts.quantities),
        "used_gpu_milliseconds": amounts.gpu_milliseconds.get(Bucket.USED, 0),
        "idle_gpu_milliseconds": amounts.gpu_milliseconds.get(Bucket.ALLOCATED_IDLE, 0),
        "unpriced_gpu_milliseconds": amounts.unpriced_gpu_milliseconds,
        "utilisation_ppm": to_ppm(utilisation(amounts)),
        "telemetry_coverage_ppm": to_ppm(telemetry_coverage(amounts)),
        "price_coverage_ppm": to_ppm(price_coverage(amounts)),
        "label_coverage_ppm": {
            key.value: to_ppm(label_coverage(amounts, key.value))
            for key in (Dimension.TEAM, Dimension.COST_CENTER, Dimension.MODEL)
        },
        "error_nanos": amounts.error_nanos,
        "provisional_nanos": amounts.provisional_nanos,
        "list_price_nanos": amounts.list_price_nanos,
    }


def _shared(line: SharedLine) -> Document:
    return {
        "cluster": line.cluster,
        "bucket": line.bucket,
        "pool_nanos": line.pool_nanos,
        "basis": line.basis,
        "whole": line.whole,
        "cost_nanos": line.nanos,
    }


def _adjustment(one: Adjustment) -> Document:
    return {
        "reason": one.reason,
        "cost_nanos": one.nanos,
        "gpu_milliseconds": one.gpu_milliseconds,
        "windows": one.windows,
        "from": None if one.first is None else to_rfc3339(one.first.start_ms),
        "to": None if one.last is None else to_rfc3339(one.last.end_ms),
        "lines": [
            {"keys": list(line.keys), "cost_nanos": line.nanos, "gpu_milliseconds": line.gpu_milliseconds}
            for line in one.lines
        ],
    }
