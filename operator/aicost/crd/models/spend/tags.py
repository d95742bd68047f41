"""What tags of bills and of gateways name, by rules."""

from typing import Annotated

from pydantic import Field

from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import SET_LIST, map_list, matches
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.thirdparty.lines import NAMESPACE

TagName = Annotated[str, Field(min_length=1, max_length=128)]
TagValue = Annotated[str, Field(min_length=1, max_length=253)]


class NamedValue(ApiModel):
    """What a value of a tag is called here."""

    value: TagValue
    """The value as the provider writes it, such as wrkspc_01. Case, spaces and underscores do not matter."""
    name: TagValue
    """What it is called in the ledger."""


class MappedTag(ApiModel):
    """What a tag of the bill names."""

    tag: TagName
    """The tag as the provider calls it, such as workspace_id or project_id."""
    dimension: Annotated[
        str,
        Field(max_length=63),
        matches(
            "|".join((*Dimension, NAMESPACE)), f"name a dimension: {', '.join(Dimension)}, or namespace for who pays"
        ),
    ]
    """The dimension that its values are of; or namespace: then the namespace of that name pays, in its own budgets and
    reports."""
    values: Annotated[list[NamedValue], Field(max_length=200), map_list("value")] | None = None
    """What its values are called here, at most 200. Others keep their names."""


class GatewayTag(ApiModel):
    """Keys of a bill that are the gateways'."""

    tag: TagName
    """The tag of the bill, such as workspace_id or api_key_id."""
    values: Annotated[list[TagValue], Field(min_length=1, max_length=200), SET_LIST]
    """The values of it that the gateways use."""
