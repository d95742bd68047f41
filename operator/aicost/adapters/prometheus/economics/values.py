"""What customers, features or segments bring, and who asked for how much, by queries of one's own.

The queries are the reader's, asked with the reader's rights: they are not bound to a namespace.
"""

import math
from collections import defaultdict
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
MODEL_LABELS = ("model", "model_name")
"""Labels that name the model which a sample is about, best first."""
_FINEST = 10**6
"""Weights are told apart to a millionth."""
_HEAVIEST = 10**15


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


def query_weights(
    config: PrometheusConfig, query: str, dimension: Dimension, windows: Sequence[Window]
) -> Mapping[str, Mapping[str, int]]:
    """Ask once for each span how much each asked for; see `aicost.domain.serving.pipelines.weighing`.

    Args:
        config: the server.
        query: an expression that gives one sample for each name, and for each model where it tells them apart.
        dimension: its names stand in a label that is called as the dimension; a sample without it is nobody's.
        windows: the spans; each is asked for at its end.

    Raises:
        SourceUnavailable, InvalidAnswer, NotPermitted: there is no answer.
        InvalidRequest: a sample is no weight.
    """
    label, client = dimension.value.replace("-", "_"), PrometheusClient(config)
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    try:
        for span in windows:
            asked = query.replace(WINDOW, duration(span.length_ms))
            for one in client.query(asked, span.end_ms - 1, Vector).result:
                model = next((one.metric[name] for name in MODEL_LABELS if one.metric.get(name)), "").lower()
                name = normalise(dimension, one.metric.get(label, "")) or ""
                found[model][name] += _weight(one.value[1], name)
    finally:
        client.close()
    return {model: dict(mine) for model, mine in found.items()}


def _weight(text: str, name: str) -> int:
    amount = float(text)
    if math.isnan(amount):
        return 0
    if not 0 <= amount < _HEAVIEST:
        raise InvalidRequest(
            f"--tenants-query: {text} of {name[:63] or 'nobody'!r} is no weight: give numbers from 0 to less than 10^15"
        )
    exact = Fraction(amount) * _FINEST
    return divide(exact.numerator, exact.denominator)


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
