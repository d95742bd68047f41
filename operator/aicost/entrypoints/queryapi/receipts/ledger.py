"""The ledger of receipts: one moment of it, with the inputs beside it and the process that computes them again."""

from dataclasses import dataclass
from typing import Self

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.inputs.replaying import ProcessReplayer
from aicost.bootstrap import open_inputs
from aicost.domain.exact.windows import Window
from aicost.domain.receipts.receipt import Receipt
from aicost.domain.receipts.subjects import Subject
from aicost.ports.inputs import InputStore
from aicost.usecases.receipts.explain_cost import ExplainCost
from aicost.usecases.receipts.posted_inputs import ExplainedLedger as Snapshot


@dataclass(frozen=True, slots=True)
class ExplainedLedger:
    """A snapshot, and what its amounts rest on."""

    reader: Snapshot
    inputs: InputStore

    @classmethod
    def of(cls, ledger: DeltaLedger) -> Self:
        """The ledger as it is now."""
        return cls(ledger.snapshot(), open_inputs(ledger).pinned())

    def explain(self, cluster: str, subject: Subject, span: Window, detail: Window | None) -> Receipt:
        """The receipt; errors as of `ExplainCost`."""
        return ExplainCost(cluster, self.reader, self.inputs, ProcessReplayer())(subject, span, detail)
