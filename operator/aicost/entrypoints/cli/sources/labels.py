"""Label coverage and inventory of a ledger that is read directly."""

from collections.abc import Mapping, Sequence
from typing import Any

from aicost.adapters.clock import now_ms
from aicost.bootstrap import audit_beside
from aicost.crd.coverage.document import coverage_document, inventory_document
from aicost.crd.coverage.resources import COVERAGES, Served
from aicost.domain.coverage.objects import LastAudit
from aicost.entrypoints.cli.sources.ledger import open_ledgers
from aicost.usecases.measure_coverage import list_inventory, measure_coverage


def ask_ledger(
    places: Sequence[str], served: Served, since: str, namespace: str | None, rows: int, *, cluster: str | None = None
) -> Mapping[str, Any]:
    """The document of a resource, from the ledgers at directories or URLs, and the audit that may lie in one.

    Raises:
        InvalidRequest: `since` makes no sense, or there is no such directory or cluster.
        LedgerUnavailable: the ledger cannot be read.
    """
    reader, now = open_ledgers(places, cluster=cluster).reader, now_ms()
    last = _audit(places, cluster)
    if served is COVERAGES:
        reports = measure_coverage(reader, since, last, now, namespace=namespace, cluster=cluster)
        return coverage_document(reports, namespace, now, rows)
    found = list_inventory(reader, since, last, now, namespace=namespace, cluster=cluster)
    return inventory_document(found, namespace, now, rows)


def _audit(places: Sequence[str], cluster: str | None) -> LastAudit:
    """The audit that lies beside the ledger. It is of one cluster, so that several ledgers have none in common."""
    if len(places) == 1:
        return audit_beside(places[0]).latest(cluster or "")
    return LastAudit(why_none="several ledgers are asked, and an audit is of one cluster: ask each of them")
