"""How much of a bill went through a gateway."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import Timestamp
from aicost.crd.models.spend.tags import GatewayTag
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import map_list, unit


class CaptureRule(ApiModel):
    """What the bill is held against: what gateways saw."""

    min_percent: Annotated[int, Field(ge=0, le=100)] = 90
    """Below this share of the bill the condition Captured says no."""
    through: Annotated[list[GatewayTag], Field(max_length=20), map_list("tag")] | None = None
    """Which keys or workspaces of the bill are the gateways', at most 20 tags: all that is billed to others is shadow
    spend. Without it, shadow spend is what is billed beyond what was seen."""


class SpendCapture(ApiModel):
    """Bills beside what gateways saw, on the days that have both."""

    start: Timestamp
    """Start of the days that were looked at."""
    end: Timestamp
    """End of them."""
    billed: str
    """What was billed, for people."""
    billed_nanos: Annotated[int, unit("nano-units of the currency (10^-9)")] | None = None
    """The same, exact. Absent beyond 64 bits."""
    seen: str
    """What gateways saw of it at list prices, for people."""
    seen_nanos: Annotated[int, unit("nano-units of the currency (10^-9)")] | None = None
    """The same, exact. Absent beyond 64 bits."""
    percent: str | None = None
    """Seen over billed, in percent. Absent where nothing was billed."""
    shadow: str
    """What was billed and no gateway saw, for people."""
    shadow_nanos: Annotated[int, unit("nano-units of the currency (10^-9)")] | None = None
    """The same, exact. Absent beyond 64 bits."""
    currency: str
    """ISO 4217 code of all amounts here: the currency of the largest bill."""
    unbilled_days: Annotated[int, Field(ge=0)] = 0
    """Days that a gateway saw and that have no bill yet: their estimates count."""
