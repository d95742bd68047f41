"""Conditions: what a person can read in `kubectl describe` and act on."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import Timestamp
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import map_list


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ApiModel):
    """A statement about an object."""

    type: Annotated[str, Field(max_length=316)]
    """What is stated, for example Ready."""
    status: ConditionStatus
    """Whether it holds: True, False or Unknown."""
    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    """Why, as one word for programs."""
    message: Annotated[str, Field(max_length=32768)]
    """Why, for people: what was found and how to put it right."""
    last_transition_time: Timestamp
    """When the status last changed."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that the statement is about."""


Conditions = Annotated[list[Condition], Field(max_length=32), map_list("type")]


class Reported(ApiModel):
    """What each status has."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that this status answers."""
    conditions: Conditions | None = None
    """Statements about the object; the reference lists types and reasons."""
