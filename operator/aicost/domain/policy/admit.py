"""The one decision about an object's cost labels, for the webhook, the audit, `check` and the generated policies."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from aicost.domain.policy.changes import label_changes
from aicost.domain.policy.decisions import AdmissionDecision, Problem, ProblemCode, Verdict
from aicost.domain.policy.judging.effects import Trouble, effect, trouble
from aicost.domain.policy.judging.exemptions import excuse, exemption_problem
from aicost.domain.policy.judging.hearing import Hearing, open_hearing
from aicost.domain.policy.judging.keys import judge_key
from aicost.domain.policy.judging.scopes import controlling_owner, holds_for, namespace_labels, out_of_scope
from aicost.domain.policy.judging.uses import judge_use
from aicost.domain.policy.requests import Operation, PolicySnapshot, Request
from aicost.domain.policy.texts import quoted, some_of
from aicost.domain.workloads.shapes import Workload

_SEVERITY = tuple(Verdict)


def admit(snapshot: PolicySnapshot, request: Request, now_ms: int) -> AdmissionDecision:
    """Decide about an object: let it in, warn, or refuse, with all that is wrong and the labels to write.

    Every policy that holds for the object is heard, and the strictest outcome counts.

    Args:
        snapshot: policies and the world, as held in memory.
        request: the object, what is done to it and by whom.
        now_ms: now, which decides whether an exemption still holds.
    """
    aside = out_of_scope(snapshot, request)
    if aside:
        return AdmissionDecision(Verdict.ALLOW, aside, revision=snapshot.revision)
    hearings = _hearings(snapshot, request)
    problems = tuple(problem for hearing in hearings for problem in _problems(hearing, now_ms))
    known = _known_before(snapshot, request) if problems else frozenset()
    effects = [effect(problem, request, known) for problem in problems]
    verdict = max(effects, key=_SEVERITY.index, default=Verdict.ALLOW)
    reason = _reason(hearings, problems, request.workload)
    return AdmissionDecision(verdict, reason, problems, label_changes(hearings, problems), snapshot.revision)


def _hearings(snapshot: PolicySnapshot, request: Request) -> list[Hearing]:
    """One for each policy that holds here, by name, so that the order in the snapshot does not count."""
    workload = request.workload
    labels = namespace_labels(snapshot, workload.namespace)
    held = sorted(snapshot.policies, key=lambda policy: (policy.name, policy.uid))
    return [open_hearing(policy, snapshot, request) for policy in held if holds_for(policy, workload, labels)]


def _problems(hearing: Hearing, now_ms: int) -> tuple[Problem, ...]:
    found = dict.fromkeys(_found(hearing))
    if found:
        found.update(dict.fromkeys(_forged_owner(hearing)))
    return tuple(replace(problem, excused_by=excuse(hearing, problem, now_ms)) for problem in found)


def _found(hearing: Hearing) -> Iterator[Problem]:
    for key in hearing.policy.keys:
        yield from judge_key(hearing, key)
    for rule in hearing.policy.uses:
        yield from judge_use(hearing, rule)


def _forged_owner(hearing: Hearing) -> Iterator[Problem]:
    """An owner reference that nobody trustworthy wrote; told where its author may have hoped to be let off."""
    owner = controlling_owner(hearing.workload)
    if owner is not None:
        named = f"{owner.kind}/{owner.name}"
        who = hearing.request.requester.name or "nobody"
        text = f"the ownerReference to {quoted(named)} excuses nothing: {quoted(who)} is not a known controller"
        yield Problem(ProblemCode.FORGED_OWNER, hearing.policy.name, "owner", named, text, hearing.mode)


def _known_before(snapshot: PolicySnapshot, request: Request) -> frozenset[Trouble]:
    """What was wrong with an object before an update."""
    if request.operation is not Operation.UPDATE or request.before is None:
        return frozenset()
    before = replace(request, workload=request.before, before=None)
    found = (problem for hearing in _hearings(snapshot, before) for problem in _found(hearing))
    return frozenset(trouble(problem) for problem in found)


def _reason(hearings: Sequence[Hearing], problems: Sequence[Problem], workload: Workload) -> str:
    if not hearings:
        return "no policy holds here"
    if not problems:
        return "in order"
    named = [
        f"{one.code} {one.key} ({one.policy}, {f'excused by {one.excused_by}' if one.excused_by else one.mode})"
        for one in problems
    ]
    return "; ".join(part for part in (some_of(named), exemption_problem(workload)) if part)
