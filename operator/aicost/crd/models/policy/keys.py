"""A key of a policy: the label, its spellings, its values, and of whom it is required."""

import re
from typing import Annotated

from pydantic import Field

from aicost.crd.fields.text import LabelKey, LongText, ObjectName, ShortText
from aicost.crd.models.policy.scope import NamespaceName, NamespaceScope
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import ATOMIC_LIST, SET_LIST, Rule, map_list
from aicost.domain.identity.dimensions import LABEL_PREFIX
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.policies import Case, Inherit, Need

_NOT_IN_RE2 = re.compile(r"\(\?[=!<]|\\[1-9]|[*+?}]\+")


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return _NOT_IN_RE2.search(pattern) is None


Pattern = Annotated[
    str,
    Field(min_length=1, max_length=200),
    Rule(
        "''.matches(self) in [true, false]",
        "write a regular expression of the RE2 syntax (no look-around, no back-references), "
        'for example "cc-[0-9]{3,5}"',
        _compiles,
    ),
]
"""A regular expression that a value must match as a whole."""

Key = Annotated[
    LabelKey,
    Rule(
        f"!self.startsWith('{LABEL_PREFIX}')",
        f"write a dimension without the prefix {LABEL_PREFIX}, for example team",
        lambda key: not key.startswith(LABEL_PREFIX),
    ),
]
"""A dimension, or a label key of one's own."""

Stages = Annotated[list[Stage], Field(min_length=1, max_length=4), SET_LIST]


class ConfigMapKey(ApiModel):
    """A key of a ConfigMap: one value a line; `#` begins a comment."""

    namespace: NamespaceName
    """Namespace of the ConfigMap."""
    name: ObjectName
    """Name of the ConfigMap."""
    key: ShortText
    """Key of its data that holds the values."""


class BoundValue(ApiModel):
    """A value that says who pays, and the only namespaces that may use it."""

    value: ShortText
    """The value."""
    namespaces: NamespaceScope
    """Namespaces that may use it. Anywhere else it is refused in each mode but Audit."""


class AllowedValues(ApiModel):
    """Which values are allowed: those of the list, the pattern or the ConfigMap."""

    rules = (
        Rule(
            "has(self.values) || has(self.pattern) || has(self.configMap) || has(self.bound)",
            "say which values are allowed by values, pattern, configMap or bound, or leave allowed out",
            lambda allowed: allowed.model_dump(exclude_none=True) != {},
        ),
    )

    values: Annotated[list[ShortText], Field(min_length=1, max_length=500), SET_LIST] | None = None
    """The values."""
    pattern: Pattern | None = None
    """Regular expression (RE2) for the whole value."""
    config_map: ConfigMapKey | None = None
    """A ConfigMap that holds more values. While it cannot be read, values of this key are not judged."""
    bound: Annotated[list[BoundValue], Field(min_length=1, max_length=50), map_list("value")] | None = None
    """Values that only some namespaces may use, because they say who pays. Other values may be used anywhere."""


class LabelKeyPolicy(ApiModel):
    """One label: how it may be written, which values it has and who needs it."""

    rules = (
        Rule(
            "!has(self.stages) || (has(self.required) && self.required != 'Never')",
            "stages says where the key is required: give required: Always or GpuOnly too",
            lambda key: key.stages is None or key.required is not Need.NEVER,
        ),
        Rule(
            "!has(self.conventionHint) || has(self.convention)",
            "conventionHint explains convention: give both",
            lambda key: key.convention_hint is None or key.convention is not None,
        ),
        Rule(
            "!has(self.groups) || !has(self.inherit) || 'Group' in self.inherit",
            "groups is read where inherit has Group: add Group to inherit",
            lambda key: key.groups is None or key.inherit is None or Inherit.GROUP in key.inherit,
        ),
        Rule(
            "!has(self.case) || self.case == 'Lower' || self.key.contains('/')",
            "values of dimensions are lower-case: case: Keep is for keys with a prefix of your own",
            lambda key: key.case is Case.LOWER or "/" in key.key,
        ),
        Rule(
            "!has(self.aliases) || !(self.key in self.aliases)",
            "a key needs no alias of its own name: take it out of aliases",
            lambda key: key.key not in (key.aliases or ()),
        ),
    )

    key: Key
    """A dimension (team, cost-center, stage ...), whose label is aicost.dev/KEY, or a label key of your own such as
    acme.com/owner."""
    aliases: Annotated[list[LabelKey], Field(max_length=16), SET_LIST] | None = None
    """Other label keys that mean this one, for example Team, squad, app.kubernetes.io/team."""
    value_aliases: Annotated[dict[str, ShortText], Field(min_length=1, max_length=200)] | None = None
    """Other spellings of values: the spelling, and the value that it stands for."""
    case: Case = Case.LOWER
    """Whether letter case counts: Lower merges spellings, Keep tells them apart."""
    convention: Pattern | None = None
    """Naming convention: a regular expression (RE2) that each value must match as a whole, listed ones too."""
    convention_hint: LongText | None = None
    """The convention in words, with an example. Messages show it."""
    allowed: AllowedValues | None = None
    """Which values are allowed. Any, where absent."""
    required: Need = Need.NEVER
    """Of whom the key is required: Always, GpuOnly (objects that ask for an accelerator), or Never."""
    stages: Stages | None = None
    """Stages in which it is required. All, where absent."""
    inherit: Annotated[list[Inherit], Field(max_length=6), SET_LIST] | None = None
    """Where a value may come from that the object does not give itself. From all of them, where absent; from none, with
    an empty list. The order is always that of the one precedence."""
    groups: Annotated[dict[str, ShortText], Field(min_length=1, max_length=200)] | None = None
    """For inherit Group: group of the person who applies the object, and the value that it stands for."""
    default: ShortText | None = None
    """Value of last resort. It satisfies the requirement in the stages sandbox and experiment only."""
    immutable: bool = False
    """Whether the label may not be changed once it is set."""


Keys = Annotated[list[LabelKeyPolicy], Field(max_length=20), map_list("key")]
KeyNames = Annotated[list[Key], Field(min_length=1, max_length=20), ATOMIC_LIST]
