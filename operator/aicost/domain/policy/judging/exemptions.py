"""Who is excused, and until when."""

import re

from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.policy.decisions import Problem
from aicost.domain.policy.judging.hearing import Hearing
from aicost.domain.policy.judging.scopes import in_namespaces, namespace_labels, safely_selects
from aicost.domain.policy.policies import Exemption
from aicost.domain.workloads.shapes import Workload

EXEMPT_UNTIL = "aicost.dev/exempt-until"
"""Annotation of an object: an RFC 3339 time until which it is excused. Who may set it needs the verb `exempt`."""
EXEMPT_REASON = "aicost.dev/exempt-reason"
"""Annotation beside it: why. Without a reason nothing is excused."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def excuse(hearing: Hearing, problem: Problem, now_ms: int) -> str:
    """The exemption that excuses a problem now, empty for none. An exemption ends at its date, to the millisecond."""
    named = (one.name for one in hearing.policy.exemptions if _excuses(one, hearing, problem, now_ms))
    return next(named, "") or _own_exemption(hearing.workload, now_ms)


def exemption_problem(workload: Workload) -> str:
    """Why an object's own exemption excuses nothing, empty where it is well formed or absent."""
    if EXEMPT_UNTIL not in workload.annotations:
        return ""
    if _until_ms(workload) is None:
        return f"annotation {EXEMPT_UNTIL} excuses nothing: write an RFC 3339 time such as 2026-12-31T00:00:00Z"
    if not workload.annotations.get(EXEMPT_REASON, "").strip():
        return f"annotation {EXEMPT_UNTIL} excuses nothing: add {EXEMPT_REASON}"
    return ""


def _excuses(exemption: Exemption, hearing: Hearing, problem: Problem, now_ms: int) -> bool:
    workload, scope = hearing.workload, exemption.namespaces
    if now_ms >= exemption.until_ms or (exemption.keys and problem.key not in exemption.keys):
        return False
    labels = namespace_labels(hearing.snapshot, workload.namespace)
    if scope is not None and not in_namespaces(scope, workload.namespace, labels):
        return False
    return exemption.selector is None or safely_selects(exemption.selector, workload.labels)


def _own_exemption(workload: Workload, now_ms: int) -> str:
    until = _until_ms(workload)
    if until is None or now_ms >= until or exemption_problem(workload):
        return ""
    return f"annotation {EXEMPT_UNTIL}"


def _until_ms(workload: Workload) -> int | None:
    text = workload.annotations.get(EXEMPT_UNTIL, "")[:64].strip()
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return from_rfc3339(text.upper())
    except ValueError:  # such as the 31st of February
        return None
