"""Puts label policies into force: which engine judges by each, and the objects that the API server judges by itself."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from aicost.adapters.kube.server_policies import Changes, ServerPolicies
from aicost.bootstrap import Application
from aicost.crd.status.policies import Enforcement
from aicost.crd.vap.generate import Generated, generate, generated_guards
from aicost.domain.policy.engines import engine_in_use
from aicost.domain.policy.policies import Engine, LabelPolicy
from aicost.domain.policy.requests import PolicySnapshot
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.labels.snapshot import label_snapshot
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.state import State
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

LOOK_SECONDS = 10.0
"""Between looks whether all is as it should be."""
FIELD_MANAGER = "aicost-enforcement"
_MUTATING = "MutatingAdmissionPolicy"
_log = logging.getLogger("aicost.enforcement")


@dataclass(slots=True)
class LabelEnforcement:
    """Keeps the generated objects, and says in the policies' statuses who judges.

    Attributes:
        policies: keeps objects in the API server.
    """

    app: Application
    registry: Registry
    state: State
    attempts: Attempts
    policies: ServerPolicies

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.attempts.attempt("enforce-labels", self.once)
            await asyncio.sleep(LOOK_SECONDS)

    async def once(self) -> None:
        """Put all policies into force.

        Raises:
            AicostError: an object could not be written; the policies say so.
        """
        kinds = await self.policies.kinds()
        snapshot = await asyncio.to_thread(label_snapshot, self.app, self.registry, self.state)
        engines = {one.name: self._engine(one, kinds) for one in snapshot.policies} if self._enabled else {}
        made = await asyncio.to_thread(self._generate, snapshot, engines, mutating=_MUTATING in kinds)
        problem, failure = "", None
        try:
            self._tell(await self.policies.keep([each for one in made.values() for each in one.objects], kinds))
        except AicostError as error:
            problem, failure = str(error), error
        self._state_all(snapshot, engines, made, problem)
        if failure:
            raise failure

    @property
    def _enabled(self) -> bool:
        return self.app.settings.admission.enabled

    def _engine(self, policy: LabelPolicy, kinds: frozenset[str]) -> Engine:
        release = Engine(self.app.settings.admission.engine)
        tried = self.state.labels.webhook
        answers = tried is None or not tried.problem
        return engine_in_use(policy.engine, release, webhook_answers=answers, mutating_policies=_MUTATING in kinds)

    def _generate(
        self, snapshot: PolicySnapshot, engines: Mapping[str, Engine], *, mutating: bool
    ) -> dict[str, Generated]:
        """What each policy becomes. Guards hold whatever judges."""
        found = {}
        for policy in snapshot.policies if engines else ():
            guards = generated_guards(snapshot, policy) if self.app.settings.admission.guards else ()
            judges = engines[policy.name] is Engine.VAP
            made = generate(snapshot, policy, mutating=mutating) if judges else Generated()
            found[policy.name] = Generated((*guards, *made.objects), made.unsupported)
        return found

    def _state_all(
        self, snapshot: PolicySnapshot, engines: Mapping[str, Engine], made: Mapping[str, Generated], problem: str
    ) -> None:
        """Say who judges; a change is answered soon."""
        found = {
            one.name: self._stated(snapshot, one, engines[one.name], made[one.name], problem)
            for one in snapshot.policies
            if one.name in engines
        }
        self.app.metrics.show("aicost_enforcement_active", float(not problem), engine="vap")
        if found != self.state.labels.enforcement:
            self.state.labels.enforcement = found
            self.registry.changed.set()

    def _stated(
        self, snapshot: PolicySnapshot, policy: LabelPolicy, engine: Engine, made: Generated, problem: str
    ) -> Enforcement:
        if engine is Engine.WEBHOOK:
            tried = self.state.labels.webhook
            waiting = "" if tried else "it was not tried yet"
            return Enforcement(engine.value, tried.problem if tried else waiting, (), tried.revision if tried else "")
        gaps = tuple((one.field, one.reason) for one in made.unsupported)
        return Enforcement(engine.value, problem, (*self._stands_in(policy), *gaps), snapshot.revision)

    def _stands_in(self, policy: LabelPolicy) -> tuple[tuple[str, str], ...]:
        """Why the API server judges by a policy that the webhook would judge by."""
        tried, settings = self.state.labels.webhook, self.app.settings.admission
        if tried is None or not tried.problem or {policy.engine.value, settings.engine} != {Engine.AUTO.value}:
            return ()
        return (("spec.engine", f"the API server stands in for the webhook: {tried.problem}"),)

    def _tell(self, changes: Changes) -> None:
        if changes.applied or changes.removed:
            line(
                _log, logging.INFO, "policies of the API server changed",
                applied=list(changes.applied), removed=list(changes.removed),
            )  # fmt: skip
