"""Keeps the BudgetGates: one for each budget and namespace in which something is refused, renewed while it holds."""

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.adapters.kube.wire.errors import Conflict, NotFound
from aicost.crd.status.budget.gates import GateObject, gate_status, gates_of, needs_write
from aicost.domain.budgets.evaluation import Evaluation
from aicost.domain.budgets.gates import Gate, at_least
from aicost.domain.budgets.messages.runbooks import page_of
from aicost.domain.enforcement.release import Reign
from aicost.domain.enforcement.values import Action
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.policy.wildcards import matches_any
from aicost.entrypoints.controller.budgets.writes import Writes
from aicost.entrypoints.controller.registry import Body
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

KIND = "BudgetGate"
MARK = {"app.kubernetes.io/managed-by": "aicost"}
_log = logging.getLogger("aicost.budgets")
_Place = tuple[str, str]


@dataclass(slots=True)
class GateKeeper:
    """Writes gates, renews them before they run out, and takes them away.

    Attributes:
        writes: writes objects of ours.
        life_ms: for how long a gate holds that nobody renews.
        system: patterns of namespaces that are never gated.
        runbook_base: stands before the path of a runbook.
        problems: namespace and name of a gate -> why it could not be written.
    """

    writes: Writes
    life_ms: int
    system: Sequence[str] = ()
    runbook_base: str = ""
    problems: dict[_Place, str] = field(default_factory=dict)

    async def keep(
        self,
        reigns: Mapping[str, Reign],
        actions: Sequence[Action],
        namespaces: Mapping[str, Mapping[str, str]],
        now_ms: int,
    ) -> None:
        """Make the gates those that are wanted.

        Args:
            reigns: what each budget wants.
            actions: steps of all budgets.
            namespaces: those that are there, with their labels.
            now_ms: the present moment.
        """
        wanted = {(one.namespace, one.name): one for one in self._wanted(reigns, actions, namespaces)}
        there = {_place(body): body for body in self.writes.registry.of_kind(KIND)}
        kept = {place for place, body in there.items() if self._is_blind(body, reigns)}
        work = [self._attempt(place, self._write(gate, there.get(place), now_ms)) for place, gate in wanted.items()]
        work += [self._attempt(place, self._renew(there[place], now_ms)) for place in kept - wanted.keys()]
        gone = there.keys() - wanted.keys() - kept
        work += [self._attempt(place, self.writes.delete(there[place])) for place in gone]
        await asyncio.gather(*work)
        self.problems = {place: text for place, text in self.problems.items() if place in wanted}

    def _wanted(
        self, reigns: Mapping[str, Reign], actions: Sequence[Action], namespaces: Mapping[str, Mapping[str, str]]
    ) -> Iterator[GateObject]:
        for reign in reigns.values():
            one = reign.evaluation
            if one is not None and at_least(reign.gate, Gate.FREEZE_GROWTH):
                places = self._in_scope(one, namespaces)
                page = one.plan.runbook or f"{self.runbook_base}{page_of(reign.gate or Gate.FREEZE_GROWTH)}"
                yield from gates_of(one, reign.gate, places, actions, page)

    def _in_scope(self, one: Evaluation, namespaces: Collection[str]) -> list[str]:
        """Namespaces of the scope, without those of the system."""
        chosen = next((values for key, values in one.scope.filters if key == "namespace"), None)
        found = namespaces if chosen is None else [name for name in namespaces if name in chosen]
        return [name for name in found if not matches_any(self.system, name)]

    def _is_blind(self, body: Body, reigns: Mapping[str, Reign]) -> bool:
        """Whether a gate is of a budget that is there and cannot be evaluated: then it stays as it is."""
        uid = str((body.get("spec") or {}).get("budgetRef", {}).get("uid", ""))
        reign = reigns.get(uid)
        return reign is not None and reign.evaluation is None

    async def _write(self, gate: GateObject, there: Body | None, now_ms: int) -> None:
        if there is not None and there["spec"].get("budgetRef") != gate.spec["budgetRef"]:
            await self.writes.delete(there)  # of an earlier budget of this name
            there = None
        if there is None:
            metadata = {"name": gate.name, "namespace": gate.namespace, "labels": MARK}
            there = await self.writes.create(KIND, metadata, gate.spec)
            line(_log, logging.INFO, "gate made", gate=f"{gate.namespace}/{gate.name}", state=gate.status.get("gate"))
        before = there.get("status") or {}
        if needs_write(gate, before, _left_ms(before, now_ms), self.life_ms):
            await self.writes.state(there, gate_status(gate, before, now_ms + self.life_ms, now_ms))

    async def _renew(self, there: Body, now_ms: int) -> None:
        before = there.get("status") or {}
        fixed = {key: value for key, value in before.items() if key not in {"until", "asOf", "conditions"}}
        gate = GateObject(*_place(there), there["spec"], fixed)
        if fixed and needs_write(gate, before, _left_ms(before, now_ms), self.life_ms):
            await self.writes.state(there, gate_status(gate, before, now_ms + self.life_ms, now_ms))

    async def _attempt(self, place: _Place, work: object) -> None:
        """One gate that cannot be written does not hold up the others."""
        try:
            await work  # type: ignore[misc] # a coroutine
        except (NotFound, Conflict):
            return  # its namespace is gone, or it came meanwhile: the next round knows
        except AicostError as problem:
            if self.problems.get(place) != str(problem):
                line(_log, logging.WARNING, "gate not written", gate="/".join(place), error=str(problem))
            self.problems[place] = str(problem)
        else:
            self.problems.pop(place, None)


def _place(body: Body) -> _Place:
    metadata = body["metadata"]
    return str(metadata.get("namespace", "")), str(metadata["name"])


def _left_ms(status: Mapping[str, object], now_ms: int) -> int:
    """Until a gate runs out; 0 where it says nothing."""
    until = status.get("until")
    return from_rfc3339(until) - now_ms if isinstance(until, str) else 0
