"""The document of outcomes: what was stated of the requests of a time."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from aicost.crd.allocations.document import API_VERSION, span_document
from aicost.crd.outcomes.resource import OUTCOMES, POSTED_KIND
from aicost.crd.status.texts import share
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.serving.outcomes.posted import FAILURE, SUCCESS
from aicost.ports.measured.outcomes import OutcomeSum

Document = dict[str, Any]


def outcome_document(
    sums: Sequence[OutcomeSum], span: Window, namespace: str | None, now_ms: int, rows: int
) -> Document:
    """The document.

    Args:
        sums: what was stated.
        span: the time of the requests.
        namespace: the one namespace that was asked about, None for all.
        now_ms: when the answer was made.
        rows: the most lines that it names; beside them stands how many there are.
    """
    judged: Counter[tuple[str, str, str, str]] = Counter()
    for one in sums:
        judged[_subject(one)] += one.requests
    ordered = sorted(sums, key=lambda one: (-one.requests, _subject(one), one.reason, one.success))
    return {
        "apiVersion": API_VERSION,
        "kind": OUTCOMES.report_kind,
        "generated_at": to_rfc3339(now_ms),
        "namespace": namespace,
        "window": span_document(span),
        "requests": sum(judged.values()),
        "lines": len(sums),
        "rows": [_row(one, judged[_subject(one)]) for one in ordered[:rows]],
    }


def posted_document(namespace: str, count: int, posted_ms: int) -> Document:
    """The answer to those who post."""
    return {
        "apiVersion": API_VERSION,
        "kind": POSTED_KIND,
        "metadata": {},
        "namespace": namespace,
        "posted": count,
        "at": to_rfc3339(posted_ms),
    }


def _subject(one: OutcomeSum) -> tuple[str, str, str, str]:
    return one.namespace, one.workload, one.model, one.who


def _row(one: OutcomeSum, judged: int) -> Document:
    return {
        "namespace": one.namespace,
        "workload": one.workload or None,
        "model": one.model or None,
        "who": one.who or None,
        "outcome": SUCCESS if one.success else FAILURE,
        "reason": one.reason or None,
        "requests": one.requests,
        "share": share(one.requests, judged),
        "tokens": one.tokens if one.counted else None,
        "requests_with_tokens": one.counted,
    }
