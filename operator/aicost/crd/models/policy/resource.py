"""CostLabelPolicy: which labels AI workloads carry, with which values, and how strictly."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Fraction
from aicost.crd.fields.text import Kind, ShortText
from aicost.crd.models.policy.keys import Keys
from aicost.crd.models.policy.rules import AttributionRule
from aicost.crd.models.policy.scope import NamespaceScope
from aicost.crd.models.policy.status import CostLabelPolicyStatus
from aicost.crd.models.policy.uses import Exemption, ModeOverride, UseRule
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, SET_LIST, Rule, map_list, matches
from aicost.domain.policy.policies import Engine, Mode

HelpUrl = Annotated[
    str,
    Field(max_length=512),
    matches(r"https?://[^ \"<>]+", "write the address of a page, for example https://wiki.example.org/labels"),
]


class CostLabelPolicySpec(ApiModel):
    """Labels, what may be used, exemptions and attribution rules."""

    rules = (
        Rule(
            "has(self.keys) || has(self.uses) || has(self.attributionRules)",
            "an empty policy does nothing: give keys, uses or attributionRules",
            lambda spec: any(part is not None for part in (spec.keys, spec.uses, spec.attribution_rules)),
        ),
    )

    mode: Mode = Mode.AUDIT
    """What happens to an object that breaks a rule: Audit counts it, Warn lets it in with a warning, DenyNew refuses
    its creation, Deny its creation and change."""
    mode_overrides: Annotated[list[ModeOverride], Field(max_length=32), ATOMIC_LIST] | None = None
    """Another mode for some namespaces. The first that matches holds."""
    engine: Engine = Engine.AUTO
    """Who judges at admission: webhook, vap (policies in the API server itself), or auto: as the release says, and
    where that says auto too, the webhook, and the API server while the webhook does not answer."""
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=64), SET_LIST] | None = None
    """Kinds of objects that are judged, for example Deployment. All that run pods, where absent."""
    namespaces: NamespaceScope | None = None
    """Where the policy holds. In all namespaces but those of the system, where absent."""
    keys: Keys | None = None
    """The labels."""
    uses: Annotated[list[UseRule], Field(max_length=64), map_list("name")] | None = None
    """Which models, GPUs and providers teams and stages may use. An object must keep to all rules that speak of it."""
    exemptions: Annotated[list[Exemption], Field(max_length=100), map_list("name")] | None = None
    """Objects that the policy does not hold for, each until a date."""
    attribution_rules: Annotated[list[AttributionRule], Field(max_length=200), map_list("name")] | None = None
    """Virtual tags: dimensions for pods that nobody labelled. Of several that match, the first of the list counts."""
    help_url: HelpUrl | None = None
    """Page that each message links to."""
    contact: ShortText | None = None
    """Whom to ask, for example #finops. Messages show it."""
    min_coverage: Fraction = "0.9"
    """Label coverage, weighted by cost, that the policy aims at, as a decimal string from 0 to 1."""
    unused_days: Annotated[int, Field(ge=1, le=400)] = 30
    """A value that no cost carried for so many days counts as unused."""


class CostLabelPolicy(ApiModel):
    """Which labels AI workloads carry, with which values, and what happens to those that do not."""

    spec: CostLabelPolicySpec
    """Labels, what may be used, exemptions and attribution rules."""
    status: CostLabelPolicyStatus | None = None
    """How far labels have come. Written by the controller alone."""
