"""The SQL that the ledger's reader asks. Values of people enter it only through `literal`."""

from collections.abc import Collection, Mapping, Sequence

from aicost.adapters.ledger.schema import SCHEMA, dimension_column
from aicost.domain.exact.windows import DAY_MS, Window, to_datetime
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import HELD, Bucket
from aicost.domain.reporting.keys import accepted_values, is_dimension, source_of
from aicost.domain.reporting.query import LABEL_KEY

TABLE = "ledger"
_COLUMNS = {
    "cluster": '"cluster"',  # a keyword to the parser, where it is not the first column
    "node": "node",
    "region": "region",
    "provider": "provider",
    "gpu-model": "gpu_model",
    "component": "component",
    "namespace": "namespace",
    "pod": "pod",
    "controller": "CASE WHEN controller = '' THEN '' ELSE controller_kind || '/' || controller END",
    "workload": "workload",
    "reason": "reason",
    "posting": "CAST(CAST(window_start AS BIGINT) / 1000 AS VARCHAR) || '/' || "
    "CAST(CAST(window_end AS BIGINT) / 1000 AS VARCHAR) || '/' || CAST(revision AS VARCHAR)",
}
_PICKED = {name: name for name in ("node", "device", "namespace", "pod", "workload", "controller")}
_ORDER = ("node", "device", "component", "namespace", "pod", "pod_uid", "bucket", "price", "cost_nanos")
_HELD = ", ".join(f"'{bucket.value}'" for bucket in sorted(HELD))


def literal(text: str) -> str:
    """A string literal of standard SQL: a quote is doubled, and nothing else has a meaning."""
    return "'" + text.replace("'", "''") + "'"


def key_expression(key: str) -> str:
    """The text that a row has under a group key, empty for none."""
    if key.startswith(LABEL_KEY):
        return f"COALESCE(labels[{literal(key.removeprefix(LABEL_KEY))}], '')"
    if is_dimension(key):
        return f"COALESCE({dimension_column(key)}, '')"
    if dimension := source_of(key):
        return f"COALESCE(split_part(provenance[{literal(dimension)}], ' ', 1), '')"
    return _COLUMNS[key]


def _exact_sum(expression: str, name: str) -> str:
    """A sum in 128-bit decimals: no number of 64-bit amounts overflows it."""
    return f"COALESCE(SUM(CAST({expression} AS DECIMAL(38, 0))), 0) AS {name}"


def tagged_name(dimension: str) -> str:
    """Name of the column of an answer that sums what carries the dimension."""
    return f"tagged_{dimension_column(dimension)}"


def _measures(there: Collection[str]) -> list[str]:
    held, quantity = f"bucket IN ({_HELD})", "quantity" if "quantity" in there else "NULL"
    tagged = {
        name: f"CASE WHEN {dimension_column(name)} IS NOT NULL AND {held} THEN cost_nanos END" for name in Dimension
    }
    return [
        _exact_sum("cost_nanos", "cost_nanos"),
        _exact_sum("gpu_milliseconds", "gpu_milliseconds"),
        _exact_sum("CASE WHEN cost_nanos IS NULL THEN gpu_milliseconds END", "unpriced_gpu_milliseconds"),
        _exact_sum("measured_milliseconds", "measured_milliseconds"),
        _exact_sum(quantity, "quantity"),
        _exact_sum(f"CASE WHEN cost_nanos IS NULL THEN {quantity} END", "unpriced_quantity"),
        "COALESCE(SUM(CAST(error_nanos AS DOUBLE) * ABS(CAST(error_nanos AS DOUBLE))), 0.0) AS error_squared",
        _exact_sum("CASE WHEN error_nanos IS NULL THEN gpu_milliseconds END", "blind_milliseconds"),
        _exact_sum("CASE WHEN error_nanos IS NULL THEN cost_nanos END", "blind_nanos"),
        _exact_sum("CASE WHEN list_price THEN cost_nanos END", "list_price_nanos"),
        *(_exact_sum(expression, tagged_name(name)) for name, expression in tagged.items()),
    ]


def _day(millis: int) -> str:
    return f"DATE '{to_datetime(millis).date().isoformat()}'"


def _moment(millis: int) -> str:
    return f"to_timestamp_millis({millis})"


def _cluster(cluster: str | None) -> str:
    return "TRUE" if cluster is None else f"cluster = {literal(cluster)}"


def _inside(span: Window) -> str:
    """Windows that lie wholly inside the span.

    Windows never cross midnight in UTC, so the days between the first and the last need no look at a row: that saves a
    quarter of the work of a month's sums.
    """
    first, last = _day(span.start_ms), _day(span.end_ms)
    days_between = f"(date > {first} AND date < {last})"
    exact = f"(window_start >= {_moment(span.start_ms)} AND window_end <= {_moment(span.end_ms)})"
    return f"date BETWEEN {first} AND {last} AND ({days_between} OR {exact})"


def _overlapping(span: Window) -> str:
    """Windows that share time with the span; a window is never longer than a day."""
    days = f"date BETWEEN {_day(span.start_ms - DAY_MS)} AND {_day(span.end_ms)}"
    return f"{days} AND window_start < {_moment(span.end_ms)} AND window_end > {_moment(span.start_ms)}"


