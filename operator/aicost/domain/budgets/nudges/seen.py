"""What nudges look at: hourly series of one scope, the GPU models in use, and who contributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.budgets.plans import NudgeOn
from aicost.domain.sampling.series import Values


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody whose figure moved: a workload, a pod, a model.

    Attributes:
        now_nanos, normal_nanos: what it costs a day now and normally, in nano-units of the budget's currency; for
            IdleShare the cost of its idle time alone.
        gpu_model: the GPU model that it runs on, for a nudge about GPU models.
    """

    name: str
    now_nanos: int
    normal_nanos: int = 0
    gpu_model: str = ""

    @property
    def change_nanos(self) -> int:
        """By how much it costs more a day."""
        return self.now_nanos - self.normal_nanos


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The figures of one scope.

    Series have one value per whole hour, the latest last, NaN where nothing is known: the hour that is still open is
    none of them, and a gap is not 0. All have the same length. A series is None where the scope has nothing of the
    kind.

    Attributes:
        cost: nano-units per hour.
        idle_ms, busy_ms: device time that was held and did nothing, and that was used.
        idle_cost: nano-units per hour of the idle time.
        unit_cost: nano-units per hour of the workloads whose units are counted.
        units: units that they did in the hour.
        committed: GPU model -> nano-units per hour of what runs on it now.
        first_ms: GPU model -> start of the first hour of the last 14 days in which it had a cost.
        since_ms: from when on these hours are known; None where none is.
        contributors: who may have moved what is watched.
    """

    cost: Values | None = None
    idle_ms: Values | None = None
    busy_ms: Values | None = None
    idle_cost: Values | None = None
    unit_cost: Values | None = None
    units: Values | None = None
    committed: Mapping[str, int] = field(default_factory=dict)
    first_ms: Mapping[str, int] = field(default_factory=dict)
    since_ms: int | None = None
    contributors: Mapping[NudgeOn, Sequence[Contributor]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        series = (self.cost, self.idle_ms, self.busy_ms, self.idle_cost, self.unit_cost, self.units)
        lengths = {len(one) for one in series if one is not None}
        if len(lengths) > 1:
            raise ValueError(f"hourly series of lengths {sorted(lengths)}: give all for the same hours")
