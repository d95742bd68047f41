"""Answers from memory: one snapshot, one decision, one message. Nothing here waits for anybody."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from aicost.adapters.kube.probe import PROBE, REFUSAL
from aicost.domain.estimates.estimate import estimate
from aicost.domain.estimates.texts import estimate_text
from aicost.domain.policy.as_patch import json_patch
from aicost.domain.policy.decisions import AdmissionDecision, Problem, Verdict
from aicost.domain.policy.messages import denial, warnings
from aicost.domain.policy.policies import Mode
from aicost.domain.policy.requests import Operation, Request
from aicost.domain.workloads.shapes import Workload
from aicost.entrypoints.admission.answering.hearing import Hearings
from aicost.entrypoints.admission.answering.review import Answer, Question
from aicost.entrypoints.admission.knowledge.snapshot import Snapshot
from aicost.ports.errors import InvalidRequest
from aicost.telemetry.logs import line
from aicost.telemetry.metrics import Metrics

NOT_JUDGED = "aicost could not judge this object and let it in: its cost labels were not checked"
_MODES = tuple(Mode)
_log = logging.getLogger("aicost.admission")

Tell = Callable[[Question, Workload, Snapshot, str], None]
"""Takes note of what was decided about a creation, and why it was denied, off the path."""


@dataclass(slots=True)
class Judge:
    """Judges objects by the snapshot that holds now.

    Attributes:
        snapshot: None until everything that there is was seen once. Swapped whole.
        tell: is handed each decision about a creation, and why it was denied; must return at once.
    """

    metrics: Metrics
    now_ms: Callable[[], int]
    tell: Tell
    snapshot: Snapshot | None = None
    _hearings: Hearings = field(default_factory=Hearings)

    def validate(self, question: Question) -> Answer:
        """Whether an object may come in, with all that is wrong with it, and what it will cost."""
        return self._guarded(question, self._validate)

    def mutate(self, question: Question) -> Answer:
        """Labels to write into an object that is being made."""
        return self._guarded(question, self._mutate)

    def probe(self, question: Question) -> Answer:
        """Refuse the object that exists to be refused: so the controller sees that we are asked."""
        metadata = question.body().get("metadata") or {}
        if metadata.get("name") != PROBE:
            return Answer()
        revision = self.snapshot.policy.revision if self.snapshot else "none"
        return Answer(allowed=False, message=REFUSAL.format(revision=revision))

    def _guarded(self, question: Question, work: Callable[[Question, Snapshot], Answer]) -> Answer:
        """A bug of ours lets in, and says so: nobody's work stops because of it."""
        if self.snapshot is None:
            return self._not_judged("not-ready")
        try:
            return work(question, self.snapshot)
        except InvalidRequest:
            raise
        except Exception:  # noqa: BLE001 -- a bug of ours is nobody else's problem
            _log.exception("a bug: the object was let in")
            return self._not_judged("bug")

    def _not_judged(self, reason: str) -> Answer:
        self.metrics.count("aicost_admission_errors_total", reason=reason)
        return Answer(warnings=(NOT_JUDGED,), notes={"error": reason})

    def _validate(self, question: Question, snapshot: Snapshot) -> Answer:
        heard = self._hearings.hear(snapshot.policy, question, self.now_ms())
        if heard is None:
            return Answer()
        request, decision = heard.request, heard.decision
        self._count(question, decision)
        notes = _notes(decision, request.workload)
        text = denial(decision, snapshot.policy) if decision.verdict is Verdict.DENY else ""
        if question.operation is Operation.CREATE and not question.dry_run:
            self.tell(question, request.workload, snapshot, text)
        if text:
            return Answer(allowed=False, message=text, causes=_causes(decision), notes=notes)
        told = (*warnings(decision), *self._price(request, snapshot))
        return Answer(warnings=told, notes=notes)

    def _mutate(self, question: Question, snapshot: Snapshot) -> Answer:
        if question.operation is not Operation.CREATE:
            return Answer()
        heard = self._hearings.hear(snapshot.policy, question, self.now_ms())
        if heard is None:
            return Answer()
        patch = json_patch(heard.request.workload, heard.decision.changes)
        return Answer(patch=patch, notes={"revision": heard.decision.revision})

    def _price(self, request: Request, snapshot: Snapshot) -> tuple[str, ...]:
        """What a new object will cost, for people; a failure here is no reason not to judge."""
        workload = request.workload
        made_for_others = request.requester.name in snapshot.policy.controllers
        if request.operation is not Operation.CREATE or made_for_others or not workload.wants_gpus:
            return ()
        try:
            text = estimate_text(estimate(workload, snapshot.market), snapshot.budgets_of(workload))
        except Exception:  # noqa: BLE001 -- a price is a courtesy
            _log.exception("a bug: no estimate was given")
            self.metrics.count("aicost_admission_errors_total", reason="estimate")
            return ()
        return (text,) if text else ()

    def _count(self, question: Question, decision: AdmissionDecision) -> None:
        """A dry run leaves no trace."""
        if question.dry_run:
            return
        verdict, mode = str(decision.verdict), _strictest(decision.problems)
        self.metrics.count("aicost_admission_decisions_total", verdict=verdict, mode=mode, engine="webhook")
        if decision.verdict is not Verdict.ALLOW:
            fields = {"verdict": verdict, "reason": decision.reason, "user": question.requester.name}
            line(_log, logging.INFO, "judged", **fields)


def _strictest(problems: tuple[Problem, ...]) -> str:
    modes = [problem.mode for problem in problems if not problem.excused_by]
    return str(max(modes, key=_MODES.index)) if modes else "none"


def _notes(decision: AdmissionDecision, workload: Workload) -> dict[str, str]:
    """What the audit log of the API server keeps."""
    size = "unknown" if workload.gpu_milli is None else str(workload.gpu_milli)
    said = {"revision": decision.revision, "verdict": str(decision.verdict), "reason": decision.reason}
    return {**said, "gpuMilli": size}


def _causes(decision: AdmissionDecision) -> tuple[tuple[str, str, str], ...]:
    return tuple((str(one.code), one.key, one.text) for one in decision.problems if not one.excused_by)
