"""A CostLabelPolicy as the domain knows it: which labels, with which values, required of whom, and how strictly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.identity.claims import LabelSelector
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.stages import Stage


class Mode(StrEnum):
    """What happens to an object that breaks a rule, the mildest first."""

    AUDIT = "Audit"
    """Nothing is said at admission; it is counted and shown."""
    WARN = "Warn"
    """It is let in with a warning."""
    DENY_NEW = "DenyNew"
    """Its creation is refused; a change of what is already there only warns."""
    DENY = "Deny"
    """Creation and change are refused."""


class Need(StrEnum):
    """Of whom a key is required."""

    NEVER = "Never"
    GPU_ONLY = "GpuOnly"
    ALWAYS = "Always"


class Case(StrEnum):
    """What becomes of letter case."""

    LOWER = "Lower"
    KEEP = "Keep"


class Inherit(StrEnum):
    """Where a value that the object does not give itself may come from, in the order of the one precedence."""

    OWNER = "Owner"
    AIWORKLOAD = "AIWorkload"
    QUEUE = "Queue"
    NAMESPACE = "Namespace"
    SERVICE_ACCOUNT = "ServiceAccount"
    GROUP = "Group"


class Engine(StrEnum):
    """Who judges at admission."""

    AUTO = "auto"
    WEBHOOK = "webhook"
    VAP = "vap"


@dataclass(frozen=True, slots=True)
class NamespaceScope:
    """A set of namespaces: those of the names and those that the selector selects. Empty: none."""

    names: frozenset[str] = frozenset()
    selector: LabelSelector | None = None


@dataclass(frozen=True, slots=True)
class ConfigMapKey:
    """A key of a ConfigMap that holds allowed values, one a line; `#` begins a comment."""

    namespace: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class AllowedValues:
    """Which values a key may have. A value is allowed if the list, the pattern or the ConfigMap allows it.

    Attributes:
        values: in normal form.
        pattern: regular expression (RE2 subset) for the whole value, empty for none.
        config_map: more values; what it holds is in the snapshot (`PolicySnapshot.listed`).
        bound: value -> the only namespaces that may use it, because it says who pays. A value that is not named here
            may be used anywhere.
    """

    values: tuple[str, ...] = ()
    pattern: str = ""
    config_map: ConfigMapKey | None = None
    bound: Mapping[str, NamespaceScope] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """True if nothing limits the values."""
        return not (self.values or self.pattern or self.config_map)


@dataclass(frozen=True, slots=True)
class LabelKey:
    """One key of a policy.

    Attributes:
        key: `team`, or a key of one's own such as `acme.com/owner`.
        label: the label on objects: `aicost.dev/team`, or the own key as it is.
        dimension: the dimension that it is, None for an own key.
        aliases: other label keys that mean this one (`Team`, `squad`, `app.kubernetes.io/team`).
        value_aliases: value in normal form -> value to use instead (`recs` -> `recommendation-engine`).
        convention: regular expression that a value must match as a whole (naming convention), empty for none.
        convention_hint: the convention in words, with an example.
        need: of whom it is required.
        stages: stages in which it is required; empty: in all.
        inherit: where a missing value may come from.
        groups: group of the requester -> value, for `Inherit.GROUP`.
        default: value of last resort, empty for none. It satisfies the requirement in the stages sandbox and experiment
            only: promotion needs the full set.
        immutable: once set on an object it is not changed.
    """

    key: str
    label: str
    dimension: Dimension | None
    aliases: tuple[str, ...] = ()
    value_aliases: Mapping[str, str] = field(default_factory=dict)
    case: Case = Case.LOWER
    convention: str = ""
    convention_hint: str = ""
    allowed: AllowedValues = AllowedValues()
    need: Need = Need.NEVER
    stages: tuple[Stage, ...] = ()
    inherit: tuple[Inherit, ...] = tuple(Inherit)
    groups: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class UseRule:
    """Which models, GPU types and providers some teams and stages may use.

    Attributes:
        teams, stages: whom it speaks of; empty: all.
        models, gpu_models, providers: what they may use, with `*` as wildcard; empty: anything.
        mode: its own mode, None for the policy's.
        hint: what to do instead, for people.
        approval: whom to ask for more, for people.
    """

    name: str
    teams: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    models: tuple[str, ...] = ()
    gpu_models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    mode: Mode | None = None
    hint: str = ""
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Objects that a policy does not hold for, until a date.

    Attributes:
        namespaces: where; None: everywhere.
        selector: labels of the object; None: all objects.
        keys: keys that it excuses; empty: all, and the rules of use too.
        until_ms: its end, not included.
    """

    name: str
    until_ms: int
    approved_by: str
    reason: str = ""
    namespaces: NamespaceScope | None = None
    selector: LabelSelector | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModeOverride:
    """Another mode for some namespaces. The first that matches holds."""

    namespaces: NamespaceScope
    mode: Mode


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """Whom an attribution rule speaks of: all fields that are given must match. `*` is a wildcard in all patterns.

    Attributes:
        namespaces: name patterns.
        labels: selector over the pod's labels.
        owners: `Kind/name` patterns over the owner chain, any link.
        images: image patterns, any container.
        models: patterns over the model that the pod serves or trains.
        service_accounts, nodes: name patterns.
    """

    namespaces: tuple[str, ...] = ()
    labels: LabelSelector | None = None
    owners: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributionRule:
    """A virtual tag: dimensions for pods that nobody labelled, or (`override`) whatever they are labelled."""

    name: str
    match: RuleMatch
    dimensions: Mapping[Dimension, str]
    override: bool = False


@dataclass(frozen=True, slots=True)
class LabelPolicy:
    """A policy. Several may hold at once: each is judged, and the strictest outcome counts.

    Attributes:
        kinds: kinds that it judges; empty: all that are known (`domain.workloads.kinds`).
        namespaces: where it holds; None: everywhere but in system namespaces.
        help_url: shown with each problem.
        contact: whom to ask, such as `#finops`.
        min_coverage_ppm: label coverage, weighted by cost, that the policy aims at.
        unused_days: a value that no cost carried for so long counts as unused.
    """

    name: str
    uid: str
    generation: int
    mode: Mode
    keys: tuple[LabelKey, ...] = ()
    uses: tuple[UseRule, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    overrides: tuple[ModeOverride, ...] = ()
    rules: tuple[AttributionRule, ...] = ()
    kinds: tuple[str, ...] = ()
    namespaces: NamespaceScope | None = None
    engine: Engine = Engine.AUTO
    help_url: str = ""
    contact: str = ""
    min_coverage_ppm: int = 900_000
    unused_days: int = 30
