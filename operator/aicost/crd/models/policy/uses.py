"""What a policy permits, whom it excuses, and where it is stricter or milder."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import ItemName, LongText, Moment, NormalForm, ShortText
from aicost.crd.models.policy.keys import KeyNames, Stages
from aicost.crd.models.policy.scope import NamespaceScope, ShortSelector
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, Rule
from aicost.domain.policy.policies import Mode

Patterns = Annotated[list[ShortText], Field(min_length=1, max_length=64), ATOMIC_LIST]
_LIMITED = ("models", "gpuModels", "providers")


class UseRule(ApiModel):
    """Which models, GPUs and providers some teams and stages may use."""

    rules = (
        Rule(
            " || ".join(f"has(self.{name})" for name in _LIMITED),
            f"a rule of use must permit something: give at least one of {', '.join(_LIMITED)}",
            lambda rule: bool(rule.models or rule.gpu_models or rule.providers),
        ),
    )

    name: ItemName
    """Name of the rule; messages use it."""
    teams: Annotated[list[NormalForm], Field(min_length=1, max_length=64), ATOMIC_LIST] | None = None
    """Teams that it speaks of. All, where absent."""
    stages: Stages | None = None
    """Stages that it speaks of. All, where absent."""
    models: Patterns | None = None
    """AI models that they may use, with * as wildcard, for example meta-llama/*. Any, where absent."""
    gpu_models: Patterns | None = None
    """GPU models that they may use, with * as wildcard, for example l4 or a100-*. Any, where absent."""
    providers: Patterns | None = None
    """Clouds or operators of nodes that they may use, as in the nodes' providerID, for example aws. Any, where
    absent."""
    mode: Mode | None = None
    """What happens to an object that uses something else. As the policy says, where absent."""
    hint: LongText | None = None
    """What to use instead, for people. Messages show it."""
    approval: LongText | None = None
    """Whom to ask for more, for people. Messages show it."""


class Exemption(ApiModel):
    """Objects that the policy does not hold for, until a date."""

    name: ItemName
    """Name of the exemption; messages use it."""
    until: Moment
    """Its end, not included: a day (midnight UTC) or an RFC 3339 time."""
    approved_by: ShortText
    """Who approved it, as the API server knows them; who sets it needs the verb exempt on costlabelpolicies."""
    reason: LongText | None = None
    """Why."""
    namespaces: NamespaceScope | None = None
    """Where it holds. Everywhere, where absent."""
    selector: ShortSelector | None = None
    """Labels of the objects. All objects, where absent."""
    keys: KeyNames | None = None
    """Keys that are excused. All of them and the rules of use, where absent."""


class ModeOverride(ApiModel):
    """Another mode for some namespaces."""

    namespaces: NamespaceScope
    """Where it holds."""
    mode: Mode
    """The mode there."""
