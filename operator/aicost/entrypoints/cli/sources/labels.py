"""Label coverage and inventory of a ledger that is read directly."""

from collections.abc import Mapping
from typing import Any

from aicost.adapters.clock import now_ms
from aicost.bootstrap import audit_beside
from aicost.crd.coverage.document import coverage_document, inventory_document
from aicost.crd.coverage.resources import COVERAGES, Served
from aicost.entrypoints.cli.sources.ledger import open_place
from aicost.usecases.measure_coverage import list_inventory, measure_coverage


def ask_ledger(place: str, served: Served, since: str, namespace: str | None, rows: int) -> Mapping[str, Any]:
    """The document of a resource, from the ledger at a directory or URL, and the audit that may lie in it.

    Raises:
        InvalidRequest: `since` makes no sense, or there is no such directory.
        LedgerUnavailable: the ledger cannot be read.
    """
    reader, now = open_place(place).snapshot(), now_ms()
    last = audit_beside(place).latest()
    if served is COVERAGES:
        reports = measure_coverage(reader, since, last, now, namespace=namespace)
        return coverage_document(reports, namespace, now, rows)
    return inventory_document(list_inventory(reader, since, last, now, namespace=namespace), namespace, now, rows)
