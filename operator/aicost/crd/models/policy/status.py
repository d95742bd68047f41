"""How far labels have come under a policy."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Nanos, Readable, Share
from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import Timestamp
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, map_list, unit

Count = Annotated[int, Field(ge=0)]
Ppm = Annotated[int, unit("parts per million")]


class PolicySummary(ApiModel):
    """Figures as texts, for the columns of kubectl get. Programs read the numbers beside them."""

    coverage: Share | None = None
    """Label coverage of the required keys, weighted by GPU cost."""
    objects: Share | None = None
    """Label coverage of the required keys, by count of objects."""
    level: str | None = None
    """Maturity level, 0 to 3, with the stage that the policy is in."""


class KeyCoverage(ApiModel):
    """Label coverage of one key."""

    key: str
    """The key."""
    by_cost: Share | None = None
    """Share of the GPU cost that names it. Absent where nothing has a cost yet."""
    by_cost_ppm: Ppm | None = None
    """The same, exact to a millionth."""
    by_objects: Share | None = None
    """Share of the objects that name it. Absent where no object needs it."""
    objects: Count
    """Objects that need it."""
    labelled: Count
    """Objects among them that name it, by themselves or by inheritance."""


class PolicyCoverage(ApiModel):
    """Label coverage under the policy."""

    by_cost: Share | None = None
    """Share of the GPU cost that names all required keys. Absent where nothing has a cost yet."""
    by_cost_ppm: Ppm | None = None
    """The same, exact to a millionth."""
    by_objects: Share | None = None
    """Share of the objects in scope that have all required keys."""
    objects: Count
    """Objects in scope."""
    labelled: Count
    """Objects among them that have all required keys."""
    keys: Annotated[list[KeyCoverage], Field(max_length=20), map_list("key")] | None = None
    """The same key by key."""


class Offender(ApiModel):
    """An object that breaks the policy."""

    namespace: str
    """Its namespace."""
    kind: str
    """Its kind."""
    name: str
    """Its name."""
    owner: str | None = None
    """Who answers for it, as far as anything says so."""
    monthly_cost: Readable | None = None
    """What it costs in a month. Absent where it has no cost yet."""
    monthly_cost_nanos: Nanos | None = None
    """The same, exact. Absent beyond 64 bits."""
    problems: Annotated[list[str], Field(max_length=20), ATOMIC_LIST]
    """What is wrong with it."""


class Maturity(ApiModel):
    """How far the practice has come, and what comes next."""

    level: Annotated[int, Field(ge=0, le=3)] | None = None
    """Maturity level: 1 has reached the line, 2 keeps it, 3 manages by it. Absent where it cannot be assessed yet."""
    stage: str | None = None
    """Crawl, Walk or Run: how strict the policy is today."""
    next_step: str | None = None
    """What brings it to the next level, or what is missing to assess it."""


class Unsupported(ApiModel):
    """A part of the policy that the engine in use cannot judge."""

    field: str
    """The part, as a path in the spec."""
    reason: str
    """Why, and what to do about it."""


class CostLabelPolicyStatus(Reported):
    """How far labels have come under the policy, and who enforces it."""

    summary: PolicySummary | None = None
    """The figures as the columns of kubectl get show them."""
    keys: Count | None = None
    """Keys of the policy that are usable."""
    engine_in_use: str | None = None
    """Who judges at admission now: webhook or vap. Absent where nobody does."""
    unsupported_by_vap: Annotated[list[Unsupported], Field(max_length=100), ATOMIC_LIST] | None = None
    """What ValidatingAdmissionPolicies cannot express of it. It is judged in audits, and by the webhook."""
    revision: str | None = None
    """Digest of the policies that were judged by; answers at admission carry the same."""
    coverage: PolicyCoverage | None = None
    """Label coverage."""
    would_deny: Count | None = None
    """Objects of today that would be refused if the mode were Deny."""
    top_offenders: Annotated[list[Offender], Field(max_length=20), ATOMIC_LIST] | None = None
    """Objects that break the policy, the most expensive first."""
    maturity: Maturity | None = None
    """How far the practice has come, and what comes next."""
    audited_at: Timestamp | None = None
    """When the objects were last looked at."""
    updated_at: Timestamp | None = None
    """When this was last written."""
