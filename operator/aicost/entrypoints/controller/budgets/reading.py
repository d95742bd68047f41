"""Budgets, requests and records of steps as our objects say them; what did not change is not read anew."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from aicost.crd.convert.budget.action import read_action
from aicost.crd.convert.budget.override import AskedFor, read_override
from aicost.crd.convert.budget.plan import BudgetPlan, budget_plan
from aicost.crd.convert.parsing import Converted, SpecProblem
from aicost.domain.enforcement.values import Action
from aicost.entrypoints.controller.registry import Body, Registry

BUDGETS = ("Budget", "ClusterBudget")
Value = TypeVar("Value")
_Mark = tuple[object, ...]
_Cached = tuple[_Mark, Body, Converted[Any]]


@dataclass(frozen=True, slots=True)
class Read(Generic[Value]):
    """An object and what it says."""

    body: Body
    value: Value

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.body["metadata"].get("uid", ""))


@dataclass(frozen=True, slots=True)
class Refused:
    """An object that cannot be read, and why."""

    body: Body
    problems: Sequence[SpecProblem]


@dataclass(frozen=True, slots=True)
class Readings:
    """All that our objects say of budgets, of one moment.

    Attributes:
        refused: budgets and requests that cannot be read.
        damaged: records of steps that cannot be read: nothing is done to what they are about.
    """

    budgets: tuple[Read[BudgetPlan], ...] = ()
    overrides: tuple[Read[AskedFor], ...] = ()
    actions: tuple[Read[Action], ...] = ()
    refused: tuple[Refused, ...] = ()
    damaged: tuple[Refused, ...] = ()

    @property
    def asked(self) -> Mapping[tuple[str, str], list[Read[AskedFor]]]:
        """Requests by namespace and name of the budget that they are for."""
        found: defaultdict[tuple[str, str], list[Read[AskedFor]]] = defaultdict(list)
        for one in self.overrides:
            found[one.value.budget].append(one)
        return found


@dataclass(slots=True)
class Reader:
    """Reads our objects. A budget is read again when its spec changes, the others when anything of them does.

    Attributes:
        zone: time zone of budgets that name none.
    """

    zone: str
    _known: dict[tuple[str, str], _Cached] = field(default_factory=dict)

    def __call__(self, registry: Registry) -> Readings:
        """All of them, as they are now."""
        before, self._known = self._known, {}
        budgets, refused = self._all(registry, BUDGETS, lambda body: budget_plan(body, self.zone), before)
        overrides, unread = self._all(registry, ("BudgetOverride",), read_override, before)
        actions, damaged = self._all(registry, ("BudgetAction",), read_action, before)
        return Readings(budgets, overrides, actions, (*refused, *unread), damaged)

    def _all(
        self,
        registry: Registry,
        kinds: Sequence[str],
        read: Callable[[Body], Converted[Value]],
        before: Mapping[tuple[str, str], _Cached],
    ) -> tuple[tuple[Read[Value], ...], tuple[Refused, ...]]:
        good: list[Read[Value]] = []
        bad: list[Refused] = []
        for body in (body for kind in kinds for body in registry.of_kind(kind)):
            found = self._read(body, read, before)
            if found.value is None:
                bad.append(Refused(body, found.problems))
            else:
                good.append(Read(body, found.value))
        return tuple(good), tuple(bad)

    def _read(
        self,
        body: Body,
        read: Callable[[Body], Converted[Value]],
        before: Mapping[tuple[str, str], _Cached],
    ) -> Converted[Value]:
        metadata = body["metadata"]
        key, mark = (str(body["kind"]), str(metadata.get("uid", ""))), _mark(body)
        known = before.get(key)
        if known is not None and known[0] == mark:
            found: Converted[Value] = known[2]
        else:
            found = read(body)
        self._known[key] = (mark, body, found)
        return found


def _mark(body: Body) -> _Mark:
    """What says that an object is to be read again."""
    metadata = body["metadata"]
    of_budget = body["kind"] in BUDGETS
    return (metadata.get("generation"),) if of_budget else (id(body),)
