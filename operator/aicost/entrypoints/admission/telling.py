"""A denial that nobody would see: what a controller tried to make is told on whom it was made for."""

import asyncio
from dataclasses import dataclass, field

from aicost.adapters.kube.events import EventPoster, Happening, Regarding, Severity
from aicost.domain.policy.decisions import AdmissionDecision
from aicost.domain.workloads.shapes import OwnerReference, Workload
from aicost.entrypoints.admission.review import Question
from aicost.telemetry.metrics import Metrics

REASON, ACTION = "CostLabelsDenied", "Admit"
_MACHINES = ("system:serviceaccount:", "system:kube-")
_WAITING = 256


@dataclass(slots=True)
class Telling:
    """Posts Events on owners, off the path. Where there is too much to tell, the rest is dropped and counted."""

    poster: EventPoster
    metrics: Metrics
    _queue: asyncio.Queue[Happening] = field(default_factory=lambda: asyncio.Queue(_WAITING))

    def tell(self, question: Question, workload: Workload, _: AdmissionDecision, text: str) -> None:
        """Take note of a denial. People are told by the answer; a controller's attempts are told on the owner."""
        owner = next((one for one in workload.owners if one.controller), None)
        if owner is None or not question.requester.name.startswith(_MACHINES):
            return
        try:
            self._queue.put_nowait(_happening(owner, workload, text))
        except asyncio.QueueFull:
            self.metrics.count("aicost_admission_events_total", outcome="dropped")

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            outcome = await self.poster.post(await self._queue.get())
            self.metrics.count("aicost_admission_events_total", outcome=str(outcome))


def _happening(owner: OwnerReference, workload: Workload, text: str) -> Happening:
    """The name of a generated pod changes with each attempt: left out, so that each thing is told once."""
    regarding = Regarding(owner.api_version, owner.kind, owner.name, workload.namespace, owner.uid)
    return Happening(regarding, REASON, f"A {workload.kind} was denied: {text}", Severity.WARNING, ACTION)
