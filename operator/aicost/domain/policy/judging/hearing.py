"""One policy and one object: what the rules of judging look at."""

from dataclasses import dataclass

from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension, Tag
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.judging.inheritance import value_at
from aicost.domain.policy.judging.places import Place, object_place, running_places, template_places
from aicost.domain.policy.judging.scopes import mode_in, namespace_labels
from aicost.domain.policy.policies import LabelKey, LabelPolicy, Mode
from aicost.domain.policy.requests import PolicySnapshot, Request
from aicost.domain.workloads.shapes import Workload


@dataclass(frozen=True, slots=True)
class Hearing:
    """A policy, an object, and what is known.

    Attributes:
        mode: of the policy in the object's namespace.
        running: places whose labels the pods will have.
        placed: all places with labels: the object, then its templates.
    """

    policy: LabelPolicy
    mode: Mode
    snapshot: PolicySnapshot
    request: Request
    running: tuple[Place, ...]
    placed: tuple[Place, ...]

    @property
    def workload(self) -> Workload:
        """The object as it would be."""
        return self.request.workload

    def tag(self, key: LabelKey, place: Place) -> Tag | None:
        """What a key comes to for the pods of a place, before the policy's default."""
        return value_at(key, place, self.snapshot, self.request)

    def value(self, dimension: Dimension, place: Place) -> str:
        """What a dimension comes to for the pods of a place, the policy's default included; empty for nothing."""
        key = _key_of(self.policy, dimension)
        tag = self.tag(key, place)
        return tag.value if tag else key.default

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages that its pods are in; empty where nothing says it."""
        values = {self.value(Dimension.STAGE, place) for place in (*self.running, self.placed[0])}
        return frozenset(stage for stage in Stage if stage in values)


def open_hearing(policy: LabelPolicy, snapshot: PolicySnapshot, request: Request) -> Hearing:
    """Lay an object before a policy."""
    workload = request.workload
    mode = mode_in(policy, workload.namespace, namespace_labels(snapshot, workload.namespace))
    placed = (object_place(workload), *template_places(workload))
    return Hearing(policy, mode, snapshot, request, running_places(workload), placed)


def _key_of(policy: LabelPolicy, dimension: Dimension) -> LabelKey:
    """A policy's key of a dimension; where it has none, the plain label with all that it inherits."""
    plain = LabelKey(dimension, LABEL_PREFIX + dimension, dimension)
    return next((key for key in policy.keys if key.dimension is dimension), plain)
