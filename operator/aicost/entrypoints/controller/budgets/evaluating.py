"""Evaluates all budgets at one moment; one that cannot be evaluated does not stop the others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from aicost.crd.convert.budget.memory import memory_of
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Mode, hardest
from aicost.domain.budgets.memory import Memory
from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.enforcement.names import ACCEPTED_PRICES, RESTORE
from aicost.domain.enforcement.release import Reign
from aicost.domain.enforcement.values import Action, ActionPhase
from aicost.domain.exact.windows import from_rfc3339
from aicost.entrypoints.controller.budgets.reading import Read, Readings
from aicost.entrypoints.controller.registry import Body
from aicost.usecases.budgets.evaluate import Asked, World, evaluate

_STOPPED = frozenset({ActionPhase.APPLYING, ActionPhase.APPLIED})


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A budget as it was evaluated.

    Attributes:
        asked_mode: the mode that its spec asks for; the evaluation has the one that it is acted on.
    """

    body: Body
    evaluation: Evaluation
    asked_mode: Mode

    @property
    def uid(self) -> str:
        """Uid of the budget."""
        return self.evaluation.plan.ref.uid


@dataclass(frozen=True, slots=True)
class Failed:
    """A budget that could not be evaluated: nothing of it moves."""

    body: Body
    error: Exception


@dataclass(frozen=True, slots=True)
class Round:
    """All budgets at one moment.

    Attributes:
        reigns: uid of a budget -> what it wants of its steps. Budgets that are gone are absent.
    """

    readings: Readings
    evaluated: tuple[Evaluated, ...]
    failed: tuple[Failed, ...]
    reigns: Mapping[str, Reign]
    now_ms: int


@dataclass(slots=True)
class Evaluator:
    """Evaluates, and remembers what budgets remember: at first sight as their status says it.

    Attributes:
        may_act: whether the release lets budgets act. Where it does not, those that would only advise, so that what
            they did before comes back.
        memories: uid of a budget -> what it remembers.
    """

    may_act: bool = True
    memories: dict[str, Memory] = field(default_factory=dict)

    def __call__(self, readings: Readings, world: World) -> Round:
        """Evaluate all budgets. Blocks: it may read the ledger."""
        stopped, asked = _stopped(one.value for one in readings.actions), readings.asked
        good: list[Evaluated] = []
        bad: list[Failed] = []
        for one in readings.budgets:
            ref = one.value.ref
            overrides = tuple(each.value.override for each in asked.get((ref.namespace, ref.name), ()))
            try:
                accepted = moment_in(one.body, ACCEPTED_PRICES)
                request = Asked(self._plan(one.value), self.memory(one), overrides, stopped[one.uid], accepted)
                good.append(Evaluated(one.body, evaluate(request, world), one.value.mode))
            except Exception as error:  # noqa: BLE001 -- one budget must not stop the others
                bad.append(Failed(one.body, error))
        there = {one.uid for one in readings.budgets}
        self.memories = {uid: memory for uid, memory in self.memories.items() if uid in there}
        self.memories |= {one.uid: one.evaluation.memory for one in good}
        return Round(readings, tuple(good), tuple(bad), reigns(readings, good), world.known.now_ms)

    def blind(self, readings: Readings, error: Exception, now_ms: int) -> Round:
        """A round in which nothing can be evaluated: everything stays as it is."""
        failed = tuple(Failed(one.body, error) for one in readings.budgets)
        return Round(readings, (), failed, reigns(readings, ()), now_ms)

    def memory(self, one: Read[BudgetPlan]) -> Memory:
        """What a budget remembers."""
        found = self.memories.get(one.uid)
        return memory_of(one.body, one.value.rule) if found is None else found

    def _plan(self, plan: BudgetPlan) -> BudgetPlan:
        return replace(plan, mode=Mode.ADVISE) if plan.mode is Mode.ENFORCE and not self.may_act else plan


def reigns(readings: Readings, evaluated: Iterable[Evaluated]) -> dict[str, Reign]:
    """What each budget wants of its steps. One that cannot be read, or evaluated, keeps things as they are."""
    unread = {str(one.body["metadata"].get("uid", "")): Reign(None) for one in readings.refused}
    found = unread | {one.uid: Reign(None) for one in readings.budgets}
    every = list(evaluated)
    above = {one.evaluation.plan.ref.name: one.evaluation for one in every if not one.evaluation.plan.ref.namespace}
    for one in every:
        parent = above.get(one.evaluation.plan.parent)
        found[one.uid] = _reign(one, parent)
    return found


def _reign(one: Evaluated, parent: Evaluation | None) -> Reign:
    """A budget that acts does no less than the one above it."""
    gate = one.evaluation.acting_gate
    if parent is not None and one.evaluation.acts:
        gate = hardest(gate, parent.acting_gate)
    return Reign(one.evaluation, gate, moment_in(one.body, RESTORE))


def _stopped(actions: Iterable[Action]) -> Counter[str]:
    """Uid of a budget -> cost per hour of what it has stopped."""
    found: Counter[str] = Counter()
    for one in actions:
        if one.stops and one.phase in _STOPPED:
            found[one.budget.uid] += one.estimate.save_nanos
    return found


def moment_in(body: Body, name: str) -> int:
    """A moment that a person wrote into an annotation; 0 for none, and for what is none."""
    text = (body["metadata"].get("annotations") or {}).get(name)
    try:
        return from_rfc3339(text) if isinstance(text, str) and len(text) <= 64 else 0
    except ValueError:
        return 0
