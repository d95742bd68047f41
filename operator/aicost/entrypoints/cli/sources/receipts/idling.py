"""Idle money of a ledger that is read directly."""

from typing import Any

from aicost.adapters.clock import now_ms
from aicost.bootstrap import open_inputs
from aicost.crd.idle.document import idle_document
from aicost.domain.exact.windows import Window
from aicost.entrypoints.cli.sources.ledger import open_place
from aicost.entrypoints.cli.sources.receipts.clusters import one_cluster
from aicost.usecases.economics.spend.with_accounts import homes
from aicost.usecases.gpus.assess_idle import AssessIdle


def idle_of_ledger(place: str, cluster: str | None, span: Window, namespace: str | None, rows: int) -> dict[str, Any]:
    """The document from the ledger at a directory or URL; errors as of `AssessIdle`.

    Raises:
        InvalidRequest: there is no such ledger or cluster.
    """
    ledger = open_place(place)
    snapshot = ledger.snapshot()
    name = one_cluster(homes(snapshot), cluster)
    report = AssessIdle(name, snapshot, open_inputs(ledger))(span, namespace)
    return idle_document(report, namespace, now_ms(), rows)