def _cut(moment_ms: int) -> str:
    """Windows that begin before a moment and end after it."""
    days = f"date BETWEEN {_day(moment_ms - DAY_MS)} AND {_day(moment_ms)}"
    return f"({days} AND window_start < {_moment(moment_ms)} AND window_end > {_moment(moment_ms)})"


def _passes(filters: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{key_expression(key)} IN ({', '.join(map(literal, sorted(accepted_values(key, values))))})"
        if values
        else "FALSE"
        for key, values in filters.items()
    ]


def sums_query(
    span: Window,
    keys: Sequence[str],
    filters: Mapping[str, tuple[str, ...]],
    cluster: str | None,
    there: Collection[str] = SCHEMA.names,
) -> str:
    """Sums by keys, bucket, currency and component over the windows wholly inside the span.

    `there` are the columns of the table: one of an older version lacks those that came later.
    """
    groups = [f"{key_expression(key)} AS key_{index}" for index, key in enumerate(keys)]
    selected = ", ".join([*groups, "bucket", "currency", "component", *_measures(there)])
    where = " AND ".join([_inside(span), _cluster(cluster), *_passes(filters)])
    places = ", ".join(str(place + 1) for place in range(len(keys) + 3))
    return f"SELECT {selected} FROM {TABLE} WHERE {where} GROUP BY {places} ORDER BY {places}"  # noqa: S608


def series_query(span: Window, keys: Sequence[str], cluster: str) -> str:
    """Cost, idle and busy time by keys, currency, component, whether a pod held it, and window."""
    groups = [f"{key_expression(key)} AS key_{index}" for index, key in enumerate(keys)]
    held = f"bucket IN ({_HELD}) AS held"
    measures = [
        _exact_sum("cost_nanos", "cost"),
        _exact_sum(f"CASE WHEN bucket = '{Bucket.ALLOCATED_IDLE.value}' THEN gpu_milliseconds END", "idle"),
        _exact_sum(f"CASE WHEN bucket = '{Bucket.USED.value}' THEN gpu_milliseconds END", "busy"),
    ]
    selected = ", ".join([*groups, "currency", "component", held, "window_start", "window_end", *measures])
    places = ", ".join(str(place + 1) for place in range(len(keys) + 5))
    where = f"{_inside(span)} AND {_cluster(cluster)}"
    return f"SELECT {selected} FROM {TABLE} WHERE {where} GROUP BY {places} ORDER BY {places}"  # noqa: S608


def rows_query(span: Window, cluster: str | None) -> str:
    """All columns of the rows whose window shares time with the span."""
    return f"SELECT * FROM {TABLE} WHERE {_overlapping(span)} AND {_cluster(cluster)}"  # noqa: S608


def picked_query(span: Window, where: Mapping[str, Collection[str]], cluster: str) -> str:
    """All columns of the rows about some nodes, devices, namespaces, pods, workloads or controllers."""
    picked = [f"{_PICKED[name]} IN ({', '.join(map(literal, sorted(values)))})" for name, values in where.items()]
    conditions = " AND ".join([_overlapping(span), _cluster(cluster), *picked])
    return f"SELECT * FROM {TABLE} WHERE {conditions}"  # noqa: S608


def windows_query(span: Window, cluster: str) -> str:
    """The windows that have rows and share time with the span, oldest first."""
    where = f"{_overlapping(span)} AND {_cluster(cluster)}"
    return f"SELECT DISTINCT window_start, window_end FROM {TABLE} WHERE {where} ORDER BY 1"  # noqa: S608


def flags_query(span: Window, filters: Mapping[str, tuple[str, ...]], cluster: str | None) -> str:
    """Device time by the flags that rows carry, over the windows wholly inside the span."""
    where = " AND ".join([_inside(span), _cluster(cluster), *_passes(filters)])
    time = _exact_sum("gpu_milliseconds", "gpu_milliseconds")
    return f"SELECT flags, {time} FROM {TABLE} WHERE {where} GROUP BY flags"  # noqa: S608


def edges_query(span: Window, filters: Mapping[str, tuple[str, ...]], cluster: str | None) -> str:
    """All columns of the rows whose window is cut by a bound of the span."""
    where = [f"({_cut(span.start_ms)} OR {_cut(span.end_ms)})", _cluster(cluster), *_passes(filters)]
    return f"SELECT * FROM {TABLE} WHERE {' AND '.join(where)}"  # noqa: S608


def export_query(
    span: Window, filters: Mapping[str, tuple[str, ...]], cluster: str | None, there: Collection[str]
) -> str:
    """All columns that the table has of the windows that begin in the span, in one order."""
    columns = ", ".join('"cluster"' if name == "cluster" else name for name in SCHEMA.names if name in there)
    begins = f"window_start >= {_moment(span.start_ms)} AND window_start < {_moment(span.end_ms)}"
    days = f"date BETWEEN {_day(span.start_ms)} AND {_day(span.end_ms)}"
    where = " AND ".join([days, begins, _cluster(cluster), *_passes(filters)])
    order = f'window_start, "cluster", revision, {", ".join(_ORDER)}'
    return f"SELECT {columns} FROM {TABLE} WHERE {where} ORDER BY {order}"  # noqa: S608


def clusters_query() -> str:
    """The clusters that have rows."""
    return f"SELECT DISTINCT cluster FROM {TABLE} ORDER BY cluster"  # noqa: S608
