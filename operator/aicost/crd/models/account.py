"""ProviderAccount: whoever bills for models, or sees what they cost; the controller brings it into the ledger."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.conditions import Reported
from aicost.crd.fields.text import ObjectName, Timestamp
from aicost.crd.models.spend.capture import CaptureRule, SpendCapture
from aicost.crd.models.spend.tags import MappedTag
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule, map_list, matches, unit

_REST = r"[^@?#\s]*"
_NEAR = r"localhost|127\.0\.0\.1|\[::1\]|[-a-z0-9.]+\.svc(\.cluster\.local)?"
_ADDRESS = rf"https://[^@?#\s/]+(/{_REST})?|http://({_NEAR})(:\d+)?(/{_REST})?"
_KEY = r"[a-z0-9]([-a-z0-9._:/]{0,61}[a-z0-9])?"

AccountKey = Annotated[
    str,
    Field(max_length=63),
    matches(_KEY, "write lower-case letters, digits and -._:/, at most 63, for example anthropic-main"),
]
"""Key of an account in the ledger."""


class Provider(StrEnum):
    """Who bills, or knows what will be billed."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    LITELLM = "litellm"
    """A gateway: what it saw, at the list prices that it knows. An estimate until the bill comes."""
    LITELLM_DAILY = "litellm-daily"
    """The same gateway by its sums of whole days, where it keeps no single requests or has too many."""
    COUNTERS = "counters"
    """Tokens that gateways count in the controller's Prometheus, at list prices. An estimate until the bill comes."""


class SecretKeyRef(ApiModel):
    """A key of a Secret in the controller's own namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: Annotated[
        str,
        Field(max_length=253),
        matches(r"[-._a-zA-Z0-9]+", "name a key of the Secret: letters, digits, dashes, dots and underscores"),
    ]
    """Which of its keys holds the provider's key: that of an administrator, who may read costs."""


class ProviderAccountSpec(ApiModel):
    """Whom to ask, with which key, and how often."""

    rules = (
        Rule(
            "(self.provider == 'counters') != has(self.secretRef)",
            "give secretRef, the Secret with the provider's key; counters has no key and takes none",
            lambda spec: (spec.provider is Provider.COUNTERS) != (spec.secret_ref is not None),
        ),
        Rule(
            "!self.provider.startsWith('litellm') || has(self.url)",
            "a gateway has no usual address: give url, for example http://litellm.gateways.svc:4000",
            lambda spec: spec.provider not in {Provider.LITELLM, Provider.LITELLM_DAILY} or spec.url is not None,
        ),
        Rule(
            "self.provider != 'counters' || !has(self.url)",
            "counters are read from the Prometheus of the settings: leave url out",
            lambda spec: spec.provider is not Provider.COUNTERS or spec.url is None,
        ),
    )

    provider: Provider
    """Who is asked: anthropic, openai; litellm, a gateway, for its single requests, or litellm-daily, for its sums of
    days; or counters, the tokens that gateways count at list prices."""
    account: AccountKey | None = None
    """Key of the account in the ledger, in the place of a cluster. The object's name, where absent. Amounts that are
    posted stay under the key that they were posted under."""
    secret_ref: SecretKeyRef | None = None
    """The Secret with the provider's key. It is read at each time, and is stored and shown nowhere. All but counters
    need one."""
    url: (
        Annotated[
            str,
            Field(max_length=1024),
            matches(
                _ADDRESS,
                "write an address that begins with https:// (http:// for a Service of the cluster alone), without a "
                "user, a query or a fragment, for example https://llm-costs.example",
            ),
        ]
        | None
    ) = None
    """Another address than the provider's own, such as that of a proxy. The key is sent there."""
    mapping: Annotated[list[MappedTag], Field(max_length=50), map_list("tag")] | None = None
    """What tags name, at most 50. A tag that is called as a dimension is that dimension, also without this."""
    since: Annotated[
        str,
        Field(max_length=4),
        matches(r"[1-9]\d{0,2}d", "write whole days, at most 999, for example 35d"),
    ] = "35d"
    """Days in UTC that are asked for each time. Providers correct their figures for weeks."""
    interval: Annotated[
        str,
        Field(max_length=4),
        matches(r"[1-9]\d{0,2}[hd]", "write whole hours or days, at least 1h, for example 6h"),
    ] = "6h"
    """Time between two times."""
    capture: CaptureRule | None = None
    """What the bill is held against: what gateways saw. Usual values, where absent."""
    suspend: bool = False
    """Ask for nothing, for now. What is in the ledger stays."""


class CurrencyAmount(ApiModel):
    """What was billed in one currency."""

    currency: str
    """ISO 4217 code."""
    cost: str
    """Amount, for people."""
    cost_nanos: Annotated[int, unit("nano-units of the currency (10^-9)")] | None = None
    """Amount, exact. Absent beyond 64 bits."""


class MonthToDate(ApiModel):
    """What a month cost until now."""

    month: str
    """The month in UTC, such as 2026-03."""
    cost: str
    """Cost with its currency, for people; several currencies stand beside each other."""
    amounts: Annotated[list[CurrencyAmount], Field(max_length=32), map_list("currency")]
    """The same by currency: nothing is converted."""


class ProviderAccountStatus(Reported):
    """How far its bills are in the ledger."""

    account: AccountKey | None = None
    """Key in the ledger that it posts under."""
    last_fetch: Timestamp | None = None
    """When the provider last answered and all of it was in the ledger."""
    data_through: Timestamp | None = None
    """End of the last day that the ledger has of the account."""
    month_to_date: MonthToDate | None = None
    """What this month cost. Absent until a day of it is in the ledger."""
    capture: SpendCapture | None = None
    """How much of the bill went through a gateway. Absent until some day has both a bill and a gateway's estimate."""
    days_restated: Annotated[int, Field(ge=0)] | None = None
    """Days that were in the ledger and that the last fetch changed, by signed differences."""


class ProviderAccount(ApiModel):
    """Bills of a provider of models, fetched into the ledger now and then."""

    spec: ProviderAccountSpec
    """Whom to ask, with which key, and how often."""
    status: ProviderAccountStatus | None = None
    """How far its bills are in the ledger. Written by the controller alone."""
