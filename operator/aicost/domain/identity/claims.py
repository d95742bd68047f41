"""Which pods an AIWorkload speaks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.identity.dimensions import Dimension


@dataclass(frozen=True, slots=True)
class TargetRef:
    """A workload by kind and name; it claims the pods whose owner chain contains it."""

    api_version: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class LabelExpression:
    """One `matchExpressions` term: operator is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A Kubernetes label selector; all terms must hold."""

    match_labels: Mapping[str, str] = field(default_factory=dict)
    expressions: tuple[LabelExpression, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadClaim:
    """An AIWorkload as the cost engine sees it. Exactly one of `target` and `selector` is given.

    Attributes:
        created_ms: decides between workloads that claim the same pod by the same kind of claim: the older wins.
        dimensions: values as written, by dimension.
        gpu_split: how the GPUs are to be split that its pods share, None where it does not say.
    """

    namespace: str
    name: str
    uid: str
    created_ms: int
    target: TargetRef | None = None
    selector: LabelSelector | None = None
    dimensions: Mapping[Dimension, str] = field(default_factory=dict)
    gpu_split: SplitRule | None = None
