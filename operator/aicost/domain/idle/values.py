"""Idle money, line by line."""

from dataclasses import dataclass, field

from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.idle.kinds import ADVICE, IdleKind, Phase


@dataclass(frozen=True, slots=True)
class IdleKey:
    """What a line is about; fields that do not apply are empty.

    Attributes:
        owner: who can act.
        workload: kind and name of the controller, or the name of the AIWorkload.
        pod: of what is idle-resident alone.
        model: the AI model.
        phase: of scale waste alone.
    """

    kind: IdleKind
    owner: str
    currency: str = ""
    namespace: str = ""
    workload: str = ""
    pod: str = ""
    model: str = ""
    gpu_model: str = ""
    phase: Phase = Phase.NONE


@dataclass(slots=True)
class IdleLine:
    """One line.

    Attributes:
        cost_nanos: of what has a price.
        gpu_milliseconds: device time, priced or not.
        unpriced_milliseconds: the part of it that has no price.
        replica_milliseconds: time of replicas too many, of scale waste alone.
        memory_bytes: most memory that was held, of what is idle-resident alone.
    """

    key: IdleKey
    cost_nanos: int = 0
    gpu_milliseconds: int = 0
    unpriced_milliseconds: int = 0
    replica_milliseconds: int = 0
    memory_bytes: int = 0

    def per_day_nanos(self, covered_ms: int) -> int | None:
        """What it costs in a day at the pace of the time that was looked at."""
        return self.cost_nanos * DAY_MS // covered_ms if covered_ms else None


@dataclass(frozen=True, slots=True)
class IdleReport:
    """Idle money of a span.

    Attributes:
        span: what was asked for.
        covered_ms: length of the billing windows that were looked at.
        lines: the costliest first within each kind, kinds in the order of `ADVICE`.
        total_nanos: by currency, all GPU money of the same rows, used or idle.
        unmeasured_nanos: by currency, what was held and not measured: it may be idle.
        notes: what could not be told apart, and why.
    """

    span: Window
    covered_ms: int
    lines: tuple[IdleLine, ...]
    total_nanos: dict[str, int] = field(default_factory=dict)
    unmeasured_nanos: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


KIND_ORDER = {kind: rank for rank, kind in enumerate(ADVICE)}
