"""Outcomes as a resource: its names, its fields, the parameters of a list, and what a statement may hold."""

from collections.abc import Mapping

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT
from aicost.crd.coverage.resources import Served
from aicost.domain.serving.outcomes.posted import MOST_ITEMS, OLDEST_DAYS, WHO

OUTCOMES = Served(
    plural="outcomes",
    kind="Outcome",
    short_name="outcome",
    about=(
        "How many requests of a workload were stated to be a success or a failure, by reason. Statements are posted; "
        "of several about one request the last one counts."
    ),
    fields=(
        Field("workload", "workload", "string", "Workload that answered, as it was stated."),
        Field("model", "model", "string", "Model that answered, where no workload was stated."),
        Field("for", "who", "string", "For whom they were, where `by` asks for it."),
        Field("outcome", "outcome", "string", "success or failure."),
        Field("reason", "reason", "string", "Why, such as hallucination or thumbs-down."),
        Field("requests", "requests", "integer", "Requests that ended so."),
        Field("share", "share", "string", "Their part of all that were judged of the workload or model."),
        Field("tokens", "tokens", "integer", "Generated tokens of those whose tokens are known."),
        Field("requestsWithTokens", "requests_with_tokens", "integer", "Requests whose tokens are known."),
    ),
    parameters={
        "window": "The time of the requests: 24h, 7d, yesterday, 2026-11-20, FROM/TO. Default: 7d.",
        "by": f"Keep apart for whom they were: {', '.join(WHO)}.",
        "timeZone": "Zone in which days and months begin.",
        "limit": "Lines that the answer names.",
        FORMAT: "report: everything in one document.",
    },
    verbs=("list", "create"),
)

STATEMENT_FIELDS: Mapping[str, tuple[str, str]] = {
    "id": ("string", "Id of the request or trace, 1 to 128 visible characters. The last statement about it counts."),
    "at": ("string", f"When the request was made, RFC 3339 with a zone; at most {OLDEST_DAYS} days ago."),
    "namespace": ("string", "Namespace of the workload; the one in the path where it is left out."),
    "workload": ("string", "AIWorkload or controller that answered: NAME or KIND/NAME."),
    "model": ("string", "Model that answered, as its engine calls it, in place of a workload."),
    "outcome": ("string", "success or failure."),
    "reason": ("string", "Why: needed for a failure."),
    "tokens": ("integer", "Generated tokens of the answer, where they are known."),
    "team": ("string", "Team for whom it was."),
    "feature": ("string", "Feature for which it was."),
    "customer": ("string", "Customer for whom it was."),
}  # fmt: skip
"""Field of a statement -> its type and what it is."""
STATEMENTS_ABOUT = f"Up to {MOST_ITEMS:,} statements about requests: all of them are kept, or none."
POSTED_KIND = "OutcomesPosted"
