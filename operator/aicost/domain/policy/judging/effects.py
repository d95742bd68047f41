"""What a problem leads to, by the mode that holds and by what is done to the object."""

from collections.abc import Collection

from aicost.domain.policy.decisions import Problem, ProblemCode, Verdict
from aicost.domain.policy.policies import Mode
from aicost.domain.policy.requests import Operation, Request

_REMARKS = frozenset({ProblemCode.FORGED_OWNER, ProblemCode.EXEMPTION})
"""Told beside what is wrong; by themselves they lead to nothing."""

Trouble = tuple[str, str, str]
"""Policy, key, and, where it makes somebody else pay, the value."""


def trouble(problem: Problem) -> Trouble:
    """What an object must have been in before for a problem not to be new."""
    return problem.policy, problem.key, problem.value if problem.code is ProblemCode.FOREIGN_VALUE else ""


def effect(problem: Problem, request: Request, known: Collection[Trouble]) -> Verdict:
    """What a problem leads to.

    Nothing is refused that leaves labels, templates and replicas as they are. Where only new trouble is refused, a
    change of an object whose key was in trouble before only gets a warning: who has to scale in a hurry can. A value
    that makes somebody else pay is refused wherever anything is said at all.
    """
    if problem.excused_by or problem.mode is Mode.AUDIT or problem.code in _REMARKS:
        return Verdict.ALLOW
    if request.operation is Operation.UPDATE and _is_as_before(request):
        return Verdict.WARN
    if problem.mode is Mode.DENY:
        return Verdict.DENY
    if problem.mode is Mode.WARN and problem.code is not ProblemCode.FOREIGN_VALUE:
        return Verdict.WARN
    old = problem.code is not ProblemCode.IMMUTABLE and trouble(problem) in known
    return Verdict.WARN if old else Verdict.DENY


def _is_as_before(request: Request) -> bool:
    before, after = request.before, request.workload
    return before is not None and (before.labels, before.templates) == (after.labels, after.templates)
