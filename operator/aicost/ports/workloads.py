"""Who says what a pod is."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.identity.claims import WorkloadClaim


class Claims(Protocol):
    """The AIWorkloads of the cluster."""

    def claims(self) -> Sequence[WorkloadClaim]:
        """All accepted claims, as they are now."""
