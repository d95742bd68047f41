"""Says what runs of training cost this month, beside the rounds: nothing waits for it."""

import asyncio
import logging
from collections.abc import Sequence

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.watching.trainers import TrainersWatch
from aicost.bootstrap import Application
from aicost.crd.convert.training import training_plan
from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.registry import Registry, read_each
from aicost.entrypoints.controller.state import State
from aicost.ports.measured.training import Reported, TrainingPlan
from aicost.telemetry.logs import line
from aicost.usecases.economics.training.cost_runs import CostRuns, Remembered
from aicost.usecases.economics.training.questions import TrainingQuestion, TrainingReport

STEP = "cost-training"
MONTH = "month-to-date"
AGAIN_MS = 10 * MINUTE_MS
"""Progress goes on while no window closes: the answer is made anew after this time."""
_log = logging.getLogger("aicost.training")


class TrainingRounds:
    """Costs the runs again whenever the ledger or what AIWorkloads say has changed.

    Args:
        app: the use cases.
        registry: our objects: AIWorkloads name metrics.
        trainers: follows TrainJobs.
        state: gets the answer.
        attempts: does the steps.
    """

    def __init__(
        self, app: Application, registry: Registry, trainers: TrainersWatch, state: State, attempts: Attempts
    ) -> None:
        self._app, self._registry, self._trainers = app, registry, trainers
        self._state, self._attempts = state, attempts
        self._remembered: Remembered = {}
        self._answered: object = None

    async def follow(self) -> None:
        """Follow TrainJobs until cancelled."""
        await self._trainers.run(lambda problem: line(_log, logging.WARNING, "train jobs not known", error=problem))

    async def run(self) -> None:
        """Round after round until cancelled."""
        while True:
            await self._attempts.attempt(STEP, self.once)
            await asyncio.sleep(self._app.settings.window.refresh_seconds)

    async def once(self) -> None:
        """One round: nothing where no AIWorkload is there to show it, or nothing is new."""
        workloads = self._registry.of_kind("AIWorkload")
        plans = tuple(read_each(workloads, training_plan))
        version = await asyncio.to_thread(self._app.stores.ledger.version)
        asked = (version, plans, now_ms() // AGAIN_MS)
        if workloads and asked != self._answered:
            words = self._trainers.book.words
            self._state.training = await asyncio.to_thread(self._report, plans, words)
            self._answered = asked

    def _report(self, plans: Sequence[TrainingPlan], words: Sequence[Reported]) -> TrainingReport:
        stores = self._app.stores
        span = parse_span(MONTH, now_ms(), self._app.settings.reports.time_zone)
        for window in [one for one in self._remembered if one.start_ms < span.start_ms]:
            del self._remembered[window]
        inputs = stores.inputs.pinned() if stores.inputs is not None else None
        source = self._app.units if self._app.units.value is not None else None
        cost = CostRuns(self._app.cluster, stores.ledger.snapshot(), inputs, source, self._remembered)
        return cost(span, TrainingQuestion(plans=tuple(plans), reported=tuple(words)))
