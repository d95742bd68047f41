"""A report for programs and for spreadsheets."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aicost.crd.allocations.document import report_document
from aicost.crd.allocations.texts import bucket_nanos, known_nanos
from aicost.domain.exact.amounts import format_decimal
from aicost.domain.exact.windows import HOUR_MS, to_rfc3339
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting import ratios
from aicost.domain.reporting.query import Amounts, Report, ReportLine

if TYPE_CHECKING:
    from aicost.entrypoints.cli.output.display.converting import Shown

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet takes a text that begins like this for a formula."""
Record = Mapping[str, str | int | None]


def as_json(reports: Sequence[Report], now_ms: int) -> str:
    """The report document."""
    return json.dumps(report_document(reports, now_ms), indent=2, ensure_ascii=False)


def as_csv(reports: Sequence[Report], shown: "Sequence[Shown] | None" = None) -> str:
    """One table for all currencies: the lines (`row_type` line or other), the idle, and the total.

    Args:
        reports: the reports.
        shown: what they come to in another currency, in columns of their own; a report without any cost has none.
    """
    keys = reports[0].query.group_by
    converted = {one.report.currency: one for one in shown or ()}
    records = [
        {**record, **more}
        for report in reports
        for record, more in zip(_records(report), _display(report, converted), strict=True)
    ]
    out = io.StringIO()
    display = _DISPLAY if shown is not None else ()
    writer = csv.DictWriter(out, [*_HEAD, *keys, *_tail(), *display], restval="", lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: "" if value is None else value for name, value in record.items()})
    return out.getvalue()


def safe_cell(text: str) -> str:
    """A text of people as a cell: one that a spreadsheet would run gets an apostrophe in front."""
    one_line = text.replace("\r", " ")  # CSV readers take a lone carriage return for the end of a row
    return f"'{one_line}" if text.startswith(_DANGEROUS) else one_line


_DISPLAY = ("display_currency", "display_cost", "display_cost_nanos", "display_rate")
_HEAD = ("row_type", "window_from", "window_to", "currency")


def _tail() -> list[str]:
    return [*_figures(Amounts("", {}, {}), 0), "shared_idle_nanos", "previous_cost_nanos", "merged_rows"]


def _records(report: Report) -> Iterator[Record]:
    for line in report.lines:
        yield _line(report, line)
    yield {**_head(report, "idle"), **_figures(report.idle, report.idle.cost_nanos)}
    total = {"previous_cost_nanos": report.previous_total_nanos}
    yield {**_head(report, "total"), **_figures(report.total, report.total.cost_nanos), **total}


def _display(report: Report, converted: "Mapping[str, Shown]") -> Iterator[Record]:
    """The columns of another currency, for each record of a report."""
    one = converted.get(report.currency)
    for nanos in (None,) * (len(report.lines) + 2) if one is None else (*one.lines, one.idle, one.total):
        if one is None or nanos is None:
            yield {}
        else:
            rate = f"{one.conversion.explanation} (at {to_rfc3339(one.at_ms + 1)})"
            yield {
                "display_currency": one.conversion.target,
                "display_cost": format_decimal(nanos),
                "display_cost_nanos": nanos,
                "display_rate": safe_cell(rate),
            }


def _line(report: Report, line: ReportLine) -> Record:
    keys = {} if line.merged else dict(zip(report.query.group_by, map(safe_cell, line.keys), strict=True))
    return {
        **_head(report, "other" if line.merged else "line"),
        **keys,
        **_figures(line.amounts, line.cost_nanos),
        "shared_idle_nanos": line.shared_nanos,
        "previous_cost_nanos": line.previous_nanos,
        "merged_rows": line.merged,
    }


def _head(report: Report, row_type: str) -> dict[str, str | int | None]:
    span = report.query.span
    return {
        "row_type": row_type,
        "window_from": to_rfc3339(span.start_ms),
        "window_to": to_rfc3339(span.end_ms),
        "currency": report.currency,
    }


def _figures(amounts: Amounts, nanos: int) -> dict[str, Any]:
    known = known_nanos(amounts, nanos)
    time = ratios.gpu_time(amounts)
    return {
        "cost": None if known is None else format_decimal(known),
        "cost_nanos": known,
        "gpu_hours": _hours(time),
        "gpu_milliseconds": time,
        "measured_gpu_milliseconds": amounts.measured_milliseconds,
        "unpriced_gpu_milliseconds": amounts.unpriced_gpu_milliseconds,
        "utilisation_ppm": ratios.to_ppm(ratios.utilisation(amounts)),
        "error_nanos": amounts.error_nanos,
        "provisional_nanos": amounts.provisional_nanos,
        "list_price_nanos": amounts.list_price_nanos,
        **{f"{_column(bucket)}_cost_nanos": bucket_nanos(amounts, bucket) for bucket in Bucket},
        **{f"{_column(bucket)}_gpu_milliseconds": amounts.gpu_milliseconds.get(bucket, 0) for bucket in Bucket},
    }


def _column(bucket: Bucket) -> str:
    return bucket.value.replace("-", "_")


def _hours(milliseconds: int) -> str:
    """Hours with four decimals, rounded half up, for reading; the milliseconds beside them are exact."""
    parts = (abs(milliseconds) * 10_000 + HOUR_MS // 2) // HOUR_MS
    return f"{'-' if milliseconds < 0 else ''}{parts // 10_000}.{parts % 10_000:04d}"
