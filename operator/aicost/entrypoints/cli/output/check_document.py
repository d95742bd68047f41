"""Verdicts for programs: a document of our own, and SARIF for code review."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from aicost.domain.policy.decisions import LabelChange, ProblemCode, Verdict
from aicost.domain.policy.messages import clause
from aicost.entrypoints.cli.manifests.verdicts import Checked, Finding
from aicost.entrypoints.cli.output.check_text import WORDS, finding_text

FORMAT = "aicost.dev/check/v1alpha1"
SARIF_VERSION = "2.1.0"
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
RULES: Mapping[ProblemCode, str] = {
    ProblemCode.MISSING: "A cost label that is required is missing.",
    ProblemCode.UNKNOWN_VALUE: "A cost label has a value that is not allowed.",
    ProblemCode.CONVENTION: "A cost label does not follow the naming convention.",
    ProblemCode.FOREIGN_VALUE: "A cost label charges somebody who does not pay for this namespace.",
    ProblemCode.IMMUTABLE: "A cost label was changed that stays as it was set.",
    ProblemCode.CONFLICT: "Two spellings of one cost label have different values.",
    ProblemCode.MODEL: "The model is not permitted to this team or in this stage.",
    ProblemCode.GPU_MODEL: "The GPU is not permitted to this team or in this stage.",
    ProblemCode.PROVIDER: "The provider is not permitted to this team or in this stage.",
    ProblemCode.FORGED_OWNER: "An ownerReference was written by hand; it excuses nothing.",
    ProblemCode.EXEMPTION: "An exemption says no end or no reason; it excuses nothing.",
}
Json = Mapping[str, Any]


def as_json(checked: Sequence[Checked], of: str, revision: str, gaps: Sequence[str]) -> str:
    """The check document: each object with its verdict, what is wrong, and the labels that admission would write."""
    head = {"format": FORMAT, "policies": of, "revision": revision, "gaps": list(gaps)}
    return json.dumps({**head, "objects": [_object(one) for one in checked]}, indent=2, ensure_ascii=False)


def _object(one: Checked) -> Json:
    document, workload, decision = one.found.document, one.found.workload, one.decision
    return {
        "source": document.source,
        "origin": document.origin or None,
        "line": document.line,
        "apiVersion": workload.api_version,
        "kind": workload.kind,
        "namespace": workload.namespace,
        "name": workload.name,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "problems": [_problem(finding) for finding in one.findings],
        "changes": [_change(change) for change in decision.changes],
    }


def _problem(finding: Finding) -> Json:
    problem = finding.problem
    return {
        "code": problem.code.value,
        "policy": problem.policy,
        "mode": problem.mode.value,
        "effect": finding.effect.value,
        "line": finding.line,
        "template": problem.template or None,
        "key": problem.key,
        "value": problem.value or None,
        "text": clause(problem),
        "suggestion": problem.suggestion or None,
        "fix": problem.fix or None,
        "excused_by": problem.excused_by or None,
    }


def _change(change: LabelChange) -> Json:
    source = change.source.name.lower().replace("_", "-")
    named = {"path": change.path, "label": change.label, "value": change.value, "raw": change.raw or None}
    return {**named, "source": source, "origin": change.origin}


def as_sarif(checked: Sequence[Checked]) -> str:
    """SARIF 2.1.0: one result for each problem; what is excused is a suppressed result."""
    rules = [{"id": code.value, "shortDescription": {"text": text}} for code, text in RULES.items()]
    driver = {"name": "aicost", "version": version("aicost"), "rules": rules}
    results = [_result(one, finding) for one in checked for finding in one.findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": SARIF_VERSION, "runs": [run]}, indent=2, ensure_ascii=False)


def _result(one: Checked, finding: Finding) -> Json:
    problem, workload = finding.problem, one.found.workload
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(one.found.document.source)},
            "region": {"startLine": finding.line},
        },
        "logicalLocations": [{"fullyQualifiedName": f"{workload.namespace}/{one.found.name}", "kind": "object"}],
    }
    result = {
        "ruleId": problem.code.value,
        "ruleIndex": list(RULES).index(problem.code),
        "level": _level(finding),
        "message": {"text": finding_text(one, finding)},
        "locations": [place],
        "properties": {"policy": problem.policy, "mode": problem.mode.value, "key": problem.key},
    }
    excused = {"kind": "external", "justification": f"exemption {problem.excused_by}"}
    return {**result, "suppressions": [excused]} if problem.excused_by else result


def _level(finding: Finding) -> str:
    return "note" if finding.effect is Verdict.ALLOW else WORDS[finding.effect]


def _uri(source: str) -> str:
    """A path as a URI: relative where it is, so that code review finds the file in its repository."""
    path = PurePath(source)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
