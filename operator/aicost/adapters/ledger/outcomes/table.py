"""The Delta table of statements about requests, beside the ledger.

| Column | Type | What it is |
|---|---|---|
| date | date | day of the request in UTC; the table is partitioned by it |
| cluster, namespace | string | where the workload runs |
| workload, model | string | which of the two was named; the other is empty |
| id | string | id of the request or trace |
| at | timestamp | when the request was made |
| posted, place | timestamp, int32 | when the statement came, and at which place among those that came with it |
| success | bool | whether it was one |
| reason | string | why, empty where nobody says |
| tokens | int64 | generated tokens, null where they are not known |
| team, feature, customer | string | for whom, empty where nobody says |
"""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import WriterProperties

from aicost.adapters.ledger.beside.table import Layout
from aicost.domain.exact.windows import to_datetime
from aicost.domain.serving.outcomes.posted import Statement

REQUEST = '"cluster", namespace, workload, model, id'
"""What a statement is about."""
LAST = "posted DESC, place DESC, success, reason"
"""The order in which the first one counts; nothing is left to chance where two replicas took them at once."""
_TIME = pa.timestamp("us", "UTC")
_TEXTS = ("cluster", "namespace", "workload", "model", "id")
SCHEMA = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in _TEXTS),
        pa.field("at", _TIME, nullable=False),
        pa.field("posted", _TIME, nullable=False),
        pa.field("place", pa.int32(), nullable=False),
        pa.field("success", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("tokens", pa.int64()),
        *(pa.field(name, pa.string(), nullable=False) for name in ("team", "feature", "customer")),
    ]
)
OUTCOMES = Layout(
    name="outcomes",
    folder="outcomes",
    format="1",
    schema=SCHEMA,
    says="What was stated of requests. Of several statements about one request the last one counts.",
    writer=WriterProperties(compression="ZSTD"),
    properties={
        "delta.dataSkippingStatsColumns": "cluster,namespace,at",
        "delta.logRetentionDuration": "interval 2 days",
    },
)


def rows_of(cluster: str, statements: Sequence[Statement], posted_ms: int) -> pa.Table:
    """Statements as rows."""
    columns = {
        "date": [to_datetime(one.at_ms).date() for one in statements],
        "cluster": [cluster] * len(statements),
        "at": [one.at_ms * 1_000 for one in statements],
        "posted": [posted_ms * 1_000] * len(statements),
        "place": list(range(len(statements))),
    }
    own = {
        one.name: columns[one.name] if one.name in columns else [getattr(given, one.name) for given in statements]
        for one in SCHEMA
    }
    return pa.Table.from_arrays([pa.array(own[one.name], one.type) for one in SCHEMA], schema=SCHEMA)
