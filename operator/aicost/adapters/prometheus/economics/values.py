"""What customers, features or segments bring, by a query of one's own.

The query is the reader's, asked with the reader's rights: it is not bound to a namespace.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from aicost.adapters.prometheus.client import PrometheusClient
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import duration
from aicost.adapters.prometheus.replies import Vector
from aicost.domain.exact.amounts import NANOS_PER_UNIT
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.serving.pipelines.margins import Value
from aicost.ports.errors import InvalidRequest

WINDOW = "$window"
"""What stands in a query for the length of the time that counts."""
_LARGEST = 10**9


def query_values(
    config: PrometheusConfig, query: str, dimension: Dimension, currency: str, windows: Sequence[Window]
) -> tuple[Value, ...]:
    """Ask once for each span what was brought in it.

    Args:
        config: the server.
        query: an expression that gives one sample for each name, with `$window` for the length of the span.
        dimension: its names stand in a label that is called as the dimension, dashes as underscores.
        currency: of the samples.
        windows: the spans; each is asked for at its end.

    Raises:
        SourceUnavailable, InvalidAnswer, NotPermitted: there is no answer.
        InvalidRequest: the answer has no such label, or a sample is no amount.
    """
    label, client = dimension.value.replace("-", "_"), PrometheusClient(config)
    try:
        return tuple(
            _value(one.metric, one.value[1], label, dimension, currency)
            for span in windows
            for one in client.query(query.replace(WINDOW, duration(span.length_ms)), span.end_ms - 1, Vector).result
            if not math.isnan(float(one.value[1]))
        )
    finally:
        client.close()


def _value(metric: Mapping[str, str], text: str, label: str, dimension: Dimension, currency: str) -> Value:
    name, amount = normalise(dimension, metric.get(label, "")), float(text)
    if name is None:
        seen = ", ".join(sorted(metric)) or "none"
        raise InvalidRequest(f"--value-query: a sample has no label {label} (labels: {seen}): sum by ({label})")
    if not abs(amount) < _LARGEST:
        raise InvalidRequest(
            f"--value-query: {text} of {name[:63]!r} is no amount: at most nine digits before the point"
        )
    exact = Fraction(amount) * NANOS_PER_UNIT
    return Value(name, divide(exact.numerator, exact.denominator), currency)
