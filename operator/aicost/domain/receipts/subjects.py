"""What a receipt is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.ledger.rows import Row


class SubjectKind(StrEnum):
    """Kinds of things that a receipt can be about."""

    POD = "pod"
    WORKLOAD = "workload"
    """An AIWorkload, or the controller of pods by its name."""
    NODE = "node"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Subject:
    """One pod, workload, node or device.

    Attributes:
        namespace: empty for a node and a device.
    """

    kind: SubjectKind
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def owns(self, row: Row) -> bool:
        """Whether a row is about it."""
        holder = row.holder
        if self.kind is SubjectKind.NODE:
            return row.place.node == self.name
        if self.kind is SubjectKind.DEVICE:
            return row.place.device == self.name
        if holder.namespace != self.namespace:
            return False
        return self.name == holder.pod if self.kind is SubjectKind.POD else self.name in names_of_workload(row)

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Columns of the ledger that its rows are found by; for a workload some that are another's are found too."""
        if self.kind in {SubjectKind.NODE, SubjectKind.DEVICE}:
            return {self.kind.value: (self.name,)}
        own = {"namespace": (self.namespace,)}
        return {**own, "pod": (self.name,)} if self.kind is SubjectKind.POD else own


def names_of_workload(row: Row) -> frozenset[str]:
    """What a row's workload may be called: its AIWorkload, its controller, and the controller with its kind."""
    holder = row.holder
    controller = {holder.controller, f"{holder.controller_kind}/{holder.controller}"} if holder.controller else set()
    return frozenset({holder.workload, *controller} - {""})
