"""The Delta table of counts, beside that of the amounts. One day is one partition, so that old days go as a whole.

| column | type | meaning |
|---|---|---|
| date | date | UTC date of the window; the table is partitioned by it |
| cluster | string | id of the cluster |
| window_start, window_end | timestamp, UTC | the window |
| revision | int32 | of each window the highest one counts, and no other |
| kind | string | `engine`, `gateway`, `workload`; `window` for the one row that says that the window was counted |
| count, part | string | what was counted, and which part of it, such as how requests ended |
| value | int64 | how many; of the kind `window` how many other rows there are |
| source | string | engines or the gateway that counted |
| namespace, pod, workload, model | string | whose count; empty where it is nobody's alone |
| team, feature, customer, project, product | string | who asked, as a gateway says; empty where nobody said |
| at_least | boolean | there may be more |

Each commit carries the application transaction `aicost/CLUSTER/counts/START/END` with the revision of the window.
"""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties

from aicost.adapters.ledger.beside.table import Layout, TableBeside
from aicost.adapters.ledger.postings import PREFIX
from aicost.domain.exact.windows import Window, to_datetime
from aicost.domain.serving.counted import CountRow

MARK = "window"
"""The kind of the one row that each revision of a window has."""
_TIME = pa.timestamp("us", "UTC")
TEXTS = ("kind", "count", "part", "source", "namespace", "pod", "workload", "model")
TENANTS = ("team", "feature", "customer", "project", "product")
SCHEMA = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        pa.field("cluster", pa.string(), nullable=False),
        pa.field("window_start", _TIME, nullable=False),
        pa.field("window_end", _TIME, nullable=False),
        pa.field("revision", pa.int32(), nullable=False),
        pa.field("value", pa.int64(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in (*TEXTS, *TENANTS)),
        pa.field("at_least", pa.bool_(), nullable=False),
    ]
)
COUNTS = Layout(
    name="counts",
    folder="units",
    format="1",
    schema=SCHEMA,
    says="What engines, gateways and workloads counted in each window. No amounts.",
    writer=WriterProperties(compression="ZSTD", max_row_group_size=65_536),
    properties={"delta.dataSkippingStatsColumns": "cluster,window_start,window_end,revision,kind"},
)


def kept_revision(table: DeltaTable, cluster: str, window: Window) -> int | None:
    """The highest revision of a window."""
    found: int | None = table.transaction_version(_name(cluster, window))
    return found


def append(
    beside: TableBeside, table: DeltaTable, cluster: str, window: Window, revision: int, rows: Sequence[CountRow]
) -> None:
    """Add the rows of one revision in one commit; of two who add for one window at once, one fails."""
    properties = CommitProperties(
        custom_metadata={"cluster": cluster, "window": str(window), "revision": revision, "rows": len(rows)},
        app_transactions=[Transaction(_name(cluster, window), revision)],
    )
    beside.append(table, _columns(cluster, window, revision, rows), properties)


def _name(cluster: str, window: Window) -> str:
    return f"{PREFIX}{cluster}/counts/{window.start_ms}/{window.end_ms}"


def _columns(cluster: str, window: Window, revision: int, rows: Sequence[CountRow]) -> pa.Table:
    """The rows, and before them the one that says that the window was counted."""
    many = len(rows) + 1
    texts = {
        name: [MARK if name == "kind" else "", *(_text(getattr(row, name)) for row in rows)]
        for name in (*TEXTS, *TENANTS)
    }
    columns = {
        "date": [to_datetime(window.start_ms).date()] * many,
        "cluster": [cluster] * many,
        "window_start": [window.start_ms * 1_000] * many,
        "window_end": [window.end_ms * 1_000] * many,
        "revision": [revision] * many,
        "value": [len(rows), *(row.value for row in rows)],
        "at_least": [False, *(row.at_least for row in rows)],
        **texts,
    }
    return pa.Table.from_arrays([pa.array(columns[one.name], one.type) for one in SCHEMA], schema=SCHEMA)


def _text(value: str) -> str:
    """A text that can be written: half of a surrogate pair has no bytes."""
    return value.encode("utf-8", "backslashreplace").decode()
