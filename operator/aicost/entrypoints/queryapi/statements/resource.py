"""Statements as a resource: its names, its fields, and the parameters that a request understands."""

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT
from aicost.crd.coverage.resources import Served
from aicost.domain.statements.values import SHARED_BUCKETS, Spread

STATEMENTS = Served(
    plural="statements",
    kind="Statement",
    short_name="stmt",
    about=(
        "What a payer owes for a time, computed from the ledger when it is asked for: own cost, shared costs by a "
        "stated rule, and what was adjusted since. Of a namespace or a team it tells what that owes alone."
    ),
    fields=(
        Field("number", "number", "string", "Number of the statement: the same figures get the same one again."),
        Field("payer", "payer", "object", "Key -> value of who owes it."),
        Field("currency", "currency", "string", "ISO 4217 code of all amounts; absent for what has no price."),
        Field("total", "total", "string", "What is owed, with its currency."),
        Field("totalNanos", "total_nanos", "integer", "The same in nano-units (10^-9); absent where not known."),
        Field("ownNanos", "own_nanos", "integer", "The part of it that the payer held."),
        Field("sharedNanos", "shared_nanos", "integer", "The part of it that a rule spread."),
        Field("adjustedNanos", "adjusted_nanos", "integer", "What was posted since the statement before."),
        Field("gpuHours", "gpu_hours", "string", "GPU-hours, priced or not."),
        Field("gpuMilliseconds", "gpu_milliseconds", "integer", "The same in milliseconds."),
        Field("complete", "complete", "boolean", "Whether the time is over and closed; else more may come."),
    ),
    parameters={
        "window": "The time to state: 2026-10, last-month, FROM/TO. Default: last-month.",
        "payer": "KEY=VALUE of who owes it, such as team=vision; repeated, all must match.",
        "per": "Where all payers are stated: an account for each value of this key. Default: cost-center.",
        "by": "Keys of the lines; the first one has subtotals.",
        "timeZone": "Time zone in which days and months begin. Default: UTC.",
        "shared": f"How what nobody held is spread over payers: {', '.join(Spread)}. Needs all namespaces.",
        "sharedBucket": f"Spread this alone: {', '.join(bucket.value for bucket in SHARED_BUCKETS)}. Repeatable.",
        "shares": 'For `fixed`: a JSON object of shares, such as {"vision": "40%"}.',
        "since": "Adjustments since then: a version of the ledger, or a moment. Default: the first postings.",
        "limit": "Lines of an account before the rest is summed in one.",
        FORMAT: "report: the document of `aicost statement -o json`.",
    },
)
