"""What a budget remembers from one evaluation to the next. Its status carries it across restarts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aicost.domain.budgets.gates import Gate, Mode
from aicost.domain.budgets.plans import Rung


@dataclass(frozen=True, slots=True)
class RungState:
    """How a rung stands.

    Attributes:
        agreed: evaluations in a row that reached it.
        since_ms: since when it holds; None while it does not.
        told_ms, told_limit_nanos: when its message was due last in this period, and at which limit.
    """

    name: str
    agreed: int = 0
    since_ms: int | None = None
    told_ms: int | None = None
    told_limit_nanos: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """A gate that was announced and is not open yet."""

    gate: Gate
    rung: str
    announced_ms: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class GateState:
    """How far up the ladder a budget is.

    Attributes:
        key: the period that this is about.
        mode: mode that it was decided in: what was only observed is never acted on later without its own notice.
        gate: gate that is open, or would be.
        since_ms: since when.
        rung: the rung that opened it.
        evaluated_ms: the last evaluation that counted.
        stopped_ms: the last step that stops pods.
        granted_nanos: limit of the last evaluation, without what was carried: that changes with late differences, and
            nobody has allowed anything.
        raised_ms: when the limit of this period was last raised.
    """

    key: int = 0
    mode: Mode = Mode.OBSERVE
    gate: Gate | None = None
    since_ms: int = 0
    rung: str = ""
    rungs: tuple[RungState, ...] = ()
    pending: Pending | None = None
    evaluated_ms: int = -1
    stopped_ms: int | None = None
    granted_nanos: int = 0
    raised_ms: int | None = None

    def of(self, name: str) -> RungState:
        """The state of a rung; one that is new begins with nothing."""
        return next((one for one in self.rungs if one.name == name), RungState(name))

    def holds(self, rung: Rung) -> bool:
        """Whether a rung holds."""
        return self.of(rung.name).since_ms is not None


def begin(key: int, mode: Mode) -> GateState:
    """The state at the start of a period."""
    return GateState(key=key, mode=mode)


def begin_again(state: GateState, mode: Mode) -> GateState:
    """The state once the mode changed: the ladder is climbed from its foot; what was told stays told."""
    rungs = tuple(replace(one, agreed=0, since_ms=None) for one in state.rungs)
    return GateState(
        key=state.key, mode=mode, rungs=rungs, granted_nanos=state.granted_nanos, raised_ms=state.raised_ms
    )


def told(state: GateState, names: Iterable[str], now_ms: int, limit_nanos: int) -> GateState:
    """The state once messages of some rungs are on their way."""
    which = frozenset(names)
    rungs = tuple(
        replace(one, told_ms=now_ms, told_limit_nanos=limit_nanos) if one.name in which else one for one in state.rungs
    )
    return replace(state, rungs=rungs)
