"""The ladder of a budget: as it is written, or as its stage has it."""

from fractions import Fraction

from aicost.crd.models.budget.ladder import Rung as RungModel
from aicost.crd.models.budget.resource import BudgetCommon
from aicost.domain.budgets.gates import Basis, Gate
from aicost.domain.budgets.lifecycle.stages import ladder_for, max_gate_for
from aicost.domain.budgets.plans import PPM, Rung
from aicost.domain.exact.amounts import NANOS_PER_UNIT, parse_nanos

EXIT_POINTS = 5
"""Percentage points below its threshold at which a rung closes, where it names no exit."""
_RATE_EXIT = Fraction(95, 100)
"""The same for rates, as a share of the threshold."""


def ladder_of(spec: BudgetCommon) -> tuple[Rung, ...]:
    """The rungs."""
    return ladder_for(spec.stage) if spec.ladder is None else tuple(map(_rung, spec.ladder))


def max_gate_of(spec: BudgetCommon) -> Gate:
    """The hardest gate that may open."""
    return spec.max_gate or max_gate_for(spec.stage)


def _rung(model: RungModel) -> Rung:
    at, leaves = _thresholds(model)
    return Rung(model.name, model.gate, model.basis, at, leaves, model.evaluations)


def _thresholds(model: RungModel) -> tuple[int, int]:
    """Where it opens and where it closes again, in the unit of its basis."""
    match model.basis:
        case Basis.BURN_RATE:
            at = parse_nanos(model.at_burn_rate or "1") * PPM // NANOS_PER_UNIT
            return at, int(at * _RATE_EXIT)
        case Basis.COMMITTED_RATE:
            at = parse_nanos(model.at_rate_per_hour or "1")
            return at, int(at * _RATE_EXIT)
        case _:
            percent = model.at_percent or 100
            leaves = model.exit_percent or max(0, percent - EXIT_POINTS)
            return percent * PPM // 100, leaves * PPM // 100
