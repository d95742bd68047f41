"""What names bring, by a query of the reader's own."""

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.economics.values import query_values, query_weights
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.pipelines.margins import Value
from aicost.ports.errors import InvalidRequest, SourceUnavailable
from support.http_server import serving

T0 = 1_700_000_000_000
SPANS = (Window(T0, T0 + HOUR_MS), Window(T0 + 2 * HOUR_MS, T0 + 4 * HOUR_MS))
QUERY = "sum by (customer_segment) (increase(revenue_total[$window]))"


def asked(*samples, status=200):
    """Ask a server that gives these samples; the queries that it saw, and the values."""
    rows = [{"metric": labels, "value": [T0 / 1e3, value]} for labels, value in samples]
    body = {"status": "success", "data": {"resultType": "vector", "result": rows}}
    with serving(lambda request: request.answer_json(body, status)) as served:
        values = query_values(PrometheusConfig(served.url), QUERY, Dimension.CUSTOMER_SEGMENT, "EUR", SPANS)
        return [one.form["query"] for one in served.requests], values


def test_each_span_is_asked_for_by_its_own_length():
    seen, values = asked(({"customer_segment": "Big Banks"}, "12.5"), ({"customer_segment": "x"}, "NaN"))
    assert values == (Value("big-banks", 12_500_000_000, "EUR"),) * 2
    assert seen == [QUERY.replace("$window", length) for length in ("3600000ms", "7200000ms")]


@pytest.mark.parametrize("value", ["+Inf", "-Inf", "1e300"])
def test_a_sample_that_is_no_amount_is_refused(value):
    with pytest.raises(InvalidRequest, match="is no amount"):
        asked(({"customer_segment": "a"}, value))


def test_a_sample_without_the_label_says_which_ones_it_has():
    with pytest.raises(InvalidRequest, match=r"no label customer_segment \(labels: segment\): sum by"):
        asked(({"segment": "a"}, "1"))


def test_a_server_that_fails_is_an_error_and_no_value_of_zero():
    with pytest.raises(SourceUnavailable):
        asked(status=503)


def weighed(*samples):
    rows = [{"metric": labels, "value": [T0 / 1e3, value]} for labels, value in samples]
    body = {"status": "success", "data": {"resultType": "vector", "result": rows}}
    with serving(lambda request: request.answer_json(body)) as served:
        return query_weights(PrometheusConfig(served.url), "x[$window]", Dimension.TEAM, SPANS)


def test_weights_of_all_spans_are_summed_by_model_and_name():
    found = weighed(
        ({"team": "Growth", "model": "Qwen3"}, "1.5"),
        ({"team": "growth", "model_name": "qwen3"}, "2"),
        ({"model": "qwen3"}, "1"),
        ({"team": "search"}, "NaN"),
    )
    assert found == {"qwen3": {"growth": 7_000_000, "": 2_000_000}, "": {"search": 0}}


@pytest.mark.parametrize("value", ["-1", "+Inf", "1e15"])
def test_a_sample_that_is_no_weight_is_refused(value):
    with pytest.raises(InvalidRequest, match="is no weight"):
        weighed(({"team": "a"}, value))
