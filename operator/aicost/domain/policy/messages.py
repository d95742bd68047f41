"""A decision in the words that people see at `kubectl apply`."""

from collections.abc import Iterable, Sequence

from aicost.domain.policy.decisions import AdmissionDecision, Problem, ProblemCode, Verdict
from aicost.domain.policy.judging.places import TEMPLATE
from aicost.domain.policy.policies import LabelPolicy, Mode
from aicost.domain.policy.requests import PolicySnapshot
from aicost.domain.policy.texts import one_line, quoted

LONGEST_WARNING = 256
"""Longer warnings may be cut by the API server."""
_MOST_TOLD = 20
_NOTICED = frozenset(Mode) - {Mode.AUDIT}


def denial(decision: AdmissionDecision, snapshot: PolicySnapshot) -> str:
    """One line with all that is wrong, what was probably meant, the exact fix, and whom to ask."""
    problems = _told(decision)
    policies = [policy for policy in _by_name(snapshot) if any(one.policy == policy.name for one in problems)]
    said = "; ".join(_of_policy(policy, problems) for policy in policies) or decision.reason
    return one_line(" · ".join([f"{said}{_fix(problems, policies)}", *_links(policies)]))


def warnings(decision: AdmissionDecision) -> tuple[str, ...]:
    """One short line for each thing that is wrong, where the object was let in; none where it was refused."""
    if decision.verdict is not Verdict.WARN:
        return ()
    lines = (f"[{one.policy}] {clause(one)}{_hint(one)}" for one in _told(decision))
    return tuple(dict.fromkeys(_cut(one_line(line)) for line in lines))


def _told(decision: AdmissionDecision) -> list[Problem]:
    return [one for one in decision.problems if not one.excused_by and one.mode in _NOTICED]


def _by_name(snapshot: PolicySnapshot) -> list[LabelPolicy]:
    return sorted(snapshot.policies, key=lambda policy: policy.name)


def _of_policy(policy: LabelPolicy, problems: Sequence[Problem]) -> str:
    clauses = list(dict.fromkeys(clause(one) for one in problems if one.policy == policy.name))
    more = f"; {len(clauses) - _MOST_TOLD} more" if len(clauses) > _MOST_TOLD else ""
    return f"[{policy.name}] {'; '.join(clauses[:_MOST_TOLD])}{more}"


def clause(problem: Problem) -> str:
    """What is wrong, where, and what was probably meant."""
    place = f" in {_template(problem.template)}" if problem.template else ""
    meant = f" (did you mean {quoted(problem.suggestion)}?)" if problem.suggestion else ""
    return f"{problem.text}{place}{meant}"


def _hint(problem: Problem) -> str:
    return f"; set {problem.fix}" if problem.fix and not problem.suggestion else ""


def _fix(problems: Sequence[Problem], policies: Sequence[LabelPolicy]) -> str:
    """The labels to set, place by place; nothing where labels are not what is wrong."""
    labels: dict[str, dict[str, str]] = {}
    for problem in problems:
        for label, value in _labels_of(problem, policies):
            labels.setdefault(problem.template, {}).setdefault(label, value)
    told = [f"{_where(template)} {{{_as_yaml(each.items())}}}" for template, each in labels.items()]
    return f". Fix: set {', and '.join(told)} and apply again" if told else ""


def _labels_of(problem: Problem, policies: Sequence[LabelPolicy]) -> Iterable[tuple[str, str]]:
    if problem.fix:
        label, _, value = problem.fix.partition(": ")
        return [(label, value)]
    if problem.code is not ProblemCode.MISSING:
        return []
    keys = [key for policy in policies if policy.name == problem.policy for key in policy.keys]
    return [(key.label, f"<{key.key}>") for key in keys if key.key == problem.key]


def _where(template: str) -> str:
    return f"metadata.labels of {_template(template)}" if template else "metadata.labels"


def _template(name: str) -> str:
    return "the pod template" if name == TEMPLATE else f"pod template {one_line(name)}"


def _as_yaml(labels: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{label}: {value}" for label, value in labels)


def _links(policies: Sequence[LabelPolicy]) -> list[str]:
    urls = [policy.help_url for policy in policies if policy.help_url]
    contacts = [f"ask {policy.contact}" for policy in policies if policy.contact]
    return list(dict.fromkeys([*urls, *contacts]))


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_WARNING else f"{line[: LONGEST_WARNING - 3]}..."
