"""SuccessJudged: whether the source that an AIWorkload names says which of its answers were a success."""

from collections.abc import Iterator, Sequence

from aicost.crd.convert.parsing import Converted
from aicost.crd.convert.success import WorkloadSuccess
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.conditions import Statement
from aicost.crd.status.texts import percent
from aicost.domain.serving.outcomes.costs import OutcomeCosts
from aicost.domain.serving.outcomes.judged import JudgedBy

_KIND = ConditionType.SUCCESS_JUDGED
_FIXES = {
    JudgedBy.ENGINE: "Its engine does not tell how its requests end: choose another source.",
    JudgedBy.GATEWAY: "No gateway tells how it answered for its models: check that the Prometheus scrapes the gateway, "
    "and that the gateway calls the model as the engine does, or name its alias in spec.telemetry.modelAliases.",
    JudgedBy.QUERY: "The queries found no series of this namespace: try them in Prometheus with namespace=NAMESPACE.",
    JudgedBy.OUTCOMES: "No outcome was posted about a request of this month: aicost outcomes post FILE.",
}


def success_judged(read: Converted[WorkloadSuccess], judged: Sequence[OutcomeCosts | None]) -> Iterator[Statement]:
    """What there is to say; nothing of a workload that names no source."""
    if read.problems:
        text = f"{read.problems[0]}. Nothing is judged before that is put right."
        yield Statement(_KIND, ConditionStatus.FALSE, Reason.INVALID_SPEC, text)
    if read.value is None:
        return
    source = read.value.rule.source
    found = [one for one in judged if one is not None]
    if not found:
        yield Statement(_KIND, ConditionStatus.UNKNOWN, Reason.NOTHING_JUDGED, _FIXES[source])
        return
    first = found[0]
    text = f"Successes are told by the source {source}."
    if first.coverage is not None:
        text += f" {percent(first.coverage)} of what its engine counted this month was judged."
    yield Statement(_KIND, ConditionStatus.TRUE, Reason.JUDGED, text)
