"""One case of admission: who asks what of which policies, and the answer."""

from dataclasses import dataclass, field, replace
from typing import Any

from aicost.domain.policy.decisions import ProblemCode, Verdict
from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.policy.requests import Operation, PolicySnapshot, Request, Requester
from aicost.domain.workloads.reading import read_workload
from support.admission.policies import COST_CENTER, TEAM, WORLD, policy
from support.builders import T0

DANA = Requester("dana", ("engineers", "system:authenticated"))
COST_LABELS = policy(TEAM, COST_CENTER)
Change = tuple[str, str, str]
"""Path, label and value."""


@dataclass(frozen=True)
class Case:
    """A question and its answer.

    Attributes:
        name: the case as a sentence.
        manifest: the object as it is sent.
        codes: of all problems, excused ones too, in the order of the policy.
        changes: labels that are written.
        before: the object as it is, for an UPDATE.
        world: everything of the snapshot but the policies.
        unreachable: why no API server would ever ask this, empty where one does.
    """

    name: str
    manifest: dict[str, Any]
    verdict: Verdict
    codes: tuple[ProblemCode, ...] = ()
    changes: tuple[Change, ...] = ()
    policies: tuple[LabelPolicy, ...] = (COST_LABELS,)
    operation: Operation = Operation.CREATE
    before: dict[str, Any] | None = None
    requester: Requester = DANA
    world: PolicySnapshot = field(default=WORLD, repr=False)
    now_ms: int = T0
    beside: tuple[dict[str, Any], ...] = ()
    unreachable: str = ""

    @property
    def snapshot(self) -> PolicySnapshot:
        """The world with the policies of the case."""
        return replace(self.world, policies=self.policies)

    def request(self) -> Request:
        """The question as `admit()` takes it."""
        workload = read_workload(self.manifest, self.beside)
        assert workload is not None, f"{self.name}: the manifest runs nothing"
        before = read_workload(self.before, self.beside) if self.before else None
        return Request(self.operation, workload, self.requester, before)
