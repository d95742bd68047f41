"""A record as the API server's clients know answers: a list of objects, a Table, or one document in columns."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from aicost.crd.allocations.document import API_VERSION, span_document
from aicost.crd.allocations.view import ABSENT, key_title
from aicost.domain.budgets.simulation.columns import REPORT_KIND, columns_of
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.reporting.question import NAMESPACE, Question
from aicost.entrypoints.queryapi.series.resource import MOST_LISTED, SERIES
from aicost.entrypoints.queryapi.series.rows import Row, ranked, rows_of
from aicost.ports.errors import InvalidRequest
from aicost.usecases.budgets.simulate import SeriesQuestion

_COLUMNS = (("COST", "cost"), ("GPU-HOURS", "gpu_hours"), ("WINDOWS", "windows"), ("TREND", "trend"))
_ABOUT = {
    "trend": "How the cost went up and down over the time asked for.",
    **{one.source: one.description for one in SERIES.fields},
}


def series_report(record: Record, asked: SeriesQuestion, question: Question, now_ms: int) -> dict[str, Any]:
    """Everything in one document, in columns."""
    return {
        "apiVersion": API_VERSION,
        "kind": REPORT_KIND,
        "generated_at": to_rfc3339(now_ms),
        "window": span_document(asked.span),
        "time_zone": question.time_zone,
        "filters": {key: list(values) for key, values in asked.filters.items()},
        **columns_of(record),
    }


def series_list(record: Record, asked: SeriesQuestion, question: Question) -> dict[str, Any]:
    """An object for each group, the costliest first.

    Raises:
        InvalidRequest: they name more windows than one answer may.
    """
    places, left = _first(record, question)
    rows = list(rows_of(record, places))
    entries = sum(row["windows"] for row in rows)
    if entries > MOST_LISTED:
        raise InvalidRequest(
            f"limit: {len(rows):,} groups with {entries:,} windows are too many for a list of objects, which has at "
            f"most {MOST_LISTED:,}: ask for fewer groups by limit, for a shorter window, or with format=report"
        )
    return {
        "kind": SERIES.list_kind,
        "apiVersion": API_VERSION,
        "metadata": _list_metadata(left),
        "window": span_document(asked.span),
        "covered": span_document(record.covered),
        "items": [_item(row, question) for row in rows],
    }


def series_table(record: Record, question: Question) -> dict[str, Any]:
    """A Table for `kubectl get`: the costliest first, and how many more there are."""
    places, left = _first(record, question)
    keys = _shown_keys(record.groups.keys)
    rows = [_table_row(row, keys, question) for row in rows_of(record, places)]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": _list_metadata(left),
        "columnDefinitions": list(_definitions(keys)),
        "rows": [*rows, *([_more(left, len(keys))] if left else [])],
    }


def _first(record: Record, question: Question) -> tuple[list[int], int]:
    """The groups that are shown, and how many are not."""
    places = ranked(record)
    return places[: question.limit], max(0, len(places) - (question.limit or len(places)))


def _list_metadata(left: int) -> dict[str, Any]:
    return {"resourceVersion": "", **({"remainingItemCount": left} if left else {})}


def _item(row: Row, question: Question) -> dict[str, Any]:
    values = {field.name: row[field.source] for field in SERIES.fields}
    named = {name: value for name, value in values.items() if value is not None}
    return {"kind": SERIES.kind, "apiVersion": API_VERSION, "metadata": _metadata(row, question), **named}


def _metadata(row: Row, question: Question) -> dict[str, str]:
    """A name made of the group's values, as far as a name can hold them."""
    text = "-".join(filter(None, row["keys"].values()))
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:253] or "none"
    namespace = row["keys"].get(NAMESPACE) or question.namespace
    return {"name": name, **({"namespace": namespace} if namespace else {})}


def _shown_keys(keys: Sequence[str]) -> list[str]:
    """The keys that get a column: kubectl shows the namespace of objects of all namespaces itself."""
    return [key for key in keys if key != NAMESPACE] or list(keys)


def _table_row(row: Row, keys: Sequence[str], question: Question) -> dict[str, Any]:
    held = [row["keys"][key] or (ABSENT if row["held"] else "(nobody)") for key in keys]
    figures = [str(row[source]) for _, source in _COLUMNS]
    return {"cells": [*held, *figures], "object": _partial(_metadata(row, question))}


def _more(left: int, keys: int) -> dict[str, Any]:
    """A row that says how many more there are: kubectl asks for 500 and shows nothing of the rest."""
    told = f"({left} more: --chunk-size=0 shows them)"
    return {"cells": [told, *[""] * (keys - 1 + len(_COLUMNS))], "object": _partial({"name": "more"})}


def _partial(metadata: dict[str, str]) -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}


def _definitions(keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    named = [(key_title(key), f"Value of {key}") for key in keys]
    figures = [(title, _ABOUT[source]) for title, source in _COLUMNS]
    for number, (title, about) in enumerate((*named, *figures)):
        form = "" if number else "name"
        yield {"name": title, "type": "string", "format": form, "description": about, "priority": 0}
