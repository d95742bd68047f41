"""Settings of the ledger and of what its amounts rest on."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from aicost.adapters.ledger.place import checked_options, checked_retention
from aicost.settings.section import Section


class InputSettings(Section):
    """What the amounts rest on, kept beside them so that each can be computed again."""

    keep: bool = Field(
        default=True, description="Keep lifetimes, samples, prices and policies of each posting: receipts rest on them."
    )
    retention_days: int = Field(
        400, ge=2, le=3660, description="Days after which the inputs of a window are forgotten; its amounts stay."
    )


class LedgerSettings(Section):
    """Where amounts are kept."""

    url: str = Field(
        "/var/lib/aicost/ledger", description="Directory on the persistent volume, or URL of an object store."
    )
    storage_options: Annotated[Mapping[str, str], AfterValidator(checked_options)] = Field(
        default_factory=dict, description="Options of the object store; credentials come from files or the environment."
    )
    storage_option_files: Mapping[str, str] = Field(
        default_factory=dict,
        description="Options of the object store that are secrets: name of the option -> file that a Secret mounts.",
    )
    retention_days: Annotated[int, AfterValidator(checked_retention)] = Field(
        0,
        ge=0,
        le=36_500,
        description="Days after which rows are dropped for good, by whole days; 0 keeps them for ever.",
    )
    inputs: InputSettings = Field(InputSettings(), description="What the amounts rest on.")
    count_accounts: bool = Field(
        default=True,
        description=(
            "Count what others bill, the accounts of the ledger, in the cluster's reports and budgets. Where clusters "
            "share a ledger, let one of them."
        ),
    )
