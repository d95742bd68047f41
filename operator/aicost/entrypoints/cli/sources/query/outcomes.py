"""What was stated of requests, asked of a cluster's query API with the user's own rights."""

from collections.abc import Iterator, Sequence

from aicost.adapters.kube.wire.resources import Resource
from aicost.crd.allocations.parameters import GROUP, VERSION
from aicost.crd.coverage.document import check_document
from aicost.crd.outcomes.resource import OUTCOMES
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.serving.outcomes.posted import SUCCESS
from aicost.entrypoints.cli.sources.cluster import ask_columns
from aicost.entrypoints.cli.sources.query.units import Remote
from aicost.ports.errors import InvalidAnswer, InvalidRequest
from aicost.ports.measured.outcomes import OutcomeSum

MOST_RUNS = 24
_RESOURCE = Resource(GROUP, VERSION, OUTCOMES.plural, OUTCOMES.kind)


def ask_outcomes(remote: Remote, runs: Sequence[Window]) -> Iterator[OutcomeSum]:
    """What was stated of the requests of some spans.

    Raises:
        InvalidRequest: they are too many.
        NotPermitted: the user may not see that.
        ClusterUnavailable, InvalidAnswer: no answer, or none that can be used.
    """
    if len(runs) > MOST_RUNS:
        raise InvalidRequest(f"--window: windows are missing in {len(runs)} places: ask for less, or use --ledger")
    for run in runs:
        asked = [("window", f"{to_rfc3339(run.start_ms)}/{to_rfc3339(run.end_ms)}")]
        document = ask_columns(remote.config, _RESOURCE, asked, remote.namespace)
        try:
            rows = check_document(document, OUTCOMES.report_kind)["rows"]
            yield from (
                OutcomeSum(
                    namespace=str(row["namespace"]),
                    workload=row["workload"] or "",
                    model=row["model"] or "",
                    success=row["outcome"] == SUCCESS,
                    reason=row["reason"] or "",
                    requests=int(row["requests"]),
                    counted=int(row["requests_with_tokens"]),
                    tokens=int(row["tokens"] or 0),
                )
                for row in rows
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise InvalidAnswer(f"{problem}: use an aicost of the server's version") from problem
