"""What an AIWorkload says of the engine in its pods, of what stands in front of it, and of success."""

from collections.abc import Mapping
from dataclasses import dataclass

from aicost.domain.budgets.units.targets import WorkloadName
from aicost.domain.serving.meters import METERS
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.domain.serving.pipelines.fronts import NO_FRONT, Front
from aicost.domain.serving.tallies import Grown, Tally

_INSTANCE = "instance"
_GENERIC = frozenset(one.engine for one in METERS if one.is_anybodys)
_NAMES = {one.engine: frozenset(meter.name for meter in one.meters) for one in METERS}


@dataclass(frozen=True, slots=True)
class DeclaredEngine:
    """The engine of a workload.

    Attributes:
        workload: namespace and name.
        engine: its name; empty where it is found by its counters.
        port: port of its metrics; None for any.
        front: the gateway that fronts it, and what that calls its model.
        success: who says what a success is; None where it does not say.
    """

    workload: WorkloadName
    engine: str = ""
    port: int | None = None
    front: Front = NO_FRONT
    success: SuccessRule | None = None

    @property
    def generic(self) -> frozenset[str]:
        """The engine, where its counters have names that anybody may use: the word of the workload makes them its."""
        return frozenset({self.engine}) & _GENERIC

    def reads(self, one: Grown) -> bool:
        """Whether a series is of the engine and the port: one without the address of its target is of any port."""
        if self.engine and one.name and one.name not in _NAMES.get(self.engine, frozenset()):
            return False
        _, colon, port = one.labels.get(_INSTANCE, "").rpartition(":")
        return self.port is None or not colon or not port.isdecimal() or int(port) == self.port

    def only(self, by_model: Mapping[str, Tally]) -> Mapping[str, Tally]:
        """What this engine did, and no other in the same pod."""
        if not self.engine:
            return by_model
        return {model: did for model, did in by_model.items() if self.engine in did.engines}
