"""What a cost is charged to, and how we know."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

LABEL_PREFIX = "aicost.dev/"
UNTAGGED = "untagged"
"""The value of a dimension that nothing names. (`unattributed` is a bucket of money, another thing.)"""


class Dimension(StrEnum):
    """The keys that a cost is charged to; as labels they carry the prefix `aicost.dev/`."""

    TEAM = "team"
    PRODUCT = "product"
    PROJECT = "project"
    FEATURE = "feature"
    STEP = "step"
    COST_CENTER = "cost-center"
    CUSTOMER = "customer"
    CUSTOMER_SEGMENT = "customer-segment"
    ENVIRONMENT = "environment"
    STAGE = "stage"
    WORKLOAD_TYPE = "workload-type"
    MODEL = "model"
    EXPERIMENT = "experiment"


class Source(IntEnum):
    """Where a value came from, strongest first: the one precedence."""

    RULE_OVERRIDE = 1
    POD_LABEL = 2
    OWNER_LABEL = 3
    AIWORKLOAD = 4
    QUEUE = 5
    NAMESPACE_LABEL = 6
    SERVICE_ACCOUNT = 7
    REQUESTER_GROUP = 8
    RULE = 9
    DISCOVERED = 10
    """Read from what the pod runs (the model in an engine's arguments), which nobody stated."""
    POLICY_DEFAULT = 11
    NONE = 12


@dataclass(frozen=True, slots=True)
class Tag:
    """A value of a dimension with its provenance.

    Attributes:
        value: normal form: lower-case, dashes.
        source: which rung of the precedence gave it.
        origin: the thing that said it, for people: `Deployment/chat`, `namespace/team-a`.
        raw: the value as it was written.
    """

    value: str
    source: Source
    origin: str = ""
    raw: str = ""


UNTAGGED_TAG = Tag(UNTAGGED, Source.NONE)

Tags = Mapping[Dimension, Tag]
"""One tag per dimension that something named; a dimension that is absent is untagged."""
