"""What an AIWorkload says of success: who knows which of its answers were good."""

from typing import Annotated

from pydantic import Field

from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import SET_LIST, Rule, matches
from aicost.domain.serving.outcomes.judged import FinishReason, JudgedBy
from aicost.domain.serving.outcomes.queries import LONGEST

PromQL = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class SuccessQuery(ApiModel):
    """Counters of the workload's own, asked of Prometheus for each billing window."""

    successes: PromQL
    """PromQL for how many successes there were. A selector alone, such as answers_total{outcome="good"}, names counters
    whose increase is meant; in anything else $window is the length of the window. Only series of this namespace are
    read."""
    failures: PromQL | None = None
    """PromQL for how many failures there were, by the label reason."""


class Success(ApiModel):
    """Who says which answers were a success, and which of their words mean one."""

    rules = (
        Rule(
            "self.from == 'engine' || !has(self.finishReasons)",
            "finishReasons are words of engines: take them out, or write from: engine",
            lambda success: success.from_ is JudgedBy.ENGINE or success.finish_reasons is None,
        ),
        Rule(
            "self.from == 'gateway' || !has(self.statuses)",
            "statuses are words of gateways: take them out, or write from: gateway",
            lambda success: success.from_ is JudgedBy.GATEWAY or success.statuses is None,
        ),
        Rule(
            "(self.from == 'query') == has(self.query)",
            "from: query and query go together: give both or neither",
            lambda success: (success.from_ is JudgedBy.QUERY) == (success.query is not None),
        ),
    )

    from_: Annotated[JudgedBy, Field(alias="from")]
    """engine: by how its requests end. gateway: by the status that it answers. query: by counters of your own.
    outcomes: by statements that are posted, request by request."""
    finish_reasons: Annotated[list[FinishReason], Field(min_length=1, max_length=3), SET_LIST] | None = None
    """Of an engine: stop (a natural end or a call of a tool), length (cut at its limit), unknown (ended, nobody says
    how). Default: stop."""
    statuses: (
        Annotated[
            list[
                Annotated[
                    str,
                    Field(max_length=3),
                    matches(r"[1-5]([0-9]{2}|xx)", "write a status such as 200, or a class such as 2xx"),
                ]
            ],
            Field(min_length=1, max_length=32),
            SET_LIST,
        ]
        | None
    ) = None
    """Of a gateway: status codes or classes of them. Default: 2xx. A request that a gateway counts without any error is
    a success in any case."""
    query: SuccessQuery | None = None
    """The queries."""
