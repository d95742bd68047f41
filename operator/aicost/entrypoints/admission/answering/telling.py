"""What nobody would see: what became of things that a controller tries to make is told on whom they are made for."""

import asyncio
import logging
from dataclasses import dataclass, field

from aicost.adapters.kube.events import EventPoster, Happening, Regarding, Severity
from aicost.adapters.kube.status import StatusWriter, Target
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.policy.judging.scopes import controlling_owner
from aicost.domain.workloads.shapes import OwnerReference, Workload
from aicost.entrypoints.admission.answering.review import Question
from aicost.entrypoints.admission.knowledge.claimants import claimant, status_of, target_of
from aicost.entrypoints.admission.knowledge.snapshot import Snapshot
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

REASON, ACTION = "CostLabelsDenied", "Admit"
_MACHINES = ("system:serviceaccount:", "system:kube-")
_WAITING = 256
_log = logging.getLogger("aicost.admission")


@dataclass(frozen=True, slots=True)
class _News:
    """What is to be told.

    Attributes:
        happening: an Event on the owner; None where there is nothing bad to tell.
        claim: the AIWorkload that claims it, None for none.
        denied: why it is denied, empty where it was let in.
        stated: whether the AIWorkload says already that pods are denied.
    """

    happening: Happening | None
    claim: WorkloadClaim | None
    denied: str
    stated: bool


@dataclass(slots=True)
class Telling:
    """Posts Events on owners and states a condition on their AIWorkloads, off the path.

    Where there is too much to tell, the rest is dropped and counted: the controller will try again.
    """

    poster: EventPoster
    writer: StatusWriter
    metrics: Metrics
    _queue: "asyncio.Queue[_News]" = field(default_factory=lambda: asyncio.Queue(_WAITING))

    def tell(self, question: Question, workload: Workload, snapshot: Snapshot, denied: str) -> None:
        """Take note of what was decided. People are told by the answer; what controllers make is told on the owner."""
        owner = controlling_owner(workload)
        if owner is None or not question.requester.name.startswith(_MACHINES):
            return
        claim = claimant(snapshot.policy, owner, workload)
        stated = claim is not None and claim.uid in snapshot.denied
        if not denied and not stated:
            return
        happening = _happening(owner, workload, denied) if denied else None
        try:
            self._queue.put_nowait(_News(happening, claim, denied, stated))
        except asyncio.QueueFull:
            self.metrics.count("aicost_admission_events_total", outcome="dropped")

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            news = await self._queue.get()
            if news.happening is not None:
                outcome = await self.poster.post(news.happening)
                self.metrics.count("aicost_admission_events_total", outcome=str(outcome))
            if news.claim is not None:
                await self._state(target_of(news.claim), news)

    async def _state(self, target: Target, news: _News) -> None:
        """State the condition; failing to do so fails nothing else. Another replica may have stated something else."""
        if bool(news.denied) != news.stated:
            self.writer.forget(target)
        try:
            await self.writer.write(target, status_of(news.denied, self.writer.now_ms()), ("lastTransitionTime",))
        except AicostError as error:
            line(_log, logging.WARNING, "a condition could not be stated", aiworkload=target.name, error=str(error))


def _happening(owner: OwnerReference, workload: Workload, text: str) -> Happening:
    """The name of a generated pod changes with each attempt: left out, so that each thing is told once."""
    regarding = Regarding(owner.api_version, owner.kind, owner.name, workload.namespace, owner.uid)
    return Happening(regarding, REASON, f"A {workload.kind} was denied: {text}", Severity.WARNING, ACTION)
