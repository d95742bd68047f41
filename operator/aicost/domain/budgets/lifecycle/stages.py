"""Defaults of a budget by the stage of the work that it is for: the less settled the work, the harder the gate."""

from collections.abc import Mapping

from aicost.domain.budgets.gates import Basis, Gate
from aicost.domain.budgets.plans import PPM, Rung
from aicost.domain.identity.stages import Stage

_EXIT_POINTS = 5


def _rung(gate: Gate, percent: int, basis: Basis = Basis.ACTUAL) -> Rung:
    name = f"{'forecast-' if basis is Basis.FORECAST else ''}{gate.lower()}-{percent}"
    return Rung(name, gate, basis, percent * PPM // 100, (percent - _EXIT_POINTS) * PPM // 100)


USUAL = tuple(_rung(Gate.NOTIFY, percent) for percent in (50, 80, 100))
"""The ladder of a budget that names neither a ladder nor a stage: it tells people, and does nothing."""

_LADDERS: Mapping[Stage, tuple[Rung, ...]] = {
    Stage.SANDBOX: (_rung(Gate.NOTIFY, 50), _rung(Gate.DENY_NEW, 80), _rung(Gate.SUSPEND, 100)),
    Stage.EXPERIMENT: (_rung(Gate.NOTIFY, 70), _rung(Gate.DENY_NEW, 90), _rung(Gate.SUSPEND, 105)),
    Stage.PILOT: (_rung(Gate.NOTIFY, 80), _rung(Gate.DENY_NEW, 100), _rung(Gate.SUSPEND, 120)),
    Stage.PRODUCTION: (
        _rung(Gate.NOTIFY, 85),
        _rung(Gate.ANNOTATE, 100, Basis.FORECAST),
        _rung(Gate.FREEZE_GROWTH, 100),
    ),
}
_MAX_GATES: Mapping[Stage, Gate] = {
    Stage.SANDBOX: Gate.FAST_FAIL,
    Stage.EXPERIMENT: Gate.SUSPEND,
    Stage.PILOT: Gate.DENY_NEW,
    Stage.PRODUCTION: Gate.FREEZE_GROWTH,
}


def ladder_for(stage: Stage | None) -> tuple[Rung, ...]:
    """The ladder of a budget that names none."""
    return USUAL if stage is None else _LADDERS[stage]


def max_gate_for(stage: Stage | None) -> Gate:
    """The hardest gate of a budget that names none."""
    return Gate.FREEZE_GROWTH if stage is None else _MAX_GATES[stage]
