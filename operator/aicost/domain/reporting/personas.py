"""What each reader of a report wants to see. What somebody asks for in so many words comes before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.reporting.ordering import SortKey

NOTES = (
    "Error bar",
    "Before",
    "Coverage",
    "Unpriced",
    "List prices",
    "Provisional",
    "Not covered",
    "In part",
    "Idle",
    "Data",
    "Pro-rated",
)
"""The notes under a report, by their labels."""


class Reader(StrEnum):
    """Who reads a report."""

    ENGINEER = "engineer"
    PRODUCT = "product"
    FINANCE = "finance"
    EXECUTIVE = "executive"


@dataclass(frozen=True, slots=True)
class Persona:
    """What a reader sees.

    Attributes:
        about: in a sentence, for people.
        keys: group keys, over all namespaces.
        keys_within: group keys within one namespace.
        columns: titles of the columns beside the keys, in their order; one that there is nothing for is left out.
        notes: labels of the notes under the report, some of `NOTES`.
        adjusted: whether to tell what was posted as a correction.
    """

    about: str
    keys: tuple[str, ...]
    keys_within: tuple[str, ...]
    columns: tuple[str, ...]
    sort: SortKey
    notes: tuple[str, ...]
    compare: bool = False
    limit: int | None = None
    adjusted: bool = False


_LIMITS = ("Unpriced", "In part", "Provisional", "Data", "Pro-rated")
"""What nobody may miss: it makes a total smaller, or less final, than it looks."""

PERSONAS: Mapping[Reader, Persona] = {
    Reader.ENGINEER: Persona(
        about="which workloads and pods hold GPUs, how well they use them, and how well that was measured",
        keys=("namespace", "controller", "pod"),
        keys_within=("controller", "pod"),
        columns=("GPU-HOURS", "UTIL", "IDLE", "ALLOC-IDLE", "UNMEASURED", "MEASURED", "ERROR", "UNPRICED-H", "COST"),
        sort=SortKey.COST,
        notes=("Error bar", "Coverage", "Not covered", "Idle", *_LIMITS),
        limit=50,
    ),
    Reader.PRODUCT: Persona(
        about="what each feature and model costs, by hour and in all, and how that changes",
        keys=("feature", "model"),
        keys_within=("feature", "model"),
        columns=("COST", "SHARE", "CHANGE", "PER-GPU-H", "GPU-HOURS", "UTIL"),
        sort=SortKey.COST,
        notes=("Before", "Coverage", "Not covered", *_LIMITS),
        compare=True,
        limit=30,
    ),
    Reader.FINANCE: Persona(
        about="who is charged, in which currency, what was corrected, and what the figures rest on",
        keys=("cost-center", "team"),
        keys_within=("cost-center", "team"),
        columns=(
            *("CURRENCY", "COST", "SHARE", "ADJUSTED", "PROVISIONAL"),
            *("LIST-PRICES", "PRICED", "MEASURED", "UNPRICED-H"),
        ),
        sort=SortKey.COST,
        notes=("Error bar", "Coverage", "List prices", "Not covered", "Idle", *_LIMITS),
        adjusted=True,
    ),
    Reader.EXECUTIVE: Persona(
        about="the total, how it changes, and who moves it most",
        keys=("team",),
        keys_within=("controller",),
        columns=("COST", "SHARE", "BEFORE", "MOVED", "CHANGE"),
        sort=SortKey.MOVED,
        notes=("Before", *_LIMITS),
        compare=True,
        limit=10,
    ),
}
