"""Verdicts on the screen: a line for each thing that is wrong, as compilers write it, and what all that comes to."""

from collections.abc import Iterator, Sequence

from aicost.domain.policy.decisions import Verdict
from aicost.domain.policy.messages import clause
from aicost.domain.policy.requests import PolicySnapshot
from aicost.entrypoints.cli.manifests.verdicts import Checked, Finding
from aicost.entrypoints.cli.output.table import printable
from aicost.entrypoints.cli.terminal import Style, Terminal

WORDS = {Verdict.DENY: "error", Verdict.WARN: "warning", Verdict.ALLOW: "note"}
_UNHEARD = ("out of scope", "no policy holds")


def draw_verdicts(checked: Sequence[Checked], snapshot: PolicySnapshot, of: str, terminal: Terminal) -> str:
    """The whole screen."""
    lines = [line for one in checked for line in _object(one, terminal)]
    help_lines = [f"Help: {printable(link)}" for link in (_links(checked, snapshot) if lines else ())]
    return "\n".join([*lines, *([""] if lines else []), *_summary(checked, of, terminal), *help_lines])


def _links(checked: Sequence[Checked], snapshot: PolicySnapshot) -> Iterator[str]:
    """Where policies that something is wrong by are explained, and whom to ask."""
    named = {finding.problem.policy for one in checked for finding in one.findings}
    for policy in snapshot.policies:
        link = " · ".join(filter(None, (policy.help_url, policy.contact and f"ask {policy.contact}")))
        if policy.name in named and link:
            yield f"{policy.name}: {link}"


def _object(one: Checked, terminal: Terminal) -> Iterator[str]:
    for finding in one.findings:
        if not finding.problem.excused_by:
            style = Style.WARN if finding.effect is not Verdict.ALLOW else Style.DIM
            word = terminal.paint(f"{WORDS[finding.effect]}:", style)
            yield f"{place(one, finding)}: {word} {printable(finding_text(one, finding))}"


def place(one: Checked, finding: Finding) -> str:
    """File and line; what Helm says where it comes from."""
    document = one.found.document
    origin = f" ({document.origin})" if document.origin else ""
    return printable(f"{document.source}:{finding.line}{origin}")


def finding_text(one: Checked, finding: Finding) -> str:
    """What is wrong, of which object, with the fix and the name of the rule."""
    problem = finding.problem
    fix = f"; set {problem.fix}" if problem.fix else ""
    audit = " (only counted: the policy's mode is Audit)" if finding.effect is Verdict.ALLOW else ""
    return f"{one.found.name}: {clause(problem)}{fix}{audit} [{problem.policy}/{problem.code}]"


def _summary(checked: Sequence[Checked], of: str, terminal: Terminal) -> Iterator[str]:
    """How many objects fared how. What no policy speaks of is not counted as in order."""
    unheard = sum(one.decision.reason.startswith(_UNHEARD) for one in checked)
    denied, warned = (_count(checked, verdict) for verdict in (Verdict.DENY, Verdict.WARN))
    fine = len(checked) - denied - warned - unheard
    parts = (
        f"{denied} would be denied",
        f"{warned} let in with warnings",
        f"{fine} in order",
        f"{unheard} not judged" if unheard else "",
    )
    yield terminal.paint(f"{_objects(len(checked))}: {', '.join(filter(None, parts))}.", Style.HEAD)
    yield terminal.paint(f"Judged by {printable(of)}, as if created now.", Style.DIM)


def _count(checked: Sequence[Checked], verdict: Verdict) -> int:
    return sum(one.decision.verdict is verdict for one in checked)


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"
