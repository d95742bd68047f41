"""Decides and reviews requests for more, in the name of whom the API server sees."""

from dataclasses import dataclass

from aicost.domain.budgets.overrides.values import OverrideClass, Purpose, Ruling
from aicost.domain.budgets.plans import BudgetRef
from aicost.entrypoints.cli.output.budget.classes import VERBS, Prediction, predict
from aicost.entrypoints.cli.output.budget.reading import Body, budget_of, text
from aicost.entrypoints.cli.sources.budgets import OVERRIDES, Desk, right_on
from aicost.ports.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Which:
    """A request for more, by its name."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision or a review.

    Attributes:
        body: the request as the API server has it now.
        as_class: as what it was decided; None for a review.
        gaps: what could not be read.
    """

    body: Body
    one: Prediction
    budget: Body | None
    as_class: OverrideClass | None = None
    gaps: tuple[str, ...] = ()


async def decide(desk: Desk, which: Which, ruling: Ruling, comment: str, named: OverrideClass | None) -> Outcome:
    """Approve or deny.

    Args:
        desk: the cluster.
        which: the request.
        ruling: what is decided.
        comment: why; empty for no word.
        named: as what; None takes what the budget's rules say.

    Raises:
        InvalidRequest: there is no such request, or it is not one to decide on.
        NotPermitted: the API server refuses it.
    """
    seen = await desk.override(which.namespace, which.name)
    if text(seen, "spec", "purpose") == Purpose.BREAK_GLASS:
        told = "is a break-glass: it holds without a decision; afterwards `review` it"
        raise InvalidRequest(f"name: BudgetOverride {which.namespace}/{which.name} {told}")
    ref = budget_of(seen)
    budget, gap = await desk.readable(ref)
    one = predict(seen, budget, desk.asker.now_ms)
    as_class = named or (one.found.as_class if one.found else _stated(seen))
    decision = {"state": ruling.value, "class": as_class.value, "by": desk.asker.name}
    patch = {"spec": {"decision": {**decision, **({"comment": comment} if comment else {})}}}
    body = await _write(desk, which, patch, VERBS[as_class], ref)
    return Outcome(body, one, budget, as_class, (gap,) if gap else ())


async def review(desk: Desk, which: Which, comment: str) -> Outcome:
    """Say what was found of a break-glass afterwards; errors as of `decide`."""
    seen = await desk.override(which.namespace, which.name)
    ref = budget_of(seen)
    patch = {"spec": {"review": {"by": desk.asker.name, "comment": comment}}}
    body = await _write(desk, which, patch, VERBS[OverrideClass.MAJOR], ref)
    return Outcome(body, predict(seen, None, desk.asker.now_ms), None)


async def _write(desk: Desk, which: Which, patch: Body, verb: str, budget: BudgetRef) -> Body:
    return await desk.change(
        OVERRIDES, lambda: desk.override(which.namespace, which.name), lambda _: patch, right_on(verb, budget)
    )


def _stated(body: Body) -> OverrideClass:
    """The class that the controller found, where the budget cannot be read.

    Raises:
        InvalidRequest: nobody knows it.
    """
    stated = text(body, "status", "class")
    if stated not in set(OverrideClass):
        raise InvalidRequest("--class: name it, minor or major: the budget cannot be read, so its rules are not known")
    return OverrideClass(stated)
