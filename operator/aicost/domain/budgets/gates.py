"""Gates of a budget, what opens them, and how destructive each is."""

from enum import IntEnum, StrEnum


class Gate(StrEnum):
    """A state of a budget, the least destructive first."""

    NOTIFY = "Notify"
    ANNOTATE = "Annotate"
    DEPRIORITIZE = "Deprioritize"
    FREEZE_GROWTH = "FreezeGrowth"
    DENY_NEW = "DenyNew"
    SUSPEND = "Suspend"
    FAST_FAIL = "FastFail"


class Basis(StrEnum):
    """What a rung looks at."""

    ACTUAL = "Actual"
    FORECAST = "Forecast"
    BURN_RATE = "BurnRate"
    COMMITTED_RATE = "CommittedRate"
    UNIT_COST = "UnitCost"


class Mode(StrEnum):
    """What a budget does when a rung is reached."""

    OBSERVE = "Observe"
    ADVISE = "Advise"
    ENFORCE = "Enforce"


class Destruction(IntEnum):
    """How much harm a step does, the least first: D0 to D5."""

    INFORM = 0
    BLOCK_NEW = 1
    FREEZE = 2
    PAUSE = 3
    STOP = 4
    DELETE = 5

    def __str__(self) -> str:
        return f"D{self.value}"


GATES = tuple(Gate)
PREDICTIVE = frozenset({Basis.FORECAST, Basis.BURN_RATE})
"""Bases that look ahead. What has not happened yet opens no hard gate."""

_CLASSES = {
    Gate.NOTIFY: Destruction.INFORM,
    Gate.ANNOTATE: Destruction.INFORM,
    Gate.DEPRIORITIZE: Destruction.INFORM,
    Gate.FREEZE_GROWTH: Destruction.FREEZE,
    Gate.DENY_NEW: Destruction.FREEZE,
    Gate.SUSPEND: Destruction.STOP,
    Gate.FAST_FAIL: Destruction.STOP,
}


def rank(gate: Gate | None) -> int:
    """Place of a gate on the ladder, 0 for the least destructive; -1 for none."""
    return -1 if gate is None else GATES.index(gate)


def hardest(*gates: Gate | None) -> Gate | None:
    """The most destructive of some gates, None for none."""
    return max(gates, key=rank, default=None)


def at_least(gate: Gate | None, least: Gate) -> bool:
    """Whether a gate is as destructive as another one, or more: what the softer one does, the harder one does too."""
    return rank(gate) >= rank(least)


def destruction(gate: Gate) -> Destruction:
    """The class of the worst that a gate does, with all that the softer ones do: along the ladder it never falls."""
    return _CLASSES[gate]


def stops_pods(gate: Gate | None) -> bool:
    """Whether a gate ends what runs: it needs a notice, and time between two steps (class D3 and above)."""
    return gate is not None and destruction(gate) >= Destruction.PAUSE
