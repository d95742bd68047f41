"""The one decision about an object's cost labels, for the webhook, the audit, `check` and the generated policies."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from aicost.domain.policy.changes import label_changes
from aicost.domain.policy.decisions import AdmissionDecision, Problem, ProblemCode, Verdict
from aicost.domain.policy.judging.effects import Trouble, effect, trouble
from aicost.domain.policy.judging.exemptions import EXEMPT_UNTIL, excuse, exemption_problem
from aicost.domain.policy.judging.hearing import Hearing, open_hearing
from aicost.domain.policy.judging.keys import judge_key
from aicost.domain.policy.judging.scopes import controlling_owner, holds_for, namespace_labels, out_of_scope
from aicost.domain.policy.judging.uses import judge_use
from aicost.domain.policy.requests import Operation, PolicySnapshot, Request
from aicost.domain.policy.texts import quoted, some_of

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
    reason = _reason(hearings, problems)
    return AdmissionDecision(verdict, reason, problems, label_changes(hearings, problems), snapshot.revision)


def _hearings(snapshot: PolicySnapshot, request: Request) -> list[Hearing]:
    """One for each policy that holds here, by name, so that the order in the snapshot does not count."""
    workload = request.workload
    labels = namespace_labels(snapshot, workload.namespace)
    held = sorted(snapshot.policies, key=lambda policy: (policy.name, policy.uid))
    return [open_hearing(policy, snapshot, request) for policy in held if holds_for(policy, workload, labels)]


def _problems(hearing: Hearing, now_ms: int) -> tuple[Problem, ...]:
    found = dict.fromkeys(_found(hearing))
    remarks = dict.fromkeys(_remarks(hearing)) if found else {}
    return tuple(replace(problem, excused_by=excuse(hearing, problem, now_ms)) for problem in found | remarks)


def _found(hearing: Hearing) -> Iterator[Problem]:
    for key in hearing.policy.keys:
        yield from judge_key(hearing, key)
    for rule in hearing.policy.uses:
        yield from judge_use(hearing, rule)


def _remarks(hearing: Hearing) -> Iterator[Problem]:
    """What the author of the object may have hoped to be let off by, and why it does not help."""
    workload, policy = hearing.workload, hearing.policy.name
    owner, useless = controlling_owner(workload), exemption_problem(workload)
    if owner is not None:
        named = f"{owner.kind}/{owner.name}"
        who = hearing.request.requester.name or "nobody"
        text = f"the ownerReference to {quoted(named)} excuses nothing: {quoted(who)} is not a known controller"
        yield Problem(ProblemCode.FORGED_OWNER, policy, "owner", named, text, hearing.mode)
    if useless:
        value = workload.annotations.get(EXEMPT_UNTIL, "")
        yield Problem(ProblemCode.EXEMPTION, policy, EXEMPT_UNTIL, value, useless, hearing.mode)


def _known_before(snapshot: PolicySnapshot, request: Request) -> frozenset[Trouble]:
    """What was wrong with an object before an update."""
    if request.operation is not Operation.UPDATE or request.before is None:
        return frozenset()
    before = replace(request, workload=request.before, before=None)
    found = (problem for hearing in _hearings(snapshot, before) for problem in _found(hearing))
    return frozenset(trouble(problem) for problem in found)


def _reason(hearings: Sequence[Hearing], problems: Sequence[Problem]) -> str:
    if not hearings:
        return "no policy holds here"
    named = (
        f"{one.code} {one.key} ({one.policy}, {f'excused by {one.excused_by}' if one.excused_by else one.mode})"
        for one in problems
    )
    return some_of(tuple(named)) or "in order"
