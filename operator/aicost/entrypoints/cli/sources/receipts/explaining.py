"""Receipts of a ledger that is read directly."""

from aicost.adapters.ledger.inputs.replaying import ProcessReplayer
from aicost.bootstrap import open_inputs
from aicost.domain.exact.windows import Window
from aicost.domain.receipts.receipt import Receipt
from aicost.domain.receipts.subjects import Subject
from aicost.entrypoints.cli.sources.ledger import open_place
from aicost.entrypoints.cli.sources.receipts.clusters import one_cluster
from aicost.usecases.economics.spend.with_accounts import homes
from aicost.usecases.receipts.explain_cost import ExplainCost


def receipt_of_ledger(
    place: str, cluster: str | None, subject: Subject, span: Window, detail: Window | None
) -> Receipt:
    """The receipt of a subject from the ledger at a directory or URL; errors as of `ExplainCost`.

    Raises:
        InvalidRequest: there is no such ledger or cluster.
    """
    ledger = open_place(place)
    snapshot = ledger.snapshot()
    name = one_cluster(homes(snapshot), cluster)
    return ExplainCost(name, snapshot, open_inputs(ledger).pinned(), ProcessReplayer())(subject, span, detail)
