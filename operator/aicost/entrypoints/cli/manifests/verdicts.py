"""What admission would say of the objects of manifests, problem by problem, with the line that each is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from aicost.domain.policy.admit import admit
from aicost.domain.policy.decisions import AdmissionDecision, Problem, ProblemCode, Verdict
from aicost.domain.policy.judging.effects import effect
from aicost.domain.policy.judging.places import template_places
from aicost.domain.policy.requests import Operation, PolicySnapshot, Request, Requester
from aicost.entrypoints.cli.manifests.documents import child, entry
from aicost.entrypoints.cli.manifests.workloads import Found

_OF_USE = frozenset({ProblemCode.MODEL, ProblemCode.GPU_MODEL, ProblemCode.PROVIDER})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        effect: what it leads to by itself; `ALLOW` for what is only counted, and for what is excused.
        line: where it stands, or where the label would be put.
    """

    problem: Problem
    effect: Verdict
    line: int


@dataclass(frozen=True, slots=True)
class Checked:
    """An object with what admission would say of it."""

    found: Found
    decision: AdmissionDecision
    findings: tuple[Finding, ...]


def check_all(
    objects: Sequence[Found], snapshot: PolicySnapshot, requester: Requester, now_ms: int
) -> tuple[Checked, ...]:
    """Judge each object as if it were created now: what is there already may be judged more mildly."""
    return tuple(_check(one, snapshot, requester, now_ms) for one in objects)


def _check(one: Found, snapshot: PolicySnapshot, requester: Requester, now_ms: int) -> Checked:
    request = Request(Operation.CREATE, one.workload, requester, dry_run=True)
    decision = admit(snapshot, request, now_ms)
    findings = (_finding(one, problem, effect(problem, request, ()), snapshot) for problem in decision.problems)
    return Checked(one, decision, tuple(sorted(findings, key=lambda finding: finding.line)))


def _finding(one: Found, problem: Problem, leads_to: Verdict, snapshot: PolicySnapshot) -> Finding:
    return Finding(problem, leads_to, _line(one, problem, _spellings(snapshot, problem)))


def _spellings(snapshot: PolicySnapshot, problem: Problem) -> tuple[str, ...]:
    """The labels that mean the key that a problem is about."""
    keys = (key for policy in snapshot.policies if policy.name == problem.policy for key in policy.keys)
    return tuple(label for key in keys if key.key == problem.key for label in (key.label, *key.aliases))


def _line(one: Found, problem: Problem, spellings: Sequence[str]) -> int:
    """The label itself, else the labels that it is missing from, else the metadata, else the object.

    What is used stands in the spec.
    """
    holder = _holder(one, problem)
    spec = entry(holder, "spec") if problem.code in _OF_USE else None
    if spec:
        return _number(spec[0])
    metadata = entry(holder, "metadata")
    labels = entry(metadata[1], "labels") if metadata else None
    for spelling in spellings if labels else ():
        found = entry(labels[1], spelling) if labels else None
        if found and problem.value in {"", found[1].value}:
            return _number(found[0])
    return _number(next(found[0] for found in (labels, metadata, (holder, holder)) if found))


def _number(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _holder(one: Found, problem: Problem) -> yaml.Node:
    """The template that a problem is about, or the object."""
    node: yaml.Node = one.document.node
    paths = [each.path for each in template_places(one.workload) if each.name == problem.template]
    for step in _steps(paths[0]) if paths else ():
        inner = child(node, step)
        if inner is None:
            break
        node = inner
    return node


def _steps(pointer: str) -> Iterator[str]:
    for step in pointer.split("/")[1:]:
        yield step.replace("~1", "/").replace("~0", "~")
