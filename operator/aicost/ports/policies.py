"""Who says which labels mean what."""

from collections.abc import Sequence
from typing import Protocol

from aicost.domain.policy.policies import LabelPolicy


class Policies(Protocol):
    """The CostLabelPolicies of the cluster."""

    def policies(self) -> Sequence[LabelPolicy]:
        """All usable policies, as they are now."""
